"""Footprint per functional unit: SCI = (O + M) per R, aggregated as the ratio of sums.

A mean of ratios weighs an hour with one request like an hour with a million; it is never taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from joulebook.account.arithmetic import N
from joulebook.errors import BadValue, UnknownName, translatable
from joulebook.terms.units import convert

FUNCTIONAL_UNITS = MappingProxyType(
    {
        "token": ("output tokens", "1e6"),
        "input-token": ("input tokens", "1e6"),
        "request": ("requests", "1e3"),
        "image": ("images", "1e3"),
        "flop": ("floating-point operations", "1e9"),
        "parameter": ("parameters of the trained model", "1e9"),
    }
)
"""Functional unit -> (what is counted, count per which a rate is usually printed).

Source: SCI (ISO/IEC 21031), "Functional unit"; SCI for AI (draft), consumer and provider boundaries.
"""


def co2e_sci_g(co2e_operational_g: N, co2e_embodied_amortised_g: N) -> N:
    """Footprint that SCI divides by the functional unit [g]: O + M.

    Source: SCI (ISO/IEC 21031), "Calculation".
    """
    return co2e_operational_g + co2e_embodied_amortised_g


@dataclass(frozen=True, slots=True)
class Rate:
    """A ratio of sums.

    Attributes:
        amount: sum of the amounts that are known together with their count.
        units: sum of the functional units of those rows.
        row_count: rows that were given.
        known_count: rows that were used; the rest lacked an amount or a count.
    """

    amount: float
    units: float
    row_count: int
    known_count: int

    @property
    def per_unit(self) -> float:
        """Amount per one functional unit.

        Raises:
            BadValue: there were no units.
        """
        return per_unit(self.amount, self.units)

    @property
    def coverage_ratio(self) -> float:
        """Share of the rows that could be used, 0..1; 0 where there were none."""
        return self.known_count / self.row_count if self.row_count else float(0)


def per_unit(amount: float, units: float) -> float:
    """Amount per functional unit.

    Raises:
        BadValue: there are no units to divide by.
    """
    if not units > 0:
        raise BadValue(
            value=units,
            expected=translatable("a count of functional units"),
            next_step=translatable("give a count above zero."),
        )
    return amount / units


def ratio_of_sums(rows: Iterable[tuple[float | None, float | None]]) -> Rate:
    """Aggregate (amount, units) rows to one rate: sum of amounts over sum of units; unknown stays unknown.

    >>> ratio_of_sums([(1.0, 1.0), (1.0, 99.0), (None, 5.0)]).per_unit
    0.02

    Source: SCI (ISO/IEC 21031), "Calculation"; unlike a mean of ratios it is independent of how rows are cut.
    """
    amount, units, row_count, known_count = float(0), float(0), 0, 0
    for row_amount, row_units in rows:
        row_count += 1
        if row_amount is not None and row_units is not None:
            amount, units, known_count = amount + row_amount, units + row_units, known_count + 1
    return Rate(amount, units, row_count, known_count)


def printed_per(unit: str) -> str:
    """The count a rate of this functional unit is usually printed for: "1e6" tokens.

    Raises:
        UnknownName: there is no such functional unit.
    """
    if unit not in FUNCTIONAL_UNITS:
        raise UnknownName(kind=translatable("functional unit"), name=unit, nearest=", ".join(FUNCTIONAL_UNITS))
    return FUNCTIONAL_UNITS[unit][-1]


def rate_in(value: float, unit: str, to: str) -> float:
    """A rate in another unit, numerator and count both: kg per 1e9 tokens to g per 1e6 tokens.

    >>> rate_in(130, "kg/1e9", "g/1e6")
    130.0

    Raises:
        UnknownName: a unit is not in the list.
        ValueError: the units measure different quantities.
    """
    return convert(value, unit, to)
