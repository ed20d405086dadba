"""An 80 % interval around a central value.

A factor's low..high is an 80 % interval, log-normal unless its file says otherwise. The two sides may differ; each
side's sigma is the log distance divided by the 90th percentile of the standard normal, so a symmetric range has
sigma = ln(high / low) / 2.563.
"""

import math
from typing import NamedTuple

from joulebook.errors import BadValue, translatable

Z90 = 1.2815515655446004
"""90th percentile of the standard normal: half the width of an 80 % interval in sigmas."""


class Range(NamedTuple):
    """Low, mid and high of one number, all in the same unit."""

    low: float
    mid: float
    high: float

    @classmethod
    def exact(cls, value: float) -> "Range":
        """A number without spread.

        >>> Range.exact(3)
        Range(low=3.0, mid=3.0, high=3.0)
        """
        return cls(float(value), float(value), float(value))

    @classmethod
    def checked(cls, low: float, mid: float, high: float) -> "Range":
        """A range whose order has been checked.

        Raises:
            BadValue: not low <= mid <= high, or not finite.
        """
        if not (low <= mid <= high and math.isfinite(low) and math.isfinite(high)):
            raise BadValue(
                value=f"{low}..{mid}..{high}",
                expected=translatable("a range"),
                next_step=translatable("give finite numbers with low <= mid <= high."),
            )
        return cls(float(low), float(mid), float(high))

    @property
    def sigma_low(self) -> float:
        """Log-scale sigma of the lower side; 0 for an exact number, infinite where low is 0 and mid is not."""
        return _side(self.low, self.mid)

    @property
    def sigma_high(self) -> float:
        """Log-scale sigma of the upper side."""
        return _side(self.mid, self.high)

    def scaled(self, by: float) -> "Range":
        """The range in another unit, or that many times.

        >>> Range(1.0, 2.0, 4.0).scaled(10)
        Range(low=10.0, mid=20.0, high=40.0)
        """
        low, mid, high = self.low * by, self.mid * by, self.high * by
        return Range(min(low, high), mid, max(low, high))


def _side(inner: float, outer: float) -> float:
    if inner == outer:
        return 0.0
    if inner <= 0:
        return math.inf
    return math.log(outer / inner) / Z90
