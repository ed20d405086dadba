"""From metered energy to footprints: what a run used, part by part, on the same formulas as everything else.

What a meter read, or the machine model made of its use, enters as `it_energy_kwh`; the building, the grid and the
water come after it as they do for usage. There are few parts of runs, so they are priced one by one on floats; they
are quantised to whole grains by the same rounding, so that sums do not depend on their order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from joulebook.account.arithmetic import N
from joulebook.account.formulas import FORMULAS, Formula, inputs_of
from joulebook.account.resolution import Resolution, part_of
from joulebook.terms.columns import METRICS
from joulebook.terms.rounding import to_grains
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert
from joulebook.terms.usage import key_checks

if TYPE_CHECKING:
    from joulebook.factors.choose import Choice

SOURCE = "run"
"""What the column ``source`` says of a run that our own meter measured."""

RUN_METHOD = "run-1"
"""Name and version of the calculation; a new version restates."""

ACCELERATOR = "gpu"
"""Component whose energy is that of the accelerators; the energy of every other component is none of theirs."""

GIVEN = frozenset({"gpu_energy_kwh", "it_energy_kwh", "co2e_embodied_amortised_g"})
"""Metrics that come with a part of a run and not from the formulas of usage."""

DIGITS = 3
"""Significant digits of the effect of a factor on an energy."""

DAY = timedelta(days=1)

PLACE_KEY = ("provider_key", "region_key", "day")


def co2e_embodied_amortised_g(run_h: N, embodied_g_per_h: N) -> N:
    """Embodied share of a part of a run [g]: M = TE × TS × RS, with TS the hours of the run over those of a life.

    Args:
        run_h: wall time of the run [h].
        embodied_g_per_h: making the reserved hardware over the hours it is expected to be kept [g/h].

    Source: SCI (ISO/IEC 21031), "Embodied emissions".
    """
    return run_h * embodied_g_per_h


_AFTER_IT = ("gpu_energy_kwh", "node_energy_kwh", "it_energy_kwh", "co2e_embodied_amortised_g")
RUN_FORMULAS: tuple[Formula, ...] = (
    *(formula for formula in FORMULAS if formula.__name__ not in _AFTER_IT),
    co2e_embodied_amortised_g,
)
"""Formulas after the IT equipment, in the order they are computed."""


def pieces_of(
    started_at: datetime, duration_s: float, period: timedelta = DAY
) -> list[tuple[datetime, datetime, float]]:
    """A stretch of time cut at each day or hour in UTC: start and end of each piece, and its part of the whole.

    >>> from datetime import UTC
    >>> [part for _start, _end, part in pieces_of(datetime(2026, 1, 1, 18, tzinfo=UTC), 86400)]
    [0.25, 0.75]
    """
    end = started_at + timedelta(seconds=duration_s)
    pieces, at = [], started_at
    while True:
        until = min(_start_of(at, period) + period, end)
        part = (until - at).total_seconds() / duration_s if duration_s > 0 else float(1)
        pieces.append((at, until, part))
        if until >= end:
            return pieces
        at = until


def _start_of(at: datetime, period: timedelta) -> datetime:
    """Start of the day or hour that a time is in."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if period < DAY else hour.replace(hour=0)


def by_period(rows: Iterable[Mapping[str, Any]], period: timedelta) -> list[Mapping[str, Any]]:
    """Rows of the energy table cut by time, so that each piece is in one day or hour: its column ``day``."""
    cut: list[Mapping[str, Any]] = []
    for row in rows:
        seconds = (row["ended_at"] - row["started_at"]).total_seconds()
        for start, end, part in pieces_of(row["started_at"], seconds, period):
            energy = row["it_energy_kwh"]
            told = {"it_energy_kwh": energy if energy is None else energy * part}
            cut.append({**row, **told, "started_at": start, "ended_at": end, "day": _start_of(start, period)})
    return cut


def place_keys(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Places and periods of some rows of `by_period`, each once."""
    return [dict(zip(PLACE_KEY, key, strict=True)) for key in dict.fromkeys(_place_key(row) for row in rows)]


def _place_key(row: Mapping[str, Any]) -> tuple[str, str, datetime]:
    return row["provider"] or "", row["region"] or "", row["day"]


def price_part(row: Mapping[str, Any], values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Every metric of one row of the energy table; None where an input is unknown.

    Args:
        row: the row; its energy is None where no meter reads the part.
        values: columns of the place, and ``embodied_g_per_h``.
    """
    energy = row["it_energy_kwh"]
    known: dict[str, Any] = {**values, "it_energy_kwh": energy}
    known["run_h"] = convert((row["ended_at"] - row["started_at"]).total_seconds(), "s", "h")
    known["gpu_energy_kwh"] = energy if row["component"] == ACCELERATOR or energy is None else float(0)
    for formula in RUN_FORMULAS:
        inputs = {name: known.get(name) for name in inputs_of(formula)}
        is_known = energy is not None and all(value is not None for value in inputs.values())
        known[formula.__name__] = formula(**inputs) if is_known else None
    return {metric: known.get(metric) for metric in METRICS}


def groups(
    rows: Iterable[Mapping[str, Any]],
    values_of: Mapping[str, Mapping[str, float | None]],
    places: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, Any]]:
    """Exact sums of parts of runs that a posting can say together, as `joulebook.account.pricing.cube` gives them.

    Args:
        rows: of the energy table, by `by_period`.
        values_of: id of a resolution -> its values; of the machines.
        places: one row per `PLACE_KEY` with the columns of the place, its zone and ``place_resolution_id``.
    """
    by_place = {tuple(place[name] for name in PLACE_KEY): place for place in places}
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        place = by_place.get(_place_key(row))
        if place is None:
            continue  # its factors are lost, which the audit tells by itself
        subject = _subject(row, place)
        group = found.setdefault(tuple(subject.values()), _empty(subject))
        _add(group, row, price_part(row, {**place, **values_of.get(row["resolution_id"] or "", {})}))
    yield from found.values()


def reading_resolution(row: Mapping[str, Any], accuracy: "Choice") -> Resolution:
    """The factors behind a reading of somebody else's meter: its accuracy, with what its record leaves open.

    Args:
        row: of the energy table, with its range.
        accuracy: of the meter. The hardware is not known, so that its embodied share is unknown, which is not zero.
    """
    mid = row["it_energy_kwh"]
    ends = (row["it_energy_low_kwh"], row["it_energy_high_kwh"])
    low, high = rounded_effect((ends[0] / mid, ends[-1] / mid) if mid else (1, 1))
    part = part_of(accuracy.factor, accuracy.chosen_because, accuracy.hint, effect=(low, high))
    metrics = ("it_energy_kwh", "gpu_energy_kwh") if row["component"] == ACCELERATOR else ("it_energy_kwh",)
    names = {"component": row["component"], "method": row["method"]}
    return Resolution(f"{row['component']} · {row['method']}", {}, dict.fromkeys(metrics, (part,)), names)


def rounded_effect(effect: tuple[float, float]) -> tuple[float, float]:
    """An effect to `DIGITS` significant digits, so that alike readings share their factors."""
    low, high = (float(f"{end:.{DIGITS}g}") for end in effect)
    return min(float(1), low), max(float(1), high)


def _subject(row: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    names = {name: row[name] for name in ("provider", "region", "team", "project", "run", "component")}
    return {
        **names,
        "day": row["day"],
        "source": row["source"],
        "model": None,
        "zone": place["zone"],
        "tool": row.get("run_name"),
        "is_synthetic": False,
        "tier": row["tier"] or str(Tier.ESTIMATED),
        "model_resolution_id": row["resolution_id"],
        "place_resolution_id": place["place_resolution_id"],
    }


def _empty(subject: Mapping[str, Any]) -> dict[str, Any]:
    counts = dict.fromkeys(("row_count", "request_count", "key_a", "key_b"), 0)
    sums = {f"{metric}_{kind}": 0 for metric in METRICS for kind in ("q", "rows")}
    return {**subject, **counts, **sums}


def _add(group: dict[str, Any], row: Mapping[str, Any], amounts: Mapping[str, float | None]) -> None:
    for metric, amount in amounts.items():
        if amount is not None:
            group[f"{metric}_q"] += to_grains(amount, metric)
            group[f"{metric}_rows"] += 1
    one, other = key_checks(row["energy_key"])
    group["row_count"] += 1
    group["key_a"] += one
    group["key_b"] += other
