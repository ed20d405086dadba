"""Large operators' services: the regime, and the energy that operators publish."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from joulebook.account.request import estimate_request
from joulebook.account.resolve import resolve_model_factors
from joulebook.errors import BadValue
from joulebook.estimate.deployment import Deployment, serve
from joulebook.estimate.hosted import DEPLOYMENT, Speed, mixed
from joulebook.estimate.operators import ONE_POINT, PUBLISHED, SHARED, OperatorPoint, anchored, sigmas, weigh
from joulebook.estimate.published import operator_points
from joulebook.estimate.regime import OPERATOR, SINGLE, regime_of
from joulebook.estimate.serving import ServingEstimate
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.factors.choose import resolve_model
from joulebook.factors.read import read_edition
from joulebook.terms.range import Z90, Range

POLICY = "ghgp-location"
AT = date(2025, 10, 1)
COMMON = {SHARED: Range(0.4, 1.0, 2.5), ONE_POINT: Range(0.8, 1.0, 1.25)}
DRIVERS = {DEPLOYMENT: (0.5, 2.0), "parameters_active_billion": (0.7, 1.5)}
POINTS = (
    OperatorPoint("point/a", "one", "one/m", math.log(0.5), 0.2, 0.6, 0.4),
    OperatorPoint("point/b", "two", "two/m", math.log(1.5), 0.5, 0.7, 0.5),
    OperatorPoint("point/c", "one", "one/n", math.log(0.8), 0.3, 0.6, 0.3),
)


@pytest.fixture(scope="module")
def edition():
    """The shipped library."""
    return read_edition()


def flat(drivers=DRIVERS):
    """An estimate whose coefficients are all one."""
    return ServingEstimate(dict.fromkeys(COEFFICIENTS, 1.0), Range.exact(1), drivers)


def variance(drivers):
    """Of the logs, from symmetric drivers."""
    return sum(((math.log(high) - math.log(low)) / 2 / Z90) ** 2 for low, high in drivers.values())


def reference_posterior(points, operator, model):
    """Mean and variance of the log ratio by matrix algebra."""
    sigma = (COMMON[SHARED].sigma_low + COMMON[SHARED].sigma_high) / 2
    own = sigmas(DRIVERS)

    def covariance(a, b):
        return sigma**2 + (a[0] == b[0]) * a[2] * b[2] + (a[1] == b[1]) * a[3] * b[3]

    rows = [(p.operator, p.model, p.deployment, p.facts) for p in points]
    target = (operator, model, *own)
    matrix = np.array([[covariance(a, b) for b in rows] for a in rows]) + np.diag([p.noise**2 for p in points])
    side = np.array([covariance(a, target) for a in rows])
    weights = np.linalg.solve(matrix, side)
    return weights @ [p.log_ratio for p in points], covariance(target, target) - weights @ side


def test_without_points_nothing_shifts():
    """With nothing published the middle stays, and the range gains what large operators may have in common."""
    found = anchored(flat(), (), COMMON, "one", "one/m")
    assert found.coefficients == flat().coefficients
    assert set(found.drivers) == {*DRIVERS, SHARED, ONE_POINT}


@pytest.mark.parametrize(
    ("operator", "model", "points"),
    [("one", "one/m", POINTS[:2]), ("two", "two/x", POINTS[:2]), ("new", "new/m", POINTS), (None, "x", POINTS[:1])],
)
def test_shift_and_range_are_those_of_the_joint_normal(operator, model, points):
    """Middle and variance agree with the conditional distribution, and the drivers split the variance exactly."""
    found = anchored(flat(), points, COMMON, operator, model)
    mean, left = reference_posterior(points, operator, model)
    assert math.log(found.coefficients["output_kwh_per_token"]) == pytest.approx(mean)
    drivers = {name: ends for name, ends in found.drivers.items() if name != ONE_POINT}
    assert variance(drivers) == pytest.approx(left, rel=0.02)  # the shipped ends of SHARED are not quite symmetric


def test_an_exact_point_of_the_same_service_pins_the_estimate():
    """Where the same operator publishes the same model without noise, the estimate is what it publishes."""
    point = replace(POINTS[0], noise=0.0, deployment=sigmas(DRIVERS)[0], facts=sigmas(DRIVERS)[1])
    found = anchored(flat(), (point,), COMMON, "one", "one/m")
    assert found.coefficients["output_kwh_per_token"] == pytest.approx(0.5)
    assert set(found.drivers) == {ONE_POINT}


def test_own_points_weigh_more_than_others_and_order_does_not_matter():
    """The point of the same operator has the larger weight, and the points may come in any order."""
    forward = weigh(POINTS, 0.7, "two", "two/x", sigmas(DRIVERS))
    backward = weigh(POINTS[::-1], 0.7, "two", "two/x", sigmas(DRIVERS))
    assert forward.weights["point/b"] > max(forward.weights["point/a"], forward.weights["point/c"])
    assert forward.shift_ratio == pytest.approx(backward.shift_ratio)


def test_a_mixture_lies_between_its_parts_and_spans_them():
    """A service that may run in two ways has a middle between both, and a range that knows their distance."""
    high = replace(flat(), coefficients=dict.fromkeys(COEFFICIENTS, 8.0))
    reference = {"reference_input_tokens": 1000.0, "reference_output_tokens": 300.0}
    found = mixed([(0.5, flat()), (0.5, high)], reference)
    assert found.coefficients["output_kwh_per_token"] == pytest.approx(math.sqrt(8.0))
    assert found.spread.high > flat().drivers[DEPLOYMENT][1] * 2


@pytest.mark.parametrize(
    ("provider", "model", "regimes", "operator"),
    [
        ("openai", "gpt-4o", {OPERATOR: 1.0}, "openai"),
        (None, "gpt-4o", {OPERATOR: 1.0}, "openai"),
        ("deepseek", "deepseek-v3", {OPERATOR: 1.0}, "deepseek"),
        ("own", "deepseek-v3", {SINGLE: 1.0}, None),
        (None, "deepseek-v3", {SINGLE: 0.5, OPERATOR: 0.5}, None),
        (None, None, {SINGLE: 0.5, OPERATOR: 0.5}, None),
    ],
)
def test_who_serves_decides_how(edition, provider, model, regimes, operator):
    """Closed models and known operators are large operators' services; an open model at an unknown host is either."""
    found = regime_of(edition, POLICY, provider, resolve_model(edition, provider, model, AT), AT)
    assert dict(found.shares) == regimes
    assert found.operator == operator


def test_a_described_deployment_is_not_an_operator(edition):
    """Who names accelerator and batch gets the measured regime, whatever operators publish."""
    facts = resolve_model(edition, "deepseek", "deepseek-v3", AT)
    described = Deployment("h100", 8, 64, "fp8")
    with_provider = serve(edition, POLICY, facts, described, AT, provider="deepseek").estimate
    assert with_provider == serve(edition, POLICY, facts, described, AT).estimate


def test_an_accelerator_that_was_not_fitted_widens_the_range(edition):
    """The same deployment has a wider range on a board that no fitted row ran on."""
    facts = resolve_model(edition, None, "llama-3.1-8b-instruct", AT)
    fitted, other = (
        serve(edition, POLICY, facts, Deployment(board, 1, 8, "bf16"), AT).estimate
        for board in ("a100-sxm-40gb", "l40s")
    )
    assert other.drivers["text_estimate_ratio"][1] > fitted.drivers["text_estimate_ratio"][1] * 1.1
    assert other.spread.high > fitted.spread.high


def test_published_points_are_drivers_with_their_factors(edition):
    """An estimate of an operator's service names each published point, with the factor behind it."""
    facts = resolve_model(edition, "google", "gemini-2.5-flash", AT)
    found = serve(edition, POLICY, facts, Deployment(), AT, provider="google")
    names = [name for name in found.estimate.drivers if name.startswith(PUBLISHED)]
    assert f"{PUBLISHED}@point/google-2025-05" in names
    assert all(found.choices[name].factor.quantity == PUBLISHED for name in names)
    resolved = resolve_model_factors(edition, POLICY, "google", "gemini-2.5-flash", AT)
    parts = resolved.parts["output_kwh_per_token"]
    assert {part.subject for part in parts if part.quantity == PUBLISHED} == {name.partition("@")[2] for name in names}


def test_only_energies_that_operators_publish_shift_estimates(edition):
    """Statements without an energy, demonstrations and studies are for comparison and have no weight."""
    assert {point.subject for point in operator_points(edition, POLICY).values} == {
        "point/deepseek-2025-02",
        "point/openai-2025-06",
        "point/google-2025-05",
    }


def test_deepseek_is_estimated_at_what_it_publishes(edition):
    """DeepSeek's own service comes out at 0.13 Wh of accelerators per 1,000 output tokens, within a quarter."""
    usage = {
        "provider": "deepseek",
        "model": "deepseek-v3",
        "uncached_input_tokens": 1583,
        "cache_read_tokens": 2036,
        "visible_output_tokens": 1000,
    }
    found = estimate_request(edition, POLICY, usage, Deployment(), date(2025, 3, 1))
    assert found.priced.ranges["gpu_energy_kwh"].mid == pytest.approx(1.3e-4, rel=0.25)


def test_the_first_token_narrows_a_hosted_estimate(edition):
    """A very late or very early first token speaks for some deployments and against others; the range gets no wider."""
    facts = resolve_model(edition, "own", "llama-3.3-70b-instruct", AT)
    reference = {"reference_input_tokens": 8000.0, "reference_output_tokens": 300.0}
    unseen, early, late = (
        serve(edition, POLICY, facts, Deployment(first_token_s=first), AT, reference, "own").estimate
        for first in (None, 0.3, 8.0)
    )
    assert unseen.drivers[DEPLOYMENT] != late.drivers[DEPLOYMENT]
    assert early.coefficients["input_kwh_per_token"] < late.coefficients["input_kwh_per_token"]
    assert early.drivers[DEPLOYMENT][1] < unseen.drivers[DEPLOYMENT][1] * 1.05
    with pytest.raises(BadValue):
        serve(edition, POLICY, facts, Deployment(first_token_s=-1.0), AT, reference, "own")
    assert Speed().first_token_s is None


@pytest.mark.parametrize(("region", "tier"), [("KOR", "estimated"), (None, "assumed")])
def test_an_estimate_has_the_tier_of_its_posting(edition, region, tier):
    """Estimate and report call the same request by the same tier: assumed where model or place is not known."""
    usage = {"provider": "openai", "model": "gpt-4o", "region": region, "visible_output_tokens": 100}
    assert estimate_request(edition, POLICY, usage, Deployment(), AT).tier == tier
