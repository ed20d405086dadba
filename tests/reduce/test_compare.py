"""Comparisons: same rung only, what is shared cancels, the probability follows the ratio."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulebook.account.train_estimate import estimate_training
from joulebook.account.train_inputs import TrainingPlan
from joulebook.errors import BoundaryMismatch
from joulebook.faces.cli.main import run_command
from joulebook.factors.read import read_edition
from joulebook.reduce.compare import Measure, Side, compare, plan_side, range_side
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Range

DAY = date(2024, 7, 1)
RANGES = st.tuples(st.floats(1e-3, 1e3), st.floats(1, 5), st.floats(1, 5)).map(
    lambda t: Range(t[0] / t[1], t[0], t[0] * t[2])
)


@pytest.fixture(scope="module")
def edition():
    """The shipped factors."""
    return read_edition()


def plan(edition, name, **changed):
    """One training plan as a side."""
    known = {"device": "h100-sxm-80gb", "device_count": 8.0, "run_h": 100.0, "region": "KOR"} | changed
    return plan_side(name, estimate_training(edition, TrainingPlan(DAY, **known)))


def test_what_is_shared_cancels(edition):
    """Two plans on the same grid: the grid's range moves both and does not widen their ratio."""
    one, other = plan(edition, "a"), plan(edition, "b", run_h=200.0)
    found = compare(one, other, "co2e")
    assert found.ratio.mid == pytest.approx(0.5)
    assert any(name.startswith("intensity_g_per_kwh") for name in found.shared)
    apart = compare(one, plan(edition, "c", run_h=200.0, region="JPN"), "co2e")
    assert not any(name.startswith("intensity_g_per_kwh") for name in apart.shared)


def test_what_differs_between_runs_is_not_shared(edition):
    """Utilisation is how runs differ: two plans that take the same factor are still uncertain against each other."""
    found = compare(plan(edition, "a"), plan(edition, "b", run_h=120.0))
    assert not any("utilisation" in name for name in found.shared)
    assert 0.5 < found.probability_a_lower < 0.9


def test_two_unknown_buildings_are_not_the_same_building(edition):
    """The range for an unknown PUE is shared only by plans of the same place."""
    here = compare(plan(edition, "a"), plan(edition, "b"), "energy")
    there = compare(plan(edition, "a"), plan(edition, "b", region="FRA"), "energy")
    assert any(name.startswith("pue_ratio") for name in here.shared)
    assert not any(name.startswith("pue_ratio") for name in there.shared)


def test_the_widest_common_rung_is_taken(edition):
    """A figure of the accelerators alone is compared with the plan's accelerators, not with its building."""
    narrow = range_side("measured", {"gpu_energy_kwh": Range.exact(200)})
    found = compare(narrow, plan(edition, "plan"))
    assert (found.boundary, found.metric) == (Boundary.GPU, "gpu_energy_kwh")
    assert compare(plan(edition, "a"), plan(edition, "b")).boundary is Boundary.FACILITY
    assert compare(plan(edition, "a"), plan(edition, "b"), boundary=Boundary.GPU).boundary is Boundary.GPU


def test_figures_on_different_rungs_are_not_compared():
    """Accelerators against a building ends with an error that names both rungs."""
    narrow = range_side("narrow", {"gpu_energy_kwh": Range.exact(1)})
    wide = range_side("wide", {"facility_energy_kwh": Range.exact(2)})
    with pytest.raises(BoundaryMismatch, match=r"narrow: gpu\. wide: facility"):
        compare(narrow, wide)
    with pytest.raises(BoundaryMismatch):
        compare(wide, wide, boundary=Boundary.GPU)
    with pytest.raises(BoundaryMismatch):
        compare(Side("nothing", {}), wide)


@given(RANGES, RANGES)
def test_turning_a_comparison_around_turns_the_answer_around(a, b):
    """B over A is one over A over B, and the two probabilities sum to one."""
    one, other = (range_side(name, {"gpu_energy_kwh": value}) for name, value in (("a", a), ("b", b)))
    forth, back = compare(one, other), compare(other, one)
    assert back.ratio.low == pytest.approx(1 / forth.ratio.high)
    assert back.ratio.mid == pytest.approx(1 / forth.ratio.mid)
    assert forth.probability_a_lower + back.probability_a_lower == pytest.approx(1)
    assert (forth.probability_a_lower > 0.5) == (a.mid < b.mid) or a.mid == b.mid or a.low == a.high


@given(RANGES)
def test_a_thing_is_neither_lower_nor_higher_than_itself(a):
    """The same side twice: the ratio is exactly one, the probability one half."""
    side = range_side("a", {"gpu_energy_kwh": a})
    found = compare(side, side)
    assert found.ratio == pytest.approx((1, 1, 1))
    assert found.probability_a_lower == pytest.approx(0.5)


def test_the_range_of_a_measure_is_its_own():
    """A side's own range comes back from its effects."""
    value = Range(0.5, 1.0, 3.0)
    assert range_side("a", {"gpu_energy_kwh": value}).measures["gpu_energy_kwh"].range == pytest.approx(value)
    assert Measure(2.0, {}).range == Range.exact(2)


def test_the_command_compares_plans_models_and_claims(tmp_path, capsys):
    """Plans from files, models by name and claims by id; other rungs, unknown kinds and wrong keys are refused."""
    one, other = tmp_path / "a.toml", tmp_path / "b.toml"
    one.write_text('device="h100-sxm-80gb"\ncount=8\nhours=100\nregion="KOR"\n', encoding="utf-8")
    other.write_text('device="a100-sxm-80gb"\ncount=8\nhours=250\nregion="KOR"\n', encoding="utf-8")
    sides = [f"plan:{one}", f"plan:{other}"]
    assert run_command(["compare", *sides, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["boundary"] == "facility"
    assert document["ratio"]["low"] < document["ratio"]["mid"] < document["ratio"]["high"]
    assert run_command(["--lang", "ko", "compare", *sides]) == 0
    assert "확률" in capsys.readouterr().out
    request = ["--input", "1000", "--output", "400", "--region", "KOR", "--on", "2025-09-01"]
    assert run_command(["--lang", "en", "compare", "model:gpt-4o", "model:gpt-4o-mini", *request]) == 0
    assert run_command(["compare", "claim:epoch-chatgpt-2025", "claim:google-median-2025"]) == 0
    assert run_command(["compare", "claim:S0-10", "claim:google-median-2025"]) == 1
    assert run_command(["compare", "claim:openai-average-2025", "claim:google-median-2025"]) == 1
    other.write_text("devices=8\n", encoding="utf-8")
    assert run_command(["compare", *sides]) == 2
    assert run_command(["compare", "gpt-4o", "model:gpt-4o"]) == 2
    assert run_command(["compare", "model:gpt-4o", "model:gpt-4o"]) == 2
