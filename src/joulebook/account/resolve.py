"""Choose every factor a model or a place needs on a day, once, into values that join to many rows by equality."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from joulebook.account.embodied import embodied_per_hour, embodied_per_kwh
from joulebook.account.resolution import Part, Resolution, part_of
from joulebook.account.resolve_hour import at_hour
from joulebook.errors import FactorMissing
from joulebook.estimate.boundary import HOST
from joulebook.estimate.deployment import Deployment, serve
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.factors.choose import Choice, ModelFacts, choose, resolve_model, resolve_place
from joulebook.factors.edition import Edition
from joulebook.factors.hourly import Hours
from joulebook.terms.range import Range
from joulebook.terms.scope import Stage
from joulebook.terms.units import convert

SITE_COLUMNS = ("pue_ratio", "wue_l_per_kwh")
ZONE_COLUMNS = (
    "intensity_g_per_kwh",
    "grid_loss_ratio",
    "upstream_g_per_kwh",
    "water_intensity_without_hydro_l_per_kwh",
    "water_intensity_hydro_l_per_kwh",
)
BOUNDARY_COLUMNS = ("node_overhead_ratio", "idle_overhead_ratio")
PLACE_COLUMNS = (*SITE_COLUMNS, *ZONE_COLUMNS)
MODEL_COLUMNS = (*COEFFICIENTS, *BOUNDARY_COLUMNS, "embodied_g_per_kwh")

HOSTED = "serving/hosted"
"""Subject of what is known of a deployment that nobody describes."""

EMBODIED = (
    "device_embodied_g",
    "server_embodied_g",
    "devices_per_server_count",
    "server_life_h",
    "device_in_use_ratio",
    "device_mean_power_w",
)
"""Factors behind `embodied_g_per_kwh`."""


def resolve_place_factors(edition: Edition, policy: str, provider: str, region: str, at: date) -> Resolution:
    """Factors of a place on a day.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        provider: who hosts, as the record says; empty is unknown.
        region: as the record says; empty is unknown.
        at: day of the use.

    Returns:
        values for `PLACE_COLUMNS`; None where the library has nothing, not even a range, and for the upstream of a
        life-cycle intensity, which contains it.
    """
    place = resolve_place(edition, provider or None, region or None, at)
    values: dict[str, float | None] = {}
    parts: dict[str, tuple[Part, ...]] = {}
    is_life_cycle = False
    for column in PLACE_COLUMNS:
        if column == "upstream_g_per_kwh" and is_life_cycle:
            values[column] = None  # it is inside the intensity already; counting it apart would count it twice
            continue
        subject = place.site if column in SITE_COLUMNS else place.zone
        choice = _choice(edition, column, subject, at, policy)
        values[column] = choice.factor.value if choice else None
        if choice:
            hint = place.hint if choice.is_unknown and place.hint else choice.hint
            parts[column] = (part_of(choice.factor, choice.chosen_because, hint, is_unknown=choice.is_unknown),)
        if column == "intensity_g_per_kwh":
            is_life_cycle = choice is not None and choice.factor.basis.get("stage") == Stage.LIFE_CYCLE
    shown = f"{provider}:{region}" if region else provider
    names = {"zone": place.zone, "site": place.site, "chosen_because": place.chosen_because, "hint": place.hint}
    return Resolution(shown, values, parts, names)


def resolve_model_factors(edition: Edition, policy: str, provider: str, model: str, at: date) -> Resolution:
    """Factors of a hosted model and its servers on a day.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        provider: who hosts, as the record says; empty is unknown.
        model: as the record says; empty is unknown.
        at: day of the use.

    Returns:
        values for `MODEL_COLUMNS`.

    Raises:
        FactorMissing: the library lacks what describes serving; a broken library, not a property of the model.
    """
    facts = resolve_model(edition, provider or None, model or None, at)
    served = serve(edition, policy, facts, Deployment(), at, provider=provider or None)
    estimate = served.estimate
    values: dict[str, float | None] = dict(estimate.coefficients)
    behind = [
        part
        for name, effect in estimate.drivers.items()
        for part in _driver_parts(name, effect, served.choices.get(name), facts)
    ]
    parts = dict.fromkeys(COEFFICIENTS, tuple(behind))
    for column in BOUNDARY_COLUMNS:
        choice = choose(edition, column, HOST, at, policy)
        values[column] = choice.factor.value
        parts[column] = (part_of(choice.factor, choice.chosen_because, choice.hint),)
    values["embodied_g_per_kwh"], parts["embodied_g_per_kwh"] = _embodied(edition, policy, at)
    names = {"model": facts.model, "chosen_because": facts.chosen_because, "hint": facts.hint}
    return Resolution(model or facts.model, values, parts, names)


def _driver_parts(name: str, effect: tuple[float, float], choice: Choice | None, facts: ModelFacts) -> tuple[Part, ...]:
    """The factor behind one driver of the estimate: a fact of serving, or a fact of the model."""
    if choice is not None:
        return (part_of(choice.factor, choice.chosen_because, choice.hint, effect=effect),)
    rows = facts.factors[name]
    spanned = facts.ranges[name]
    return (
        part_of(rows[0], facts.chosen_because, facts.hint, is_unknown=facts.is_unknown, effect=effect, spanned=spanned),
    )


def _embodied(edition: Edition, policy: str, at: date) -> tuple[float | None, tuple[Part, ...]]:
    """Embodied CO2e per kWh of the accelerators, from the factors of a server of the kind that serves models."""
    choices = {name: _choice(edition, name, HOSTED, at, policy) for name in EMBODIED}
    chosen = {name: choice for name, choice in choices.items() if choice is not None}
    if len(chosen) < len(EMBODIED):
        return None, ()
    mids = {name: choice.factor.value for name, choice in chosen.items()}
    middle = _embodied_g_per_kwh(mids)
    parts = []
    for name, choice in chosen.items():
        effect = _effect(_embodied_g_per_kwh, mids, name, choice.factor.range, middle)
        parts.append(part_of(choice.factor, choice.chosen_because, choice.hint, effect=effect))
    return middle, tuple(parts)


def _embodied_g_per_kwh(values: Mapping[str, float]) -> float:
    per_hour = embodied_per_hour(
        values["device_embodied_g"],
        values["server_embodied_g"],
        values["devices_per_server_count"],
        values["server_life_h"],
        values["device_in_use_ratio"],
    )
    return embodied_per_kwh(per_hour, convert(values["device_mean_power_w"], "W", "kW"))


def _effect(
    function: Callable[[Mapping[str, float]], float],
    values: Mapping[str, float],
    name: str,
    spanned: Range,
    middle: float,
) -> tuple[float, float]:
    ends = [function({**values, name: end}) / middle for end in (spanned.low, spanned.high)]
    return min(1, *ends), max(1, *ends)


def _choice(edition: Edition, quantity: str, subject: str, at: date, policy: str) -> Choice | None:
    """The chosen factor, or None where the library has nothing for the quantity: the metric stays unknown."""
    try:
        return choose(edition, quantity, subject, at, policy)
    except FactorMissing:
        return None


class Resolver:
    """Resolves each model and place once, and gives the small tables that join to usage.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        hours: hourly values that were fetched, where the periods of the keys are hours; None where they are days.
    """

    def __init__(self, edition: Edition, policy: str, hours: Hours | None = None) -> None:
        self.edition, self.policy, self.hours = edition, policy, hours
        self.resolutions: dict[str, Resolution] = {}
        self._days: dict[tuple[str, ...], Resolution] = {}

    def models(self, keys: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One row per key (``provider_key``, ``model_key``, ``day``) with `MODEL_COLUMNS` and the resolution's id."""
        return [
            self._row(key, self._of_day(resolve_model_factors, key, "model_key"), "model_resolution_id", {})
            for key in keys
        ]

    def places(self, keys: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One row per key (``provider_key``, ``region_key``, ``day``) with `PLACE_COLUMNS`, zone and id."""
        rows = []
        for key in keys:
            found = self._of_day(resolve_place_factors, key, "region_key")
            if self.hours is not None:
                found = at_hour(found, self.edition, self.hours, self.policy, key["day"])
            rows.append(self._row(key, found, "place_resolution_id", {"zone": found.names["zone"]}))
        return rows

    def _of_day(self, resolve: Callable[..., Resolution], key: Mapping[str, Any], name: str) -> Resolution:
        """What holds for the day of a key, which the hours of a day share."""
        day: date = key["day"].date()
        asked = (name, key["provider_key"], key[name], day.isoformat())
        if asked not in self._days:
            self._days[asked] = resolve(self.edition, self.policy, key["provider_key"], key[name], day)
        return self._days[asked]

    def _row(
        self, key: Mapping[str, Any], found: Resolution, id_name: str, more: Mapping[str, str | None]
    ) -> dict[str, Any]:
        resolution_id = found.resolution_id
        self.resolutions[resolution_id] = found
        return {**key, **found.values, **more, id_name: resolution_id}


def shares(counts: Iterable[int | None]) -> list[dict[str, Any]]:
    """One over each number of requests that a row stands for: the division the big side must not do.

    An unknown number has no share; its rows stay without energy.
    """
    known = dict.fromkeys(count for count in (1, *counts) if count)
    return [{"request_count": count, "per_request_ratio": 1 / count} for count in known]
