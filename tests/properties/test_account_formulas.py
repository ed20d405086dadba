"""Properties that every formula of the account has."""

import inspect
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.account.allocate import allocate
from joulebook.account.lifecycle import LifeCycle, break_even_count
from joulebook.account.ranges import probability_below, product, propagate, quotient, total
from joulebook.account.rate import ratio_of_sums
from joulebook.disclose.formulas import formulas
from joulebook.disclose.quantity import Quantity
from joulebook.disclose.recompute import recompute
from joulebook.terms.columns import DIMENSIONS, columns
from joulebook.terms.range import Range

POSITIVE = st.floats(1e-3, 1e3)
RANGES = st.tuples(POSITIVE, st.floats(1, 5), st.floats(1, 5)).map(lambda t: Range(t[0] / t[1], t[0], t[0] * t[2]))

ROW_FORMULAS = {
    name: formula
    for name, formula in formulas().items()
    if set(formula.units) >= {name, *formula.arguments} and name not in ("sum", "log2", "min", "max")
}
ADDING = {
    "node_energy_kwh",
    "components_energy_kwh",
    "life_cycle_energy_kwh",
    "co2e_sci_g",
    "co2e_embodied_amortised_g",
}


def values(formula):
    """Positive values for every input of a formula."""
    return st.fixed_dictionaries(dict.fromkeys(formula.arguments, POSITIVE))


def test_there_are_row_formulas():
    """The properties below look at all formulas whose arguments and result are columns."""
    assert len(ROW_FORMULAS) >= 18


@pytest.mark.parametrize("name", sorted(ROW_FORMULAS))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_formulas_are_homogeneous_in_every_dimension(name, data):
    """Measured in another base unit, the result scales with its own dimension: no unit is hidden in a formula."""
    formula, known = ROW_FORMULAS[name], columns()
    inputs = data.draw(values(formula))
    scale = {dimension: data.draw(st.floats(0.1, 10)) for dimension in DIMENSIONS}

    def by(column):
        return math.prod(scale[key] ** power for key, power in known[column].dimension.items())

    scaled = formula.function(**{key: value * by(key) for key, value in inputs.items()})
    assert scaled == pytest.approx(formula.function(**inputs) * by(name), rel=1e-9)


@pytest.mark.parametrize("name", sorted(ROW_FORMULAS))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_formulas_are_linear_and_monotone(name, data):
    """Each input enters linearly and with a positive sign: doubling the distance doubles the change."""
    formula = ROW_FORMULAS[name]
    inputs = data.draw(values(formula))
    moved = data.draw(st.sampled_from(formula.arguments))
    step = data.draw(POSITIVE)
    at = [formula.function(**{**inputs, moved: inputs[moved] + k * step}) for k in range(3)]
    assert at[2] > at[1] > at[0]
    assert at[2] - at[1] == pytest.approx(at[1] - at[0], rel=1e-6)


@pytest.mark.parametrize("name", sorted(set(ROW_FORMULAS) - ADDING))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_parts_of_a_product_sum_to_the_whole(name, data):
    """Splitting the first input and adding the results gives the result of the whole."""
    formula = ROW_FORMULAS[name]
    inputs, share = data.draw(values(formula)), data.draw(st.floats(0.01, 0.99))
    first = formula.arguments[0]
    parts = [formula.function(**{**inputs, first: inputs[first] * part}) for part in (share, 1 - share)]
    assert sum(parts) == pytest.approx(formula.function(**inputs), rel=1e-9)


@pytest.mark.parametrize("name", sorted(ROW_FORMULAS))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_quantities_and_floats_give_the_same(name, data):
    """The same function on quantities with units gives the float's result with the column's dimension."""
    formula = ROW_FORMULAS[name]
    inputs = data.draw(values(formula))
    quantities = {key: Quantity.of(value, formula.units[key]) for key, value in inputs.items()}
    assert formula(**quantities).to(formula.units[name]) == pytest.approx(formula.function(**inputs), rel=1e-9)


@pytest.mark.parametrize("name", sorted(ROW_FORMULAS))
def test_row_formulas_have_sourced_docstrings(name):
    """Every formula says what it gives and in which unit."""
    doc = inspect.getdoc(ROW_FORMULAS[name].function) or ""
    assert "[" in doc or name == "training_flop", name


@given(st.integers(-(10**18), 10**18), st.dictionaries(st.text(max_size=3), st.floats(0, 1e6), min_size=1))
def test_allocated_parts_sum_to_the_whole_exactly(whole, weights):
    """Whole grains: the parts sum to the total, none has the wrong sign, none is off its share by a grain or more."""
    if not any(weights.values()):
        return
    parts = allocate(whole, weights)
    assert sum(parts.values()) == whole
    assert all(part * whole >= 0 for part in parts.values())


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=20))
def test_rates_do_not_depend_on_how_rows_are_cut(rows):
    """The rate of all rows lies between the rates of its rows and is the rate of their sums."""
    rate = ratio_of_sums(rows).per_unit
    assert rate == pytest.approx(sum(a for a, _ in rows) / sum(u for _, u in rows))
    ratios = [a / u for a, u in rows]
    assert min(ratios) * (1 - 1e-9) <= rate <= max(ratios) * (1 + 1e-9)


@given(RANGES)
def test_two_over_x_is_not_x_over_two(x):
    """Dividing by a range turns its ends around."""
    over = propagate(lambda value: 2 / value, x)
    assert over.low == pytest.approx(2 / x.high)
    assert over.high == pytest.approx(2 / x.low)
    half = propagate(lambda value: value / 2, x)
    assert half.low == pytest.approx(x.low / 2)


@given(RANGES, RANGES)
def test_ranges_contain_every_single_change(a, b):
    """The range of a product, a quotient and a sum contains what each input alone can do, and not all at once."""
    times = product(a, b)
    for end in (a.low * b.mid, a.high * b.mid, a.mid * b.low, a.mid * b.high):
        assert times.low * (1 - 1e-9) <= end <= times.high * (1 + 1e-9)
    assert times.low >= a.low * b.low * (1 - 1e-9)
    assert times.high <= a.high * b.high * (1 + 1e-9)
    over = quotient(a, b)
    assert over.low <= over.mid <= over.high
    assert quotient(b, a).low == pytest.approx(1 / over.high)
    plus = total([a, b])
    assert a.low + b.low <= plus.low * (1 + 1e-9) <= plus.high * (1 + 2e-9) <= (a.high + b.high) * (1 + 3e-9)


@given(RANGES)
def test_what_cancels_does_cancel(a):
    """An input that stands on both sides leaves no spread behind; as two inputs it would."""
    same = propagate(lambda x: x / x, a)
    assert same.low == pytest.approx(1)
    assert same.high == pytest.approx(1)
    if a.low < a.high:
        assert quotient(a, a).high > 1


@given(RANGES, POSITIVE)
def test_ranges_scale_with_their_unit(a, by):
    """In another unit every end scales alike."""
    assert propagate(lambda x: x * by, a) == pytest.approx(a.scaled(by))


@given(RANGES)
def test_an_interval_holds_eighty_per_cent(a):
    """Ten per cent lie below the low end and ten above the high end."""
    if a.low * 1.001 < a.mid < a.high / 1.001:
        assert probability_below(a, a.low) == pytest.approx(0.1)
        assert probability_below(a, a.high) == pytest.approx(0.9)


@given(RANGES, RANGES, RANGES, st.floats(1, 1e6))
def test_after_the_break_even_count_use_outweighs_making(making, tuning, use, count):
    """At the break-even count inference is half of the life; before it less, after it more; a share stays in 0..1."""
    life = LifeCycle(making, tuning, use, Range.exact(1))
    even = life.break_even_count.mid
    assert life.inference_ratio(Range.exact(even)).mid == pytest.approx(0.5)
    assert life.break_even_s.mid == pytest.approx(even)
    share = life.inference_ratio(Range.exact(count))
    assert 0 <= share.low <= share.mid <= share.high
    assert (share.mid > 0.5) == (count > even) or count == pytest.approx(even)
    assert break_even_count(making.mid, use.high) <= break_even_count(making.mid, use.mid)


@given(RANGES, RANGES)
def test_a_written_formula_carries_ranges_like_the_function(energy, intensity):
    """Text and function are one calculation."""
    inputs = {
        "e": {"value": energy.mid, "low": energy.low, "high": energy.high, "unit": "kWh"},
        "i": {"value": intensity.mid, "low": intensity.low, "high": intensity.high, "unit": "g/kWh"},
    }
    found = recompute("co2e_operational_location_g(e, i)", inputs, "g").value
    assert found == pytest.approx(product(energy, intensity), rel=1e-6)
