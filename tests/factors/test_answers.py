"""A question that was answered for one day is answered for another day as if it had never been asked before."""

from datetime import date, timedelta
from random import Random

import pytest

from joulebook.errors import FactorAmbiguous, FactorMissing
from joulebook.factors.choose import choose
from joulebook.factors.edition import Edition
from joulebook.factors.policy import POLICIES
from joulebook.factors.read import read_edition

DAY = timedelta(days=1)
QUESTIONS = 150


def fresh(edition: Edition) -> Edition:
    """The same edition, in which nothing was asked."""
    return Edition(edition.name, edition.factors, edition.links, edition.sources, edition.names)


def answer(edition: Edition, quantity: str, subject: str | None, at: date, policy: str) -> object:
    """The choice, or what is said where there is none."""
    try:
        return choose(edition, quantity, subject, at, policy)
    except (FactorMissing, FactorAmbiguous) as error:
        return type(error), str(error)


def days_of(edition: Edition, quantity: str, subject: str | None, chance: Random) -> list[date]:
    """Days around those on which a factor of the question begins, ends or grows old, and any days."""
    rows = [*edition.factors_for(quantity, subject or "unknown"), *edition.factors_for(quantity, "unknown")]
    edges = [edge for row in rows for edge in (row.valid_from, row.valid_to) if edge is not None]
    ages = [timedelta(days=366 * years) for years in (0, 1, 2, 3, 4, 5)]
    near = [edge + sign * age + step * DAY for edge in edges for age in ages for sign in (-1, 1) for step in (-1, 0, 1)]
    any_day = [date(2012, 1, 1) + chance.randrange(9000) * DAY for _ in range(12)]
    return [*chance.sample(near, min(30, len(near))), *any_day]


@pytest.mark.parametrize("policy", POLICIES)
def test_an_answer_does_not_depend_on_what_was_asked_before(policy: str) -> None:
    """For questions of every kind, in any order of days, it is the answer of an edition that was never asked."""
    before, never, chance = fresh(read_edition()), fresh(read_edition()), Random(policy)
    asked = sorted({(row.quantity, row.subject) for row in before.factors})
    nameless = [(quantity, subject) for quantity, _ in chance.sample(asked, 5) for subject in (None, "aws:nowhere-1")]
    for quantity, subject in [*chance.sample(asked, QUESTIONS), *nameless]:
        for at in days_of(before, quantity, subject, chance):
            never.answers.clear()
            assert answer(before, quantity, subject, at, policy) == answer(never, quantity, subject, at, policy)
