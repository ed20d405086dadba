"""Dimensions: every formula of the pipeline gives the unit its column says, whatever the base units are."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulebook.account.formulas import FORMULAS, inputs_of
from joulebook.account.measured import RUN_FORMULAS
from joulebook.terms.columns import DIMENSIONS, column

EVERY = (*FORMULAS, *(formula for formula in RUN_FORMULAS if formula not in FORMULAS))
"""Formulas of usage, and those that only measured runs have."""


@dataclass(frozen=True)
class Quantity:
    """A number with exponents of the base dimensions; adding what differs in dimension fails."""

    value: float
    dimension: tuple[int, ...]

    def __add__(self, other: "Quantity") -> "Quantity":
        """Sum of two quantities of one dimension."""
        assert self.dimension == other.dimension
        return Quantity(self.value + other.value, self.dimension)

    def __sub__(self, other: "Quantity") -> "Quantity":
        """Difference of two quantities of one dimension."""
        return self + Quantity(-other.value, other.dimension)

    def __mul__(self, other: "Quantity") -> "Quantity":
        """Product: exponents add."""
        exponents = tuple(a + b for a, b in zip(self.dimension, other.dimension, strict=True))
        return Quantity(self.value * other.value, exponents)


def dimension_of(name: str) -> tuple[int, ...]:
    """Exponents of a column."""
    exponents = column(name).dimension
    return tuple(exponents.get(base, 0) for base in DIMENSIONS)


@pytest.mark.parametrize("formula", EVERY, ids=lambda formula: formula.__name__)
def test_a_formula_gives_the_dimension_of_its_column(formula):
    """Terms that are added agree in dimension, and the result has the dimension of the column it makes."""
    given_values = {name: Quantity(2.0, dimension_of(name)) for name in inputs_of(formula)}
    assert formula(**given_values).dimension == dimension_of(formula.__name__)


@pytest.mark.parametrize("formula", EVERY, ids=lambda formula: formula.__name__)
@given(
    st.lists(st.floats(0.01, 100), min_size=20, max_size=20),
    st.sampled_from([name for name in DIMENSIONS if name != "count"]),
    st.sampled_from([1e-3, 3.6, 1e3]),
)
def test_rescaling_a_base_unit_rescales_the_result(formula, numbers, base, scale):
    """With one base unit made smaller, inputs and output follow by their exponents and nothing else changes."""
    names = inputs_of(formula)
    index = DIMENSIONS.index(base)
    plain = dict(zip(names, numbers, strict=False))
    scaled = {name: value * scale ** dimension_of(name)[index] for name, value in plain.items()}
    expected = formula(**plain) * scale ** dimension_of(formula.__name__)[index]
    assert formula(**scaled) == pytest.approx(expected, rel=1e-9)
