"""A hosted service of which nobody says how it runs: a weighted set of deployments, narrowed by the speed of answers.

Each scenario is one accelerator, one precision of the weights and one multiple of the accelerators the weights need,
with its share of services; batches are points of equal probability of the range of `batch_requests`. Every point has an
energy and a time per token. No batch is larger than what fits into the memory of its scenario, which is large enough
for one request; where the number of accelerators is given, ways whose weights do not fit are left out. The estimate is
the weighted geometric mean, the spread of the points joins the range. A known speed (output tokens per second, time to
the first token) weighs the points by how well they explain it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from operator import mul
from statistics import NormalDist

from joulebook.errors import BadValue, translatable
from joulebook.estimate.drivers import combined, ordered
from joulebook.estimate.hardware import limited
from joulebook.estimate.memory import batch_that_fits, fewest_accelerators, memory_there_bytes, weights_bytes
from joulebook.estimate.serving import (
    HOSTED,
    ModelShape,
    ServingEstimate,
    accelerator_count,
    coefficients_by_batch,
    estimate_serving,
    reference_kwh,
)
from joulebook.estimate.speed import prefill_s, step_s
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.terms.range import Z90, Range

SCENARIO = (
    "batch_points",
    "batch_tolerance_ratio",
    "speed_match_ratio",
    "first_token_match_ratio",
    "hosted_estimate_ratio",
    "memory_use_ratio",
)
"""What this needs beyond `joulebook.estimate.serving.SUBJECTS`; factors of the subject ``serving/text``."""


DEPLOYMENT = "deployment"
"""Driver that stands for everything unknown about the deployment."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one request was answered; None where the record does not say.

    Attributes:
        output_tokens_per_s: output tokens per second after the first.
        first_token_s: seconds to the first token.
    """

    output_tokens_per_s: float | None = None
    first_token_s: float | None = None


UNSEEN = Speed()


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
    fits: bool
    penalty: float
    log_energy: float
    coefficients: Mapping[str, float]


def estimate_hosted(
    model: ModelShape,
    serving: Mapping[str, Range],
    options: Sequence[Sequence[Option]],
    speed: Speed = UNSEEN,
) -> ServingEstimate:
    """Coefficients and range of a model of which the deployment is not known.

    Args:
        model: what is known of the model.
        serving: a range for every name in `joulebook.estimate.serving.SUBJECTS` and in `SCENARIO`.
        options: groups of options (accelerators, precisions, multiples); a scenario takes one of each.
        speed: what was seen of one request, as far as the record has it.

    Raises:
        BadValue: a speed is not a positive number.
    """
    _check(speed)
    facts = {name: value for name, value in model.architecture.items() if value is not None}
    mids = {
        **{name: value.mid for name, value in serving.items()},
        "parameters_active_billion": model.parameters_active_billion.mid,
        "parameters_total_billion": model.parameters_total_billion.mid,
    }
    batches, penalty = _batches(serving), partial(_penalty, facts=facts, serving=serving, speed=speed)
    points = [point for chosen in product(*options) for point in _points(facts, mids, chosen, batches, penalty)]
    points = [point for point in points if point.fits] or points
    best = min(point.penalty for point in points)
    weights = [point.share * math.exp(best - point.penalty) for point in points]
    whole = sum(weights)

    def mean_of(values: Iterable[float]) -> float:
        return sum(map(mul, weights, values)) / whole

    mean = mean_of(point.log_energy for point in points)
    variance = mean_of((point.log_energy - mean) * (point.log_energy - mean) for point in points)
    average = {name: mean_of(point.coefficients[name] for point in points) for name in COEFFICIENTS}
    scale = math.exp(mean) / reference_kwh(average, {name: value.mid for name, value in serving.items()})
    known = estimate_serving(model, {**serving, **_exact(serving)})
    half = math.exp(Z90 * math.sqrt(variance))
    beyond = serving["hosted_estimate_ratio"]
    drivers = {
        **known.drivers,
        DEPLOYMENT: (1 / half, half),
        "hosted_estimate_ratio": (beyond.low / beyond.mid, beyond.high / beyond.mid),
    }
    coefficients = {name: scale * value for name, value in average.items()}
    evidence = whole / sum(point.share for point in points) * math.exp(-best)
    return ServingEstimate(coefficients, combined(drivers), ordered(drivers), evidence)


def _check(speed: Speed) -> None:
    """Refuse a speed that is not a positive number."""
    for value, next_step in (
        (speed.output_tokens_per_s, translatable("give output tokens per second above 0.")),
        (speed.first_token_s, translatable("give the seconds to the first token, above 0.")),
    ):
        if value is not None and not 0 < value < math.inf:
            raise BadValue(value=value, expected=translatable("a speed"), next_step=next_step)


def mixed(estimates: Sequence[tuple[float, ServingEstimate]], reference: Mapping[str, float]) -> ServingEstimate:
    """One estimate of a service that may be run in several ways: weighted geometric mean, their distance in the range.

    Args:
        estimates: probability of each way before its speed was seen, and its estimate.
        reference: ``reference_input_tokens`` and ``reference_output_tokens``.
    """
    weights = [share * one.evidence for share, one in estimates]
    weights = [weight / sum(weights) for weight in weights]
    each = [(weight, one) for weight, (_share, one) in zip(weights, estimates, strict=True)]
    logs = [math.log(reference_kwh(one.coefficients, reference)) for _weight, one in each]
    mean = sum(weight * value for weight, value in zip(weights, logs, strict=True))
    between = sum(weight * (value - mean) * (value - mean) for weight, value in zip(weights, logs, strict=True))
    average = {name: sum(weight * one.coefficients[name] for weight, one in each) for name in COEFFICIENTS}
    scale = math.exp(mean) / reference_kwh(average, reference)
    drivers = {}
    for name in dict.fromkeys(name for _weight, one in each for name in one.drivers):
        ends = [(weight, one.drivers.get(name, (1.0, 1.0))) for weight, one in each]
        apart = Z90 * Z90 * between if name == DEPLOYMENT else 0.0
        down, up = (math.sqrt(apart + sum(w * math.log(end[side]) ** (1 + 1) for w, end in ends)) for side in (0, 1))
        drivers[name] = (math.exp(-down), math.exp(up))
    coefficients = {name: scale * value for name, value in average.items()}
    return ServingEstimate(coefficients, combined(drivers), ordered(drivers))


def _exact(serving: Mapping[str, Range]) -> dict[str, Range]:
    """Facts of the deployment without their own range: the scenarios carry it."""
    return {name: Range.exact(serving[name].mid) for name in (*HOSTED, "memory_headroom_ratio")}


def _points(
    facts: Mapping[str, float],
    mids: Mapping[str, float],
    chosen: Sequence[Option],
    batches: Sequence[float],
    penalty_of: Callable[[Mapping[str, float]], float],
) -> list[_Point]:
    """The points of one scenario.

    Args:
        facts: what is known of the model's architecture.
        mids: middle of every range, and both counts of parameters.
        chosen: one option of each group.
        batches: of equal probability.
        penalty_of: plain numbers -> how badly they agree with the speed that was seen.
    """
    values, share = dict(mids), 1.0
    for option in chosen:
        values.update(option.facts)
        share *= option.share
    values = limited(values)
    if "accelerator_count" not in values:
        doublings = math.ceil(math.log2(accelerator_count(values)))
        enough = (1 << doublings) * values["accelerator_multiple"]
        values["accelerator_count"] = max(enough, fewest_accelerators(values, facts))
    fits = weights_bytes(values, facts) <= memory_there_bytes(values)
    room, points = max(1.0, batch_that_fits(values, facts)), []
    fitting = [min(batch, room) for batch in batches]
    for batch, coefficients in zip(fitting, coefficients_by_batch(values, facts, fitting), strict=True):
        values["batch_requests"] = batch
        log_energy = math.log(reference_kwh(coefficients, values))
        points.append(_Point(share, fits, penalty_of(values), log_energy, coefficients))
    return points


def _penalty(
    values: Mapping[str, float], facts: Mapping[str, float], serving: Mapping[str, Range], speed: Speed
) -> float:
    """How badly a point agrees with the speed that was seen: nothing where none was."""
    penalty = 0.0
    if speed.output_tokens_per_s is not None:
        penalty += _disagreement(step_s(values, facts) * speed.output_tokens_per_s, serving["speed_match_ratio"])
    if speed.first_token_s is not None:
        penalty += _disagreement(speed.first_token_s / prefill_s(values, facts), serving["first_token_match_ratio"])
    return penalty


def _batches(serving: Mapping[str, Range]) -> list[float]:
    """Batches of equal probability."""
    batch, count = serving["batch_requests"], round(serving["batch_points"].mid)
    scores = (NormalDist().inv_cdf((place + place + 1) / (count + count)) for place in range(count))
    sides = ((score, batch.sigma_high if score > 0 else batch.sigma_low) for score in scores)
    return [max(1.0, batch.mid * math.exp(score * sigma)) for score, sigma in sides]


def _disagreement(ratio: float, expected: Range) -> float:
    """How badly a ratio of times agrees with what is expected: minus the log likelihood, up to a constant."""
    distance = math.log(ratio / expected.mid)
    score = distance / (expected.sigma_high if distance > 0 else expected.sigma_low)
    return score * score / (1 + 1)
