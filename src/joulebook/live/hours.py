"""From values of five, fifteen, thirty or sixty minutes to whole hours, with everything that is wrong with them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from joulebook.live.ask import HOUR, Ask, Meaning, Point
from joulebook.terms.finding import Finding
from joulebook.terms.series import SeriesRow
from joulebook.terms.tier import Tier

LEAST_COVERED = 0.75
"""Part of an hour that must be told for the hour to count; what is told then stands for the whole hour."""

LARGEST_LACK = 0.05
"""Part of all generation that a fuel may have for an hour to count in which nothing is told of it."""

Fuels = Mapping[str, Sequence[Point]]


def hourly(
    points: Iterable[Point], ask: Ask, meaning: Meaning, known_from: datetime
) -> tuple[list[SeriesRow], list[Finding]]:
    """Rows of whole hours.

    Intensities are averaged over time. Energies are added up; where minutes are missing, they are scaled to the whole
    hour, each fuel by itself.

    Args:
        points: values in any order; the same time may come twice.
        ask: what was asked for; what lies outside is left out.
        meaning: what the values are.
        known_from: when they were fetched (UTC).

    Returns:
        rows in the order of time and fuel; findings on hours that are missing, told in part, or told twice.
    """
    findings: list[Finding] = []
    hours: dict[datetime, dict[str, list[Point]]] = {}
    for point in _once(points, ask, meaning, findings):
        start = point.start.replace(minute=0, second=0, microsecond=0)
        hours.setdefault(start, {}).setdefault(point.fuel, []).append(point)
    large = _large(hours.values())
    rows: list[SeriesRow] = []
    cut: list[datetime] = []
    for start, fuels in sorted(hours.items()):
        if large <= fuels.keys() and all(_covered(found) / HOUR >= LEAST_COVERED for found in fuels.values()):
            rows += [_row(start, fuels[fuel], ask, meaning, known_from) for fuel in sorted(fuels)]
        else:
            cut.append(start)
    missing = [start for start in ask.hours() if start not in hours]
    findings += _gaps(meaning.source, "live-hours-missing", missing) + _gaps(meaning.source, "live-hours-cut", cut)
    return rows, findings


def _once(points: Iterable[Point], ask: Ask, meaning: Meaning, findings: list[Finding]) -> list[Point]:
    """Each time and part once; of two values the one that was changed last, and of equals the last told."""
    told: dict[tuple[str, str, datetime], Point] = {}
    twice: set[datetime] = set()
    for point in points:
        if not ask.holds(point.start):
            continue
        key = (point.fuel, point.part, point.start)
        other = told.setdefault(key, point)
        if (other.value, other.is_final) != (point.value, point.is_final):
            twice.add(point.start)
        if (point.updated, point.is_final) >= (other.updated, other.is_final):
            told[key] = point
    findings += _gaps(meaning.source, "live-hour-twice", sorted(twice))
    return list(told.values())


def _large(hours: Iterable[Fuels]) -> set[str]:
    """Fuels without which an hour would be another mix."""
    sums: dict[str, float] = {}
    for fuels in hours:
        for fuel, found in fuels.items():
            sums[fuel] = sums.get(fuel, 0.0) + sum(max(point.value, 0.0) for point in found)
    whole = sum(sums.values())
    return {fuel for fuel, value in sums.items() if whole and value / whole > LARGEST_LACK}


def _covered(found: Iterable[Point]) -> timedelta:
    return sum((end - start for start, end in {(point.start, point.end) for point in found}), timedelta())


def _row(start: datetime, found: Sequence[Point], ask: Ask, meaning: Meaning, known_from: datetime) -> SeriesRow:
    ordered = sorted(found, key=lambda point: point.start)
    covered, fuel = _covered(ordered), ordered[0].fuel
    if fuel:
        value = sum(point.value for point in ordered) * (HOUR / covered)
    else:
        value = sum(point.value * ((point.end - point.start) / covered) for point in ordered)
    told = f"{covered // timedelta(minutes=1)} of 60 minutes told" if covered < HOUR else ""
    updated = max(point.updated for point in ordered)
    return SeriesRow(
        subject=ask.subject,
        quantity=meaning.quantity,
        value=value,
        unit=meaning.unit,
        basis={**meaning.basis, "fuel": fuel} if fuel else meaning.basis,
        valid_from=start,
        valid_to=start + HOUR,
        known_from=known_from,
        tier=str(Tier.DERIVED if all(point.is_final for point in ordered) else Tier.ESTIMATED),
        source=meaning.source,
        cell=ordered[0].cell,
        note="; ".join(part for part in (told, f"updated {updated}" if updated else "") if part) or None,
    )


def _gaps(source: str, rule: str, hours: Sequence[datetime]) -> list[Finding]:
    """One warning for all hours with the same fault."""
    if not hours:
        return []
    facts = {"count": len(hours), "first": f"{hours[0]:%Y-%m-%dT%H:%MZ}", "last": f"{hours[-1]:%Y-%m-%dT%H:%MZ}"}
    return [Finding(source, None, rule, facts, is_error=False)]
