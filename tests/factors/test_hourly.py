"""Choosing the value of an hour: the ladder, the two clocks, and that signals are never mixed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.factors.choose import choose
from joulebook.factors.hourly import AVERAGE, HINT_FETCH, HOUR_STEPS, MARGINAL, HourChoice, Hours, choose_hour
from joulebook.factors.mix import intensity_of
from joulebook.factors.read import read_edition
from joulebook.live import eia, entsoe, kpx
from joulebook.live.ask import Ask
from joulebook.live.sources import SOURCES, live_source, zone_of, zones
from joulebook.terms.series import SeriesRow

EDITION = read_edition()
HOURLY = "ghgp-location-hourly-draft"
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)


def told(
    value: float, at: datetime = NOON, subject: str = "DEU", stage: str = "direct", known: datetime | None = None,
    source: str = "live-electricity-maps", tier: str = "derived", quantity: str = AVERAGE,
) -> SeriesRow:  # fmt: skip
    """An hour as a source told it."""
    signal = "marginal" if quantity == MARGINAL else "average"
    basis = {"signal": signal, "stage": stage, "method": "location", "grain": "hour"}
    fetched = known or datetime(2026, 11, 10, tzinfo=UTC)
    return SeriesRow(subject, quantity, value, "g/kWh", basis, at, at + timedelta(hours=1), fetched, tier, source, "c")


def generated(fuel: str, mwh: float, at: datetime = NOON, subject: str = "KOR", source: str = "live-kpx") -> SeriesRow:
    """What a zone generated from one fuel in an hour."""
    end, fetched = at + timedelta(hours=1), datetime(2026, 11, 10, tzinfo=UTC)
    basis = {"grain": "hour", "flow": "production", "fuel": fuel}
    return SeriesRow(subject, "fuel_generation_kwh", mwh * 1e3, "kWh", basis, at, end, fetched, "derived", source, "c")


def answer(
    *rows: SeriesRow, subject: str = "DEU", at: datetime = NOON, policy: str = HOURLY, known: datetime | None = None
) -> HourChoice:
    """What an hour is answered with."""
    hours = Hours(lambda: rows)
    yearly = choose(EDITION, AVERAGE, subject, at.date(), policy)
    found = choose_hour(EDITION, hours.as_known(known) if known else hours, AVERAGE, subject, at, policy, yearly)
    assert found is not None
    return found


def test_the_hour_itself_comes_first() -> None:
    """A told hour is the answer, exact in the middle, with the source's spread around it."""
    found = answer(told(321.0), at=NOON + timedelta(minutes=59))
    assert found.factor.value == 321.0
    assert found.chosen_because == "hourly value"
    assert found.factor.low < 321.0 < found.factor.high
    assert [factor.source for factor, _low, _high in found.effects] == ["joulebook-assumption"]
    assert found.hint is None


def test_an_estimate_is_wider_than_a_final_value() -> None:
    """What a source calls estimated has a wider range."""
    final, estimated = answer(told(300.0)), answer(told(300.0, tier="estimated"))
    assert estimated.factor.low < final.factor.low
    assert estimated.factor.high > final.factor.high


def test_direct_stands_before_life_cycle() -> None:
    """The policy's first basis wins, whatever the source; without it the next one answers and says what it is."""
    both = answer(told(400.0, stage="life-cycle"), told(350.0, source="live-uk-carbon-intensity"))
    assert both.factor.value == 350.0
    only = answer(told(400.0, stage="life-cycle"))
    assert only.factor.basis["stage"] == "life-cycle"


def test_of_equal_bases_the_policys_source_answers() -> None:
    """Operators stand before services that compile them, in the order of the policy's file."""
    found = answer(told(350.0), told(340.0, source="live-entsoe"))
    assert found.factor.source == "live-entsoe"


def test_a_mix_becomes_an_intensity() -> None:
    """Half gas and half nuclear is half the gas factor; storage counts for nothing; the cell names the mix."""
    found = answer(generated("gas", 500), generated("nuclear", 500), generated("storage", 300), subject="KOR")
    gas = choose(EDITION, AVERAGE, "fuel:gas", NOON.date(), stage="direct", of="fuel").factor
    assert found.factor.value == pytest.approx(gas.value / 2)
    assert found.chosen_because == "hourly generation mix"
    assert "gas 50%" in found.factor.cell
    assert {factor.subject for factor, _low, _high in found.effects} == {"fuel:gas", "fuel:nuclear", "live-kpx"}


def test_hours_of_a_mix_share_their_factors() -> None:
    """The gas factor behind two hours is one factor, so its error does not average out over the hours."""
    one = answer(generated("gas", 500), generated("nuclear", 100), subject="KOR")
    later = NOON + timedelta(hours=1)
    two = answer(generated("gas", 400, later), generated("nuclear", 300, later), subject="KOR", at=later)
    ids = [{factor.factor_id for factor, _low, _high in found.effects} for found in (one, two)]
    assert ids[0] == ids[1]
    assert one.factor.factor_id != two.factor.factor_id


@given(st.dictionaries(st.sampled_from(sorted(set(kpx.FUELS.values()))), st.floats(0, 1e5), min_size=1))
@settings(max_examples=60, deadline=None)
def test_a_mix_lies_between_its_fuels(energies: dict[str, float]) -> None:
    """Whatever the mix, its intensity lies within those of its fuels, and does not change when all is doubled."""
    rows = [generated(fuel, mwh) for fuel, mwh in energies.items()]
    mix = intensity_of(EDITION, rows, "life-cycle", NOON.date())
    if mix is None:
        assert sum(mwh for fuel, mwh in energies.items() if fuel != "storage") == 0
        return
    values = [factor.value for factor, _low, _high in mix.effects]
    assert min(values) * 0.999999 <= mix.value <= max(values) * 1.000001
    assert sum(mix.shares.values()) == pytest.approx(1)
    twice = intensity_of(
        EDITION, [generated(fuel, 2 * mwh) for fuel, mwh in energies.items()], "life-cycle", NOON.date()
    )
    assert twice is not None
    assert twice.value == pytest.approx(mix.value)


def test_every_fuel_of_every_source_has_both_factors() -> None:
    """No fuel that a source may name is without a direct and a life-cycle factor."""
    fuels = {*kpx.FUELS.values(), *eia.FUELS.values(), *entsoe.FUELS.values()} - {"storage"}
    for fuel in fuels:
        for stage in ("direct", "life-cycle"):
            found = choose(EDITION, AVERAGE, f"fuel:{fuel}", NOON.date(), stage=stage, of="fuel")
            assert found.factor.subject == f"fuel:{fuel}"


def test_an_earlier_day_answers_with_its_age() -> None:
    """Where the hour is not told, the same hour of an earlier day is, wider, with its age and the hint to fetch."""
    whole = answer(told(300.0))
    day = answer(told(300.0, NOON - timedelta(days=1)))
    days = answer(told(300.0, NOON - timedelta(days=6)))
    assert day.chosen_because == "same hour of the day before + hourly value"
    assert days.chosen_because == "same hour of an earlier day + hourly value"
    assert "144 h older" in days.factor.cell
    assert day.hint == HINT_FETCH
    assert day.factor.low < whole.factor.low
    assert day.factor.high > whole.factor.high


def test_too_long_ago_or_later_is_no_answer() -> None:
    """Eight days back and one day ahead say nothing; the year answers, with the hint."""
    for off in (-8, 1):
        found = answer(told(300.0, NOON + timedelta(days=off)))
        assert found.steps[0] == "yearly factor: hour not fetched"
        assert found.hint == HINT_FETCH


def test_the_profile_stands_between_hours_and_years() -> None:
    """California's noon is cleaner than its evening even when nothing was fetched, and both share the year's factor."""
    noon, evening = (answer(subject="US-CAMX", at=datetime(2026, 5, 5, hour, tzinfo=UTC)) for hour in (20, 4))
    assert noon.factor.value < evening.factor.value
    assert noon.steps[0] == "yearly factor times hourly profile"
    assert noon.effects[0][0].factor_id == evening.effects[0][0].factor_id


def test_a_balancing_authority_stands_for_its_subregion() -> None:
    """Hours of EIA-CISO answer for US-CAMX, which the link of the profile says."""
    found = answer(generated("gas", 1, subject="EIA-CISO", source="live-eia"), subject="US-CAMX")
    assert found.factor.source == "live-eia"


def test_a_place_that_is_not_known_has_no_hours() -> None:
    """For the unknown place the range over the world stays, whatever was fetched for others."""
    found = answer(told(300.0), subject="unknown")
    assert found.is_unknown
    assert found.factor.subject == "unknown"


def test_a_contract_stands_before_the_hour() -> None:
    """Under the market policy a market-based factor answers, not the grid's hour."""
    market = choose(EDITION, AVERAGE, "DEU", NOON.date(), "ghgp-market-hourly-draft")
    assert market.factor.basis["method"] == "location"
    basis = {"signal": "average", "method": "market", "instrument": "contract"}
    own = type(market)(type(market.factor)(**{
        name: getattr(market.factor, name) for name in type(market.factor).__slots__ if name != "_id"
    } | {"basis": basis, "value": 10.0, "low": 9.0, "high": 11.0}), ("user factor",))  # fmt: skip
    found = choose_hour(EDITION, Hours(lambda: [told(300.0)]), AVERAGE, "DEU", NOON, "ghgp-market-hourly-draft", own)
    assert found is not None
    assert found.factor.value == 10.0


def test_marginal_and_average_never_stand_in_for_each_other() -> None:
    """A marginal hour answers a marginal question only, and where there is none the answer is unknown."""
    marginal = told(900.0, quantity=MARGINAL, source="live-watttime")
    assert answer(marginal).factor.value != 900.0
    hours = Hours(lambda: [told(300.0), marginal])
    found = choose_hour(EDITION, hours, MARGINAL, "DEU", NOON, "ghgp-location", None)
    assert found is not None
    assert found.factor.value == 900.0
    assert choose_hour(EDITION, Hours(lambda: [told(300.0)]), MARGINAL, "DEU", NOON, "ghgp-location", None) is None


@given(
    old=st.lists(st.tuples(st.integers(0, 5), st.floats(1, 1000)), max_size=8),
    new=st.lists(st.tuples(st.integers(0, 5), st.floats(1, 1000)), max_size=8),
    hour=st.integers(0, 5),
)
@settings(max_examples=100, deadline=None)
def test_past_answers_of_hours_can_be_given_again(
    old: list[tuple[int, float]], new: list[tuple[int, float]], hour: int
) -> None:
    """However often hours are revised later, as_known gives the answer of that day again."""
    then, later = datetime(2026, 11, 10, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC)
    start = datetime(2026, 11, 5, tzinfo=UTC)
    before = [told(value, start + timedelta(hours=at), known=then) for at, value in old]
    after = [told(value, start + timedelta(hours=at), known=later) for at, value in new]
    at = start + timedelta(hours=hour)
    first = answer(*before, at=at)
    again = answer(*before, *after, at=at, known=then)
    assert (again.factor.factor_id, again.steps) == (first.factor.factor_id, first.steps)
    revised = {value for when, value in new if when == hour}
    if revised:
        assert answer(*before, *after, at=at).factor.value in revised


def test_every_zone_of_the_table_is_a_place_here() -> None:
    """Each subject in the table of zones has factors of its own, or is a balancing authority that a subregion names."""
    linked = {link.object for link in EDITION.links if link.relation == "hourly_profile"}
    for source in SOURCES:
        for zone in zones(source):
            found = zone_of(source, zone)
            known = EDITION.factors_for(AVERAGE, found.subject) or found.subject in linked
            assert bool(known) == found.is_linked, (source, zone)


def test_every_source_is_in_the_bibliography_and_not_shipped() -> None:
    """What is fetched stays with who fetched it."""
    for name in SOURCES:
        service = live_source(name)
        source = EDITION.sources[service.meaning(Ask("x", "x", NOON, NOON)).source]
        assert not source.ships
        assert EDITION.factors_for("true_per_reported_ratio", source.source)


def test_every_step_has_a_name() -> None:
    """The steps are texts that the faces translate."""
    assert len(set(HOUR_STEPS)) == 6
