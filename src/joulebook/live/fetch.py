"""One fetch: ask a source, make hours of what comes, and keep what is new."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from joulebook.errors import LiveError
from joulebook.live.ask import HOUR, Ask, Point
from joulebook.live.client import Client
from joulebook.live.hours import hourly
from joulebook.live.sources import LiveSource
from joulebook.terms.finding import Finding
from joulebook.terms.series import SeriesRow


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought.

    Attributes:
        rows: whole hours.
        findings: what is wrong with the others.
        hours: hours asked for.
        error: why it broke off, or None; the rows before that are good.
    """

    rows: tuple[SeriesRow, ...]
    findings: tuple[Finding, ...]
    hours: int
    error: LiveError | None = None

    @property
    def hours_told(self) -> int:
        """How many hours came."""
        return len({row.valid_from for row in self.rows})


def fetch(
    source: LiveSource,
    ask: Ask,
    client: Client,
    secrets: Mapping[str, str],
    known_from: datetime,
    tell: Callable[[int], None] | None = None,
) -> Fetched:
    """Ask a source; a fault of the service ends it, and what came before is kept.

    Args:
        source: the adapter.
        ask: what is asked for.
        client: how to reach the service.
        secrets: its keys.
        known_from: the time of the fetch (UTC).
        tell: told how many values came so far.
    """
    points: list[Point] = []
    findings: list[Finding] = []
    error: LiveError | None = None
    try:
        for found in source.fetch(ask, client, secrets):
            if isinstance(found, Finding):
                findings.append(found)
                continue
            points.append(found)
            if tell is not None:
                tell(len(points))
    except LiveError as broken:
        error = broken
    rows, wrong = hourly(points, ask, source.meaning(ask), known_from)
    return Fetched(tuple(rows), (*findings, *wrong), (ask.end - ask.start) // HOUR, error)
