"""Others' statements beside our figures: what they state, what we state of the same, and why the two differ.

Nothing is added up across the two sides. Compared are figures of the same rung: their Scope 1 and 2 by location with
our operational CO2e by location, where they tell the scopes apart; else their whole location-based figure, which holds
Scope 3; else the market-based one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from joulebook.errors import translatable
from joulebook.ledger.balance import Line
from joulebook.terms.range import Range

OURS = "co2e_operational_location_g"
SAME = ("stated_by", "provider", "service", "region", "project", "run", "period_start", "period_end")
"""Columns in which two versions of one statement are alike."""

REASONS: Mapping[str, str] = {
    "nothing-of-ours": translatable("nothing is booked of this provider and month"),
    "scope-3-inside": translatable("theirs holds Scope 3 (making machines and fuels), ours here does not"),
    "market-only": translatable("theirs counts contracts and certificates, ours the grid of the place"),
    "method-untold": translatable("theirs does not say how it counts electricity"),
    "whole-account": translatable("theirs is for all services of the account, ours for what was booked"),
    "place-unknown": translatable("ours has rows of unknown place or model, which makes its range wide"),
    "unpriced": translatable("ours has rows that have no energy yet"),
    "default-place": translatable("theirs was made for a place the tool takes when it knows none"),
    "own-pue": translatable("theirs holds a PUE of its own"),
    "restated": translatable("theirs was stated more than once; the last version is shown"),
    "within": translatable("theirs lies within our range"),
}
"""Why two figures differ, by code."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One statement, or one provider's statements of one month, beside our figure.

    Attributes:
        period_start, period_end: what it speaks of.
        stated_by: who states it.
        provider: whose machines; None where it is of one run.
        service: its only service, or the run; None where there are several.
        services: how many services it has.
        location_g, market_g: theirs, all scopes [g]; None is not stated.
        compared_g: of theirs, what is compared [g].
        ours_g: our operational CO2e by location [g]; None where nothing is booked.
        ratios: compared over ours, at our high, middle and low; None where ours is unknown or zero.
        reasons: keys of `REASONS`.
    """

    period_start: datetime
    period_end: datetime
    stated_by: str
    provider: str | None
    service: str | None
    services: int
    location_g: float | None
    market_g: float | None
    compared_g: float | None
    ours_g: Range | None
    ratios: Range | None
    reasons: tuple[str, ...]


def reconcile(
    statements: Iterable[Mapping[str, Any]], by_month: Sequence[Line], by_run: Sequence[Line]
) -> list[Compared]:
    """Statements beside our figures, in the order of time.

    Args:
        statements: rows of the statement table.
        by_month: our lines by ``month`` and ``provider``.
        by_run: our lines by ``run``.
    """
    latest, restated = _latest(statements)
    months = {(line.keys["month"], line.keys["provider"]): line for line in by_month}
    runs = {line.keys["run"]: line for line in by_run if line.keys["run"]}
    found = []
    for _key, members in groupby(sorted(latest, key=_order), key=_order):
        rows = list(members)
        first = rows[0]
        line = runs.get(first["run"]) if first["run"] else months.get((_month(first), first["provider"]))
        again = any(tuple(row[name] for name in SAME) in restated for row in rows)
        found.append(_compared(_parts(rows), line, is_restated=again))
    return found


def _compared(rows: Sequence[Mapping[str, Any]], line: Line | None, *, is_restated: bool) -> Compared:
    first = rows[0]
    location, market = (_sum(rows, name) for name in ("stated_co2e_location_g", "stated_co2e_market_g"))
    scopes = [_sum(rows, name) for name in ("stated_co2e_scope1_g", "stated_co2e_scope2_location_g")]
    is_split = all(scope is not None for scope in scopes)
    operational = sum(scope for scope in scopes if scope is not None) if is_split else None
    theirs = operational if is_split else location if location is not None else market
    amount = line.amounts.get(OURS) if line is not None else None
    ours = amount.range if amount is not None else None
    services = sorted({row["service"] for row in rows if row["service"]})
    bases = " ".join(row["basis"] or "" for row in rows)
    told = {
        "nothing-of-ours": ours is None,
        "scope-3-inside": theirs is not None and not is_split and not first["run"],
        "market-only": not is_split and location is None,
        "method-untold": "method untold" in bases,
        "whole-account": not first["run"],
        "place-unknown": line is not None and line.unknown_count > 0,
        "unpriced": line is not None and line.unpriced_count > 0,
        "default-place": "default place" in bases,
        "own-pue": "PUE included" in bases,
        "restated": is_restated,
        "within": theirs is not None and ours is not None and ours.low <= theirs <= ours.high,
    }
    return Compared(
        period_start=first["period_start"],
        period_end=max(row["period_end"] for row in rows),
        stated_by=first["stated_by"],
        provider=first["provider"],
        service=first["run"] or (services[0] if len(services) == 1 else None),
        services=len(services),
        location_g=location,
        market_g=market,
        compared_g=theirs,
        ours_g=ours,
        ratios=_ratios(theirs, ours),
        reasons=tuple(code for code, holds in told.items() if holds),
    )


def _latest(statements: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], set[tuple[Any, ...]]]:
    """The last version of each statement, and which were stated more than once."""
    last: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    restated = set()
    for row in statements:
        key = tuple(row[name] for name in SAME)
        if key in last:
            restated.add(key)
        if key not in last or _version(row["basis"]) >= _version(last[key]["basis"]):
            last[key] = row
    return list(last.values()), restated


def _parts(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The rows to add up: the whole where one is stated beside its parts."""
    whole = [row for row in rows if not row["service"]]
    return whole or rows


def _version(basis: str | None) -> tuple[int, ...]:
    digits = "".join(letter if letter.isdigit() else " " for letter in basis or "").split()
    return tuple(int(part) for part in digits)


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["period_start"], row["stated_by"], row["provider"] or "", row["run"] or ""


def _month(row: Mapping[str, Any]) -> object:
    return row["period_start"].replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _sum(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    told = [row[name] for row in rows if row[name] is not None]
    return sum(told) if told else None


def _ratios(theirs: float | None, ours: Range | None) -> Range | None:
    if theirs is None or ours is None or ours.low <= 0:
        return None
    return Range(theirs / ours.high, theirs / ours.mid, theirs / ours.low)
