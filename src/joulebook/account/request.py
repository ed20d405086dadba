"""One request from its counts to its footprints, with ranges and what makes them wide.

The same formulas as for a book of many rows, on floats. The drivers of the serving estimate stay apart, so that the
result names the fact worth finding out next.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from joulebook.account.formulas import FORMULAS, INNER, inputs_of
from joulebook.account.interval import Share, Spread, total
from joulebook.account.resolution import Resolution, parts_behind
from joulebook.account.resolve import resolve_model_factors, resolve_place_factors
from joulebook.account.units_of_use import NO_USE
from joulebook.estimate.deployment import Deployment, Served, serve
from joulebook.estimate.serving import ServingEstimate
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.factors.choose import ModelFacts, resolve_model
from joulebook.factors.edition import Edition
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.usage import TOKEN_CLASSES


@dataclass(frozen=True, slots=True)
class Priced:
    """Footprints of one request.

    Attributes:
        ranges: metric -> low, mid, high in the unit of its column; a metric that cannot be known is absent.
        variance_ratio: metric -> quantity -> its part of the variance, largest first.
        unknown: columns of the place or server for which there is no factor at all.
    """

    ranges: Mapping[str, Range]
    variance_ratio: Mapping[str, Mapping[str, float]]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestEstimate:
    """One request of one model: what was found about it, how it is taken to be served, and the footprints."""

    facts: ModelFacts
    served: Served
    around: Resolution
    place: Resolution
    priced: Priced

    @property
    def tier(self) -> str:
        """The tier a posting of the same request gets."""
        return str(Tier.worst(self.around.tier, self.place.tier))


def estimate_request(
    edition: Edition,
    policy: str,
    usage: Mapping[str, Any],
    deployment: Deployment,
    at: date,
) -> RequestEstimate:
    """Estimate one request, or one row of equal requests.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        usage: ``provider``, ``model``, ``region`` (None is unknown), ``request_count`` and the five token classes.
        deployment: what is known of the deployment.
        at: day of the use.

    Raises:
        UnknownName: there is no such accelerator or precision.
    """
    provider, model = usage.get("provider"), usage.get("model")
    facts = resolve_model(edition, provider, model, at)
    counts = {name: float(usage.get(name) or 0) for name in TOKEN_CLASSES}
    requests = float(usage.get("request_count") or 1)
    reference = {
        "reference_input_tokens": sum(counts[name] for name in TOKEN_CLASSES if "output" not in name) / requests,
        "reference_output_tokens": sum(counts[name] for name in TOKEN_CLASSES if "output" in name) / requests,
    }
    served = serve(edition, policy, facts, deployment, at, reference, provider)
    around = resolve_model_factors(edition, policy, provider or "", model or "", at)
    place = resolve_place_factors(edition, policy, provider or "", usage.get("region") or "", at)
    priced = price_request(counts, requests, served.estimate, around, place)
    return RequestEstimate(facts, served, around, place, priced)


def price_request(
    counts: Mapping[str, float],
    requests: float,
    estimate: ServingEstimate,
    around: Resolution,
    place: Resolution,
) -> Priced:
    """Every metric of one row of usage.

    Args:
        counts: the five token classes.
        requests: how many equal requests the row stands for.
        estimate: coefficients and drivers of the model as served.
        around: host, idle machines and embodied share (from `resolve_model_factors`).
        place: PUE, WUE, grid and water (from `resolve_place_factors`).
    """
    row = {**counts, "request_count": requests, "per_request_ratio": 1 / requests}
    return _priced({**estimate.coefficients, **row}, estimate.drivers, around, place)


def price_energy(
    gpu_energy_kwh: float, drivers: Mapping[str, tuple[float, float]], around: Resolution, place: Resolution
) -> Priced:
    """Every metric of an accelerator energy that is known as such [kWh], with what makes it uncertain."""
    return _priced({"gpu_energy_kwh": gpu_energy_kwh}, drivers, around, place)


def _priced(
    given: Mapping[str, float], drivers: Mapping[str, tuple[float, float]], around: Resolution, place: Resolution
) -> Priced:
    known: dict[str, float | None] = {**NO_USE, **around.values, **place.values, **given}
    unknown: list[str] = []
    for formula in FORMULAS:
        if formula.__name__ in given or (formula.__name__ == "token_energy_kwh" and "gpu_energy_kwh" in given):
            continue
        inputs = {name: known.get(name) for name in inputs_of(formula)}
        unknown += [name for name, value in inputs.items() if value is None and name not in unknown]
        is_known = all(value is not None for value in inputs.values())
        known[formula.__name__] = formula(**inputs) if is_known else None
    metrics = {name: known[name] for name in (formula.__name__ for formula in FORMULAS) if name not in INNER}
    return _with_ranges(metrics, drivers, around, place, unknown)


def _with_ranges(
    metrics: Mapping[str, float | None],
    drivers: Mapping[str, tuple[float, float]],
    around: Resolution,
    place: Resolution,
    unknown: list[str],
) -> Priced:
    own = [
        Spread(name, Range(low, 1, high).sigma_low, Range(low, 1, high).sigma_high)
        for name, (low, high) in drivers.items()
    ]
    replaced = {part.factor_id for name in COEFFICIENTS for part in around.parts.get(name, ())}
    ranges, shares = {}, {}
    for metric, amount in metrics.items():
        if amount is None:
            continue
        parts = [part for part in parts_behind(metric, (around, place)) if part.factor_id not in replaced]
        names = {part.factor_id: part.quantity for part in parts}
        whole = total([Share(amount, [*own, *(part.spread for part in parts)])])
        ranges[metric] = whole.range
        ordered = sorted(whole.variance_ratio.items(), key=lambda item: -item[1])
        shares[metric] = {names.get(name, name): ratio for name, ratio in ordered if ratio > 0}
    return Priced(ranges, shares, tuple(name for name in unknown if name not in metrics))
