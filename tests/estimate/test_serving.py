"""Coefficients from facts: directions, ranges and what is missing."""

import pytest

from joulebook.errors import UsageError
from joulebook.estimate.serving import SUBJECTS, ModelShape, estimate_serving
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.terms.columns import columns
from joulebook.terms.range import Range


def dense(billion: float) -> ModelShape:
    """A dense model of known size."""
    return ModelShape(Range.exact(billion), Range.exact(billion))


def test_every_serving_quantity_is_a_column_with_a_shipped_factor(serving):
    """The estimator asks for nothing that the factor files or the dictionary lack."""
    assert set(SUBJECTS) <= set(serving)
    assert set(SUBJECTS) <= set(columns())


def test_a_missing_fact_is_named(serving):
    """A fact left out is refused by name rather than replaced."""
    with pytest.raises(UsageError, match="batch_requests"):
        estimate_serving(dense(8), {name: value for name, value in serving.items() if name != "batch_requests"})


def test_larger_models_cost_more_in_every_token_term(serving):
    """More active parameters never make a token cheaper."""
    small, large = (estimate_serving(dense(size), serving).coefficients for size in (8, 70))
    assert all(small[name] <= large[name] for name in COEFFICIENTS)
    assert small["input_kwh_per_token"] * 70 / 8 == pytest.approx(large["input_kwh_per_token"])


def test_idle_experts_cost_less_than_a_dense_model_of_the_same_size(serving):
    """A mixture of experts lies between the dense model of its active and that of its total parameters."""
    mixture = ModelShape(Range.exact(22), Range.exact(235))
    name = "output_kwh_per_token"
    below, between, above = (
        estimate_serving(model, serving).coefficients[name] for model in (dense(22), mixture, dense(235))
    )
    assert below < between < above


def test_a_larger_batch_shares_the_weights(serving):
    """Decoding more requests together never raises the energy of one output token."""
    energies = [
        estimate_serving(dense(70), {**serving, "batch_requests": Range.exact(batch)}).coefficients[
            "output_kwh_per_token"
        ]
        for batch in (1, 8, 64, 512)
    ]
    assert energies == sorted(energies, reverse=True)


def test_unknown_models_have_wider_ranges(serving):
    """What is not known of a model widens its range on both sides."""
    known = estimate_serving(dense(40), serving).spread
    unknown = estimate_serving(ModelShape(Range(3, 40, 250), Range(8, 40, 1500)), serving).spread
    assert unknown.low < known.low < 1 < known.high < unknown.high


def test_the_spread_is_never_below_the_method_s_own(serving):
    """Knowing everything still leaves the error that held-out families showed."""
    exact = {name: Range.exact(value.mid) for name, value in serving.items()}
    spread = estimate_serving(dense(40), exact | {"text_estimate_ratio": serving["text_estimate_ratio"]}).spread
    assert spread.low == pytest.approx(serving["text_estimate_ratio"].low)
    assert spread.high == pytest.approx(serving["text_estimate_ratio"].high)


def test_drivers_come_largest_first(serving):
    """The first driver is the fact whose ends move the estimate most."""
    drivers = estimate_serving(dense(40), serving).drivers
    widths = [high / low for low, high in drivers.values()]
    assert widths == sorted(widths, reverse=True)
    assert "batch_requests" in list(drivers)[:2]


def test_a_dense_model_of_uncertain_size_is_not_a_mixture(serving):
    """Where active and total parameters are one uncertain number, they move together and widen the range once."""
    size = Range(60, 70, 80)
    known, unsure = (
        estimate_serving(dense(70), serving).spread,
        estimate_serving(ModelShape(size, size), serving).spread,
    )
    mixture = estimate_serving(ModelShape(size, Range(60, 70, 81)), serving).spread
    assert known.high < unsure.high < mixture.high
    assert unsure.high < known.high * 1.1
