"""Written calculations: read safely, with units, and refused where they make no sense."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulebook.disclose.check import Agreement, check, half_last_digit
from joulebook.disclose.expression import LONGEST
from joulebook.disclose.formulas import formulas
from joulebook.disclose.quantity import Quantity, describe, parse_unit
from joulebook.disclose.recompute import read_input, recompute
from joulebook.errors import BadValue, DimensionMismatch, FormulaUnreadable, JoulebookError, UnknownName, UsageError
from joulebook.terms.range import Range


@pytest.mark.parametrize(
    ("written", "unit", "value"),
    [
        ("8 * 36 h * 300 W * 1.1", "kWh", 95.04),
        ("8 × 36 h × 300 W ÷ 2", "kWh", 43.2),
        ("1,082,990 h * 13 g/h", "t", 14.07887),
        ("0.03 g/0.24 Wh", "g/kWh", 125.0),
        ("52 t/(16.3 g/2400)", "inferences", 7_656_441_717.79),
        ("2 ** 10", "1", 1024.0),
        ("2^-1", "1", 0.5),
        ("-3 kWh + 5 kWh", "Wh", 2000.0),
        ("100 kWh / 1 d", "kW", 4.1666667),
        ("20 % * 5 kWh", "kWh", 1.0),
        ("max(1 kWh, 2 MJ)", "kWh", 1.0),
        ("min(1 kWh, 2 MJ)", "MJ", 2.0),
        ("log2(8)", "1", 3.0),
        ("sum(1 g, 1 kg, 1 t)", "kg", 1001.001),
        ("100 million * 2 Wh", "GWh", 0.2),
        ("1.5e3 Wh", "kWh", 1.5),
        (".5 L", "mL", 500.0),
        ("facility_energy_kwh(it_energy_kwh=2 kWh, pue_ratio=1.5)", "kWh", 3.0),
        ("co2e_operational_location_g(1 MWh, 0.954 lb/kWh)", "lb", 954.0),
        ("171 g/km * 21960 km", "t", 3.75516),
    ],
)
def test_calculations_with_units(written, unit, value):
    """Numbers with units, operators in several spellings, percent, commas and named formulas give the right amount."""
    assert recompute(written, {}, unit).value.mid == pytest.approx(value)


@pytest.mark.parametrize(
    ("written", "unit", "error"),
    [
        ("1 kWh + 1 kg", "kWh", DimensionMismatch),
        ("1 kWh", "kg", DimensionMismatch),
        ("2 ** 1 kWh", "1", DimensionMismatch),
        ("log2(8 h)", "1", DimensionMismatch),
        ("facility_energy_kwh(2 kg, 1.5)", "kWh", DimensionMismatch),
        ("co2e_operational_location_g(1 kWh, 1 kWh)", "g", DimensionMismatch),
        ("facility_energy_kwh(2 kWh)", "kWh", UsageError),
        ("facility_energy_kwh(2 kWh, 1.5, 1)", "kWh", UsageError),
        ("sum()", "1", UsageError),
        ("1 kWh *", "kWh", FormulaUnreadable),
        ("(1 kWh", "kWh", FormulaUnreadable),
        ("1 kWh)", "kWh", FormulaUnreadable),
        ("1 kWh 2", "kWh", FormulaUnreadable),
        ("", "kWh", FormulaUnreadable),
        ("1 kWh; import os", "kWh", FormulaUnreadable),
        ("__import__('os')", "1", JoulebookError),
        ("().__class__", "1", JoulebookError),
        ("open(1)", "1", UnknownName),
        ("unknown_name * 2", "1", UnknownName),
        ("energy * 2", "lightyears", UnknownName),
        ("1 / 0", "1", BadValue),
        ("10 ** 400", "1", BadValue),
        ("9 ** 9 ** 9", "1", BadValue),
        ("(0 - 1) ** 0.5", "1", BadValue),
        ("(" * 60 + "1" + ")" * 60, "1", FormulaUnreadable),
        ("1" + " + 1" * LONGEST, "1", FormulaUnreadable),
    ],
)
def test_what_makes_no_sense_is_refused(written, unit, error):
    """Wrong dimensions, wrong syntax, unknown names, Python code and endless numbers raise, with a next step."""
    with pytest.raises(error) as caught:
        recompute(written, {"energy": "1 kWh"}, unit)
    assert "Next: " in str(caught.value)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    """Whatever is written, the answer is a number or one of our errors."""
    with contextlib.suppress(JoulebookError):
        recompute(text, {"x": "1 kWh"}, "kWh")


def joined(inner):
    """Two calculations with an operator between them."""
    return st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda parts: f"({' '.join(parts)})")


@given(st.recursive(st.floats(0.1, 10).map(lambda x: f"{x:.3f}"), joined, max_leaves=8))
def test_plain_calculations_agree_with_python(written):
    """Plain numbers with + - * and parentheses give what Python gives."""
    assert recompute(written, {}, "1").value.mid == pytest.approx(eval(written), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("37.3 kWh", (37.3, 37.3, 37.3), "kWh"),
        ("200..800 g/kWh", (200, 400, 800), "g/kWh"),
        ("-3 %", (-3, -3, -3), "%"),
        ("1,234.5 kg", (1234.5,) * 3, "kg"),
        (5, (5, 5, 5), "1"),
        (Range(1, 2, 3), (1, 2, 3), "1"),
        ({"value": 2, "low": 1, "unit": "kWh"}, (1, 2, 2), "kWh"),
    ],
)
def test_inputs(written, value, unit):
    """Amounts as text, ranges with two dots, numbers, ranges and maps are read."""
    found = read_input(written)
    assert found.value == pytest.approx(value)
    assert found.unit == unit


@pytest.mark.parametrize(
    "written",
    ["kWh", "1..", "1 2 kWh", None, True, {}, {"value": "x"}, "3..1 kWh", "1e999 kWh", {"value": 1, "low": 2}],
)
def test_what_is_no_input_is_refused(written):
    """What cannot be read as an amount is an error, never zero."""
    with pytest.raises(JoulebookError):
        read_input(written)


def test_quantities_keep_their_dimension_and_bare_numbers_have_none():
    """A quantity given as input keeps its unit; dimensions are described in words."""
    assert recompute("q * 2", {"q": Quantity.of(1, "MWh")}, "kWh").value.mid == pytest.approx(2000)
    assert describe(parse_unit("g/kWh").dimension) == "mass/energy"
    assert describe(parse_unit("requests").dimension) == "a plain number"
    assert recompute("1.1 * 2", {}, "kWh", plain=True).is_checked is False


def test_names_are_found_in_any_case_when_they_are_clear():
    """WUE finds wue; two inputs that differ in case only are kept apart."""
    assert recompute("WUE * 2", {"wue": 3}, "1").value.mid == 6
    assert recompute("A * a", {"a": 3, "A": 4}, "1").value.mid == 12
    assert recompute("WUE * 2", {"wue": "3 L/kWh"}, "L/kWh").in_numbers == "3 L/kWh * 2"


def test_every_formula_of_the_account_can_be_called():
    """The registry holds the row formulas and the scalar ones, each with its inputs."""
    known = formulas()
    for name in ("facility_energy_kwh", "embodied_sci_g", "break_even_count", "linear_path", "water_onsite_stressed_l"):
        assert name in known
    assert known["facility_energy_kwh"].arguments == ("it_energy_kwh", "pue_ratio")


@pytest.mark.parametrize(
    ("published", "computed", "tolerance", "agreement"),
    [
        ("37.3", 37.34, {}, Agreement.CONSISTENT),
        ("37.3", 37.36, {}, Agreement.INCONSISTENT),
        ("300000", 284_019, {}, Agreement.CONSISTENT),
        ("300,000", 1040, {}, Agreement.INCONSISTENT),
        ("12.9", 2027, {}, Agreement.INCONSISTENT),
        (100, 101.9, {"rel_tol": 0.02}, Agreement.CONSISTENT),
        (100, 102.1, {"rel_tol": 0.02}, Agreement.INCONSISTENT),
        (100, 102.1, {"rel_tol": 0.02, "abs_tol": 3}, Agreement.CONSISTENT),
        (0, 0.4, {"abs_tol": 0.5}, Agreement.CONSISTENT),
        (50, Range(40, 60, 90), {"rel_tol": 0}, Agreement.CONSISTENT),
        (39, Range(40, 60, 90), {"rel_tol": 0}, Agreement.INCONSISTENT),
        (None, 1, {}, Agreement.UNPUBLISHED),
    ],
)
def test_agreement(published, computed, tolerance, agreement):
    """Half the last digit, or a stated tolerance, or the range decides; nothing published is not a failure."""
    assert check(published, computed, **tolerance).agreement is agreement


@pytest.mark.parametrize(("written", "half"), [("0.24", 0.005), ("2.9", 0.05), ("48", 0.5), ("30", 5), ("1e3", 500)])
def test_the_last_digit_says_how_a_figure_was_rounded(written, half):
    """Trailing zeros of whole numbers are taken for rounding, decimals for precision."""
    assert half_last_digit(written) == pytest.approx(half)
    with pytest.raises(BadValue):
        half_last_digit("many")
