"""Choose every factor a model or a place needs on a day, once, into values that join to many rows by equality."""

from collections.abc import Callable, Mapping
from datetime import date

from joulebook.account.embodied import embodied_per_hour, embodied_per_kwh
from joulebook.account.resolution import Part, Resolution, part_of
from joulebook.errors import FactorMissing
from joulebook.estimate.boundary import HOST
from joulebook.estimate.deployment import Deployment, serve
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.factors.choose import Choice, ModelFacts, choose, resolve_model, resolve_place
from joulebook.factors.edition import Edition
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


UNKNOWN = Deployment()
"""Nothing is known of how a model is served."""


def resolve_model_factors(
    edition: Edition, policy: str, provider: str, model: str, at: date, deployment: Deployment = UNKNOWN
) -> Resolution:
    """Factors of a hosted model and its servers on a day.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        provider: who hosts, as the record says; empty is unknown.
        model: as the record says; empty is unknown.
        at: day of the use.
        deployment: what is known of the servers.

    Returns:
        values for `MODEL_COLUMNS`.

    Raises:
        FactorMissing: the library lacks what describes serving; a broken library, not a property of the model.
    """
    facts = resolve_model(edition, provider or None, model or None, at)
    served = serve(edition, policy, facts, deployment, at, provider=provider or None)
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
        effect = effect_of(_embodied_g_per_kwh, mids, name, choice.factor.range, middle)
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


def effect_of(
    function: Callable[[Mapping[str, float]], float],
    values: Mapping[str, float],
    name: str,
    spanned: Range,
    middle: float,
) -> tuple[float, float]:
    """What a function becomes, as a multiple of its middle, at both ends of one of its inputs."""
    ends = [function({**values, name: end}) / middle for end in (spanned.low, spanned.high)]
    return min(1, *ends), max(1, *ends)


def _choice(edition: Edition, quantity: str, subject: str, at: date, policy: str) -> Choice | None:
    """The chosen factor, or None where the library has nothing for the quantity: the metric stays unknown."""
    try:
        return choose(edition, quantity, subject, at, policy)
    except FactorMissing:
        return None
