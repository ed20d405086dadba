"""From facts about a model and its serving to the coefficients of `joulebook.estimate.tokens`.

A closed-form roofline model. Every term is the power of the accelerators times the time the term would take at their
limit, times a fitted ratio:

- weights: the bytes of weights that a decode step of `batch_requests` requests touches, shared by those requests. Of
  a mixture of experts, a step touches the shared weights and the experts that at least one request chose; with large
  expert parallelism `expert_parallel_groups` such batches share one pass over the experts.
- context: keys and values of a request's own context, read for every output token; layers with a sliding window stop
  growing at the window, recurrent layers keep a state of fixed size.
- compute: one multiply-add per active parameter and token, in prefill and decode, shared parameters and experts apart
  (in decode an expert sees few tokens at a time, and the 8-bit kernels of the measured stacks cost more, not less; in
  prefill it sees many, and pays `narrow_prefill_ratio` of that); attention in prefill.
- layers: a fixed time per layer and decode step on every accelerator, shared by the batch; more where layers have
  experts, and where several accelerators wait for each other.
- links: what tensor or expert parallel accelerators exchange per layer and token.
- sequence: a fixed time per output token (sampling, scheduling).

Everything here works on plain floats, once per (model, day), before the big table is touched. Unknown architecture is
filled in by laws of size (`layer_count` and so on as powers of the active parameters), whose spread joins the range.

Sources: Pope et al. 2022 (arXiv:2211.05102), section 2 for the roofline terms; the ratios are fitted to the ML.ENERGY
benchmark (Chung et al. 2025, arXiv:2505.06371), see docs/accuracy.md.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from joulebook.errors import UsageError, translatable
from joulebook.estimate.drivers import combined, drivers_of
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
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
    "expert_layer_count",
    "state_elements",
    "shared_weight_bytes_per_parameter",
)
"""Optional facts of a model: layers; keys and values kept per token (growing layers, window layers) [elements]; window;
attention heads x head size x layers; hidden size x layers; parameters that every token uses [1e9]; layers with
experts; recurrent state per request read and written for every token, in elements of the kept keys; bytes per weight
that every token uses, where only the experts are narrow [byte]."""

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
    "expert_parallel_groups",
)
"""Facts of a deployment; factors of the subject ``serving/hosted`` stand in where it is not known."""

METHOD = (
    "weight_stream_ratio",
    "context_stream_ratio",
    "compute_ratio",
    "expert_compute_ratio",
    "narrow_expert_compute_ratio",
    "narrow_prefill_ratio",
    "link_ratio",
    "layer_s",
    "expert_layer_s",
    "link_layer_s",
    "sequence_s",
    "vintage_ratio",
    "text_estimate_ratio",
    "mixture_spread_ratio",
    "recurrent_spread_ratio",
    "hardware_spread_ratio",
    "power_draw_ratio",
    "batch_limit_requests",
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


BILLION = convert(1, "1e9", "1")


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

    @property
    def is_dense(self) -> bool:
        """True where every token uses every parameter: both counts are one number, however uncertain."""
        return self.parameters_active_billion == self.parameters_total_billion


@dataclass(frozen=True, slots=True)
class ServingEstimate:
    """Coefficients of one model as served.

    Attributes:
        coefficients: mid values, keys `COEFFICIENTS` [kWh].
        spread: one multiplicative 80 % range around 1 that all rows of this model and serving share.
        drivers: quantity -> (low, high): what the estimate of a reference request becomes, as a multiple, when this
            quantity alone is at its ends. Largest first.
        evidence: how well the ways to run explain the speed that was seen, relative to other estimates of the request.
    """

    coefficients: Mapping[str, float]
    spread: Range
    drivers: Mapping[str, tuple[float, float]]
    evidence: float = 1.0


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
        raise UsageError(
            what=translatable("Facts of the serving are missing; choose a factor for each."),
            next_step=f"{', '.join(missing)}.",
        )
    inputs = {**serving, "parameters_total_billion": model.parameters_total_billion}
    if not model.is_dense:
        inputs["parameters_active_billion"] = model.parameters_active_billion
    facts = {name: value for name, value in model.architecture.items() if value is not None}
    inputs["text_estimate_ratio"] = _method_range(model, facts, serving)

    def coefficients(values: Mapping[str, float]) -> dict[str, float]:
        active = {"parameters_active_billion": values["parameters_total_billion"]} if model.is_dense else {}
        return coefficients_kwh({**values, **active}, facts)

    drivers = drivers_of(lambda values: reference_kwh(coefficients(values), values), inputs)
    middle = coefficients({name: value.mid for name, value in inputs.items()})
    return ServingEstimate(middle, combined(drivers), drivers)


def _method_range(model: ModelShape, facts: Mapping[str, float], serving: Mapping[str, Range]) -> Range:
    """Error of the method on families it has not seen: wider for mixtures of experts, widest for recurrent layers.

    On accelerators it has not seen either, the extra width adds in squares.
    """
    wider = 1.0
    if not model.is_dense:
        wider = serving["mixture_spread_ratio"].mid
    if facts.get("state_elements", 0) > 0:
        wider = max(wider, serving["recurrent_spread_ratio"].mid)
    hardware = serving["hardware_spread_ratio"].mid
    wider = math.sqrt(wider * wider + hardware * hardware - 1)
    base = serving["text_estimate_ratio"]
    return Range(base.mid * (base.low / base.mid) ** wider, base.mid, base.mid * (base.high / base.mid) ** wider)


def reference_kwh(coefficients: Mapping[str, float], values: Mapping[str, float]) -> float:
    """Accelerator energy of the request at which ranges are worked out [kWh]."""
    price = cast("Callable[..., float]", token_energy_kwh)
    return price(
        request_count=1.0,
        per_request_ratio=1.0,
        uncached_input_tokens=values["reference_input_tokens"],
        cache_read_tokens=0.0,
        cache_write_tokens=0.0,
        visible_output_tokens=values["reference_output_tokens"],
        reasoning_output_tokens=0.0,
        **coefficients,
    )


def coefficients_kwh(values: Mapping[str, float], architecture: Mapping[str, float]) -> dict[str, float]:
    """The coefficients for one set of plain numbers [kWh], keys `COEFFICIENTS`.

    Args:
        values: one number for every name in `SUBJECTS`, and both counts of parameters.
        architecture: what is known of `ARCHITECTURE`.
    """
    return coefficients_by_batch(values, architecture, (values["batch_requests"],))[0]


def coefficients_by_batch(
    values: Mapping[str, float], architecture: Mapping[str, float], batches: Iterable[float]
) -> list[dict[str, float]]:
    """`coefficients_kwh` for some numbers of requests decoded together, which only a token of output depends on.

    Args:
        values: as for `coefficients_kwh`; ``batch_requests`` is not looked at.
        architecture: what is known of `ARCHITECTURE`.
        batches: requests decoded together.
    """
    shape = filled_shape(values, architecture)
    power = values["accelerator_power_w"] * values["accelerator_ratio"]
    power *= values["vintage_ratio"] * values["text_estimate_ratio"]
    per_byte = power / values["accelerator_bandwidth_bytes_per_s"]
    dense_flop = power * values["compute_ratio"] / (values["accelerator_flop_per_s"] * values["compute_speed_ratio"])
    prefill, decode = (_compute_j(values, shape, power, narrow) for narrow in (values["narrow_prefill_ratio"], 1.0))
    pair = dense_flop * values["flop_per_attention_pair"] * shape["attention_width"]
    element = per_byte * values["context_stream_ratio"] * values["kv_bytes_per_element"]
    growing = element * shape["growing_elements"]
    weights, fixed = per_byte * values["weight_stream_ratio"], power * _step_s(values, shape)
    exchange = per_byte * values["link_ratio"] * values["kv_bytes_per_element"] * shape["residual_width"]
    sequence, links = power * values["sequence_s"], exchange * (accelerator_count(values) - 1)
    constant = element * shape["constant_elements"]

    def output(batch: float) -> float:
        return weights * _step_bytes(values, shape, batch) + fixed / batch + decode + constant + links + sequence

    joules = {
        "request_kwh": sequence,
        "input_kwh_per_token": prefill,
        "input_context_kwh_per_token2": pair,
        "input_own_context_kwh_per_token2": pair * values["own_context_ratio"],
        "cache_read_kwh_per_token": growing * values["cache_transfer_ratio"],
        "output_kwh_per_token": 0.0,
        "context_kwh_per_token2": growing,
        "output_context_kwh_per_token2": growing * values["own_context_ratio"],
    }
    same = {name: convert(joules[name], "J", "kWh") for name in COEFFICIENTS}
    return [{**same, "output_kwh_per_token": convert(output(batch), "J", "kWh")} for batch in batches]


def accelerator_count(values: Mapping[str, float]) -> float:
    """How many accelerators share one copy of the weights: as given, else as many as weights and headroom need."""
    if "accelerator_count" in values:
        return values["accelerator_count"]
    weights = values["parameters_total_billion"] * BILLION * values["weight_bytes_per_parameter"]
    return max(1.0, weights * values["memory_headroom_ratio"] / values["accelerator_memory_bytes"])


def _compute_j(values: Mapping[str, float], shape: Mapping[str, float], power: float, narrow: float) -> float:
    """Arithmetic of one token [J]; experts at 8 bits gain like the rest, and pay a share of narrow kernels on top."""
    flop_j = power * values["flop_per_parameter"] / values["accelerator_flop_per_s"]
    speed = values["compute_speed_ratio"]
    paid = narrow * (speed - 1) * values["narrow_expert_compute_ratio"]
    experts = values["expert_compute_ratio"] / speed + paid
    return flop_j * (
        values["compute_ratio"] / speed * shape["shared_parameters"] + experts * shape["chosen_parameters"]
    )


def _step_s(values: Mapping[str, float], shape: Mapping[str, float]) -> float:
    """Fixed time of one decode step, times accelerators that wait through it [s]."""
    count = accelerator_count(values)
    per_layer = values["layer_s"] * count + values["link_layer_s"] * (count - 1)
    return per_layer * shape["layer_count"] + values["expert_layer_s"] * count * shape["expert_layer_count"]


def filled_shape(values: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    """The shape of a model, laws of size standing in for what is not known."""
    active, total = values["parameters_active_billion"], values["parameters_total_billion"]

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
        "state_elements": 0.0,
        **known,
    }
    mixed = total > active
    shared = min(shape["shared_parameters_billion"], active) if mixed else active
    context = values["reference_input_tokens"] + values["reference_output_tokens"] * values["own_context_ratio"]
    stops = shape["window_tokens"] < context
    window = shape["kv_window_elements_per_token"]
    return {
        "expert_layer_count": shape["layer_count"] if mixed else 0.0,
        **shape,
        "shared_parameters": shared * BILLION,
        "chosen_parameters": (active - shared) * BILLION,
        "growing_elements": shape["kv_elements_per_token"] + (0.0 if stops else window),
        "constant_elements": shape["state_elements"] + (window * shape["window_tokens"] if stops else 0.0),
    }


def _step_bytes(values: Mapping[str, float], shape: Mapping[str, float], batch: float) -> float:
    """Bytes of weights a decode step reads, per request: the shared weights and each expert that some request chose."""
    width = values["weight_bytes_per_parameter"]
    shared = shape["shared_parameters"] * shape.get("shared_weight_bytes_per_parameter", width)
    shared /= batch
    experts = values["parameters_total_billion"] * BILLION - shape["shared_parameters"]
    if experts <= 0:
        return shared
    together = batch * values["expert_parallel_groups"]
    chosen_ratio = shape["chosen_parameters"] / experts
    return shared + experts * width * (1 - (1 - chosen_ratio) ** together) / together
