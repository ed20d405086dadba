"""The formulas a written calculation may call: those of `joulebook.account`, checked for dimension at the door.

An argument or a result whose name is a column must have that column's dimension; a function of plain floats is given
values in the units of its columns.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType

from joulebook.disclose.quantity import Quantity
from joulebook.errors import UsageError, translatable
from joulebook.terms.columns import columns


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula.

    Attributes:
        name: how it is called.
        arguments: names of its inputs, in order.
        units: unit of each input and, under the formula's own name, of the result; absent where any unit will do.
        function: the function of `joulebook.account`.
    """

    name: str
    arguments: tuple[str, ...]
    units: Mapping[str, str]
    function: Callable[..., object]

    def __call__(self, *places: Quantity, **keys: Quantity) -> Quantity:
        """Value of the formula.

        Raises:
            DimensionMismatch: an input or the result measures something else than its column.
            UsageError: an input is missing or unknown.
        """
        try:
            given = inspect.signature(self.function).bind(*places, **keys).arguments
        except TypeError:
            raise UsageError(
                what=translatable("A formula was called with other inputs than its own."),
                next_step=f"{self.name}({', '.join(self.arguments)}).",
            ) from None
        if set(self.units) >= {*self.arguments, self.name}:
            plain = {name: value.to(self.units[name]) for name, value in given.items()}
            return Quantity.of(float(self.function(**plain)), self.units[self.name])  # ty: ignore[invalid-argument-type]
        for name, value in given.items():
            if name in self.units:
                value.to(self.units[name])
        found = self.function(**given)
        result = found if isinstance(found, Quantity) else Quantity(float(found))  # ty: ignore[invalid-argument-type]
        if self.name in self.units:
            result.to(self.units[self.name])
        return result


@cache
def formulas() -> Mapping[str, Formula]:
    """Every formula by name: public functions of the account modules that take and give numbers."""
    found = {}
    for module in _modules():
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and _is_formula(name, function):
                arguments = tuple(inspect.signature(function).parameters)
                found[name] = Formula(name, arguments, _units((*arguments, name)), function)
    return MappingProxyType({**found, **_ARITHMETIC})


def _modules() -> tuple[ModuleType, ...]:
    from joulebook.account import (  # noqa: PLC0415  (only who calculates loads them)
        components,
        embodied,
        equivalence,
        lifecycle,
        operational,
        overhead,
        rate,
        training,
        trend,
        water,
    )
    from joulebook.estimate import boundary  # noqa: PLC0415

    return (
        boundary, components, embodied, equivalence, lifecycle, operational, overhead, rate, training, trend, water
    )  # fmt: skip


def _is_formula(name: str, function: Callable[..., object]) -> bool:
    numbers = {float, "float", int, "int"}
    signature = inspect.signature(function)
    kinds = [signature.return_annotation, *(each.annotation for each in signature.parameters.values())]
    return not name.startswith("_") and all(kind in numbers or getattr(kind, "__name__", "") == "N" for kind in kinds)


def _units(names: tuple[str, ...]) -> Mapping[str, str]:
    known = columns()
    return MappingProxyType({name: known[name].unit or "1" for name in names if name in known})


def _sum(*values: Quantity) -> Quantity:
    first, *rest = values
    for each in rest:
        first = first + each
    return first


def _log2(value: Quantity) -> Quantity:
    return Quantity(math.log2(float(value)))


def _smallest(*values: Quantity) -> Quantity:
    return min(values)


def _largest(*values: Quantity) -> Quantity:
    return max(values)


@dataclass(frozen=True, slots=True)
class _Plain(Formula):
    def __call__(self, *places: Quantity, **keys: Quantity) -> Quantity:
        if not places or keys:
            raise UsageError(
                what=translatable("This function needs one or more values."),
                next_step=translatable("write them in parentheses."),
            )
        return self.function(*places)  # ty: ignore[invalid-explicit-return]


_ARITHMETIC = {
    name: _Plain(name, ("values",), MappingProxyType({}), function)
    for name, function in {"sum": _sum, "log2": _log2, "min": _smallest, "max": _largest}.items()
}
