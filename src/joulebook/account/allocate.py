"""Split a shared total by a key, so that the parts sum to the whole exactly.

Amounts are whole grains (integers); what does not divide goes to the largest remainders, ties to the first key.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeVar

from joulebook.errors import UsageError, translatable

K = TypeVar("K")


def shares(weights: Mapping[K, float]) -> dict[K, Fraction]:
    """Each key's share of the whole, as exact fractions that sum to 1.

    >>> shares({"a": 1, "b": 3})["b"]
    Fraction(3, 4)

    Raises:
        UsageError: a weight is negative or not finite, or there is nothing to split by.
    """
    try:
        exact = {key: Fraction(weight) for key, weight in weights.items()}
    except (ValueError, OverflowError):
        raise UsageError(
            what=translatable("A weight is not a number."), next_step=translatable("give every part a finite weight.")
        ) from None
    if any(weight < 0 for weight in exact.values()):
        raise UsageError(
            what=translatable("A weight is negative."), next_step=translatable("give every part a weight of 0 or more.")
        )
    whole = sum(exact.values(), Fraction(0))
    if not whole:
        raise UsageError(
            what=translatable("Nothing to split by: all weights are zero."),
            next_step=translatable("choose another key, or leave the total unallocated."),
        )
    return {key: weight / whole for key, weight in exact.items()}


def allocate(total: int, weights: Mapping[K, float]) -> dict[K, int]:
    """Whole grains per key, by largest remainder; the sum is the total, for reversals (negative totals) too.

    >>> allocate(100, {"a": 1, "b": 1, "c": 1})
    {'a': 34, 'b': 33, 'c': 33}
    >>> allocate(-100, {"a": 1, "b": 1, "c": 1})
    {'a': -34, 'b': -33, 'c': -33}

    Raises:
        UsageError: see `shares`.
    """
    sign = -1 if total < 0 else 1
    exact = {key: share * abs(total) for key, share in shares(weights).items()}
    parts = {key: amount.numerator // amount.denominator for key, amount in exact.items()}
    left = abs(total) - sum(parts.values())
    by_remainder = sorted(exact, key=lambda key: parts[key] - exact[key])
    for key in by_remainder[:left]:
        parts[key] += 1
    return {key: sign * part for key, part in parts.items()}
