"""Compute a published figure again from its inputs, with units checked and ranges carried through."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulebook.account.ranges import propagate
from joulebook.disclose.expression import Expression, read_expression
from joulebook.disclose.formulas import formulas
from joulebook.disclose.quantity import Quantity, parse_unit
from joulebook.errors import BadValue, translatable
from joulebook.terms.range import Range

Input = float | str | Range | Quantity | Mapping[str, object]
"""A bare number, "37.3 kWh", "200..755 g/kWh", a range of bare numbers, a quantity, or value, low, high and unit."""

_NUMBER = r"[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_WRITTEN = re.compile(rf"(?P<low>{_NUMBER})(?:\s*\.\.\s*(?P<high>{_NUMBER}))?\s*(?P<unit>.*)")


@dataclass(frozen=True, slots=True)
class Given:
    """One input that has been read.

    Attributes:
        value: low, mid and high in `unit`.
        unit: its unit; "1" for a plain number.
    """

    value: Range
    unit: str

    def at(self, number: float) -> Quantity:
        """The quantity of a number in this input's unit."""
        return Quantity.of(number, self.unit)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A figure computed again.

    Attributes:
        value: low, mid and high in `unit`.
        unit: the unit that was asked for.
        formula: as it was written.
        in_numbers: the same with the mid values of its inputs.
        is_checked: False where the formula was taken as plain numbers, so that no dimension could be checked.
    """

    value: Range
    unit: str
    formula: str
    in_numbers: str
    is_checked: bool = True


def recompute(
    formula: str, inputs: Mapping[str, Input] | None = None, unit: str = "1", *, plain: bool = False
) -> Recomputed:
    """Compute a figure from a written formula and its inputs.

    >>> round(recompute("8 * 36 h * power * pue", {"power": "129.5 W", "pue": 1.0}, "kWh").value.mid, 9)
    37.296
    >>> run = {"device_hours": "288 h", "device_power_kw": "300 W", "utilisation_ratio": 1}
    >>> round(recompute("device_energy_kwh", run, "kWh").value.mid, 9)
    86.4

    Args:
        formula: a calculation (`joulebook.disclose.expression`), or the name of one formula, which then takes the
            inputs of its own names.
        inputs: by name; see `Input`. Inputs with a range are independent of each other.
        unit: of the result.
        plain: take the formula as plain numbers that already give the unit; nothing can be checked then.

    Raises:
        BadValue: an input cannot be read, or the result is not a number.
        DimensionMismatch: quantities are added or returned that measure different things.
        FormulaUnreadable: the formula cannot be read.
        UnknownName: a name in it is neither an input nor a formula, or a unit is unknown.
    """
    given = {name: read_input(value) for name, value in (inputs or {}).items()}
    written = formula
    if formula in formulas() and formula not in given:
        formula = f"{formula}({', '.join(f'{name}={name}' for name in given)})"
    expression = read_expression(formula, given, formulas())
    used = [name for name in expression.names if name in given]
    value = propagate(_Evaluate(expression, given, used, unit, plain), *(given[name].value for name in used))
    return Recomputed(value, unit, written, _in_numbers(expression, given), is_checked=not plain)


def read_input(written: Input) -> Given:
    """Read one input.

    >>> read_input("200..755 g/kWh").value.low
    200.0

    Raises:
        BadValue: it is not a number with or without a range and unit.
    """
    if isinstance(written, Range):
        return Given(Range.checked(*written), "1")
    if isinstance(written, Quantity):
        return Given(Range.exact(written.value), _coherent(written))
    if isinstance(written, Mapping):
        return _mapping(written)
    if isinstance(written, str):
        return _text(written)
    if isinstance(written, bool) or written is None:
        raise _unreadable(written)
    return Given(Range.exact(float(written)), "1")


def range_of(written: Input, unit: str) -> Range:
    """An input's range in a unit.

    >>> range_of("0.3Wh", "kWh").mid
    0.0003

    Raises:
        BadValue: it cannot be read.
        DimensionMismatch: it measures something else.
    """
    given = read_input(written)
    low, mid, high = (given.at(number).to(unit) for number in given.value)
    return Range(low, mid, high)


def _mapping(written: Mapping[str, object]) -> Given:
    try:
        mid = float(written["value"])  # ty: ignore[invalid-argument-type]
        low, high = float(written.get("low", mid)), float(written.get("high", mid))  # ty: ignore[invalid-argument-type]
    except (KeyError, TypeError, ValueError):
        raise _unreadable(dict(written)) from None
    unit = str(written.get("unit", "1"))
    parse_unit(unit)
    return Given(Range.checked(low, mid, high), unit)


def _text(written: str) -> Given:
    match = _WRITTEN.fullmatch(written.strip().replace("−", "-"))
    if match is None:
        raise _unreadable(written)
    try:
        low = float(match["low"].replace(",", ""))
        high = float(match["high"].replace(",", "")) if match["high"] else low
    except ValueError:
        raise _unreadable(written) from None
    unit = match["unit"] or "1"
    parse_unit(unit)
    mid = (low * high) ** 0.5 if 0 < low < high else (low + high) / 2
    return Given(Range.checked(low, mid, high), unit)


def _unreadable(written: object) -> BadValue:
    return BadValue(
        value=written,
        expected=translatable("a quantity"),
        next_step=translatable('write it like "37.3 kWh", "200..755 g/kWh" or a number.'),
    )


def _coherent(quantity: Quantity) -> str:
    coherent = {"energy": "J", "time": "s", "mass": "g", "volume": "L", "distance": "km", "money": "USD"}
    top = [coherent[name] for name, power in quantity.dimension.items() if power == 1]
    bottom = [coherent[name] for name, power in quantity.dimension.items() if power == -1]
    if len(top) > 1 or len(top) + len(bottom) < len(quantity.dimension):
        raise _unreadable(quantity.value)
    return "/".join([*(top or ["1"]), *bottom])


@dataclass(frozen=True, slots=True)
class _Evaluate:
    expression: Expression
    given: Mapping[str, Given]
    used: Sequence[str]
    unit: str
    plain: bool

    def __call__(self, *numbers: float) -> float:
        quantities = {name: self.given[name].at(number) for name, number in zip(self.used, numbers, strict=True)}
        try:
            found = self.expression.evaluate(quantities)
            value = found.value if self.plain else found.to(self.unit)
        except (ZeroDivisionError, OverflowError):
            value = float("nan")
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  (NaN is not equal to itself)
            raise BadValue(
                value=self.expression.text,
                expected=translatable("a finite number"),
                next_step=translatable("check for a division by zero."),
            )
        return value


def _in_numbers(expression: Expression, given: Mapping[str, Given]) -> str:
    def number(match: re.Match[str]) -> str:
        word = match.group()
        known = [name for name in given if name == word] or [name for name in given if name.lower() == word.lower()]
        if len(known) != 1 or match.string[match.end() : match.end() + 1] in ("(", "="):
            return word
        each = given[known[0]]
        return f"{each.value.mid:.6g}" + ("" if each.unit == "1" else f" {each.unit}")

    return re.sub(r"[^\W\d]\w*", number, expression.text)
