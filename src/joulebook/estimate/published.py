"""Points that operators publish, each beside the bottom-up estimate of the same request.

A point is a subject ``point/NAME`` with factors for its energy and its token counts, and links that say who runs the
service (``operator``), on which model (``model``) and what the energy covers (``boundary``). Its energy is brought down
to the accelerators by the ratios of the boundary ladder, with their ranges.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from joulebook.estimate.boundary import LADDER
from joulebook.estimate.calibrate import at_the_accelerator
from joulebook.estimate.drivers import drivers_of
from joulebook.estimate.hosted import UNSEEN
from joulebook.estimate.operators import PUBLISHED, OperatorPoint, sigmas
from joulebook.estimate.regime import OPERATOR
from joulebook.estimate.scenarios import operator_estimate, ranges_of, serving_choices
from joulebook.estimate.tokens import token_energy_kwh
from joulebook.factors.choose import PUBLISHED as WEIGHED
from joulebook.factors.choose import Choice, ModelFacts, choose, resolve_model
from joulebook.factors.edition import Edition, Factor, latest_known
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Z90, Range

TOKENS = ("uncached_input_tokens", "cache_read_tokens", "visible_output_tokens")
ANCHOR = "anchor"
"""Relation of a point that shifts estimates, to its operator; other points are for comparison only."""


@dataclass(frozen=True, slots=True)
class PublishedPoint:
    """A published energy of a request.

    Attributes:
        factor: the energy as published [kWh].
        operator: who runs the service, or who made the estimate.
        facts: the model it was, as far as it is said.
        accelerator_kwh: the energy at the accelerators [kWh].
        tokens: a range for each of `TOKENS`.
    """

    factor: Factor
    operator: str
    facts: ModelFacts
    accelerator_kwh: Range
    tokens: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class OperatorPoints:
    """The points that shift estimates, and the choice behind each driver they add."""

    values: tuple[OperatorPoint, ...]
    choices: Mapping[str, Choice]


_KEPT: dict[tuple[str, str], OperatorPoints] = {}


def operator_points(edition: Edition, policy: str) -> OperatorPoints:
    """Every point of the library that is an anchor; worked out once per edition and policy."""
    key = (edition.edition_id, policy)
    if key not in _KEPT:
        found = {}
        for point in published_points(edition, policy, ANCHOR):
            chosen = choose(edition, PUBLISHED, point.factor.subject, point.factor.valid_from, policy)
            weighed = replace(chosen, steps=(WEIGHED,))
            found[f"{PUBLISHED}@{point.factor.subject}"] = (compared(edition, policy, point), weighed)
        values = tuple(one for one, _chosen in found.values())
        _KEPT[key] = OperatorPoints(values, {name: chosen for name, (_one, chosen) in found.items()})
    return _KEPT[key]


def published_points(edition: Edition, policy: str, relation: str) -> list[PublishedPoint]:
    """Points with a link of a relation: `ANCHOR`, or another that marks points for comparison."""
    found = []
    for factor in latest_known(edition.factors_for(PUBLISHED)):
        links = edition.links_for(factor.subject, relation)
        if links:
            found.append(_point(edition, policy, factor, links[-1].object))
    return found


def compared(edition: Edition, policy: str, point: PublishedPoint) -> OperatorPoint:
    """A point beside the bottom-up estimate of the same request."""
    at = point.factor.valid_from
    mids = {name: spanned.mid for name, spanned in point.tokens.items()}
    estimate = operator_estimate(
        edition,
        policy,
        point.facts,
        at,
        ranges_of(serving_choices(edition, policy, at, OPERATOR), _reference(mids)),
        UNSEEN,
    )

    def energy(tokens: Mapping[str, float]) -> float:
        return request_kwh(estimate.coefficients, tokens)

    ends = drivers_of(energy, point.tokens)
    by_tokens = math.hypot(*((math.log(high) - math.log(low)) / (Z90 + Z90) for low, high in ends.values()), 0)
    measured = point.accelerator_kwh
    by_meter = (measured.sigma_low + measured.sigma_high) / (1 + 1)
    ratio = measured.mid / energy(mids)
    return OperatorPoint(
        point.factor.subject,
        point.operator,
        point.facts.model,
        math.log(ratio),
        math.hypot(by_tokens, by_meter),
        *sigmas(estimate.drivers),
    )


def request_kwh(coefficients: Mapping[str, float], tokens: Mapping[str, float]) -> float:
    """Accelerator energy of one request [kWh]."""
    return token_energy_kwh(
        request_count=1.0,
        per_request_ratio=1.0,
        cache_write_tokens=0.0,
        reasoning_output_tokens=0.0,
        **tokens,
        **coefficients,
    )


def _reference(tokens: Mapping[str, float]) -> dict[str, float]:
    return {
        "reference_input_tokens": tokens["uncached_input_tokens"] + tokens["cache_read_tokens"],
        "reference_output_tokens": tokens["visible_output_tokens"],
    }


def _point(edition: Edition, policy: str, factor: Factor, operator: str) -> PublishedPoint:
    subject, at = factor.subject, factor.valid_from
    tokens = {
        name: choose(edition, name, subject, at, policy).factor.range
        for name in TOKENS
        if edition.factors_for(name, subject)
    }
    covered = Boundary(edition.links_for(subject, "boundary")[-1].object)
    overheads = [
        choose(edition, name, host or operator, at, policy).factor.range
        for rung, name, host in LADDER
        if rung.rung <= covered.rung
    ]
    model = edition.links_for(subject, "model")[-1].object
    return PublishedPoint(
        factor,
        operator,
        resolve_model(edition, None, model, at),
        at_the_accelerator(factor.range, overheads),
        {name: tokens.get(name, Range.exact(0)) for name in TOKENS},
    )
