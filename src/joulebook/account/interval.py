"""Ranges of totals: what rows share does not average out.

A row is a product of factors, so on the log scale its sigmas add in squares. A total is a sum over rows, and rows
share factors: the same model's factor is wrong for all of them together. To first order the total then moves with
factor *f* by the part of the total that *f* stands behind, and independent factors add in squares:

    sigma(total) = sqrt(sum over f of (sigma_f x part_f / total) ** 2)

Source: JCGM 100:2008 (GUM), 5.1.2, law of propagation of uncertainty, applied to logarithms.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from joulebook.terms.range import Z90, Range


@dataclass(frozen=True, slots=True)
class Spread:
    """How uncertain one factor is, on the log scale, each side on its own.

    Attributes:
        factor_id: which factor; equal ids move together.
        sigma_low: sigma of the lower side; infinite where the low end is zero.
        sigma_high: sigma of the upper side.
    """

    factor_id: str
    sigma_low: float
    sigma_high: float


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a total that has one combination of factors: its mid amount and their spreads."""

    amount: float
    spreads: Sequence[Spread]


@dataclass(frozen=True, slots=True)
class Total:
    """A total with its range, and what makes it uncertain.

    Attributes:
        range: low, mid, high in the unit of the amounts.
        variance_ratio: factor id -> its part of the variance, 0..1, summing to 1; empty for an exact total.
    """

    range: Range
    variance_ratio: Mapping[str, float]


def total(shares: Iterable[Share]) -> Total:
    """Sum shares and propagate the spreads of the factors they have in common.

    Args:
        shares: the parts of the total; amounts of zero or more, in one unit.

    Returns:
        the total with an 80 % range; an empty input is an exact zero.

    Source: GUM (JCGM 100:2008), 5.1.2.

    >>> one = Spread("pue", 0.1, 0.1)
    >>> together = total([Share(1.0, [one]), Share(1.0, [one])])
    >>> apart = total([Share(1.0, [one]), Share(1.0, [Spread("other", 0.1, 0.1)])])
    >>> together.range.high > apart.range.high
    True
    """
    mid = 0.0
    behind: dict[str, float] = {}
    spread_of: dict[str, Spread] = {}
    for share in shares:
        mid += share.amount
        for spread in share.spreads:
            behind[spread.factor_id] = behind.get(spread.factor_id, 0.0) + share.amount
            spread_of[spread.factor_id] = spread
    if mid == 0:
        return Total(Range.exact(mid), {})
    finite_low = [(behind[i] * s.sigma_low / mid) for i, s in spread_of.items() if math.isfinite(s.sigma_low)]
    open_low = sum(behind[i] for i, s in spread_of.items() if not math.isfinite(s.sigma_low))
    high_terms = {i: behind[i] * s.sigma_high / mid for i, s in spread_of.items()}
    low = max(0.0, mid * math.exp(-Z90 * math.hypot(*finite_low)) - open_low)
    high = mid * math.exp(Z90 * math.hypot(*high_terms.values()))
    variance = sum(term * term for term in high_terms.values())
    ratios = {i: term * term / variance for i, term in high_terms.items()} if variance else {}
    return Total(Range(low, mid, high), ratios)
