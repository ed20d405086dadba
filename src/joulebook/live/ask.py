"""What is asked of a live source, and what comes back before it is made into hours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question.

    Attributes:
        zone: the zone in the source's own words.
        subject: the subject of the rows, in the library's words.
        start: first hour (UTC).
        end: end of the last hour (UTC).
        stage: ``direct`` or ``life-cycle``, where the source offers both; None is the source's usual one.
        code: the code the source's interface wants for the zone, where it differs.
    """

    zone: str
    subject: str
    start: datetime
    end: datetime
    stage: str | None = None
    code: str = ""

    def windows(self, days: int) -> Iterator[tuple[datetime, datetime]]:
        """The time asked for, cut into pieces of at most some days."""
        at = self.start
        while at < self.end:
            then = min(at + timedelta(days=days), self.end)
            yield at, then
            at = then

    def hours(self) -> Iterator[datetime]:
        """The start of every hour asked for (UTC)."""
        at = self.start
        while at < self.end:
            yield at
            at += HOUR

    def holds(self, start: datetime) -> bool:
        """Whether an instant lies in the time asked for."""
        return self.start <= start < self.end


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a source over a piece of time.

    Attributes:
        start, end: the piece of time (UTC).
        value: intensity [g/kWh], or energy generated in that time [kWh].
        cell: where in the answer it stood.
        fuel: what it was generated from; empty for an intensity.
        part: the source's own word for it, where several make up one fuel; parts of one fuel are added up.
        is_final: False where the source calls it estimated, forecast or provisional.
        updated: when the source last changed it, as it says; empty where it does not.
    """

    start: datetime
    end: datetime
    value: float
    cell: str
    fuel: str = ""
    part: str = ""
    is_final: bool = True
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What all rows of an answer have in common.

    Attributes:
        quantity: a column of the dictionary.
        unit: its unit.
        source: key of the bibliography.
        basis: the words of the factor's basis.
    """

    quantity: str
    unit: str
    source: str
    basis: Mapping[str, str] = field(default_factory=dict)


def whole_days(first: date, last: date, zone: tzinfo = UTC) -> tuple[datetime, datetime]:
    """From the start of one local day to the end of another (UTC); days of 23 and 25 hours are what they are.

    >>> from zoneinfo import ZoneInfo
    >>> start, end = whole_days(date(2026, 3, 29), date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    >>> (end - start) // HOUR
    23
    """
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    return start, end


def instant(text: str) -> datetime:
    """An ISO 8601 instant as UTC.

    Raises:
        ValueError: it is none, or it does not say its time zone.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        msg = "no time zone"
        raise ValueError(msg)
    return found.astimezone(UTC)
