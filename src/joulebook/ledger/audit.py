"""Check the book: every posting is what its hash says, and can be computed again from its rows and factors."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from joulebook.account.kinds import METERED, key_names, no_use
from joulebook.account.measured import RUN_METHOD
from joulebook.account.resolution import Resolution
from joulebook.account.resolver import DEFAULTS
from joulebook.ledger.posting import AMOUNTS, METHOD, METHODS, RESOLVED, SUBJECT, input_hash, posting_id
from joulebook.terms.columns import METRICS
from joulebook.terms.finding import Finding


def forged(postings: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Postings whose content is not what their id says."""
    for posting in postings:
        if posting_id(posting) != posting["posting_id"]:
            yield _finding("posting-changed", posting)


def unresolved(postings: Iterable[Mapping[str, Any]], resolutions: Mapping[str, Resolution]) -> Iterator[Finding]:
    """Postings whose factors are not in the book, or are not what their id says."""
    for resolution_id, resolution in resolutions.items():
        if resolution.resolution_id != resolution_id:
            yield Finding("resolution", None, "resolution-changed", {"id": resolution_id})
    for posting in postings:
        for name in RESOLVED:
            if posting[name] and posting[name] not in resolutions:
                yield _finding("factors-lost", posting)


def unpaired(postings: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Reversals that do not take back exactly one standing posting, amount by amount."""
    rows = list(postings)
    by_id = {row["posting_id"]: row for row in rows}
    taken: set[str] = set()
    for row in rows:
        if row["reverses"] is None:
            continue
        old = by_id.get(row["reverses"])
        if old is None or row["reverses"] in taken or any(_sum(row[name], old[name]) for name in AMOUNTS):
            yield _finding("reversal-unpaired", row)
        taken.add(row["reverses"])


OVERLAP = ("run", "host", "component", "device", "started_at", "ended_at")
"""Columns of the energy table that `overlapping` looks at."""


def overlapping(rows: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Machines of which several runs measured the same component at the same time: a warning each.

    Args:
        rows: of the energy table, with `OVERLAP`.
    """
    by_machine: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["host"] and row["run"]:
            by_machine.setdefault((row["host"], row["component"], row["device"] or ""), []).append(row)
    for (host, component, _device), own in sorted(by_machine.items()):
        together: set[str] = set()
        latest: Mapping[str, Any] | None = None
        for row in sorted(own, key=lambda one: (one["started_at"], one["run"])):
            if latest is not None and row["run"] != latest["run"] and row["started_at"] < latest["ended_at"]:
                together |= {row["run"], latest["run"]}
            if latest is None or row["ended_at"] > latest["ended_at"]:
                latest = row
        if together:
            facts = {"count": len(together), "host": host, "component": component}
            yield Finding("energy", None, "runs-overlap", facts, is_error=False)


def model_rows(
    postings: Iterable[Mapping[str, Any]], resolutions: Mapping[str, Resolution], others: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The resolved table of models and machines that postings were made with, from the factors the book kept.

    Args:
        postings: of one span of usage.
        resolutions: those the book kept.
        others: units of other kinds than text that the span has.
    """
    plain = {name: value for name, value in no_use(others).items() if name != "meter_key"}

    def extra(_posting: Mapping[str, Any], found: Resolution) -> dict[str, Any]:
        said = json.loads(found.names.get("use") or "{}")
        return {name: said.get(name, value) for name, value in plain.items()}

    return [{**DEFAULTS, **row} for row in _rows(postings, resolutions, "model", "model_resolution_id", extra)]


def place_rows(
    postings: Iterable[Mapping[str, Any]], resolutions: Mapping[str, Resolution], others: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The resolved table of places that postings were made with, likewise."""
    has_meter = "meter_key" in key_names(others)

    def extra(posting: Mapping[str, Any], found: Resolution) -> dict[str, Any]:
        meter = {"meter_key": METERED if found.names.get("meter") else ""} if has_meter else {}
        return {**meter, "zone": posting["zone"]}

    return _rows(postings, resolutions, "region", "place_resolution_id", extra)


def replayed(postings: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Postings that their rows and factors do not give again, to the last grain.

    Args:
        postings: those of one span of one table, without reversals.
        groups: rows of `joulebook.account.pricing.cube`, or of `joulebook.account.measured.groups`, over that span
            with the kept factors.
    """
    computed = {tuple(group.get(name) for name in ("day", *SUBJECT, "tier", *RESOLVED)): group for group in groups}
    is_older = False
    for posting in postings:
        if posting["method"] not in (*METHODS, RUN_METHOD):
            yield _finding("method-gone", posting)
            continue
        said = (*(posting[name] for name in SUBJECT), posting["usage_tier"], *(posting[name] for name in RESOLVED))
        key = (posting["period_start"], *said)
        group = computed.pop(key, None)
        if group is None or not _same(posting, group):
            is_old = posting["method"] in METHODS and posting["method"] != METHOD
            is_older = is_older or is_old
            yield _finding("method-gone" if is_old else "posting-not-replayed", posting)
    if is_older:
        return  # rows that an older method left without factors are posted anew with the rest
    for group in computed.values():
        table = "energy" if group.get("run") else "usage"
        yield Finding(table, None, "rows-not-posted", {"count": group["row_count"]})


def _rows(
    postings: Iterable[Mapping[str, Any]],
    resolutions: Mapping[str, Resolution],
    name: str,
    id_name: str,
    extra: Callable[[Mapping[str, Any], Resolution], Mapping[str, Any]],
) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for posting in postings:
        if posting[id_name] not in resolutions:
            continue
        resolution = resolutions[posting[id_name]]
        key = {
            "provider_key": posting["provider"] or "",
            f"{name}_key": posting[name] or "",
            "day": posting["period_start"],
            **extra(posting, resolution),
        }
        found[tuple(key.values())] = {**key, **resolution.values, id_name: posting[id_name]}
    return list(found.values())


def _same(posting: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    for metric in METRICS:
        computed = int(group[f"{metric}_q"]) if group.get(f"{metric}_rows", 0) else None
        if posting[f"{metric}_q"] != computed:
            return False
    hashed = input_hash(group["row_count"], int(group["key_a"]), int(group["key_b"]))
    return posting["input_hash"] == hashed and posting["row_count"] == group["row_count"]


def _sum(one: int | None, other: int | None) -> int:
    return (one or 0) + (other or 0)


def _finding(rule: str, posting: Mapping[str, Any]) -> Finding:
    return Finding("posting", None, rule, {"id": posting["posting_id"]})
