"""Units and their conversion: the only place that knows 1000 and 3600.

Inside, one canonical unit per quantity: kWh, W, s, g, L, USD, tokens as count. Everything else is converted here,
at the door. Sources: SI brochure, 9th edition (SI and accepted units); NIST Special Publication 811, appendix B
(pound, gallon, Btu, short ton, mile).
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from joulebook.errors import UnknownName, translatable

CANONICAL: Mapping[str, str] = MappingProxyType(
    {
        "energy": "kWh",
        "power": "W",
        "time": "s",
        "mass": "g",
        "volume": "L",
        "money": "USD",
        "distance": "km",
        "count": "1",
        "size": "GB",
    }
)

_TO_CANONICAL: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "mJ": ("energy", 1e-3 / 3.6e6),
        "J": ("energy", 1 / 3.6e6),
        "kJ": ("energy", 1e3 / 3.6e6),
        "MJ": ("energy", 1e6 / 3.6e6),
        "mWh": ("energy", 1e-6),
        "Wh": ("energy", 1e-3),
        "kWh": ("energy", 1.0),
        "MWh": ("energy", 1e3),
        "GWh": ("energy", 1e6),
        "TWh": ("energy", 1e9),
        "Btu": ("energy", 1055.05585262 / 3.6e6),
        "mW": ("power", 1e-3),
        "W": ("power", 1.0),
        "kW": ("power", 1e3),
        "MW": ("power", 1e6),
        "GW": ("power", 1e9),
        "us": ("time", 1e-6),
        "ms": ("time", 1e-3),
        "ns": ("time", 1e-9),
        "s": ("time", 1.0),
        "min": ("time", 60.0),
        "h": ("time", 3600.0),
        "d": ("time", 86400.0),
        "wk": ("time", 7 * 86400.0),
        "mo": ("time", 365.25 * 86400.0 / 12),
        "a": ("time", 365.25 * 86400.0),
        "ug": ("mass", 1e-6),
        "mg": ("mass", 1e-3),
        "g": ("mass", 1.0),
        "kg": ("mass", 1e3),
        "t": ("mass", 1e6),
        "kt": ("mass", 1e9),
        "Mt": ("mass", 1e12),
        "lb": ("mass", 453.59237),
        "short_ton": ("mass", 907184.74),
        "mL": ("volume", 1e-3),
        "L": ("volume", 1.0),
        "m3": ("volume", 1e3),
        "kL": ("volume", 1e3),
        "ML": ("volume", 1e6),
        "gal": ("volume", 3.785411784),
        "USD": ("money", 1.0),
        "km": ("distance", 1.0),
        "mi": ("distance", 1.609344),
        "%": ("count", 1e-2),
        "B": ("size", 1e-9),
        "GB": ("size", 1.0),
        "1": ("count", 1.0),
        "1e3": ("count", 1e3),
        "1e6": ("count", 1e6),
        "1e9": ("count", 1e9),
        "1e12": ("count", 1e12),
    }
)


def quantity_of(unit: str) -> str:
    """The quantity a simple unit measures: "energy" for MWh.

    Raises:
        UnknownName: the unit is not in the list.
    """
    return _entry(unit)[0]


def convert(value: float, unit: str, to: str) -> float:
    """A value in another unit; compound units are written with one slash: ``lb/MWh`` to ``g/kWh``.

    >>> round(convert(889.2, "lb/MWh", "g/kWh"), 3)
    403.334
    >>> round(convert(1, "kWh", "J"))
    3600000

    Raises:
        UnknownName: a unit is not in the list.
        ValueError: the two units measure different quantities.
    """
    top, bottom = _ratios(unit, to)
    return value * top / bottom


@cache
def _ratios(unit: str, to: str) -> tuple[float, float]:
    """How many of the other are in one, above and below the slash."""
    top, _, bottom = unit.partition("/")
    to_top, _, to_bottom = to.partition("/")
    return _ratio(top, to_top), _ratio(bottom or "1", to_bottom or "1")


def _ratio(unit: str, to: str) -> float:
    quantity, factor = _entry(unit)
    to_quantity, to_factor = _entry(to)
    if quantity != to_quantity:
        msg = f"{unit} measures {quantity}, {to} measures {to_quantity}"
        raise ValueError(msg)
    return factor / to_factor


def _entry(unit: str) -> tuple[str, float]:
    try:
        return _TO_CANONICAL[unit]
    except KeyError:
        raise UnknownName(kind=translatable("unit"), name=unit, nearest=", ".join(sorted(_TO_CANONICAL))) from None
