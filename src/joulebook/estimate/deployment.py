"""How a model is served: what is given, what stands in for the rest, and the estimate that follows.

What the caller knows (accelerator, how many, batch, precision, speed) replaces the assumption; what remains unknown is
spread over the scenarios of `joulebook.estimate.hosted`, under the regime of whoever runs the service
(`joulebook.estimate.regime`); large operators' services are held against what operators publish. A calibrated model has
a factor ``text_estimate_ratio`` of its own and needs no deployment: its measured point stands for it. What is known of
the measured deployment gives the estimate its shape: how far prefill, context and batch count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from joulebook.estimate.hardware import HARDWARE, find_accelerator, limited
from joulebook.estimate.hosted import Option, Speed, mixed
from joulebook.estimate.memory import batch_that_fits
from joulebook.estimate.operators import ONE_POINT, SHARED, anchored
from joulebook.estimate.options import KERNELS, WIDTHS, given_facts, single_groups
from joulebook.estimate.published import operator_points
from joulebook.estimate.regime import OPERATOR, SINGLE, Regime, regime_of
from joulebook.estimate.scenarios import (
    accelerator_choices,
    operator_estimate,
    ranges_of,
    serving_choices,
    shape_of,
    worked_out,
)
from joulebook.estimate.serving import HOSTED, ModelShape, ServingEstimate, estimate_serving
from joulebook.estimate.speed import batch_at_speed
from joulebook.factors.choose import Choice, ModelFacts, choose
from joulebook.factors.edition import Edition
from joulebook.terms.range import Range

CALIBRATED = "text_estimate_ratio"
"""Quantity that a calibration gives for one model."""
KEPT = (*HARDWARE, *WIDTHS, KERNELS, "accelerator_count", "batch_requests")
"""Quantities of the measured deployment that a calibration keeps beside it."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is known of a deployment; None is unknown.

    Attributes:
        accelerator: name of the accelerator, such as ``h100`` or ``nvidia/h100-sxm-80gb``.
        accelerator_count: accelerators that share one copy of the weights.
        batch_requests: requests decoded together.
        precision: ``bf16``, ``fp16``, ``fp8``, ``int8``, ``fp4``, ``nvfp4`` or ``int4``; only fp8
            and nvfp4 are also calculated with, where the accelerator can.
        output_tokens_per_s: speed of one request.
        first_token_s: time to the first token of one request [s].
    """

    accelerator: str | None = None
    accelerator_count: float | None = None
    batch_requests: float | None = None
    precision: str | None = None
    output_tokens_per_s: float | None = None
    first_token_s: float | None = None

    @property
    def given(self) -> tuple[str | None, float | None, str | None]:
        """Accelerator, number of accelerators and precision."""
        return self.accelerator, self.accelerator_count, self.precision

    @property
    def is_described(self) -> bool:
        """Whether more is known than how fast an answer was: somebody who knows it runs the service."""
        return any(fact is not None for fact in (*self.given, self.batch_requests))

    @property
    def speed(self) -> Speed:
        """What was seen of the speed, as far as the batch is not known anyhow."""
        return Speed(None if self.batch_requests is not None else self.output_tokens_per_s, self.first_token_s)


@dataclass(frozen=True, slots=True)
class Served:
    """An estimate with what it stands on.

    Attributes:
        estimate: coefficients, spread, drivers.
        assumed: quantities or ``accelerator``, ``precision``, ``batch`` that nobody gave.
        is_calibrated: True where a measured point of this model stands behind it.
        serving: the ranges that were used, by quantity.
        choices: driver -> the factor behind it; the scenarios as a whole stand behind the range of batches.
        accelerator: subject of the accelerator where one is given, else None.
        regime: how the service is run; None where a measured point stands for it.
        batch_that_fits: most requests of this length whose keys and values fit beside the weights, on the accelerators
            that were given; below 1 where not one does; None where nobody said which and how many they are.
    """

    estimate: ServingEstimate
    assumed: tuple[str, ...]
    is_calibrated: bool
    serving: Mapping[str, Range]
    choices: Mapping[str, Choice]
    accelerator: str | None = None
    regime: Regime | None = None
    batch_that_fits: float | None = None


def serve(
    edition: Edition,
    policy: str,
    facts: ModelFacts,
    deployment: Deployment,
    at: date,
    reference: Mapping[str, float] | None = None,
    provider: str | None = None,
) -> Served:
    """Estimate a model as served.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        facts: what the registry knows of the model.
        deployment: what is known of the deployment.
        at: day of the use.
        reference: ``reference_input_tokens`` and ``reference_output_tokens`` at which the range is worked out.
        provider: who hosts, as the record says; decides whether the service is run as a large operator's.

    Raises:
        UnknownName: there is no such accelerator or precision.
        FactorMissing: the library lacks what describes serving.
    """
    choices = serving_choices(edition, policy, at)
    shape = shape_of(facts)
    if deployment.accelerator is not None:
        choices |= accelerator_choices(edition, policy, find_accelerator(edition, deployment.accelerator), at)
    ranges = ranges_of(choices, reference)
    if edition.factors_for(CALIBRATED, facts.model):
        choices[CALIBRATED] = choose(edition, CALIBRATED, facts.model, at, policy)
        known = kept_facts(edition, policy, facts.model, at) | facts_of(edition, policy, deployment, at)
        exact = calibrated(ranges, choices[CALIBRATED].factor.range, known)
        return Served(estimate_serving(shape, exact), (), is_calibrated=True, serving=exact, choices=choices)
    groups = single_groups(edition, policy, deployment.given, facts, at)
    assumed = [name for name, group in groups.items() if len(group) > 1]
    if deployment.batch_requests is None and deployment.output_tokens_per_s is None:
        assumed.append("batch_requests")
    single = _settled(ranges, groups, deployment, shape)
    regime = Regime({SINGLE: 1.0}) if deployment.is_described else regime_of(edition, policy, provider, facts, at)
    ways = []
    if regime.shares.get(SINGLE):
        alone = worked_out(shape, single[0], groups, deployment.speed, is_settled=single[1])
        ways.append((regime.shares[SINGLE], alone))
    if regime.shares.get(OPERATOR):
        operated, behind = _operated(edition, policy, facts, at, (regime, deployment.speed, reference))
        ways.append((regime.shares[OPERATOR], operated))
        choices = choices | behind
    mids = {name: value.mid for name, value in single[0].items()}
    estimate = ways[0][1] if len(ways) == 1 else mixed(ways, mids)
    given = groups["accelerator"][0].name if deployment.accelerator is not None else None
    return Served(
        estimate,
        tuple(assumed),
        is_calibrated=False,
        serving=single[0],
        choices=choices,
        accelerator=given,
        regime=regime,
        batch_that_fits=_fitting(single[0], groups, deployment, shape),
    )


def _operated(
    edition: Edition,
    policy: str,
    facts: ModelFacts,
    at: date,
    seen: tuple[Regime, Speed, Mapping[str, float] | None],
) -> tuple[ServingEstimate, dict[str, Choice]]:
    """A model served by a large operator, held against what operators publish; and the factors behind it."""
    regime, speed, reference = seen
    choices = serving_choices(edition, policy, at, OPERATOR)
    bottom_up = operator_estimate(edition, policy, facts, at, ranges_of(choices, reference), speed)
    points = operator_points(edition, policy)
    common = {name: choices[name].factor.range for name in (SHARED, ONE_POINT)}
    return anchored(bottom_up, points.values, common, regime.operator, facts.model), {**choices, **points.choices}


def serving_ranges(edition: Edition, policy: str, at: date) -> dict[str, Range]:
    """The ranges that stand in for a deployment of which nothing is known, by quantity."""
    return ranges_of(serving_choices(edition, policy, at))


def facts_of(edition: Edition, policy: str, deployment: Deployment, at: date) -> dict[str, float]:
    """What is given of a deployment, as plain numbers: quantities of `joulebook.estimate.serving.HOSTED` and the count.

    Raises:
        UnknownName: there is no such accelerator or precision.
    """
    facts = given_facts(edition, policy, deployment.given, at)
    return facts if deployment.batch_requests is None else facts | {"batch_requests": deployment.batch_requests}


def kept_facts(edition: Edition, policy: str, model: str, at: date) -> dict[str, float]:
    """What a calibration kept of the deployment it measured, and what the registry says of the model's own weights."""
    names = [name for name in KEPT if edition.factors_for(name, model)]
    return {name: choose(edition, name, model, at, policy).factor.value for name in names}


def calibrated(ranges: Mapping[str, Range], measured: Range, known: Mapping[str, float]) -> dict[str, Range]:
    """Ranges of a deployment that was measured: its unknowns are inside the measured point.

    Args:
        ranges: what stands in for a deployment of which nothing is known.
        measured: true over estimated energy.
        known: what is known of the deployment; the estimate has its shape.
    """
    exact = {name: Range.exact(ranges[name].mid) for name in (*HOSTED, "memory_headroom_ratio")}
    alone = {name: Range.exact(1) for name in ("mixture_spread_ratio", "recurrent_spread_ratio")}
    given = {name: Range.exact(value) for name, value in known.items()}
    return {**ranges, **exact, **alone, **given, CALIBRATED: measured}


def _settled(
    ranges: Mapping[str, Range], groups: Mapping[str, list[Option]], deployment: Deployment, shape: ModelShape
) -> tuple[dict[str, Range], bool]:
    """Ranges with what is given, and whether nothing is left to spread over scenarios."""
    given = dict(ranges)
    if deployment.batch_requests is not None:
        given["batch_requests"] = Range.exact(deployment.batch_requests)
    single = [groups[name][0].facts for name in ("accelerator", "precision") if len(groups[name]) == 1]
    facts = limited({quantity: value for one in single for quantity, value in one.items()})
    given |= {quantity: Range.exact(value) for quantity, value in facts.items()}
    if len(groups["accelerator"]) == 1:
        given["accelerator_ratio"] = Range.exact(1)
    if deployment.accelerator_count is not None:
        given["accelerator_count"] = Range.exact(deployment.accelerator_count)
    has_load = deployment.batch_requests is not None
    is_settled = len(groups["accelerator"]) == len(groups["precision"]) == 1
    is_settled = is_settled and (has_load or deployment.accelerator_count is not None)
    if is_settled and not has_load and deployment.output_tokens_per_s is not None:
        given["batch_requests"] = _batch_range(given, shape, deployment.output_tokens_per_s)
    return given, is_settled


def _fitting(
    ranges: Mapping[str, Range], groups: Mapping[str, list[Option]], deployment: Deployment, shape: ModelShape
) -> float | None:
    """The largest batch on given accelerators, at the narrowest weights that the precision leaves open."""
    if deployment.accelerator is None or deployment.accelerator_count is None:
        return None
    values = {name: value.mid for name, value in ranges.items()}
    values["parameters_active_billion"] = shape.parameters_active_billion.mid
    values["parameters_total_billion"] = shape.parameters_total_billion.mid
    width = "weight_bytes_per_parameter"
    values[width] = min(option.facts[width] for option in groups["precision"])
    return batch_that_fits(values, shape.architecture)


def _batch_range(ranges: Mapping[str, Range], shape: ModelShape, speed: float) -> Range:
    """Batches that agree with a speed, the error of the step's time included."""
    mids = {name: value.mid for name, value in ranges.items()}
    mids["parameters_active_billion"] = shape.parameters_active_billion.mid
    mids["parameters_total_billion"] = shape.parameters_total_billion.mid
    match = ranges["speed_match_ratio"]
    low, mid, high = (batch_at_speed(mids, shape.architecture, speed * end) for end in (match.high, 1, match.low))
    return Range(min(low, mid), mid, max(mid, high))
