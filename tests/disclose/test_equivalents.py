"""Equivalences: sourced, with range and place, and sane."""

import json

import pytest

from joulebook.disclose.equivalents import PLACES, apt_equivalent, check_stated, equivalents, read_amount
from joulebook.errors import BadValue, UnknownName
from joulebook.faces.cli.main import run_command
from joulebook.factors.read import read_edition
from joulebook.terms.range import Range

BOUNDS = {
    "car-km": (50, 500),
    "gasoline-litre": (2000, 2700),
    "pine-year": (1000, 50_000),
    "flight-seoul-new-york": (500_000, 3_000_000),
    "flight-london-new-york": (250_000, 2_000_000),
    "flight-new-york-san-francisco": (200_000, 1_500_000),
    "streaming-hour": (1, 500),
    "smartphone-charge": (0.005, 0.05),
    "tv-hour": (0.01, 0.5),
    "kettle-litre": (0.05, 0.2),
    "home-month": (100, 2000),
    "person-day": (50, 600),
    "bottle": (0.5, 0.5),
}
"""Thing -> bounds that physics and common sense set for one of it [g, kWh or L]."""


@pytest.fixture(scope="module")
def edition():
    """The shipped factors."""
    return read_edition()


def test_every_equivalence_is_sane(edition):
    """Low, value and high of every shipped thing lie within bounds of common sense, so a slip of units is caught."""
    rows = [row for row in edition.factors if row.kind == "equivalence"]
    assert {row.subject for row in rows} == set(BOUNDS)
    for row in rows:
        low, high = BOUNDS[row.subject]
        assert low <= row.low <= row.value <= row.high <= high, row.subject
        assert row.basis["place"] in PLACES
        assert set(edition.names[row.subject]) == {"en", "ko"}
        assert row.range_basis
        assert edition.sources[row.source].title


def test_korea_america_and_europe_have_their_own_things(edition):
    """A car in Korea is not a car in the EU: three places have their own values for the same thing."""
    cars = {
        each.place: each.count.mid for each in equivalents(edition, read_amount("12.3 kg")) if each.subject == "car-km"
    }
    assert set(cars) == {"KOR", "USA", "EU"}
    assert len(set(cars.values())) == 3
    assert cars["EU"] == pytest.approx(12_300 / 175)


def test_ranges_turn_around(edition):
    """A thing that may take more is fewer of it: the high end of the factor is the low end of the count."""
    (charge,) = (each for each in equivalents(edition, read_amount("1 kWh")) if each.subject == "smartphone-charge")
    assert charge.count == pytest.approx((1 / 0.024, 1 / 0.022, 1 / 0.012))


def test_three_thousand_kwh_are_not_an_hour_of_television(edition):
    """The slip of a well-known tool is caught: 3103 kWh as one hour of television is 53,000 times too much."""
    found = check_stated(edition, read_amount("3103 kWh"), 1, "tv-hour")
    assert not found.is_plausible
    assert found.times == pytest.approx(3103 / 0.0586)


@pytest.mark.parametrize(
    ("amount", "count", "thing", "is_plausible"),
    [
        ("0.06 kWh", 1, "tv-hour", True),
        ("11.49 kWh", 522, "smartphone-charge", True),
        ("11.49 kWh", 522_000, "smartphone-charge", False),
        ("300000 kg", 125, "flight-seoul-new-york", True),
        ("8.9 kg", 1, "gasoline-litre", False),
        ("8.887 kg", 3.785, "gasoline-litre", True),
        ("0.5 L", 1, "bottle", True),
    ],
)
def test_stated_equivalences_are_checked(edition, amount, count, thing, is_plausible):
    """Right ones pass, slips of a thousand or of the unit do not."""
    assert check_stated(edition, read_amount(amount), count, thing).is_plausible is is_plausible


def test_co2e_energy_and_water_are_not_mixed(edition):
    """Kilograms are told in things that have CO2e, kWh in things that have energy, litres in things that have water."""
    for amount, column in (
        ("1kg", "equivalent_co2e_g"),
        ("1kWh", "equivalent_energy_kwh"),
        ("1L", "equivalent_water_l"),
    ):
        assert {each.factor.quantity for each in equivalents(edition, read_amount(amount))} == {column}
    with pytest.raises(UnknownName, match="car-km"):
        check_stated(edition, read_amount("1 kg"), 1, "tv-hour")


@pytest.mark.parametrize("wrong", ["12 USD", "12", "0 kg", "kg", "-5 kg", "many kg"])
def test_what_is_no_amount_is_refused(edition, wrong):
    """Money, plain numbers, zero and words end with an error that says what to give."""
    with pytest.raises(BadValue, match="Next"):
        equivalents(edition, read_amount(wrong))


def test_the_command_prints_both_languages_and_json(capsys):
    """Tables fit 80 columns in both languages; --json carries factor ids; an impossible statement exits 1."""
    from joulebook.faces.cli.show import width_of

    for language in ("ko", "en"):
        assert run_command(["--lang", language, "equivalents", "12.3kg"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(width_of(line) for line in lines) <= 80
    assert any("승용차" in line for line in lines)
    assert run_command(["equivalents", "12.3", "kg", "--place", "KOR", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["place"] for each in document["equivalents"]} == {"KOR"}
    assert all(len(each["factor_id"]) == 12 for each in document["equivalents"])
    assert run_command(["equivalents", "3103kWh", "--is", "1", "tv-hour"]) == 1


def test_apt_equivalent(edition):
    """An amount is said in the thing of its country whose count is nearest to one; next to nothing is said in none."""
    korea = apt_equivalent(edition, Range(300.0, 330.0, 360.0), "kWh", "KOR")
    assert (korea.subject, korea.place) == ("home-month", "KOR")
    assert korea.count.low < korea.count.mid < korea.count.high
    assert apt_equivalent(edition, Range(900.0, 1000.0, 1100.0), "kWh", "FRA").place == "WORLD"
    assert apt_equivalent(edition, Range(1e-9, 1e-9, 1e-9), "kWh", "KOR") is None
    assert apt_equivalent(edition, Range(0.0, 0.0, 0.0), "g", "KOR") is None
