"""Estimates over scenarios, from the factors of a day: a service run like the benchmark, or a large operator's."""

from collections.abc import Mapping
from datetime import date
from functools import cache

from joulebook.estimate.hosted import SCENARIO, Option, Speed, estimate_hosted
from joulebook.estimate.operators import ONE_POINT, SHARED
from joulebook.estimate.options import Asked, operator_groups
from joulebook.estimate.regime import OPERATOR, SINGLE
from joulebook.estimate.serving import ARCHITECTURE, SUBJECTS, ModelShape, ServingEstimate, estimate_serving
from joulebook.factors.choose import Choice, ModelFacts, choose
from joulebook.factors.edition import Edition
from joulebook.terms.range import Range

METHOD_SUBJECT = "serving/text"
SCENARIOS = "deployment"
"""Driver that stands for everything unknown about the deployment."""
FITTED = "fitted"
"""Relation of an accelerator to the method that was fitted on it."""
SPREAD = "hardware_spread_ratio"
UNFITTED = "serving/unfitted-accelerator"
OPERATED = ("batch_requests", "narrow_expert_compute_ratio", "hosted_estimate_ratio", "speed_match_ratio", SHARED)
"""Quantities that large operators have factors of their own for."""


def shape_of(facts: ModelFacts) -> ModelShape:
    """What the registry knows of a model, as the serving model takes it."""
    return ModelShape(
        facts.ranges["parameters_active_billion"],
        facts.ranges["parameters_total_billion"],
        {name: facts.ranges[name].mid for name in ARCHITECTURE if name in facts.ranges},
    )


def serving_choices(edition: Edition, policy: str, at: date, regime: str = SINGLE) -> dict[str, Choice]:
    """The factors that stand in for a deployment of which nothing is known, under a regime, by driver."""
    return dict(_chosen(Asked.of(edition, policy, at), regime))


@cache
def _chosen(asked: Asked, regime: str) -> Mapping[str, Choice]:
    edition, policy, at = asked.edition, asked.policy, asked.at
    found = {name: choose(edition, name, subject, at, policy) for name, subject in SUBJECTS.items()}
    found |= {name: choose(edition, name, METHOD_SUBJECT, at, policy) for name in SCENARIO}
    if regime == OPERATOR:
        found |= {name: choose(edition, name, OPERATOR, at, policy) for name in OPERATED}
        found[ONE_POINT] = choose(edition, ONE_POINT, METHOD_SUBJECT, at, policy)
    found[SCENARIOS] = found["batch_requests"]
    return found


def accelerator_choices(edition: Edition, policy: str, accelerator: str, at: date) -> dict[str, Choice]:
    """What an accelerator changes of the method: on one that no fitted row ran on, the range is wider."""
    if edition.links_for(accelerator, FITTED, at):
        return {}
    return {SPREAD: choose(edition, SPREAD, UNFITTED, at, policy)}


def ranges_of(choices: Mapping[str, Choice], reference: Mapping[str, float] | None = None) -> dict[str, Range]:
    """Ranges by quantity, with the request at which they are worked out."""
    ranges = {
        name: choice.factor.range for name, choice in choices.items() if name not in (SCENARIOS, SHARED, ONE_POINT)
    }
    return ranges | {name: Range.exact(value) for name, value in (reference or {}).items() if value > 0}


def operator_estimate(
    edition: Edition,
    policy: str,
    facts: ModelFacts,
    at: date,
    ranges: Mapping[str, Range],
    speed: Speed,
) -> ServingEstimate:
    """Bottom-up estimate of a model served by a large operator, before published points are looked at.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        facts: what the registry knows of the model.
        at: day of the use.
        ranges: from `ranges_of`, under the regime of operators.
        speed: what was seen of one request.
    """
    groups, shape = operator_groups(edition, policy, facts, at), shape_of(facts)
    if shape.is_dense:
        del groups["expert_parallel_groups"]
    return worked_out(shape, ranges, groups, speed, is_settled=False)


def worked_out(
    shape: ModelShape,
    ranges: Mapping[str, Range],
    groups: Mapping[str, list[Option]],
    speed: Speed,
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
    return _kept(sizes, facts, tuple(sorted(ranges.items())), options, speed, is_settled=is_settled)


@cache
def _kept(
    sizes: tuple[Range, Range],
    facts: tuple[tuple[str, float], ...],
    ranges: tuple[tuple[str, Range], ...],
    options: tuple[tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...], ...],
    speed: Speed,
    *,
    is_settled: bool,
) -> ServingEstimate:
    shape = ModelShape(*sizes, dict(facts))
    if is_settled:
        return estimate_serving(shape, dict(ranges))
    groups = [[Option(name, share, dict(given)) for name, share, given in group] for group in options]
    return estimate_hosted(shape, dict(ranges), groups, speed)
