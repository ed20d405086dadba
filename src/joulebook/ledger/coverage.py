"""How much of what was used has an energy, and how well it is known: by rows, by cost, by kWh."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from joulebook.account.measured import RUN_METHOD
from joulebook.account.resolution import Resolution
from joulebook.errors import translatable
from joulebook.terms.finding import Finding
from joulebook.terms.rounding import from_grains
from joulebook.terms.tier import Tier

if TYPE_CHECKING:
    from joulebook.factors.edition import Edition

ENERGY = "facility_energy_kwh"
COST = "cost_usd"
NAMES_TOLD = 20
"""Unknown names of one kind that are told one by one; the rest is told as a number."""


class Known(StrEnum):
    """How the energy of a row is known, the best first."""

    MEASURED = translatable("measured")
    ESTIMATED = translatable("estimated")
    RANGE = translatable("range of the unknown")
    UNKNOWN = translatable("unknown")


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known in one way.

    Attributes:
        known: in which.
        row_count: rows.
        row_ratio: their part of all rows.
        cost_usd: what they cost, where the records say; None where no record says.
        cost_ratio: their part of all known cost; None likewise.
        energy_kwh: middle of their energy at the building [kWh]; None where it is unknown, which is not zero.
        energy_ratio: its part of all known energy; None likewise.
    """

    known: Known
    row_count: int
    row_ratio: float
    cost_usd: float | None
    cost_ratio: float | None
    energy_kwh: float | None
    energy_ratio: float | None


def coverage(groups: Iterable[Mapping[str, Any]], resolution_of: Callable[[str], Resolution]) -> tuple[Coverage, ...]:
    """How well the energy of some rows is known.

    Args:
        groups: postings, or sums of them with ``usage_tier`` and resolutions; reversals count against what they take
            back.
        resolution_of: id -> resolution.

    Returns:
        one entry per way that occurs, the best known first.
    """
    rows: Counter[Known] = Counter()
    costs: Counter[Known] = Counter()
    energies: Counter[Known] = Counter()
    has_cost = False
    for group in groups:
        known = _known(group, resolution_of)
        priced = group["row_count"] - group["unpriced_count"]
        rows[known] += priced
        rows[Known.UNKNOWN] += group["unpriced_count"]
        energies[known] += group.get(f"{ENERGY}_q") or 0
        if group.get(f"{COST}_q") is not None and group.get(f"{COST}_q_known", 1):
            has_cost = True
            costs[known if priced else Known.UNKNOWN] += group[f"{COST}_q"]
    whole, paid, energy = sum(rows.values()), sum(costs.values()), sum(energies.values())
    return tuple(
        Coverage(
            known=known,
            row_count=rows[known],
            row_ratio=rows[known] / whole,
            cost_usd=from_grains(costs[known], COST) if has_cost else None,
            cost_ratio=costs[known] / paid if paid > 0 else None,
            energy_kwh=None if known is Known.UNKNOWN else from_grains(energies[known], ENERGY),
            energy_ratio=None if known is Known.UNKNOWN or not energy else energies[known] / energy,
        )
        for known in Known
        if rows[known]
    )


def _known(group: Mapping[str, Any], resolution_of: Callable[[str], Resolution]) -> Known:
    """How the energy of the priced rows of a group is known; where they ran does not matter for that."""
    found = resolution_of(group["model_resolution_id"]) if group["model_resolution_id"] else None
    if found is not None and found.is_unknown:
        return Known.RANGE
    is_metered = group.get("method") == RUN_METHOD or (found is not None and found.names.get("boundary") is not None)
    if is_metered and group.get("usage_tier") in (Tier.MEASURED, Tier.DERIVED):
        return Known.MEASURED
    return Known.ESTIMATED


def notices(
    postings: Sequence[Mapping[str, Any]],
    resolution_of: Callable[[str], Resolution],
    edition: "Edition",
    file: str,
    now: datetime,
) -> Iterator[Finding]:
    """Warnings about rows that were booked: unknown names with the nearest known ones, future days, no energy.

    Args:
        postings: of the rows of one import.
        resolution_of: id -> resolution.
        edition: in which names were looked up.
        file: what was imported, for the findings.
        now: the time of the import (UTC).
    """
    unknown: dict[str, Counter[tuple[str, str | None]]] = {"model": Counter(), "region": Counter(), "device": Counter()}
    examples: dict[tuple[str, str | None], Mapping[str, Any]] = {}
    for row in postings:
        for about, name in _unknown_names(row, resolution_of):
            unknown[about][name, row["provider"]] += row["row_count"]
            examples[name, row["provider"]] = row
    for about, names in unknown.items():
        for (name, provider), count in names.most_common(NAMES_TOLD):
            near = _nearest(about, name, examples[name, provider], edition, resolution_of)
            facts = {"name": name, "count": f"{count:,}", "nearest": near}
            yield Finding(file, None, f"unknown-{about}", facts, is_error=False)
        if len(names) > NAMES_TOLD:
            facts = {"count": len(names) - NAMES_TOLD, "rule": f"unknown-{about}"}
            yield Finding(file, None, "more-of-the-same", facts, is_error=False)
    later = [row for row in postings if _aware(row["period_start"], now) > now]
    if later:
        facts = {"count": f"{sum(row['row_count'] for row in later):,}"}
        yield Finding(file, None, "future-date", facts, is_error=False)
    summed = [row for row in postings if _is_bucket(row, resolution_of)]
    if summed:
        facts = {"count": f"{sum(row['row_count'] - row['unpriced_count'] for row in summed):,}"}
        yield Finding(file, None, "requests-untold", facts, is_error=False)
    bare = sum(row["unpriced_count"] for row in postings)
    if bare:
        facts = {"count": f"{bare:,}", "column": "input_tokens, output_tokens"}
        yield Finding(file, None, "no-energy", facts, is_error=False)


def _is_bucket(row: Mapping[str, Any], resolution_of: Callable[[str], Resolution]) -> bool:
    """Whether the rows of a posting have their energy from the mean length of requests that nobody counted."""
    from joulebook.account.kinds import BUCKETS  # noqa: PLC0415  (only an import asks)

    if row["request_count"] or row["method"] == RUN_METHOD or not row["model_resolution_id"]:
        return False
    use = json.loads(resolution_of(row["model_resolution_id"]).names.get("use") or "{}")
    return use.get("kind_key") in BUCKETS and row["row_count"] > row["unpriced_count"]


def _unknown_names(row: Mapping[str, Any], resolution_of: Callable[[str], Resolution]) -> Iterator[tuple[str, str]]:
    found = {
        name: resolution_of(row[f"{name}_resolution_id"]) for name in ("model", "place") if row[f"{name}_resolution_id"]
    }
    what = found["model"].unknown if "model" in found else None
    if what == "model" and row["model"]:
        yield "model", row["model"]
    if what == "device" and row["device"]:
        yield "device", row["device"]
    if "place" in found and found["place"].unknown and row["region"]:
        yield "region", row["region"]


def _nearest(
    about: str, name: str, row: Mapping[str, Any], edition: "Edition", resolution_of: Callable[[str], Resolution]
) -> str:
    from joulebook.factors.choose import resolve_model, resolve_place  # noqa: PLC0415  (only for unknown names)

    day = row["period_start"].date()
    if about == "model" and resolution_of(row["model_resolution_id"]).names.get("use") is None:
        return resolve_model(edition, row["provider"], name, day).nearest or "-"
    if about == "region":
        return resolve_place(edition, row["provider"], name, day).nearest or "-"
    return resolution_of(row["model_resolution_id"]).names.get("nearest") or "-"


def _aware(at: datetime, like: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=like.tzinfo)
