"""How a number is shown to people: three significant digits, in a unit that keeps it short."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from joulebook.terms.range import Range
from joulebook.terms.units import convert

SHOWN_UNITS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "kWh": ("mWh", "Wh", "kWh", "MWh", "GWh", "TWh"),
        "g": ("mg", "g", "kg", "t", "kt", "Mt"),
        "L": ("mL", "L", "m3", "ML"),
        "W": ("mW", "W", "kW", "MW", "GW"),
    }
)
"""Canonical unit -> units it may be shown in, smallest first."""

DIGITS = 3
THOUSANDS = 1000
"""From here on, separators are set."""


def unit_for(value: float, unit: str) -> str:
    """The largest unit in which a value is at least 1; the smallest where there is none.

    >>> unit_for(0.0123, "kWh"), unit_for(45_000.0, "g")
    ('Wh', 'kg')
    """
    choices = SHOWN_UNITS.get(unit, ())
    fitting = [choice for choice in choices if abs(convert(value, unit, choice)) >= 1]
    if fitting:
        return fitting[-1]
    return choices[0] if choices and value else unit


def in_digits(value: float, digits: int = DIGITS) -> str:
    """A number with some significant digits and thousands separators, without exponent where it stays short.

    >>> in_digits(12345.678), in_digits(0.0012345), in_digits(0.0), in_digits(1.5e-9)
    ('12,300', '0.00123', '0', '1.5e-09')
    """
    text = f"{value:.{digits}g}"
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return f"{float(text):,.0f}" if abs(value) >= THOUSANDS else mantissa
    return f"{float(text):,.0f}" if int(exponent) > 0 else text


def range_in(value: Range, unit: str, shown: str) -> tuple[str, str, str]:
    """Low, mid and high as texts in a given unit."""
    low, mid, high = (in_digits(convert(end, unit, shown) if unit != shown else end) for end in value)
    return low, mid, high


def range_text(value: Range, unit: str, shown: str | None = None) -> str:
    """A range in one line: mid, low to high, unit; a bare count has none.

    >>> range_text(Range(0.001, 0.002, 0.004), "kWh")
    '2 Wh (1–4)'
    """
    chosen = shown or unit_for(value.mid, unit)
    low, mid, high = range_in(value, unit, chosen)
    return f"{mid} {chosen} ({low}–{high})" if chosen else f"{mid} ({low}–{high})"
