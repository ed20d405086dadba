"""Postings: what was said, when, about which rows, with which factors. A posting is never edited."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from joulebook.account.measured import RUN_METHOD
from joulebook.terms.columns import METRICS
from joulebook.terms.tables import TABLES
from joulebook.terms.tier import Tier

METHOD = "use-2"
"""Name and version of the calculation for usage; a new version restates."""

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
METHODS = ("tokens-1", "use-1", METHOD)
"""Methods that price text alike; the first left everything else without energy, the second sums of untold requests."""

ID_DIGITS = 32
AMOUNTS = tuple(f"{metric}_q" for metric in METRICS)
COUNTS = ("row_count", "unpriced_count", "request_count", "cost_usd_q")
ADDED_LATER = ("device", "cost_usd_q")
"""Columns that postings of older books do not have; their ids speak of none."""

SUBJECT = (
    "source", "provider", "model", "region", "zone", "team", "project", "tool", "run", "component", "device",
    "is_synthetic",
)  # fmt: skip
"""Columns a footprint can be looked at by, beside its period."""

RESOLVED = ("model_resolution_id", "place_resolution_id")
"""The factors of a posting: those of its model or machine, and those of its place."""


def input_hash(row_count: int, key_a: int, key_b: int) -> str:
    """Hash of a set of rows that does not depend on their order: their number and the sums of their keys' checks."""
    return hashlib.sha256(f"{row_count}:{key_a}:{key_b}".encode()).hexdigest()[:ID_DIGITS]


def priced_rows(group: Mapping[str, Any]) -> int:
    """Rows of a group with an energy; one that was metered at the building has none of its IT equipment alone."""
    return max(group["it_energy_kwh_rows"], group.get("facility_energy_kwh_rows", 0))


def posting_id(row: Mapping[str, Any]) -> str:
    """Hash of everything a posting says, and of when it was said."""
    said = {name: _plain(value) for name, value in row.items() if name != "posting_id"}
    said = {name: value for name, value in said.items() if value is not None or name not in ADDED_LATER}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


def postings(
    groups: Iterable[Mapping[str, Any]],
    *,
    edition: str,
    policy: str,
    cause: str,
    posted_at: datetime,
    tier_of: Mapping[str, str],
    usage_span: tuple[int, int],
    method: str = METHOD,
    period: timedelta = DAY,
) -> Iterator[dict[str, Any]]:
    """Turn groups of priced rows into postings.

    Args:
        groups: rows of `joulebook.account.pricing.cube`, or of `joulebook.account.measured.groups`.
        edition: id of the factor edition.
        policy: name of the policy.
        cause: why it is said: the import, or what changed.
        posted_at: when it is said (UTC).
        tier_of: resolution id -> worst tier of its factors.
        usage_span: the versions of their table they come from: after the first, through the second.
        method: the calculation, which tells the table: of usage, or of measured energy.
        period: how long each posting's period is: a day, or an hour.

    Yields:
        rows of the posting table.
    """
    for group in groups:
        row: dict[str, Any] = {name: group.get(name) for name in SUBJECT}
        row["period_start"] = group["day"]
        row["period_end"] = group["day"] + period
        for metric in METRICS:
            has_rows = group.get(f"{metric}_rows", 0)
            row[f"{metric}_q"] = int(group[f"{metric}_q"]) if has_rows else None
        row["row_count"] = group["row_count"]
        row["unpriced_count"] = group["row_count"] - priced_rows(group)
        row["cost_usd_q"] = int(group["cost_usd_q"]) if group.get("cost_usd_rows") else None
        row["request_count"] = group["request_count"]
        row["input_hash"] = input_hash(group["row_count"], int(group["key_a"]), int(group["key_b"]))
        for name in RESOLVED:
            row[name] = group[name]
        tiers = (tier_of.get(group[name] or "", Tier.ESTIMATED) for name in RESOLVED)
        row["usage_tier"] = group["tier"]
        row["tier"] = str(Tier.worst(group["tier"], *tiers))
        row["usage_after"], row["usage_through"] = usage_span
        row.update(edition=edition, policy=policy, method=method, reverses=None)
        yield _said(row, cause, posted_at)


def reversals(standing: Iterable[Mapping[str, Any]], *, cause: str, posted_at: datetime) -> Iterator[dict[str, Any]]:
    """Postings that take back standing ones: the same with every amount and count negated, and the cause.

    Args:
        standing: postings that were not yet reversed.
        cause: what changed.
        posted_at: when it is said (UTC).
    """
    for old in standing:
        row = {name: old[name] for name in TABLES["posting"].columns}
        for name in (*AMOUNTS, *COUNTS):
            row[name] = -old[name] if old[name] is not None else None
        row["reverses"] = old["posting_id"]
        yield _said(row, cause, posted_at)


def _said(row: dict[str, Any], cause: str, posted_at: datetime) -> dict[str, Any]:
    row.update(cause=cause, posted_at=posted_at)
    row["posting_id"] = posting_id(row)
    return {name: row[name] for name in TABLES["posting"].columns}


def _plain(value: object) -> object:
    """A value as JSON has it; an instant without zone is UTC, as tables show it."""
    if isinstance(value, datetime):
        utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return utc.isoformat()
    return value


def by_span(rows: Iterable[Mapping[str, Any]]) -> list[tuple[tuple[int, int], list[Mapping[str, Any]]]]:
    """Postings that were made together, with the versions of their table they speak about, in order.

    The same span may come twice: once when its rows were booked, and once for each restatement.
    """
    found: dict[tuple[int, int, datetime], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["usage_after"], row["usage_through"], row["posted_at"]), []).append(row)
    return [((after, through), members) for (after, through, _when), members in sorted(found.items())]


def of_usage(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Postings of usage."""
    return [row for row in rows if row["method"] != RUN_METHOD]


def of_runs(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Postings of measured energy."""
    return [row for row in rows if row["method"] == RUN_METHOD]
