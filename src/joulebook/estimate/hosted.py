"""A hosted service of which nobody says how it runs: a weighted set of deployments, narrowed by the speed of answers.

Each scenario is one accelerator, one precision of the weights and one multiple of the accelerators the weights need,
with its share of services; batches are points of equal probability of the range of `batch_requests`. Every point has an
energy and a time per token. The estimate is the weighted geometric mean, the spread of the points joins the range. A
known speed (output tokens per second of a request) weighs the points by how well they explain it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

from joulebook.errors import BadValue
from joulebook.estimate.drivers import combined, ordered
from joulebook.estimate.serving import (
    HOSTED,
    ModelShape,
    ServingEstimate,
    accelerator_count,
    coefficients_kwh,
    estimate_serving,
    reference_kwh,
)
from joulebook.estimate.speed import step_s
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.terms.range import Z90, Range

SCENARIO = ("batch_points", "batch_tolerance_ratio", "speed_match_ratio", "hosted_estimate_ratio")
"""What this needs beyond `joulebook.estimate.serving.SUBJECTS`; factors of the subject ``serving/text``."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of several ways to run, and the share of services that run so.

    Attributes:
        name: subject of its factors.
        share: relative weight, above 0.
        facts: quantities of `joulebook.estimate.serving.HOSTED`, or ``accelerator_multiple``.
    """

    name: str
    share: float
    facts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Point:
    share: float
    penalty: float
    log_energy: float
    coefficients: Mapping[str, float]


def estimate_hosted(
    model: ModelShape,
    serving: Mapping[str, Range],
    options: Sequence[Sequence[Option]],
    output_tokens_per_s: float | None = None,
) -> ServingEstimate:
    """Coefficients and range of a model of which the deployment is not known.

    Args:
        model: what is known of the model.
        serving: a range for every name in `joulebook.estimate.serving.SUBJECTS` and in `SCENARIO`.
        options: groups of options (accelerators, precisions, multiples); a scenario takes one of each.
        output_tokens_per_s: speed of one request, or None where the record has none.

    Raises:
        BadValue: the speed is not a positive number.
    """
    if output_tokens_per_s is not None and not 0 < output_tokens_per_s < math.inf:
        raise BadValue(
            value=output_tokens_per_s, expected="a speed", next_step="give output tokens per second above 0."
        )
    points = [point for chosen in product(*options) for point in _points(model, serving, chosen, output_tokens_per_s)]
    best = min(point.penalty for point in points)
    weights = [point.share * math.exp(best - point.penalty) for point in points]

    def mean_of(values: Iterable[float]) -> float:
        return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)

    mean = mean_of(point.log_energy for point in points)
    variance = mean_of((point.log_energy - mean) * (point.log_energy - mean) for point in points)
    average = {name: mean_of(point.coefficients[name] for point in points) for name in COEFFICIENTS}
    scale = math.exp(mean) / reference_kwh(average, {name: value.mid for name, value in serving.items()})
    known = estimate_serving(model, {**serving, **_exact(serving)})
    half = math.exp(Z90 * math.sqrt(variance))
    beyond = serving["hosted_estimate_ratio"]
    drivers = {
        **known.drivers,
        "deployment": (1 / half, half),
        "hosted_estimate_ratio": (beyond.low / beyond.mid, beyond.high / beyond.mid),
    }
    coefficients = {name: scale * value for name, value in average.items()}
    return ServingEstimate(coefficients, combined(drivers), ordered(drivers))


def _exact(serving: Mapping[str, Range]) -> dict[str, Range]:
    """Facts of the deployment without their own range: the scenarios carry it."""
    return {name: Range.exact(serving[name].mid) for name in (*HOSTED, "memory_headroom_ratio")}


def _points(
    model: ModelShape, serving: Mapping[str, Range], chosen: Sequence[Option], speed: float | None
) -> list[_Point]:
    facts = {name: value for name, value in model.architecture.items() if value is not None}
    values = {
        **{name: value.mid for name, value in serving.items()},
        "parameters_active_billion": model.parameters_active_billion.mid,
        "parameters_total_billion": model.parameters_total_billion.mid,
    }
    share = 1.0
    for option in chosen:
        values.update(option.facts)
        share *= option.share
    if "accelerator_count" not in values:
        doublings = math.ceil(math.log2(accelerator_count(values)))
        values["accelerator_count"] = (1 << doublings) * values["accelerator_multiple"]
    points = []
    for batch in _batches(serving):
        at = {**values, "batch_requests": batch}
        coefficients = coefficients_kwh(at, facts)
        penalty = 0.0 if speed is None else _disagreement(step_s(at, facts) * speed, serving)
        points.append(_Point(share, penalty, math.log(reference_kwh(coefficients, at)), coefficients))
    return points


def _batches(serving: Mapping[str, Range]) -> list[float]:
    """Batches of equal probability."""
    batch, count = serving["batch_requests"], round(serving["batch_points"].mid)
    scores = (NormalDist().inv_cdf((place + place + 1) / (count + count)) for place in range(count))
    sides = ((score, batch.sigma_high if score > 0 else batch.sigma_low) for score in scores)
    return [max(1.0, batch.mid * math.exp(score * sigma)) for score, sigma in sides]


def _disagreement(ratio: float, serving: Mapping[str, Range]) -> float:
    """How badly a step that long explains the speed: minus the log likelihood, up to a constant."""
    score = math.log(ratio) / serving["speed_match_ratio"].sigma_high
    return score * score / (1 + 1)
