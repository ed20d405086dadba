"""What stands, from postings in memory: of a small book, the sums that `balance.standing` asks an engine for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from joulebook.ledger.balance import EVERYTHING, TOLD, Only, group_keys
from joulebook.ledger.posting import AMOUNTS, COUNTS


def gathered(
    postings: Iterable[Mapping[str, Any]],
    by: Sequence[str] = (),
    stated_at: datetime | None = None,
    only: Only = EVERYTHING,
) -> list[dict[str, Any]]:
    """Net amounts per group and combination of factors: the rows of `balance.standing`, exactly.

    Args:
        postings: rows of the posting table, their times aware.
        by: columns of `joulebook.ledger.posting.SUBJECT`, ``day`` or ``month``.
        stated_at: only what was said up to then; UTC where it says no zone.
        only: which postings.
    """
    keys, stated_at, only = group_keys(by), _aware(stated_at), replace(only, since=_aware(only.since))
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in postings:
        if _is_asked(row, stated_at, only):
            found.setdefault(tuple(_value(row, name) for name in keys), []).append(row)
    return [{**dict(zip(keys, key, strict=True)), **_sums(rows)} for key, rows in found.items()]


def stated_under(postings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Policies and editions of the postings that stand: the rows of `balance.stated_terms`."""
    counts: dict[tuple[str, str], int] = {}
    for row in postings:
        terms = row["policy"], row["edition"]
        counts[terms] = counts.get(terms, 0) + row["row_count"]
    return [{"policy": name, "edition": of, "row_count": count} for (name, of), count in counts.items() if count]


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _is_asked(row: Mapping[str, Any], stated_at: datetime | None, only: Only) -> bool:
    return (
        (stated_at is None or row["posted_at"] <= stated_at)
        and (only.since is None or row["period_start"] >= only.since)
        and (not only.tools or row["tool"] in only.tools)
    )


def _value(row: Mapping[str, Any], name: str) -> object:
    if name not in ("day", "month"):
        return row[name]
    day = row["period_start"].replace(hour=0, minute=0, second=0, microsecond=0)
    return day if name == "day" else day.replace(day=1)


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums of whole numbers and, of what may be unknown, how many postings tell it: where none does, the sum is 0."""
    sums: dict[str, Any] = {}
    for name in (*AMOUNTS, *COUNTS):
        told = [row[name] for row in rows if row[name] is not None]
        sums[name] = sum(told)
        if name in TOLD:
            sums[f"{name}_known"] = len(told)
    return sums
