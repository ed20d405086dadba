"""Power read now and then, made into energy: by trapezoids, with gaps told apart."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from joulebook.terms.units import convert

GAP_STEPS = 5
"""An interval of more usual steps than this is a gap: nobody knows what the power was in it."""


@dataclass(frozen=True, slots=True)
class Integral:
    """Energy of a power series.

    Attributes:
        first_s, last_s: first and last sample [s since 1970].
        energy_kwh: with gaps filled from their ends [kWh].
        low_ratio: nothing used in the gaps, over that.
        high_ratio: the highest power seen in the gaps, over that.
        gap_s: seconds in gaps [s].
        gaps: their number.
    """

    first_s: float
    last_s: float
    energy_kwh: float
    low_ratio: float
    high_ratio: float
    gap_s: float
    gaps: int


def integrated(samples: Iterable[tuple[float, float]]) -> Integral | None:
    """Energy of samples of time [s] and power [W], in any order; None where there are fewer than two times.

    >>> found = integrated([(0, 100.0), (10, 100.0), (20, 100.0)])
    >>> round(found.energy_kwh * 3.6e6), found.gap_s
    (2000, 0.0)
    """
    series = sorted(dict(samples).items())
    if len(series) < len(("first", "last")):
        return None
    steps = [later[0] - sooner[0] for sooner, later in pairwise(series)]
    longest = GAP_STEPS * median(steps)
    inside, gaps = 0.0, []
    for (at, power), (then, next_power) in pairwise(series):
        joules = (then - at) * (power + next_power) / 2
        if then - at > longest:
            gaps.append((then - at, joules))
        else:
            inside += joules
    filled = inside + sum(joules for _seconds, joules in gaps)
    highest = max(power for _at, power in series)
    most = inside + sum(seconds * highest for seconds, _joules in gaps)
    if not math.isfinite(most):
        return None
    return Integral(
        first_s=series[0][0],
        last_s=series[-1][0],
        energy_kwh=convert(filled, "J", "kWh"),
        low_ratio=inside / filled if filled else 1.0,
        high_ratio=most / filled if filled else 1.0,
        gap_s=float(sum(seconds for seconds, _joules in gaps)),
        gaps=len(gaps),
    )


def gap_facts(found: Sequence[Integral]) -> dict[str, object] | None:
    """What a warning says of gaps in several series; None where there are none."""
    count = sum(one.gaps for one in found)
    return {"count": count, "seconds": f"{sum(one.gap_s for one in found):,.0f}"} if count else None
