"""The formula that ran, in words and in numbers.

The formulas are run once more on `Symbol`, which writes down what is done to it: what is explained is what ran.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from joulebook.account.formulas import Formula, inputs_of, path_to
from joulebook.terms.columns import column
from joulebook.terms.display import in_digits

DIGITS = 4
"""Significant digits of a number in an explanation."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A value that remembers how it came about.

    Attributes:
        words: names and operators.
        numbers: the same with values.
        value: the result.
        is_sum: True where it must be bracketed inside a product.
        is_absent: True where there is none of it; a sum leaves it out.
    """

    words: str
    numbers: str
    value: float
    is_sum: bool = False
    is_absent: bool = False

    def __add__(self, other: "Symbol") -> "Symbol":
        if self.is_absent or other.is_absent:
            return self if other.is_absent else other
        return self._joined("+", other, self.value + other.value, is_sum=True)

    def __sub__(self, other: "Symbol") -> "Symbol":
        return self._joined("-", other._inner(), self.value - other.value, is_sum=True)

    def __mul__(self, other: "Symbol") -> "Symbol":
        product = self._inner()._joined("×", other._inner(), self.value * other.value, is_sum=False)
        return replace(product, is_absent=self.is_absent or other.is_absent)

    def _inner(self) -> "Symbol":
        return Symbol(f"({self.words})", f"({self.numbers})", self.value) if self.is_sum else self

    def _joined(self, sign: str, other: "Symbol", value: float, *, is_sum: bool) -> "Symbol":
        words, numbers = (f"{self.words} {sign} {other.words}", f"{self.numbers} {sign} {other.numbers}")
        return Symbol(words, numbers, value, is_sum)


@dataclass(frozen=True, slots=True)
class Step:
    """One formula of an explanation.

    Attributes:
        name: the column it makes.
        meaning: first line of the formula's docstring.
        words: the formula in names.
        numbers: the formula in numbers with units.
        value: its result.
        unit: unit of the result.
    """

    name: str
    meaning: str
    words: str
    numbers: str
    value: float
    unit: str


def steps(metric: str, values: Mapping[str, float], given: frozenset[str] = frozenset()) -> list[Step]:
    """Every formula from what is given to a metric, run on symbols.

    Args:
        metric: the column to explain.
        values: value of every column that comes from outside [unit of the column].
        given: columns taken from outside although a formula could make them.

    Returns:
        the steps, first to last; empty where the metric itself is given.

    Raises:
        KeyError: a column that is needed has no value.
    """
    known = {name: _symbol(name, value) for name, value in values.items()}
    known |= {name: replace(known[name], is_absent=not values[name]) for name in given & known.keys()}
    found: list[Step] = []
    for formula in path_to(metric, given):
        found.append(_step(formula, known))
        known[formula.__name__] = _symbol(formula.__name__, found[-1].value)
    return found


def step(formula: Formula, values: Mapping[str, float]) -> Step:
    """One formula run on symbols.

    Args:
        formula: the formula.
        values: value of each of its inputs [unit of the column].
    """
    return _step(formula, {name: _symbol(name, value) for name, value in values.items()})


def _step(formula: Formula, known: Mapping[str, Symbol]) -> Step:
    result = formula(**{name: known[name] for name in inputs_of(formula)})
    unit = column(formula.__name__).unit or ""
    meaning = (formula.__doc__ or "").strip().splitlines()[0]
    return Step(formula.__name__, meaning, result.words, result.numbers, result.value, unit)


def _symbol(name: str, value: float) -> Symbol:
    unit = column(name).unit
    shown = in_digits(value, DIGITS)
    return Symbol(name, shown if unit in {None, "1"} else f"{shown} {unit}", value)
