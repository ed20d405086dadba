"""How a model is served: what is given, what stands in for the rest, and the estimate that follows.

What the caller knows (accelerator, how many, batch, precision, speed) replaces the assumption; what remains unknown is
spread over the scenarios of `joulebook.estimate.hosted`. A calibrated model has a factor ``text_estimate_ratio`` of its
own and needs no deployment: its measured point stands for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from joulebook.errors import UnknownName
from joulebook.estimate.hardware import HARDWARE, find_accelerator, hardware_facts
from joulebook.estimate.hosted import SCENARIO, Option, estimate_hosted
from joulebook.estimate.serving import (
    ARCHITECTURE,
    HOSTED,
    SUBJECTS,
    ModelShape,
    ServingEstimate,
    estimate_serving,
)
from joulebook.estimate.speed import batch_at_speed
from joulebook.factors.choose import Choice, ModelFacts, choose
from joulebook.factors.edition import Edition
from joulebook.terms.range import Range

SHARE = "scenario_share_ratio"
PRECISION = "serving/precision-"
MULTIPLE = "serving/multiple-"
METHOD_SUBJECT = "serving/text"
SCENARIOS = "deployment"
"""Driver that stands for everything unknown about the deployment."""
CALIBRATED = "text_estimate_ratio"
"""Quantity that a calibration gives for one model."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is known of a deployment; None is unknown.

    Attributes:
        accelerator: name of the accelerator, such as ``h100`` or ``nvidia/h100-sxm-80gb``.
        accelerator_count: accelerators that share one copy of the weights.
        batch_requests: requests decoded together.
        precision: ``bf16``, ``fp8`` or ``fp4``.
        output_tokens_per_s: speed of one request.
    """

    accelerator: str | None = None
    accelerator_count: float | None = None
    batch_requests: float | None = None
    precision: str | None = None
    output_tokens_per_s: float | None = None


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
    """

    estimate: ServingEstimate
    assumed: tuple[str, ...]
    is_calibrated: bool
    serving: Mapping[str, Range]
    choices: Mapping[str, Choice]
    accelerator: str | None = None


def shape_of(facts: ModelFacts) -> ModelShape:
    """What the registry knows of a model, as the serving model takes it."""
    return ModelShape(
        facts.ranges["parameters_active_billion"],
        facts.ranges["parameters_total_billion"],
        {name: facts.ranges[name].mid for name in ARCHITECTURE if name in facts.ranges},
    )


def serve(
    edition: Edition,
    policy: str,
    facts: ModelFacts,
    deployment: Deployment,
    at: date,
    reference: Mapping[str, float] | None = None,
) -> Served:
    """Estimate a model as served.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        facts: what the registry knows of the model.
        deployment: what is known of the deployment.
        at: day of the use.
        reference: ``reference_input_tokens`` and ``reference_output_tokens`` at which the range is worked out.

    Raises:
        UnknownName: there is no such accelerator or precision.
        FactorMissing: the library lacks what describes serving.
    """
    choices = _choices(edition, policy, at)
    ranges = {name: choice.factor.range for name, choice in choices.items() if name != SCENARIOS}
    ranges |= {name: Range.exact(value) for name, value in (reference or {}).items() if value > 0}
    shape = shape_of(facts)
    if edition.factors_for(CALIBRATED, facts.model):
        choices[CALIBRATED] = choose(edition, CALIBRATED, facts.model, at, policy)
        exact = calibrated(ranges, choices[CALIBRATED].factor.range)
        return Served(estimate_serving(shape, exact), (), is_calibrated=True, serving=exact, choices=choices)
    groups = _groups(edition, policy, deployment, at)
    groups["precision"] = _as_published(groups["precision"], facts)
    assumed = [name for name, group in groups.items() if len(group) > 1]
    if deployment.batch_requests is None and deployment.output_tokens_per_s is None:
        assumed.append("batch_requests")
    ranges, is_settled = _settled(ranges, groups, deployment, shape)
    speed = None if deployment.batch_requests is not None else deployment.output_tokens_per_s
    estimate = _estimate(shape, ranges, groups, speed, is_settled=is_settled)
    given = groups["accelerator"][0].name if deployment.accelerator is not None else None
    return Served(estimate, tuple(assumed), is_calibrated=False, serving=ranges, choices=choices, accelerator=given)


def serving_ranges(edition: Edition, policy: str, at: date) -> dict[str, Range]:
    """The ranges that stand in for a deployment of which nothing is known, by quantity."""
    found = _choices(edition, policy, at)
    return {name: choice.factor.range for name, choice in found.items() if name != SCENARIOS}


def _choices(edition: Edition, policy: str, at: date) -> dict[str, Choice]:
    found = {name: choose(edition, name, subject, at, policy) for name, subject in SUBJECTS.items()}
    found |= {name: choose(edition, name, METHOD_SUBJECT, at, policy) for name in SCENARIO}
    found[SCENARIOS] = found["batch_requests"]
    return found


def _estimate(
    shape: ModelShape,
    ranges: Mapping[str, Range],
    groups: Mapping[str, list[Option]],
    speed: float | None,
    *,
    is_settled: bool,
) -> ServingEstimate:
    """The same facts give the same estimate: worked out once for all days on which they hold."""
    facts = tuple(sorted(shape.architecture.items()))
    options = tuple(
        tuple((option.name, option.share, tuple(sorted(option.facts.items()))) for option in group)
        for group in groups.values()
    )
    sizes = (shape.parameters_active_billion, shape.parameters_total_billion)
    return _worked_out(sizes, facts, tuple(sorted(ranges.items())), options, speed, is_settled=is_settled)


@cache
def _worked_out(
    sizes: tuple[Range, Range],
    facts: tuple[tuple[str, float], ...],
    ranges: tuple[tuple[str, Range], ...],
    options: tuple[tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...], ...],
    speed: float | None,
    *,
    is_settled: bool,
) -> ServingEstimate:
    shape = ModelShape(*sizes, dict(facts))
    if is_settled:
        return estimate_serving(shape, dict(ranges))
    groups = [[Option(name, share, dict(given)) for name, share, given in group] for group in options]
    return estimate_hosted(shape, dict(ranges), groups, speed)


def calibrated(ranges: Mapping[str, Range], measured: Range) -> dict[str, Range]:
    """Ranges of a deployment that was measured: its unknowns are inside the measured point."""
    exact = {name: Range.exact(ranges[name].mid) for name in (*HOSTED, "memory_headroom_ratio")}
    alone = {name: Range.exact(1) for name in ("mixture_spread_ratio", "recurrent_spread_ratio")}
    return {**ranges, **exact, **alone, CALIBRATED: measured}


def _groups(edition: Edition, policy: str, deployment: Deployment, at: date) -> dict[str, list[Option]]:
    accelerators = {row.subject for row in edition.factors_for(SHARE) if "/" in row.subject}
    accelerators = {subject for subject in accelerators if not subject.startswith("serving/")}
    if deployment.accelerator is not None:
        accelerators = {find_accelerator(edition, deployment.accelerator)}
    precisions = {row.subject for row in edition.factors_for(SHARE) if row.subject.startswith(PRECISION)}
    if deployment.precision is not None:
        if PRECISION + deployment.precision not in precisions:
            names = ", ".join(sorted(subject.removeprefix(PRECISION) for subject in precisions))
            raise UnknownName(kind="precision", name=deployment.precision, nearest=names)
        precisions = {PRECISION + deployment.precision}
    multiples = {row.subject for row in edition.factors_for(SHARE) if row.subject.startswith(MULTIPLE)}
    found = {
        "accelerator": _options(edition, policy, accelerators, HARDWARE, at),
        "precision": _options(edition, policy, precisions, ("weight_bytes_per_parameter", "compute_speed_ratio"), at),
        "accelerator_count": _options(edition, policy, multiples, ("accelerator_multiple",), at),
    }
    if deployment.accelerator_count is not None:
        given = {"accelerator_count": deployment.accelerator_count, "accelerator_multiple": 1.0}
        found["accelerator_count"] = [Option("given", 1.0, given)]
    return found


def _as_published(options: list[Option], facts: ModelFacts) -> list[Option]:
    """The precision in which a model's weights were published, where they were published in less than 16 bits."""
    published = facts.ranges.get("weight_bytes_per_parameter")
    if published is None or len(options) == 1:
        return options
    return [one for one in options if one.facts["weight_bytes_per_parameter"] == published.mid] or options


def _options(edition: Edition, policy: str, subjects: set[str], names: tuple[str, ...], at: date) -> list[Option]:
    """Options that exist on the day, with their shares; a single one needs no share."""
    found = []
    for subject in sorted(subjects):
        shares = [row for row in edition.factors_for(SHARE, subject) if row.holds(at)]
        if not shares and len(subjects) > 1:
            continue
        share = choose(edition, SHARE, subject, at, policy).factor.value if shares else 1.0
        if names == HARDWARE:
            facts = hardware_facts(edition, policy, subject, at)
        else:
            facts = {name: choose(edition, name, subject, at, policy).factor.value for name in names}
        found.append(Option(subject, share, facts))
    return found


def _settled(
    ranges: Mapping[str, Range], groups: Mapping[str, list[Option]], deployment: Deployment, shape: ModelShape
) -> tuple[dict[str, Range], bool]:
    """Ranges with what is given, and whether nothing is left to spread over scenarios."""
    given = dict(ranges)
    if deployment.batch_requests is not None:
        given["batch_requests"] = Range.exact(deployment.batch_requests)
    for name in ("accelerator", "precision"):
        if len(groups[name]) == 1:
            given |= {quantity: Range.exact(value) for quantity, value in groups[name][0].facts.items()}
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


def _batch_range(ranges: Mapping[str, Range], shape: ModelShape, speed: float) -> Range:
    """Batches that agree with a speed, the error of the step's time included."""
    mids = {name: value.mid for name, value in ranges.items()}
    mids["parameters_active_billion"] = shape.parameters_active_billion.mid
    mids["parameters_total_billion"] = shape.parameters_total_billion.mid
    match = ranges["speed_match_ratio"]
    low, mid, high = (batch_at_speed(mids, shape.architecture, speed * end) for end in (match.high, 1, match.low))
    return Range(min(low, mid), mid, max(mid, high))
