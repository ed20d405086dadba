"""Two editions side by side, what has grown old, and what a factor is used for."""

from dataclasses import dataclass
from datetime import date

from joulebook.factors.edition import Edition, Factor, latest_known

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Moved:
    """One number that differs between two editions.

    Attributes:
        before: its row in the earlier edition, None where it was added.
        after: its row in the later edition, None where it was removed.
    """

    before: Factor | None
    after: Factor | None

    @property
    def row(self) -> Factor:
        """The row that says what the number is about: the later one where there are two."""
        row = self.after or self.before
        assert row is not None
        return row

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def ratio(self) -> float | None:
        """Later value over earlier value; None where one is missing or zero."""
        if self.before is None or self.after is None or self.before.value == 0:
            return None
        return self.after.value / self.before.value


def moved(before: Edition, after: Edition) -> list[Moved]:
    """What differs: numbers added, removed or restated, the largest relative change first.

    A number is one subject, quantity, basis and source with one start of validity; of several statements about it the
    one known last in each edition counts. Ranges count as part of a number; file and line do not.
    """
    old, new = _statements(before), _statements(after)
    found = [
        Moved(old.get(key), new.get(key))
        for key in dict.fromkeys([*old, *new])
        if key not in old or key not in new or _content(old[key]) != _content(new[key])
    ]
    return sorted(found, key=_weight)


def _statements(edition: Edition) -> dict[tuple[object, ...], Factor]:
    return {(*row.identity, row.valid_from): row for row in latest_known(edition.factors)}


def _content(row: Factor) -> tuple[object, ...]:
    return (row.value, row.low, row.high, row.valid_to, row.tier)


def _weight(change: Moved) -> tuple[int, float, str, str]:
    ratio = change.ratio
    size = 0.0 if ratio is None else max(ratio, 1 / ratio) if ratio > 0 else float("inf")
    order = ("changed", "removed", "added").index(change.kind)
    return order, -size, change.row.subject, change.row.quantity


@dataclass(frozen=True)
class Age:
    """How old the newest value of a number is.

    Attributes:
        row: its newest row.
        years: years from the end of its validity to the day asked about.
    """

    row: Factor
    years: float


def ages(edition: Edition, at: date, older_than_years: float) -> list[Age]:
    """Numbers whose newest value ended longer ago than that, the oldest first; values without an end never age."""
    newest: dict[tuple[object, ...], Factor] = {}
    for row in latest_known(edition.factors):
        key = (row.subject, row.quantity, tuple(sorted(row.basis.items())))
        if key not in newest or _end(newest[key]) < _end(row):
            newest[key] = row
    found = [Age(row, (at - _end(row)).days / DAYS_PER_YEAR) for row in newest.values()]
    return sorted((age for age in found if age.years > older_than_years), key=lambda age: -age.years)


def _end(row: Factor) -> date:
    return row.valid_to or date.max


def subjects_leading_to(edition: Edition, subject: str) -> list[tuple[str, str]]:
    """Every (subject, relation) that leads to a subject through links, however many steps: regions, aliases, zones."""
    found: dict[tuple[str, str], None] = {}
    ends = {subject}
    while ends:
        step = [
            (link.subject, link.relation)
            for link in edition.links
            if link.object in ends and (link.subject, link.relation) not in found
        ]
        found |= dict.fromkeys(step)
        ends = {subject for subject, _relation in step}
    return list(found)
