"""Is a published figure what its own inputs give?"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from joulebook.errors import BadValue, translatable
from joulebook.terms.range import Range


class Agreement(StrEnum):
    """What the comparison of a published figure with its recomputation says."""

    CONSISTENT = translatable("consistent")
    INCONSISTENT = translatable("inconsistent")
    UNPUBLISHED = translatable("nothing published to compare with")


@dataclass(frozen=True, slots=True)
class Check:
    """A published figure beside its recomputation, in one unit.

    Attributes:
        published: the figure, or None where the publication gives none.
        computed: low, mid and high.
        tolerance: the largest difference that still counts as rounding.
        agreement: consistent, inconsistent, or nothing published.
        deviation_ratio: computed over published, minus 1; None where there is nothing to divide by.
    """

    published: float | None
    computed: Range
    tolerance: float
    agreement: Agreement
    deviation_ratio: float | None

    @property
    def times(self) -> float | None:
        """Computed over published; None where there is nothing to divide by."""
        return None if self.deviation_ratio is None else 1 + self.deviation_ratio


def check(
    published: float | str | None,
    computed: Range | float,
    *,
    rel_tol: float | None = None,
    abs_tol: float | None = None,
) -> Check:
    """Compare a published figure with what its inputs give.

    >>> str(check("37.3", 37.296).agreement), str(check("12.9", 2027.0).agreement)
    ('consistent', 'inconsistent')

    Args:
        published: the figure in the unit of `computed`; as text, its last digit says how it was rounded.
        computed: the recomputation; a published figure inside its range agrees.
        rel_tol: difference allowed, relative to the published figure.
        abs_tol: difference allowed, in the unit. Either tolerance suffices; without both, half a unit in the last
            digit of `published`.

    Raises:
        BadValue: the published figure is not a number.
    """
    value = computed if isinstance(computed, Range) else Range.exact(computed)
    if published is None:
        return Check(None, value, math.nan, Agreement.UNPUBLISHED, None)
    figure, step = _read(published)
    allowed = [abs(figure) * rel_tol] if rel_tol is not None else []
    allowed += [abs_tol] if abs_tol is not None else []
    tolerance = max(allowed, default=step)
    slack = tolerance * (1 + 1e-9)
    fits = value.low - slack <= figure <= value.high + slack
    deviation = value.mid / figure - 1 if figure else None
    return Check(figure, value, tolerance, Agreement.CONSISTENT if fits else Agreement.INCONSISTENT, deviation)


def half_last_digit(written: str) -> float:
    """Half a unit in the last digit of a number as it was written; trailing zeros of whole numbers do not count.

    >>> half_last_digit("37.3"), half_last_digit("300000"), half_last_digit("0.30")
    (0.05, 50000.0, 0.005)

    Raises:
        BadValue: it is not a number.
    """
    return _read(written)[1]


def _read(written: float | str) -> tuple[float, float]:
    text = re.sub(r"[,_\s]", "", str(written))
    try:
        number = Decimal(text)
        figure = float(number)
    except (InvalidOperation, ValueError):
        raise BadValue(
            value=written, expected=translatable("a number"), next_step=translatable("give the figure without words.")
        ) from None
    if not math.isfinite(figure):
        raise BadValue(
            value=written,
            expected=translatable("a finite number"),
            next_step=translatable("give the figure without words."),
        )
    if isinstance(written, float) and number == number.to_integral_value():
        number = number.quantize(Decimal(1))
    if number == number.to_integral_value() and "." not in str(number):
        number = number.normalize()
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return figure, float(Decimal(1).scaleb(exponent) / 2) if number else 0.5
