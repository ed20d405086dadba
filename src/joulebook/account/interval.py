"""Ranges of totals: what rows share does not average out.

A row is a product of factors, so on the log scale its sigmas add in squares. A total is a sum over rows, and rows
share factors: the same model's factor is wrong for all of them together. To first order the total then moves with
factor *f* by the parts that *f* stands behind, each by its own sigma, and independent factors add in squares:

    sigma(total) = sqrt(sum over f of (sum over parts p of f of sigma_fp x p) ** 2) / total

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
        factor_id: which factor; equal ids move together, though they may act on one share more than on another.
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
    mid = open_low = 0.0
    low_moves: dict[str, float] = {}
    high_moves: dict[str, float] = {}
    for share in shares:
        mid += share.amount
        for spread in share.spreads:
            if math.isfinite(spread.sigma_low):
                low_moves[spread.factor_id] = low_moves.get(spread.factor_id, 0.0) + share.amount * spread.sigma_low
            else:
                open_low += share.amount
            high_moves[spread.factor_id] = high_moves.get(spread.factor_id, 0.0) + share.amount * spread.sigma_high
    if mid == 0:
        return Total(Range.exact(mid), {})
    low = max(0.0, mid * math.exp(-Z90 * math.hypot(*low_moves.values()) / mid) - open_low)
    high = mid * math.exp(Z90 * math.hypot(*high_moves.values()) / mid)
    variance = sum(move * move for move in high_moves.values())
    ratios = {name: move * move / variance for name, move in high_moves.items()} if variance else {}
    return Total(Range(low, mid, high), ratios)
