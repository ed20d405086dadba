"""What operators publish about their services, combined with the bottom-up estimate.

A published point is the energy of a like request, by who runs the service. Its log ratio to the bottom-up estimate of
the same request is taken as a sum of independent parts: what the method gets wrong for large operators as such
(``operator_estimate_ratio``), what is unknown of one operator's deployments, what is unknown of one model, and the
point's own noise (meter, tokens, boundary). Points of the same operator share its part, points on the same model the
model's. All parts are log-normal, so the best estimate of the ratio for another request is linear in the points: the
weights follow from the covariances (best linear unbiased prediction; with one shared part it is the precision-weighted
mean of a random-effects meta-analysis). The range that remains is the same arithmetic.

Source: Robinson 1991, "That BLUP is a good thing", Statistical Science 6(1), section 2.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulebook.estimate.drivers import combined, ordered
from joulebook.estimate.hosted import DEPLOYMENT
from joulebook.estimate.serving import ServingEstimate
from joulebook.terms.range import Z90, Range

SHARED = "operator_estimate_ratio"
"""Driver and quantity: true over estimated energy of large operators, before their points are looked at."""
ONE_POINT = "one_point_ratio"
"""Driver and quantity: true energy of other requests of a deployment over their estimate, one of them being known."""
PUBLISHED = "published_energy_kwh"
"""Quantity of a point; with ``@`` and the point's subject the name of its driver."""


@dataclass(frozen=True, slots=True)
class OperatorPoint:
    """A published energy beside its bottom-up estimate.

    Attributes:
        subject: the point's subject in the library.
        operator: who runs the service.
        model: subject of the model, as far as it is said.
        log_ratio: log of published over estimated accelerator energy.
        noise: sigma of the point itself.
        deployment: sigma of what is unknown of the deployment.
        facts: sigma of what is unknown of the model and of the method for it.
    """

    subject: str
    operator: str
    model: str
    log_ratio: float
    noise: float
    deployment: float
    facts: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """How the points shift one estimate.

    Attributes:
        shift_ratio: true over bottom-up energy, as the points say.
        weights: subject of a point -> its weight.
    """

    shift_ratio: float
    weights: Mapping[str, float]


def sigmas(drivers: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Sigma of what is unknown of the deployment, and of everything else, from the drivers of an estimate."""
    both = {name: (math.log(high) - math.log(low)) / (Z90 + Z90) for name, (low, high) in drivers.items()}
    rest = math.hypot(*(sigma for name, sigma in both.items() if name != DEPLOYMENT), 0)
    return both.get(DEPLOYMENT, 0.0), rest


def weigh(
    points: Sequence[OperatorPoint], shared: float, operator: str | None, model: str, own: tuple[float, float]
) -> Weighed:
    """Weights of the points for a request of a model at an operator.

    Args:
        points: what is published.
        shared: sigma of the part that all large operators share.
        operator: who runs the service; None is nobody of the points.
        model: subject of the model.
        own: sigmas of the request's deployment and model, from `sigmas`.
    """
    target = OperatorPoint("", operator or "", model, 0.0, 0.0, *own)
    matrix = [
        [_covariance(one, other, shared) + (one.noise * one.noise if one is other else 0) for other in points]
        for one in points
    ]
    weights = _solved(matrix, [_covariance(one, target, shared) for one in points])
    shift = sum(weight * point.log_ratio for weight, point in zip(weights, points, strict=True))
    return Weighed(math.exp(shift), {point.subject: weight for point, weight in zip(points, weights, strict=True)})


def anchored(
    estimate: ServingEstimate,
    points: Sequence[OperatorPoint],
    common: Mapping[str, Range],
    operator: str | None,
    model: str,
) -> ServingEstimate:
    """An estimate of a large operator's service, shifted and narrowed by what operators publish.

    Its drivers split the remaining range exactly: each part of the estimate by what the points leave of it, and each
    point by its weight. Requests of one deployment differ from each other by `ONE_POINT` however well one is known.

    Args:
        estimate: bottom-up estimate of the model under the regime of large operators.
        points: what is published.
        common: factors `SHARED` and `ONE_POINT`.
        operator: who runs the service.
        model: subject of the model.
    """
    own, shared = sigmas(estimate.drivers), common[SHARED]
    sigma = (shared.sigma_low + shared.sigma_high) / (1 + 1)
    found = weigh(points, sigma, operator, model, own)
    drivers = _remaining(estimate.drivers, points, found.weights, (operator or "", model, own))
    left = abs(1 - sum(found.weights.values()))
    drivers[ONE_POINT] = (common[ONE_POINT].low, common[ONE_POINT].high)
    drivers[SHARED] = ((shared.low / shared.mid) ** left, (shared.high / shared.mid) ** left)
    for point in points:
        apart = (
            _apart(points, found.weights, point, "operator", operator),
            _apart(points, found.weights, point, "model", model),
        )
        effect = math.exp(Z90 * math.hypot(found.weights[point.subject] * point.noise, *apart))
        drivers[f"{PUBLISHED}@{point.subject}"] = (1 / effect, effect)
    drivers = {name: (low, high) for name, (low, high) in drivers.items() if low < high}
    coefficients = {name: found.shift_ratio * value for name, value in estimate.coefficients.items()}
    return ServingEstimate(coefficients, combined(drivers), ordered(drivers), estimate.evidence)


def _apart(
    points: Sequence[OperatorPoint], weights: Mapping[str, float], point: OperatorPoint, kind: str, target: str | None
) -> float:
    """A point's part of what its operator (or model) brings into another's estimate.

    Points of one operator are wrong together: their weighted parts add before they are squared, and the square is split
    between them by size.
    """
    name = getattr(point, kind)
    if name == target:
        return 0.0
    of = {"operator": "deployment", "model": "facts"}[kind]
    parts = {one.subject: weights[one.subject] * getattr(one, of) for one in points if getattr(one, kind) == name}
    whole = sum(abs(part) for part in parts.values())
    return abs(sum(parts.values())) * math.sqrt(abs(parts[point.subject]) / whole) if whole > 0 else 0.0


def _remaining(
    drivers: Mapping[str, tuple[float, float]],
    points: Sequence[OperatorPoint],
    weights: Mapping[str, float],
    target: tuple[str, str, tuple[float, float]],
) -> dict[str, tuple[float, float]]:
    """Drivers of the bottom-up estimate with what the points of the same operator and model leave of them."""
    operator, model, (deployment, facts) = target
    known = sum(weights[one.subject] * one.deployment for one in points if one.operator == operator)
    kept = abs(1 - known / deployment) if deployment > 0 else 1.0
    known = sum(weights[one.subject] * one.facts for one in points if one.model == model)
    kept_facts = abs(1 - known / facts) if facts > 0 else 1.0
    powers = {name: kept if name == DEPLOYMENT else kept_facts for name in drivers}
    return {name: (low ** powers[name], high ** powers[name]) for name, (low, high) in drivers.items()}


def _covariance(one: OperatorPoint, other: OperatorPoint, shared: float) -> float:
    """Covariance of two log ratios, without the noise of the points."""
    same_operator = one.deployment * other.deployment if one.operator == other.operator else 0.0
    same_model = one.facts * other.facts if one.model == other.model else 0.0
    return shared * shared + same_operator + same_model


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solution of a small symmetric positive definite system, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for place in range(size):
        for below in range(place + 1, size):
            ratio = rows[below][place] / rows[place][place]
            rows[below] = [value - ratio * above for value, above in zip(rows[below], rows[place], strict=True)]
    found = [0.0] * size
    for place in reversed(range(size)):
        rest = sum(rows[place][later] * found[later] for later in range(place + 1, size))
        found[place] = (rows[place][size] - rest) / rows[place][place]
    return found
