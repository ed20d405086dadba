"""What fits into memory bounds the batch, and with it what a request of a long context takes."""

import pytest

from joulebook.estimate.hosted import Option, estimate_hosted
from joulebook.estimate.memory import batch_that_fits, memory_there_bytes, request_bytes, weights_bytes
from joulebook.estimate.serving import ModelShape
from joulebook.terms.range import Range

LLAMA_8B = {"layer_count": 32.0, "kv_elements_per_token": 65536.0}
"""Keys and values of 32 layers, 8 heads of 128, twice."""


def values_of(serving, **given):
    """Plain numbers of one H100 with a dense model of 8 billion parameters."""
    mids = {name: value.mid for name, value in serving.items()}
    sizes = {"parameters_active_billion": 8.0, "parameters_total_billion": 8.0}
    whole = {"accelerator_memory_bytes": 80e9, "memory_use_ratio": 0.9, "weight_bytes_per_parameter": 2.0}
    return {**mids, **sizes, **whole, "accelerator_count": 1.0, "kv_bytes_per_element": 2.0, **given}


def test_the_memory_adds_up(serving):
    """Weights and the keys and values of the largest batch fill the memory to the byte."""
    values = values_of(serving, reference_input_tokens=900.0, reference_output_tokens=200.0)
    assert weights_bytes(values, LLAMA_8B) == 16e9
    assert request_bytes(values, LLAMA_8B) == 65536 * 2 * 1000
    batch = batch_that_fits(values, LLAMA_8B)
    assert batch == pytest.approx((72e9 - 16e9) / (65536 * 2 * 1000))
    filled = weights_bytes(values, LLAMA_8B) + batch * request_bytes(values, LLAMA_8B)
    assert filled == pytest.approx(memory_there_bytes(values))


def test_a_model_larger_than_the_memory_fits_no_batch(serving):
    """Weights beyond the memory leave room for nothing rather than for less than nothing."""
    assert batch_that_fits(values_of(serving, parameters_total_billion=70.0), LLAMA_8B) == 0


@pytest.mark.parametrize(("context", "least"), [(1_000.0, 1.0), (100_000.0, 2.0)])
def test_a_long_context_leaves_room_for_few_requests(serving, context, least):
    """At 100,000 tokens of context the weights are shared by a few requests, however many might wait."""
    model = ModelShape(Range.exact(8), Range.exact(8), LLAMA_8B)
    hopper = {name: serving[name].mid for name in ("accelerator_power_w", "accelerator_bandwidth_bytes_per_s")}
    hopper |= {"accelerator_flop_per_s": 9.89e14, "accelerator_memory_bytes": 80e9, "accelerator_count": 1.0}
    wide = {"weight_bytes_per_parameter": 2.0, "compute_speed_ratio": 1.0}
    at = {**serving, "reference_input_tokens": Range.exact(context), "reference_output_tokens": Range.exact(100)}
    energies = []
    for memory in (80e9, 8e15):
        options = [[Option("board", 1.0, {**hopper, "accelerator_memory_bytes": memory})], [Option("wide", 1.0, wide)]]
        found = estimate_hosted(model, at, options)
        energies.append(found.coefficients["output_kwh_per_token"])
    assert energies[0] >= least * energies[1] * (1 - 1e-9)


def test_precisions_that_do_not_fit_are_left_out(serving):
    """70 billion parameters on one accelerator of 80 GB are served in 8 bits, not in 16."""
    model = ModelShape(Range.exact(70), Range.exact(70))
    board = {"accelerator_memory_bytes": 80e9, "accelerator_count": 1.0}
    both = [
        Option("wide", 0.5, {"weight_bytes_per_parameter": 2.0, "compute_speed_ratio": 1.0}),
        Option("narrow", 0.5, {"weight_bytes_per_parameter": 1.0, "compute_speed_ratio": 2.0}),
    ]
    mixed, narrow = (
        estimate_hosted(model, serving, [[Option("board", 1.0, board)], given]) for given in (both, both[1:])
    )
    assert mixed.coefficients == pytest.approx(narrow.coefficients)
