"""Two runs, models, plans or claims on the same rung: their ratio with range, and how probable it is that A is lower.

What both share (the same grid, the same PUE, the same host) moves both and cancels; what only one has widens the ratio.
Figures on different rungs are not compared.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from joulebook.account.ranges import probability_below
from joulebook.account.request import RequestEstimate
from joulebook.account.resolution import Part, Resolution, parts_behind
from joulebook.account.train_estimate import TrainingEstimate
from joulebook.errors import BoundaryMismatch
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.ledger.balance import Amount
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Range

Effect = tuple[float, float]
"""Log change of a figure at the low and at the high end of one factor's 80 % range."""

RUNGS: Mapping[str, Mapping[Boundary, str]] = {
    "energy": {
        Boundary.FACILITY: "facility_energy_kwh",
        Boundary.NODE_IDLE: "it_energy_kwh",
        Boundary.NODE: "node_energy_kwh",
        Boundary.GPU: "gpu_energy_kwh",
    },
    "co2e": {Boundary.FACILITY: "co2e_operational_location_g"},
    "embodied": {Boundary.NODE: "co2e_embodied_amortised_g"},
    "water-onsite": {Boundary.FACILITY: "water_onsite_l"},
    "water": {Boundary.FACILITY: "water_offsite_without_hydro_l"},
    "water-hydro": {Boundary.FACILITY: "water_offsite_hydro_l"},
}
"""What is compared -> rung, widest first -> column."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of one side: its middle and what each factor does to it."""

    mid: float
    effects: Mapping[str, Effect]

    @property
    def range(self) -> Range:
        """The figure's own 80 % range."""
        return _spread(self.mid, self.effects)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a name, and its figures by column."""

    name: str
    measures: Mapping[str, Measure]

    def rungs(self, kind: str) -> tuple[Boundary, ...]:
        """Rungs on which the side has a figure, widest first."""
        return tuple(boundary for boundary, metric in RUNGS[kind].items() if metric in self.measures)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A over B.

    Attributes:
        a, b: the figures.
        metric: their column.
        boundary: the rung both stand on.
        ratio: A over B.
        probability_a_lower: that A is lower than B, 0..1; says nothing where neither figure has a range.
        shared: factors that both have and that therefore cancel.
    """

    a: Range
    b: Range
    metric: str
    boundary: Boundary
    ratio: Range
    probability_a_lower: float
    shared: tuple[str, ...]


def compare(a: Side, b: Side, kind: str = "energy", boundary: Boundary | None = None) -> Comparison:
    """Compare two sides on the widest rung that both have, or on a given one.

    Args:
        a: the first side.
        b: the second side.
        kind: of `RUNGS`.
        boundary: the rung; None takes the widest common one.

    Raises:
        BoundaryMismatch: there is no common rung, or the given one is missing.
    """
    common = [rung for rung in a.rungs(kind) if rung in b.rungs(kind) and boundary in (None, rung)]
    if not common:
        raise BoundaryMismatch(
            a=a.name, b=b.name, rungs_a=_listed(a.rungs(kind)), rungs_b=_listed(b.rungs(kind)), kind=kind
        )
    rung = common[0]
    metric = RUNGS[kind][rung]
    one, other = a.measures[metric], b.measures[metric]
    shared = tuple(name for name in one.effects if name in other.effects)
    together = {
        name: _difference(one.effects.get(name, (float(0), float(0))), other.effects.get(name, (float(0), float(0))))
        for name in (*one.effects, *(name for name in other.effects if name not in one.effects))
    }
    ratio = _spread(one.mid / other.mid, together)
    return Comparison(one.range, other.range, metric, rung, ratio, probability_below(ratio, 1), shared)


def plan_side(name: str, estimate: TrainingEstimate) -> Side:
    """A training plan: factors of the place are shared with another plan, what differs from run to run is its own.

    A factor that stands for an unknown place is shared only with a plan of the same place.
    """
    measures = {}
    for figure in estimate.figures:
        if figure.metric in _COMPARED:
            effects = {_key(name, estimate, own): ends for own, ends in estimate.effects(figure.metric).items()}
            measures[figure.metric] = Measure(figure.value.mid, effects)
    return Side(name, measures)


OF_A_RUN = frozenset(
    {
        "utilisation_ratio",
        "flop_utilisation_ratio",
        "node_overhead_ratio",
        "idle_overhead_ratio",
        "device_power_kw",
        "peak_tflop_per_s",
    }
)
"""Inputs whose range is how runs differ from each other: never shared, though two plans take the same factor."""


def _key(side: str, estimate: TrainingEstimate, name: str) -> str:
    each = estimate.inputs[name]
    if name in OF_A_RUN or each.choice is None:
        return f"{side}: {name}"
    where = f" {estimate.plan.provider} {estimate.plan.region}" if each.choice.is_unknown else ""
    return f"{name} {each.choice.factor.factor_id}{where}"


def model_side(name: str, found: RequestEstimate, around: Resolution) -> Side:
    """One request of a hosted model: host, building and grid are shared with another model, its serving is its own."""
    replaced = {part.factor_id for column in COEFFICIENTS for part in around.parts.get(column, ())}
    own = {f"{name}: {driver}": _logs(low, high) for driver, (low, high) in found.served.estimate.drivers.items()}
    measures = {}
    for metric, value in found.priced.ranges.items():
        parts = [part for part in parts_behind(metric, (around, found.place)) if part.factor_id not in replaced]
        effects = {_part_key(part, found.place): _part_effect(part) for part in parts if part.value > 0}
        if metric in _COMPARED:
            measures[metric] = Measure(value.mid, {**own, **effects})
    return Side(name, measures)


def _part_key(part: Part, place: Resolution) -> str:
    return f"{part.factor_id} {place.subject}" if part.is_unknown else part.factor_id


def _part_effect(part: Part) -> Effect:
    if part.effect_low is not None and part.effect_high is not None:
        return _logs(part.effect_low, part.effect_high)
    return _logs(part.low / part.value, part.high / part.value)


def run_side(name: str, amounts: Mapping[str, Amount], where: str) -> Side:
    """A measured run: the factors of building, grid and machine that another run has as well cancel.

    Args:
        name: of the side.
        amounts: column -> figure with the factors behind it.
        where: place and machines; an unknown factor is shared only with a run of the same.
    """
    measures = {}
    for metric, amount in amounts.items():
        if metric in _COMPARED and amount.range.mid > 0:
            low, mid, high = amount.range
            down, up = _logs(low / mid, high / mid)
            effects = {
                f"{part.factor_id} {where}" if part.is_unknown else part.factor_id: (
                    down * math.sqrt(ratio),
                    up * math.sqrt(ratio),
                )
                for part, ratio in amount.drivers
            }
            measures[metric] = Measure(mid, effects)
    return Side(name, measures)


def range_side(name: str, ranges: Mapping[str, Range]) -> Side:
    """Figures of which only the range is known, such as a published figure; nothing is shared."""
    return Side(
        name,
        {
            metric: Measure(value.mid, {f"{name} {metric}": _logs(value.low / value.mid, value.high / value.mid)})
            for metric, value in ranges.items()
            if metric in _COMPARED and value.mid > 0
        },
    )


_COMPARED = frozenset(metric for rungs in RUNGS.values() for metric in rungs.values())


def _listed(rungs: tuple[Boundary, ...]) -> str:
    return ", ".join(str(rung) for rung in rungs) or "-"


def _logs(low: float, high: float) -> Effect:
    return (math.log(low) if low > 0 else -math.inf), math.log(high)


def _difference(one: Effect, other: Effect) -> Effect:
    return one[0] - other[0], one[-1] - other[-1]


def _spread(mid: float, effects: Mapping[str, Effect]) -> Range:
    down = math.hypot(*(min(*ends, float(0)) for ends in effects.values()))
    up = math.hypot(*(max(*ends, float(0)) for ends in effects.values()))
    return Range(mid * math.exp(-down), mid, mid * math.exp(up))
