"""What the speed of an answer says about its batch.

A decode step takes the energy of its terms at the power the accelerators draw; a request gets one token per step. More
requests together make the step longer, so a slow stream on a given deployment tells of a full batch, a fast one of an
empty one. The record's tokens per second thus narrow the range of an estimate. So does the time to the first token: it
is no shorter than the prefill, and longer by the wait in a queue and for the network.
"""

import math
from collections.abc import Mapping

from joulebook.errors import BadValue, translatable
from joulebook.estimate.serving import accelerator_count, coefficients_kwh
from joulebook.terms.units import convert


def step_s(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    """Time of one decode step: what one request waits for its next token [s].

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`.
        architecture: what is known of the model.
    """
    coefficients = coefficients_kwh(values, architecture)
    own = coefficients["output_context_kwh_per_token2"] * values["reference_output_tokens"]
    context = coefficients["context_kwh_per_token2"] * values["reference_input_tokens"]
    token_j = convert(coefficients["output_kwh_per_token"] + context + own, "kWh", "J")
    power = values["accelerator_power_w"] * values["power_draw_ratio"] * accelerator_count(values)
    return token_j * values["batch_requests"] / power


def prefill_s(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    """Time to compute the fresh input of the reference request on the accelerators that share its weights [s].

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`.
        architecture: what is known of the model.
    """
    coefficients = coefficients_kwh(values, architecture)
    fresh = values["reference_input_tokens"]
    own = coefficients["input_own_context_kwh_per_token2"] * fresh
    joules = convert((coefficients["input_kwh_per_token"] + own) * fresh, "kWh", "J")
    return joules / (values["accelerator_power_w"] * values["power_draw_ratio"] * accelerator_count(values))


def batch_at_speed(values: Mapping[str, float], architecture: Mapping[str, float], output_tokens_per_s: float) -> float:
    """The batch at which a request gets that many tokens per second; the nearest end where none does.

    Raises:
        BadValue: the speed is not a positive number.
    """
    if not output_tokens_per_s > 0 or not math.isfinite(output_tokens_per_s):
        raise BadValue(
            value=output_tokens_per_s,
            expected=translatable("a speed"),
            next_step=translatable("give output tokens per second above 0."),
        )
    low, high = 1.0, values["batch_limit_requests"]
    wanted = 1 / output_tokens_per_s
    if step_s({**values, "batch_requests": high}, architecture) <= wanted:
        return high
    while high - low > low * values["batch_tolerance_ratio"]:
        middle = math.sqrt(low * high)
        longer = step_s({**values, "batch_requests": middle}, architecture) > wanted
        low, high = (low, middle) if longer else (middle, high)
    return low
