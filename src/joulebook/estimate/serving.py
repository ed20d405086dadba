"""From facts about a model and its serving to the coefficients of `joulebook.estimate.tokens`.

A closed-form roofline model. Every term is the power of the accelerators times the time the term would take at their
limit, times a fitted ratio:

- weights: the bytes of weights that a decode step of `batch_requests` requests touches, shared by those requests. Of
  a mixture of experts, a step touches the shared weights and the experts that at least one request chose.
- context: keys and values of a request's own context, read for every output token; layers with a sliding window stop
  growing at the window.
- compute: one multiply-add per active parameter and token, in prefill and decode; attention in prefill.
- layers: a fixed time per layer and decode step on every accelerator, shared by the batch.
- links: what tensor or expert parallel accelerators exchange per layer and token.
- sequence: a fixed time per output token (sampling, scheduling).

Everything here works on plain floats, once per (model, day), before the big table is touched. Unknown architecture is
filled in by laws of size (`layer_count` and so on as powers of the active parameters), whose spread joins the range.

Sources: Pope et al. 2022 (arXiv:2211.05102), section 2 for the roofline terms; the ratios are fitted to the ML.ENERGY
benchmark (Chung et al. 2025, arXiv:2505.06371), see docs/accuracy.md.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from joulebook.errors import UsageError
from joulebook.estimate.tokens import COEFFICIENTS, gpu_energy_kwh
from joulebook.terms.range import Range
from joulebook.terms.units import convert

ARCHITECTURE = (
    "layer_count",
    "kv_elements_per_token",
    "kv_window_elements_per_token",
    "window_tokens",
    "attention_width",
    "residual_width",
    "shared_parameters_billion",
)
"""Optional facts of a model: layers; keys and values kept per token (growing layers, window layers) [elements]; window;
attention heads x head size x layers; hidden size x layers; parameters that every token uses [1e9]."""

HOSTED = (
    "accelerator_power_w",
    "accelerator_bandwidth_bytes_per_s",
    "accelerator_flop_per_s",
    "accelerator_memory_bytes",
    "weight_bytes_per_parameter",
    "kv_bytes_per_element",
    "compute_speed_ratio",
    "batch_requests",
    "accelerator_ratio",
)
"""Facts of a deployment; factors of the subject ``serving/hosted`` stand in where it is not known."""

METHOD = (
    "weight_stream_ratio",
    "context_stream_ratio",
    "compute_ratio",
    "link_ratio",
    "layer_s",
    "sequence_s",
    "vintage_ratio",
    "text_estimate_ratio",
    "flop_per_parameter",
    "flop_per_attention_pair",
    "own_context_ratio",
    "cache_transfer_ratio",
    "memory_headroom_ratio",
    "layer_law_scale",
    "layer_law_exponent",
    "kv_law_scale",
    "kv_law_exponent",
    "attention_law_scale",
    "attention_law_exponent",
    "residual_law_scale",
    "residual_law_exponent",
    "shared_law_ratio",
    "reference_input_tokens",
    "reference_output_tokens",
)
"""Fitted ratios and laws of the method; factors of the subject ``serving/text``."""

SUBJECTS: Mapping[str, str] = dict.fromkeys(HOSTED, "serving/hosted") | dict.fromkeys(METHOD, "serving/text")
"""Quantity -> subject under which its factor is chosen when nothing nearer is known."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What is known of a model.

    Attributes:
        parameters_active_billion: parameters used per token [1e9].
        parameters_total_billion: all parameters [1e9].
        architecture: facts named in `ARCHITECTURE`; absent ones are filled in by laws of size.
    """

    parameters_active_billion: Range
    parameters_total_billion: Range
    architecture: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServingEstimate:
    """Coefficients of one model as served.

    Attributes:
        coefficients: mid values, keys `COEFFICIENTS` [kWh].
        spread: one multiplicative 80 % range around 1 that all rows of this model and serving share.
        drivers: quantity -> (low, high): what the estimate of a reference request becomes, as a multiple, when this
            quantity alone is at its ends. Largest first.
    """

    coefficients: Mapping[str, float]
    spread: Range
    drivers: Mapping[str, tuple[float, float]]


def estimate_serving(model: ModelShape, serving: Mapping[str, Range]) -> ServingEstimate:
    """Coefficients and their shared range.

    Args:
        model: what is known of the model.
        serving: a range for every name in `SUBJECTS`; `accelerator_count` may be given.

    Raises:
        UsageError: a name is missing.
    """
    missing = [name for name in SUBJECTS if name not in serving]
    if missing:
        raise UsageError(what=f"Missing serving facts: {', '.join(missing)}.", next_step="choose a factor for each.")
    inputs = {
        **serving,
        **{name: getattr(model, name) for name in ModelShape.__dataclass_fields__ if name != "architecture"},
    }
    facts = {name: value for name, value in model.architecture.items() if value is not None}
    mids = {name: value.mid for name, value in inputs.items()}
    middle = _reference_kwh(mids, facts)
    drivers = {}
    for name, value in inputs.items():
        if value.low < value.high:
            ends = tuple(_reference_kwh({**mids, name: end}, facts) / middle for end in (value.low, value.high))
            drivers[name] = (min(1.0, *ends), max(1.0, *ends))
    ordered = dict(sorted(drivers.items(), key=lambda item: -math.log(item[1][1] / item[1][0])))
    return ServingEstimate(coefficients_kwh(mids, facts), _combined(ordered), ordered)


def _combined(drivers: Mapping[str, tuple[float, float]]) -> Range:
    down = math.hypot(*(math.log(low) for low, _high in drivers.values()), 0)
    up = math.hypot(*(math.log(high) for _low, high in drivers.values()), 0)
    return Range(math.exp(-down), 1.0, math.exp(up))


def _reference_kwh(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    tokens = {
        "uncached_input_tokens": values["reference_input_tokens"],
        "cache_read_tokens": 0.0,
        "cache_write_tokens": 0.0,
        "visible_output_tokens": values["reference_output_tokens"],
        "reasoning_output_tokens": 0.0,
    }
    coefficients = coefficients_kwh(values, architecture)
    price = cast("Callable[..., float]", gpu_energy_kwh)
    return price(request_count=1.0, per_request_ratio=1.0, **tokens, **coefficients)


def coefficients_kwh(values: Mapping[str, float], architecture: Mapping[str, float]) -> dict[str, float]:
    """The coefficients for one set of plain numbers [kWh], keys `COEFFICIENTS`.

    Args:
        values: one number for every name in `SUBJECTS`, and both counts of parameters.
        architecture: what is known of `ARCHITECTURE`.
    """
    shape = _filled(values, architecture)
    power = values["accelerator_power_w"] * values["accelerator_ratio"]
    power *= values["vintage_ratio"] * values["text_estimate_ratio"]
    per_byte = power / values["accelerator_bandwidth_bytes_per_s"]
    per_flop = power * values["compute_ratio"] / (values["accelerator_flop_per_s"] * values["compute_speed_ratio"])
    billion = convert(1, "1e9", "1")
    active = values["parameters_active_billion"] * billion
    batch = values["batch_requests"]
    compute = per_flop * values["flop_per_parameter"] * active
    pair = per_flop * values["flop_per_attention_pair"] * shape["attention_width"]
    context = per_byte * values["context_stream_ratio"] * values["kv_bytes_per_element"]
    decode = (
        per_byte * values["weight_stream_ratio"] * _touched_bytes(values, shape, billion) / batch
        + compute
        + context * shape["kv_window_elements_per_token"] * shape["window_tokens"]
        + power * values["layer_s"] * shape["layer_count"] * _accelerators(values, billion) / batch
        + power * values["sequence_s"]
        + _link_j(values, shape, per_byte, billion)
    )
    cache_read = context * shape["kv_elements_per_token"] * values["cache_transfer_ratio"]
    joules = {
        "request_kwh": power * values["sequence_s"],
        "input_kwh_per_token": compute,
        "input_context_kwh_per_token2": pair,
        "input_own_context_kwh_per_token2": pair * values["own_context_ratio"],
        "cache_read_kwh_per_token": cache_read,
        "output_kwh_per_token": decode,
        "context_kwh_per_token2": context * shape["kv_elements_per_token"],
        "output_context_kwh_per_token2": context * shape["kv_elements_per_token"] * values["own_context_ratio"],
    }
    return {name: convert(joules[name], "J", "kWh") for name in COEFFICIENTS}


def _filled(values: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    active = values["parameters_active_billion"]

    def law(name: str) -> float:
        return values[f"{name}_law_scale"] * active ** values[f"{name}_law_exponent"]

    shape = {
        "layer_count": law("layer"),
        "kv_elements_per_token": law("kv"),
        "kv_window_elements_per_token": 0.0,
        "window_tokens": 0.0,
        "attention_width": law("attention"),
        "residual_width": law("residual"),
        "shared_parameters_billion": active * values["shared_law_ratio"],
    }
    return {**shape, **known}


def _touched_bytes(values: Mapping[str, float], shape: Mapping[str, float], billion: float) -> float:
    """Bytes of weights one decode step reads; between the active ones and all of them."""
    active, total = values["parameters_active_billion"], values["parameters_total_billion"]
    if total <= active:
        return active * billion * values["weight_bytes_per_parameter"]
    shared = min(shape["shared_parameters_billion"], active)
    chosen_ratio = (active - shared) / (total - shared)
    touched = shared + (total - shared) * (1 - (1 - chosen_ratio) ** values["batch_requests"])
    return touched * billion * values["weight_bytes_per_parameter"]


def _accelerators(values: Mapping[str, float], billion: float) -> float:
    """How many accelerators share the weights: as given, else as many as the weights need."""
    if "accelerator_count" in values:
        return values["accelerator_count"]
    weights = values["parameters_total_billion"] * billion * values["weight_bytes_per_parameter"]
    return max(1.0, weights * values["memory_headroom_ratio"] / values["accelerator_memory_bytes"])


def _link_j(values: Mapping[str, float], shape: Mapping[str, float], per_byte: float, billion: float) -> float:
    """Exchange between accelerators per output token: none on one, growing to the full exchange on many."""
    share = 1 - 1 / _accelerators(values, billion)
    return per_byte * values["link_ratio"] * shape["residual_width"] * values["kv_bytes_per_element"] * share
