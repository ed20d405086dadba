"""Properties of the estimate: it scales, it never falls with work, and what is unknown never narrows it."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulebook.estimate.calibrate import Point, calibrate
from joulebook.estimate.deployment import serving_ranges
from joulebook.estimate.serving import ModelShape, estimate_serving, reference_kwh
from joulebook.estimate.speed import batch_at_speed, step_s
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
from joulebook.factors.read import read_edition
from joulebook.terms.range import Range

SERVING = serving_ranges(read_edition(), "ghgp-location", date(2025, 6, 1))
SIZES = st.floats(0.5, 2000)
COUNTS = st.integers(0, 1_000_000)
TOKENS = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "visible_output_tokens")


def shape(active: float, total: float) -> ModelShape:
    """A model of known size."""
    return ModelShape(Range.exact(active), Range.exact(max(active, total)))


def energy(coefficients, tokens, requests=1.0):
    """Energy of a row."""
    counts = dict(zip(TOKENS, tokens, strict=True)) | {"reasoning_output_tokens": 0.0}
    return token_energy_kwh(request_count=requests, per_request_ratio=1 / requests, **counts, **coefficients)


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES, st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), st.integers(0, 3), st.integers(1, 100_000))
def test_more_tokens_never_cost_less(active, total, tokens, place, more):
    """Adding tokens of any class raises the energy."""
    coefficients = estimate_serving(shape(active, total), SERVING).coefficients
    added = [count + (more if index == place else 0) for index, count in enumerate(tokens)]
    assert energy(coefficients, added) >= energy(coefficients, tokens)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.floats(1, 30), st.floats(1.001, 4))
def test_more_parameters_never_cost_less(active, sparsity, growth):
    """A model larger by the same factor in active and total parameters never needs less."""
    smaller, larger = (
        estimate_serving(shape(active * by, active * by * sparsity), SERVING).coefficients for by in (1, growth)
    )
    assert all(smaller[name] <= larger[name] * (1 + 1e-12) for name in COEFFICIENTS)


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES, st.floats(1, 4000), st.floats(1.001, 8))
def test_a_larger_batch_never_costs_more_per_token(active, total, batch, growth):
    """More requests at once never raise the energy of one output token."""
    energies = [
        estimate_serving(shape(active, total), {**SERVING, "batch_requests": Range.exact(size)}).coefficients
        for size in (batch, batch * growth)
    ]
    name = "output_kwh_per_token"
    assert energies[1][name] <= energies[0][name] * (1 + 1e-9)


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES, st.floats(0.01, 100))
def test_energy_scales_with_power(active, total, by):
    """Accelerators of more power at the same speed need more energy by the same factor, in every term."""
    model, power = shape(active, total), SERVING["accelerator_power_w"]
    base = estimate_serving(model, SERVING).coefficients
    scaled = estimate_serving(model, {**SERVING, "accelerator_power_w": power.scaled(by)}).coefficients
    assert all(scaled[name] == pytest.approx(by * base[name]) for name in COEFFICIENTS)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.floats(1.01, 5), st.sampled_from(sorted(SERVING)))
def test_knowing_less_never_narrows_the_range(active, unsure, name):
    """A wider fact, of the model or of its serving, never gives a narrower result on either side."""
    known = estimate_serving(shape(active, active), SERVING).spread
    vague = ModelShape(Range(active / unsure, active, active * unsure), Range(active, active, active * unsure * 2))
    less = estimate_serving(vague, SERVING).spread
    assert less.low <= known.low * (1 + 1e-9)
    assert less.high >= known.high * (1 - 1e-9)
    at = SERVING[name]
    wider = {**SERVING, name: Range(at.low / unsure, at.mid, at.high * unsure)}
    blurred = estimate_serving(shape(active, active), wider).spread
    assert blurred.low <= known.low * (1 + 1e-9)
    assert blurred.high >= known.high * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 400), st.floats(1.5, 300))
def test_the_batch_found_from_a_speed_has_that_speed(active, batch):
    """A batch gives a speed, and the speed gives the batch back."""
    values = {name: value.mid for name, value in SERVING.items()}
    values |= {"parameters_active_billion": active, "parameters_total_billion": active, "batch_requests": batch}
    found = batch_at_speed(values, {}, 1 / step_s(values, {}))
    assert found == pytest.approx(batch, rel=0.01)


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-6, 1e3), st.floats(0.05, 20), st.integers(1, 9))
def test_calibration_returns_what_was_measured(estimated, ratio, count):
    """Points that all say the same give that ratio, and more of them a narrower range."""
    point = Point(Range.exact(estimated * ratio), estimated)
    one, many = (calibrate([point] * points, SERVING_ONE_POINT).ratio for points in (1, count + 1))
    assert one.mid == pytest.approx(ratio)
    assert many.high / many.low < one.high / one.low


SERVING_ONE_POINT = Range(0.78, 1.0, 1.28)


def test_the_reference_request_is_priced_by_the_same_formula():
    """The range is worked out on the very formula that prices rows."""
    coefficients = dict(estimate_serving(shape(8, 8), SERVING).coefficients)
    values = {name: value.mid for name, value in SERVING.items()}
    counts = (values["reference_input_tokens"], 0.0, 0.0, values["reference_output_tokens"])
    assert reference_kwh(coefficients, values) == pytest.approx(energy(coefficients, counts))
