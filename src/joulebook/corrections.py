"""Lines of a bill that take use back, beside the lines they correct.

A correction is booked as a row of usage with negative amounts, in the same period, place, account and machine as the
rows it corrects, and only as far as these reach: what is in the book for them never falls below zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import narwhals as nw

from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES

CORRECTION = "correction"
"""Kind of an entry that goes into the usage table after the rows it corrects."""

CORRECTION_KEY = "correction_key"
"""What a correction carries beside the columns of usage."""

SAME = ("source", "provider", "region", "project", "device", "model", "started_at", "ended_at")
"""Columns in which a correction is like the rows it corrects."""

AMOUNTS = (
    "device_hours",
    "vcpu_hours",
    "memory_gb_hours",
    "storage_gb_hours",
    "network_gb",
    *TOKEN_CLASSES,
    "embedding_tokens",
)
ROUNDING = 1e-9


class Tables(Protocol):
    """The part of the store that looks rows up."""

    def rows(self, frame: nw.LazyFrame) -> list[dict[str, Any]]:
        """The rows of a table."""
        ...

    def table(self, name: str) -> nw.LazyFrame:
        """A table by name."""
        ...


def corrected(
    store: Tables, rows: Iterable[Mapping[str, object]], source: str, findings: list[Finding]
) -> Iterator[dict[str, object]]:
    """Corrections whose rows are in the book; the others become one finding.

    Args:
        store: the book's tables.
        rows: rows of usage with negative amounts and a correction key.
        source: the source of the rows, as the book knows it.
        findings: where it is told how many found no rows to correct.
    """
    left: dict[tuple[object, ...], dict[str, float]] | None = None
    known: set[object] = set()
    unpaired = 0
    for row in rows:
        if left is None:
            left, known = _standing(store, source)
        told: dict[str, object] = {name: cell for name, cell in row.items() if name != CORRECTION_KEY}
        standing = left.setdefault(tuple(_plain(row.get(name)) for name in SAME), {})
        amounts = {name: float(str(row[name])) for name in AMOUNTS if row.get(name) is not None}
        if row["usage_key"] in known:
            yield told  # counted as there already
        elif all(standing.get(name, 0.0) + amount >= -ROUNDING for name, amount in amounts.items()):
            for name, amount in amounts.items():
                standing[name] = standing.get(name, 0.0) + amount
            yield told
        else:
            unpaired += 1
    if unpaired:
        findings.append(Finding(source, None, "correction-unpaired", {"count": unpaired}))


def _standing(store: Tables, source: str) -> tuple[dict[tuple[object, ...], dict[str, float]], set[object]]:
    """What the book holds of a source, per machine, place, account and time; and its keys of corrections."""
    usage = store.table("usage").filter(nw.col("source") == source)
    sums = usage.group_by(*SAME).agg(*(nw.col(name).sum() for name in AMOUNTS))
    found = {
        tuple(_plain(row[name]) for name in SAME): {name: float(row[name] or 0) for name in AMOUNTS}
        for row in store.rows(sums)
    }
    negative = nw.any_horizontal(*(nw.col(name) < 0 for name in AMOUNTS), ignore_nulls=True)
    return found, {row["usage_key"] for row in store.rows(usage.filter(negative).select("usage_key"))}


def _plain(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, datetime) else cell
