"""Functions of uncertain inputs that are independent of each other.

An input that occurs twice is varied once, so that what cancels does cancel: a share stays within 0..1, and 2/x is not
x/2. Each side adds the squares of the log distances that one input at a time makes (a product of log-normal ranges is
exact); where a value is not above zero, the plain distances.
"""

import math
from collections.abc import Callable, Iterable
from statistics import NormalDist

from joulebook.terms.range import Range


def propagate(function: Callable[..., float], *inputs: Range) -> Range:
    """The range of a function of independent ranges, one input varied at a time.

    >>> propagate(lambda x: 1 / x, Range(1.0, 2.0, 4.0))
    Range(low=0.25, mid=0.5, high=1.0)

    Args:
        function: takes one float per input.
        inputs: independent 80 % ranges.

    Source: JCGM 100:2008 (GUM), section 5.1.2, on the log scale where all values are above zero.
    """
    mids = [each.mid for each in inputs]
    mid = function(*mids)
    below, above = [], []
    for place, each in enumerate(inputs):
        if each.low == each.high:
            continue
        ends = [function(*mids[:place], end, *mids[place + 1 :]) for end in (each.low, each.high)]
        below.append(min(*ends, mid))
        above.append(max(*ends, mid))
    return Range(_side(mid, below, -1), mid, _side(mid, above, 1))


def _side(mid: float, ends: list[float], sign: int) -> float:
    moved = [end for end in ends if end != mid]
    if not moved:
        return mid
    if mid > 0 and min(moved) > 0:
        return mid * math.exp(sign * math.hypot(*(math.log(end / mid) for end in moved)))
    return mid + sign * math.hypot(*(end - mid for end in moved))


def total(parts: Iterable[Range]) -> Range:
    """Sum of independent ranges; parts that share a factor belong to `interval` instead.

    >>> total([Range.exact(1), Range.exact(2)])
    Range(low=3.0, mid=3.0, high=3.0)
    """
    parts = list(parts)
    mid = sum((part.mid for part in parts), float(0))
    low = mid - math.hypot(*(part.mid - part.low for part in parts))
    high = mid + math.hypot(*(part.high - part.mid for part in parts))
    return Range(low, mid, high)


def product(*ranges: Range) -> Range:
    """Product of independent ranges."""
    return propagate(lambda *values: math.prod(values), *ranges)


def quotient(top: Range, bottom: Range) -> Range:
    """One range over an independent other; the bottom must be above zero.

    >>> quotient(Range.exact(2), Range(1.0, 2.0, 4.0))
    Range(low=0.5, mid=1.0, high=2.0)
    """
    return propagate(lambda a, b: a / b, top, bottom)


def probability_below(value: Range, bound: float) -> float:
    """Probability that an uncertain value lies below a bound, for a log-normal range whose sides may differ.

    An exact value gives 0 or 1, and one half where it equals the bound.

    >>> round(probability_below(Range(0.5, 1.0, 2.0), 2.0), 3)
    0.9
    """
    normal = NormalDist()
    if value.mid == bound:
        return normal.cdf(0)
    sigma = value.sigma_high if bound > value.mid else value.sigma_low
    if not sigma:
        return float(value.mid < bound)
    if bound <= 0 or value.mid <= 0:
        return float(value.mid < bound)
    return normal.cdf(math.log(bound / value.mid) / sigma)
