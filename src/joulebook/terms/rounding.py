"""Whole numbers of grains: the one rounding of the project.

``floor(x * grains + HALF)`` rounds halves up. Every engine computes it with the same two IEEE 754 operations, and
sums of whole numbers do not depend on their order.
"""

import math

from joulebook.terms.columns import column

HALF = 0.5


def to_grains(value: float, name: str) -> int:
    """A value as a whole number of grains of its column.

    >>> to_grains(1.5, "co2e_operational_location_g")
    1500000000
    """
    return math.floor(value * column(name).grains_per_unit + HALF)


def from_grains(amount: int, name: str) -> float:
    """The value of a whole number of grains [unit of the column].

    >>> from_grains(1500000000, "co2e_operational_location_g")
    1.5
    """
    return amount / column(name).grains_per_unit
