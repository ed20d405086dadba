"""Training runs: estimates contain published runs, unknowns widen them, every input has its reason."""

import json
from datetime import date

import pytest

from joulebook.account.train_estimate import amortised, break_even, estimate_training
from joulebook.account.train_inputs import TrainingPlan, find_device
from joulebook.errors import BadValue, UsageError
from joulebook.faces.cli.main import run_command
from joulebook.factors.read import read_edition
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier

DAY = date(2024, 7, 1)


@pytest.fixture(scope="module")
def edition():
    """The shipped factors."""
    return read_edition()


@pytest.mark.parametrize(
    ("hours", "tonnes", "device"),
    [
        (30_840_000, 8930, "h100-sxm-80gb"),
        (7_000_000, 2040, "h100-sxm-80gb"),
        (1_460_000, 420, "h100-sxm-80gb"),
        (1_720_320, 291.42, "a100-sxm-80gb"),
    ],
)
def test_published_trainings_lie_in_the_range(edition, hours, tonnes, device):
    """CO2e of the Llama cards lies within the 80 % range of our estimate from their hours alone."""
    plan = TrainingPlan(DAY, device=device, device_count=hours / 1000, run_h=1000.0, region="USA")
    value = estimate_training(edition, plan).figure("co2e_operational_location_g")
    assert value.low <= tonnes * 1e6 <= value.high


def test_hours_from_model_and_data_contain_the_published_ones(edition):
    """6 N D over peak and utilisation contains the published 30.84 million hours of Llama 3.1 405B."""
    plan = TrainingPlan(DAY, device="h100-sxm-80gb", parameters=405e9, tokens=15.6e12, region="USA")
    hours = estimate_training(edition, plan).figure("device_hours")
    assert hours.low <= 30.84e6 <= hours.high


def test_a_measured_power_narrows_the_range(edition):
    """The BERT run of Dodge et al.: at its measured 129.5 W the accelerators take 37.3 kWh, without a range."""
    plan = TrainingPlan(DAY, device="v100", device_count=8.0, run_h=36.0, power_w=129.5)
    found = estimate_training(edition, plan)
    energy = found.figure("gpu_energy_kwh")
    assert energy == pytest.approx((37.296,) * 3)
    assert found.inputs["device_power_kw"].tier == Tier.MEASURED
    rated = estimate_training(edition, TrainingPlan(DAY, device="v100", device_count=8.0, run_h=36.0))
    assert rated.figure("gpu_energy_kwh").high / rated.figure("gpu_energy_kwh").low > 1.5


def test_unknown_place_and_device_are_wide_and_hinted(edition):
    """Nothing is guessed: without device and place the range spans the world and the hints say what to give."""
    known = estimate_training(
        edition, TrainingPlan(DAY, device="h100-sxm-80gb", device_count=8.0, run_h=36.0, region="KOR")
    )
    unknown = estimate_training(edition, TrainingPlan(DAY, device_count=8.0, run_h=36.0))
    wide, narrow = (each.figure("co2e_operational_location_g") for each in (unknown, known))
    assert wide.high / wide.low > 5 * narrow.high / narrow.low
    assert unknown.tier == Tier.ASSUMED
    assert unknown.inputs["intensity_g_per_kwh"].hint
    assert unknown.inputs["device_power_kw"].hint
    assert unknown.figure("co2e_operational_location_g").mid > 0


def test_a_board_without_rated_power_may_have_any(edition):
    """Where a board has no rated power in the library, the range is that of the unknown, with a hint."""
    boards = {row.subject for row in edition.factors if row.quantity == "peak_tflop_per_s"}
    rated = {row.subject for row in edition.factors if row.quantity == "tdp_w"}
    for board in sorted(boards - rated)[:3]:
        plan = TrainingPlan(DAY, device=board, device_count=8.0, run_h=1.0)
        power = estimate_training(edition, plan).inputs["device_power_kw"]
        assert power.value.high / power.value.low > 5
        assert power.hint


def test_an_ambiguous_device_covers_all_it_may_be(edition):
    """A short name stands for every board of that name; the range covers them and a hint says so."""
    subjects, hint = find_device(edition, "h100")
    assert len(subjects) > 1
    assert hint
    short = estimate_training(edition, TrainingPlan(DAY, device="h100", parameters=8e9, tokens=1e12))
    exact = estimate_training(edition, TrainingPlan(DAY, device="h100-sxm-80gb", parameters=8e9, tokens=1e12))
    assert short.inputs["peak_tflop_per_s"].value.low < exact.inputs["peak_tflop_per_s"].value.low
    assert find_device(edition, "abacus")[0] == ("unknown",)


@pytest.mark.parametrize(
    "plan",
    [
        TrainingPlan(DAY),
        TrainingPlan(DAY, device="h100-sxm-80gb", device_count=8.0),
        TrainingPlan(DAY, device="h100-sxm-80gb", parameters=8e9),
        TrainingPlan(DAY, parameters=8e9, tokens=1e12),
        TrainingPlan(DAY, device="h100-sxm-80gb", device_count=-8.0, run_h=1.0),
    ],
)
def test_too_little_is_refused(edition, plan):
    """Without hours or sizes, without a peak, or with a negative count, nothing is computed; the next step is named."""
    with pytest.raises(UsageError, match="Next: "):
        estimate_training(edition, plan)


def test_what_is_shared_does_not_widen_a_ratio(edition):
    """More devices for fewer hours is the same run: device-hours alone decide."""
    plans = [
        TrainingPlan(DAY, device="h100-sxm-80gb", device_count=n, run_h=h) for n, h in ((8.0, 100.0), (100.0, 8.0))
    ]
    one, other = (estimate_training(edition, plan) for plan in plans)
    for mine, theirs in zip(one.figures, other.figures, strict=True):
        assert mine.value == pytest.approx(theirs.value)


def test_drivers_name_the_widest_input_first(edition):
    """What makes the CO2e uncertain is listed by how far it alone can move it."""
    found = estimate_training(edition, TrainingPlan(DAY, device_count=8.0, run_h=36.0))
    drivers = found.drivers("co2e_operational_location_g")
    assert drivers[0][0] == "device_power_kw"
    assert [ratio for _name, ratio in drivers] == sorted((ratio for _name, ratio in drivers), reverse=True)


def test_break_even_has_a_count_and_a_time(edition):
    """The count is training over one answer; the time is the count over answers per second."""
    found = estimate_training(edition, TrainingPlan(DAY, device="h100-sxm-80gb", device_count=8.0, run_h=100.0))
    count, seconds = break_even(found, Range.exact(0.0003), 10.0)
    assert count.mid == pytest.approx(found.figure("facility_energy_kwh").mid / 0.0003)
    assert seconds.mid == pytest.approx(count.mid / 10)
    assert break_even(found, Range.exact(0.0003), None)[1] is None


def test_training_is_carried_by_all_answers_of_a_life(edition):
    """The parts of all answers sum to the training; no answers are refused."""
    found = estimate_training(edition, TrainingPlan(DAY, device="h100-sxm-80gb", device_count=8.0, run_h=100.0))
    per = amortised(found, 1e9)
    assert per["facility_energy_kwh"].mid * 1e9 == pytest.approx(found.figure("facility_energy_kwh").mid)
    assert per["co2e_operational_location_g"].high * 1e9 == pytest.approx(
        found.figure("co2e_operational_location_g").high
    )
    with pytest.raises(BadValue):
        amortised(found, 0.0)


def test_the_command_prints_both_languages_and_json(capsys):
    """The command fits 80 columns in both languages; --json has figures, inputs with factor ids, and the break-even."""
    from joulebook.faces.cli.show import width_of

    given = ["--device", "h100-sxm-80gb", "--count", "512", "--hours", "500", "--region", "KOR", "--on", "2024-07-01"]
    even = ["--per-answer", "0.3Wh", "--answers-per-day", "1e6", "--lifetime-answers", "1e9"]
    for language in ("ko", "en"):
        assert run_command(["--lang", language, "train-estimate", *given, *even]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(width_of(line) for line in lines) <= 80
    assert run_command(["train-estimate", *given, *even, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    metrics = {each["metric"]: each for each in document["figures"]}
    assert metrics["device_hours"]["mid"] == 256_000
    assert document["break_even"]["seconds"]["mid"] > 0
    assert document["per_answer"]["facility_energy_kwh"]["mid"] > 0
    assert all(each["factor_id"] or each["chosen_because"] == "given" for each in document["inputs"])
    assert run_command(["train-estimate"]) == 2
    assert run_command(["train-estimate", *given, "--strict"]) == 0
    assert run_command(["train-estimate", "--count", "8", "--hours", "36", "--strict"]) == 4
