"""A number with its dimension, so that a published calculation is checked before it is believed.

Quantities are kept in coherent units (J, s, g, L, km, USD, one), in which power is energy over time; every conversion
goes through `joulebook.terms.units.convert`. Counts (tokens, requests, cars) have no dimension here.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from joulebook.errors import BadValue, DimensionMismatch, UnknownName, translatable
from joulebook.terms.units import convert, quantity_of

_COHERENT: Mapping[str, tuple[str, Mapping[str, int]]] = MappingProxyType(
    {
        "energy": ("J", {"energy": 1}),
        "power": ("W", {"energy": 1, "time": -1}),
        "time": ("s", {"time": 1}),
        "mass": ("g", {"mass": 1}),
        "volume": ("L", {"volume": 1}),
        "distance": ("km", {"distance": 1}),
        "money": ("USD", {"money": 1}),
        "count": ("1", {}),
    }
)

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("hour", "hours", "hr", "GPU-h", "GPUh", "TPU-h", "device-h"), "h"),
        **dict.fromkeys(("day", "days"), "d"),
        **dict.fromkeys(("month", "months"), "mo"),
        **dict.fromkeys(("year", "years", "y", "yr"), "a"),
        **dict.fromkeys(("second", "seconds", "sec"), "s"),
        **dict.fromkeys(("ton", "tonne", "tonnes", "tons"), "t"),
        **dict.fromkeys(("million L", "million-L"), "ML"),
        **dict.fromkeys(("gallon", "gallons", "gallon-us"), "gal"),
        **dict.fromkeys(("x", "times", "ratio", "1"), "1"),
        **dict.fromkeys(("mile", "miles"), "mi"),
        **dict.fromkeys(("percent", "%"), "%"),
        **dict.fromkeys(("thousand", "k"), "1e3"),
        **dict.fromkeys(("million", "M"), "1e6"),
        **dict.fromkeys(("billion", "bn", "B"), "1e9"),
    }
)
"""Other spellings of units."""

_COUNTED = frozenset(
    {
        "answers", "cars", "charges", "devices", "flop", "FLOP", "homes", "images", "inferences", "interactions",
        "parameters", "prompts", "queries", "query", "request", "requests", "answer", "prompt", "image", "inference",
        "GB", "servers", "token", "tokens", "trips", "users", "user", "TV", "device", "car", "GPU", "chips", "home",
        "home-years", "charges per 1000 images",
    }
)  # fmt: skip
"""Things that are counted; they have no dimension."""

_SUFFIX = re.compile(r"(?<=[A-Za-z])\s?(CO2eq|CO2e|CO2|e)$")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit taken apart: how many coherent units one of it is, and its dimension."""

    text: str
    factor: float
    dimension: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in coherent units with its dimension; the dimension of a plain number is empty."""

    value: float
    dimension: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, value: float, unit: str) -> "Quantity":
        """A value in any known unit.

        Raises:
            UnknownName: the unit is not known.
        """
        parsed = parse_unit(unit)
        return cls(value * parsed.factor, parsed.dimension)

    def to(self, unit: str) -> float:
        """The value in a unit.

        Raises:
            DimensionMismatch: the unit measures something else.
            UnknownName: the unit is not known.
        """
        parsed = parse_unit(unit)
        if dict(parsed.dimension) != dict(self.dimension):
            raise DimensionMismatch(found=describe(self.dimension), wanted=f"{unit} ({describe(parsed.dimension)})")
        return self.value / parsed.factor

    def __add__(self, other: "Quantity | float") -> "Quantity":
        return Quantity(self.value + self._same(other), self.dimension)

    def __sub__(self, other: "Quantity | float") -> "Quantity":
        return Quantity(self.value - self._same(other), self.dimension)

    def __mul__(self, other: "Quantity | float") -> "Quantity":
        other = _quantity(other)
        return Quantity(self.value * other.value, _joined(self.dimension, other.dimension, 1))

    def __truediv__(self, other: "Quantity | float") -> "Quantity":
        other = _quantity(other)
        return Quantity(self.value / other.value, _joined(self.dimension, other.dimension, -1))

    def __radd__(self, other: float) -> "Quantity":
        return _quantity(other) + self

    def __rsub__(self, other: float) -> "Quantity":
        return _quantity(other) - self

    def __rmul__(self, other: float) -> "Quantity":
        return self * other

    def __rtruediv__(self, other: float) -> "Quantity":
        return _quantity(other) / self

    def __pow__(self, exponent: "Quantity | float") -> "Quantity":
        base, power = float(self), float(exponent)
        try:
            return Quantity(math.pow(base, power))
        except (ValueError, OverflowError):
            raise BadValue(
                value=self.value,
                expected=translatable("a number that has this power"),
                next_step=translatable("correct the exponent."),
            ) from None

    def __neg__(self) -> "Quantity":
        return Quantity(-self.value, self.dimension)

    def __gt__(self, other: "Quantity | float") -> bool:
        return self.value > self._same(other, any_zero=True)

    def __lt__(self, other: "Quantity | float") -> bool:
        return self.value < self._same(other, any_zero=True)

    def __ge__(self, other: "Quantity | float") -> bool:
        return self.value >= self._same(other, any_zero=True)

    def __le__(self, other: "Quantity | float") -> bool:
        return self.value <= self._same(other, any_zero=True)

    def __float__(self) -> float:
        if any(self.dimension.values()):
            raise DimensionMismatch(found=describe(self.dimension), wanted="a plain number")
        return self.value

    def _same(self, other: "Quantity | float", *, any_zero: bool = False) -> float:
        other = _quantity(other)
        if any_zero and not other.value and not other.dimension:
            return other.value
        if dict(self.dimension) != dict(other.dimension):
            raise DimensionMismatch(found=describe(other.dimension), wanted=describe(self.dimension))
        return other.value


def parse_unit(text: str) -> Unit:
    """Take a unit apart: ``g/kWh``, ``kgCO2e``, ``million L``, ``kWh/GPU-h``, ``MWh/day``, ``requests``.

    >>> parse_unit("tCO2e").factor, dict(parse_unit("W per TV").dimension)
    (1000000.0, {'energy': 1, 'time': -1})

    Raises:
        UnknownName: a part is not a known unit.
    """
    if text.strip() in _COUNTED:
        return Unit(text, convert(1, "1", "1"), {})
    top, *bottom = re.split(r"/|\bper\b", text)
    factor, dimension = _simple(top)
    for part in bottom:
        by, under = _simple(part)
        factor, dimension = factor / by, _joined(dimension, under, -1)
    return Unit(text, factor, dimension)


def is_unit(word: str) -> bool:
    """Whether a word is a unit on its own."""
    try:
        parse_unit(word)
    except UnknownName:
        return False
    return True


def describe(dimension: Mapping[str, int]) -> str:
    """A dimension in words: "mass/energy", "a plain number"."""
    top = [_power(name, exponent) for name, exponent in dimension.items() if exponent > 0]
    bottom = [_power(name, -exponent) for name, exponent in dimension.items() if exponent < 0]
    if not top and not bottom:
        return "a plain number"
    return "*".join(top or ["1"]) + "".join(f"/{name}" for name in bottom)


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"


def _simple(text: str) -> tuple[float, Mapping[str, int]]:
    word = " ".join(text.split())
    for spelling in (word, _SUFFIX.sub("", word)):
        if spelling in _COUNTED:
            return convert(1, "1", "1"), {}
        unit = _WORDS.get(spelling, spelling)
        try:
            kind = quantity_of(unit)
        except UnknownName:
            continue
        coherent, dimension = _COHERENT[kind]
        return convert(1, unit, coherent), dimension
    quantity_of(word)  # raises UnknownName with the list of units
    return 1.0, {}


def _joined(left: Mapping[str, int], right: Mapping[str, int], sign: int) -> dict[str, int]:
    names = [*left, *(name for name in right if name not in left)]
    both = {name: left.get(name, 0) + sign * right.get(name, 0) for name in names}
    return {name: exponent for name, exponent in both.items() if exponent}


def _quantity(value: "Quantity | float") -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(float(value))
