"""The whole library under later changes: every answer of a past day is given again, whatever is said afterwards."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.errors import FactorError
from joulebook.factors.choose import choose, resolve_model, resolve_place
from joulebook.factors.edition import Edition, Factor, Link
from joulebook.factors.policy import POLICIES
from joulebook.factors.read import read_edition

WHOLE = read_edition()
DAYS = st.dates(date(2019, 1, 1), date(2026, 11, 22))
SUBJECTS = sorted({row.subject for row in WHOLE.factors})
PLACES = sorted({link.subject for link in WHOLE.links if link.relation == "grid_zone"})
MODELS = sorted({row.subject for row in WHOLE.factors if row.kind == "model"})


@cache
def known(seen: date) -> Edition:
    """What was known on a day, alone."""
    then = WHOLE.as_known(seen)
    return Edition("then", then.factors, then.links, then.sources, then.names)


def answer(edition: Edition, subject: str, at: date, policy: str) -> list[object]:
    """What is said about every quantity of a subject: the row and why, or which error."""
    said: list[object] = []
    for quantity in sorted({row.quantity for row in WHOLE.rows_of(subject)}):
        try:
            choice = choose(edition, quantity, subject, at, policy)
        except FactorError as error:
            said.append((quantity, type(error).__name__))
        else:
            said.append((quantity, choice.factor.factor_id, choice.steps, choice.hint))
    return said


def restated(row: Factor, by: float, seen: date, later: int) -> Factor:
    """The same number said again later, with another value."""
    ends = sorted((row.low * by, row.value * by, row.high * by))
    low, value, high = ends
    return replace(row, low=low, value=value, high=high, known_from=seen + timedelta(days=later), _id=[])


def moved(link: Link, other: str, seen: date, later: int) -> Link:
    """The same link to another object, said later."""
    return replace(link, object=other, known_from=seen + timedelta(days=later))


LATER = st.tuples(st.sampled_from(WHOLE.factors), st.floats(0.1, 10), st.integers(1, 4000))
LINKED = st.tuples(st.sampled_from(WHOLE.links), st.sampled_from(("KOR", "SWE", "unknown")), st.integers(1, 4000))


@given(
    rows=st.lists(LATER, min_size=1, max_size=30),
    links=st.lists(LINKED, max_size=10),
    seen=DAYS,
    at=DAYS,
    subject=st.sampled_from(SUBJECTS),
    policy=st.sampled_from(POLICIES),
)
@settings(max_examples=40, deadline=None)
def test_last_years_answers_are_given_again(
    rows: list[tuple[Factor, float, int]],
    links: list[tuple[Link, str, int]],
    seen: date,
    at: date,
    subject: str,
    policy: str,
) -> None:
    """After any restatements and new links, as_known gives every quantity of a subject as it was said that day."""
    later = tuple(restated(row, by, seen, days) for row, by, days in rows)
    linked = tuple(moved(link, other, seen, days) for link, other, days in links)
    now = replace(WHOLE, factors=WHOLE.factors + later, links=WHOLE.links + linked)
    again, then = now.as_known(seen), known(seen)
    assert again.edition_id == then.edition_id
    changed = {row.subject for row, _by, _days in rows}
    for one in {subject, *sorted(changed)[:3]}:
        assert answer(again, one, at, policy) == answer(then, one, at, policy)


@given(
    rows=st.lists(LATER, max_size=10),
    links=st.lists(LINKED, min_size=1, max_size=20),
    seen=DAYS,
    at=DAYS,
    place=st.sampled_from(PLACES),
    model=st.sampled_from(MODELS),
)
@settings(max_examples=25, deadline=None)
def test_names_lead_where_they_led(
    rows: list[tuple[Factor, float, int]],
    links: list[tuple[Link, str, int]],
    seen: date,
    at: date,
    place: str,
    model: str,
) -> None:
    """After any new links, regions and model names of a past day resolve as they did then."""
    linked = tuple(moved(link, other, seen, days) for link, other, days in links)
    later = tuple(restated(row, by, seen, days) for row, by, days in rows)
    again = replace(WHOLE, factors=WHOLE.factors + later, links=WHOLE.links + linked).as_known(seen)
    provider, _colon, region = place.partition(":")
    assert resolve_place(again, provider, region, at) == resolve_place(known(seen), provider, region, at)
    developer, _slash, name = model.partition("/")
    assert resolve_model(again, developer, name, at) == resolve_model(known(seen), developer, name, at)


def test_a_restatement_is_seen_from_its_day_on() -> None:
    """The property is not empty: the same restatement changes the answer one day later."""
    row = next(row for row in WHOLE.factors_for("intensity_g_per_kwh", "KOR") if row.source == "ember-2025")
    seen = date(2025, 6, 1)
    now = replace(WHOLE, factors=(*WHOLE.factors, restated(row, 2, seen, 1)))
    before, after = (
        choose(now.as_known(day), row.quantity, "KOR", row.valid_from, "sci") for day in (seen, date(2025, 6, 2))
    )
    assert after.factor.value == 2 * before.factor.value
