"""Change between two figures, and the path between two years."""

import math

from joulebook.errors import BadValue, translatable


def change_ratio(before: float, after: float) -> float:
    """Relative change from one figure to a later one: after / before - 1.

    >>> change_ratio(50.0, 75.0)
    0.5

    Raises:
        BadValue: there is nothing to compare with.
    """
    return ratio(after, before) - 1


def ratio(figure: float, base: float) -> float:
    """One figure over another of the same kind.

    Raises:
        BadValue: the base is not above zero.
    """
    if not base > 0:
        raise BadValue(
            value=base,
            expected=translatable("a base above zero"),
            next_step=translatable("give the figure to compare with."),
        )
    return figure / base


def yearly_change_ratio(before: float, after: float, years: float) -> float:
    """Relative change per year that leads from one figure to the other (compound growth).

    Raises:
        BadValue: no years, or a figure that is not above zero.
    """
    if not (years > 0 and after > 0):
        raise BadValue(
            value=years, expected=translatable("years above zero"), next_step=translatable("give two different years.")
        )
    return math.pow(ratio(after, before), 1 / years) - 1


def linear_path(base: float, target: float, base_year: float, target_year: float, year: float) -> float:
    """Where a straight line from base to target stands in a year.

    >>> linear_path(100.0, 0.0, 2020, 2030, 2025)
    50.0

    Raises:
        BadValue: base and target year are the same.
    """
    if base_year == target_year:
        raise BadValue(
            value=target_year,
            expected=translatable("a year after the base"),
            next_step=translatable("give the year of the target."),
        )
    return base + (target - base) * ((year - base_year) / (target_year - base_year))


def doubling_time(growth_ratio: float, doubling: float) -> float:
    """Time that a growth takes at a given doubling time, in that unit: log2(growth) × doubling.

    Raises:
        BadValue: the growth is not above zero.
    """
    if not growth_ratio > 0:
        raise BadValue(
            value=growth_ratio,
            expected=translatable("a growth above zero"),
            next_step=translatable("give after over before."),
        )
    return math.log2(growth_ratio) * doubling


def growth_ratio(elapsed: float, doubling: float) -> float:
    """Growth over a time at a given doubling time, both in one unit: 2 to the elapsed over doubling.

    Raises:
        BadValue: the doubling time is not above zero.
    """
    return math.exp2(ratio(elapsed, doubling))
