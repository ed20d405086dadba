"""Editions: ids by content, the world as it was known, and what moved."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.errors import FactorMissing
from joulebook.factors.choose import choose
from joulebook.factors.compare import ages, moved, subjects_leading_to
from joulebook.factors.edition import Edition, Factor
from joulebook.factors.read import read_edition

EPOCH = date(2024, 1, 1)
BASIS = {"signal": "average", "stage": "direct", "method": "location", "purpose": "inventory"}
days = st.integers(0, 1500).map(lambda count: EPOCH + timedelta(days=count))
years = st.integers(2020, 2027)
values = st.floats(1, 1000, allow_nan=False)


@st.composite
def rows(draw: st.DrawFn) -> Factor:
    """A yearly value of one of three places, published on some day."""
    year, value = draw(years), draw(values)
    return Factor(
        kind="grid",
        subject=draw(st.sampled_from(["AAA", "BBB", "unknown"])),
        quantity="intensity_g_per_kwh",
        value=value,
        low=value / 2,
        high=value * 2,
        unit="g/kWh",
        basis=BASIS,
        valid_from=date(year, 1, 1),
        valid_to=date(year + 1, 1, 1),
        known_from=draw(days),
        tier="derived",
        source="s",
        cell="c",
    )


def unique(found: list[Factor]) -> tuple[Factor, ...]:
    """Rows without two statements about one number on one day, which reading refuses."""
    return tuple({(row.subject, row.valid_from, row.known_from): row for row in found}.values())


def answer(edition: Edition, subject: str, at: date) -> tuple[str, str] | None:
    """What the edition says, or None."""
    try:
        choice = choose(edition, "intensity_g_per_kwh", subject, at)
    except FactorMissing:
        return None
    return choice.factor.factor_id, choice.chosen_because


@given(old=st.lists(rows(), max_size=12), new=st.lists(rows(), max_size=12), at=days, seen=days)
@settings(max_examples=200, deadline=None)
def test_past_answers_can_be_given_again(old: list[Factor], new: list[Factor], at: date, seen: date) -> None:
    """However many values are restated or added later, as_known gives every answer of that day again."""
    known = tuple(row for row in unique(old) if row.known_from <= seen)
    later = tuple(row for row in unique(new) if row.known_from > seen)
    then = Edition("then", known, (), {})
    now = Edition("now", known + later, (), {}).as_known(seen)
    assert now.edition_id == then.edition_id
    for subject in ("AAA", "BBB", "CCC"):
        assert answer(now, subject, at) == answer(then, subject, at)


@given(found=st.lists(rows(), max_size=12), data=st.data())
def test_the_id_is_the_content(found: list[Factor], data: st.DataObject) -> None:
    """The order of rows and the lines they stand in do not change an edition's id; a value does."""
    whole = unique(found)
    shuffled = tuple(data.draw(st.permutations(whole)))
    assert Edition("a", whole, (), {}).edition_id == Edition("b", shuffled, (), {}).edition_id
    if whole:
        changed = (*whole[:-1], make_other(whole[-1]))
        assert Edition("a", changed, (), {}).edition_id != Edition("a", whole, (), {}).edition_id


def make_other(row: Factor) -> Factor:
    """The same row with another value."""
    facts = {name: getattr(row, name) for name in Factor.__slots__ if name != "_id"}
    return Factor(**(facts | {"value": row.value * 1.01}))


def test_a_row_keeps_its_id_when_it_moves() -> None:
    """File and line are where a row stands, not what it says."""
    row = read_edition().factors[0]
    facts = {name: getattr(row, name) for name in Factor.__slots__ if name != "_id"}
    assert Factor(**(facts | {"file": "elsewhere.yaml", "line": 1})).factor_id == row.factor_id


def test_what_moved_between_two_days() -> None:
    """Korea's factor for 2023 appears between November 2025 and January 2026, and nothing is lost."""
    edition = read_edition()
    changes = moved(edition.as_known(date(2025, 11, 20)), edition.as_known(date(2026, 1, 1)))
    added = {(change.row.subject, change.row.valid_from.year) for change in changes if change.kind == "added"}
    assert ("KOR", 2023) in added
    assert all(change.kind != "removed" for change in changes)


def test_age_counts_from_the_end_of_the_newest_value() -> None:
    """A number whose newest year ended two and a half years ago is older than two years and not older than three."""
    edition = Edition("t", (base_row(2023), base_row(2022)), (), {})
    assert [round(age.years, 1) for age in ages(edition, date(2026, 7, 2), 2)] == [2.5]
    assert ages(edition, date(2026, 7, 2), 3) == []


def base_row(year: int) -> Factor:
    """A yearly value."""
    return Factor(
        "grid", "AAA", "intensity_g_per_kwh", 1, 1, 1, "g/kWh", BASIS,
        date(year, 1, 1), date(year + 1, 1, 1), date(2025, 1, 1), "derived", "s", "c",
    )  # fmt: skip


def test_where_a_zone_is_used() -> None:
    """A zone names the regions that lead to it, a country also the regions of its zones."""
    edition = read_edition()
    assert ("aws:ap-northeast-2", "grid_zone") in subjects_leading_to(edition, "KOR")
    assert ("aws:us-east-1", "grid_zone") in subjects_leading_to(edition, "USA")
