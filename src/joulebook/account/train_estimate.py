"""A training run before or after the fact: devices and hours, or model and data, to kWh, CO2e and litres with ranges.

Every figure goes through the formulas of this package; each input is varied once for all places where it occurs, so the
intensity of a grid widens CO2e and grid losses together.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joulebook.account.embodied import embodied_device_hours_g, embodied_per_hour
from joulebook.account.lifecycle import amortised_per_use, break_even_count, break_even_s
from joulebook.account.operational import co2e_grid_losses_g, co2e_operational_location_g, co2e_upstream_g
from joulebook.account.overhead import facility_energy_kwh
from joulebook.account.ranges import propagate
from joulebook.account.train_inputs import TrainingPlan, TrainInput, training_inputs
from joulebook.account.training import device_energy_kwh, device_hours, device_s_of_flop, training_flop
from joulebook.account.water import water_offsite_hydro_l, water_offsite_without_hydro_l, water_onsite_l
from joulebook.estimate.boundary import it_energy_kwh, node_energy_kwh
from joulebook.factors.edition import Edition
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Range
from joulebook.terms.scope import Stage
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One result.

    Attributes:
        metric: its column.
        value: low, mid and high in the column's unit.
        boundary: what is inside.
    """

    metric: str
    value: Range
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """A training run with its footprint.

    Attributes:
        plan: what was asked.
        inputs: what it was computed from, by column.
        figures: the results, in order of the ladder.
    """

    plan: TrainingPlan
    inputs: Mapping[str, TrainInput]
    figures: tuple[Figure, ...]

    @property
    def tier(self) -> Tier:
        """The worst tier of the inputs."""
        return Tier.worst(*(each.tier for each in self.inputs.values()))

    @property
    def is_unknown(self) -> bool:
        """Whether the device, or the grid it ran on, is not known."""
        asked = (self.inputs.get(name) for name in ("device_power_kw", "intensity_g_per_kwh"))
        return any(each is not None and each.choice is not None and each.choice.is_unknown for each in asked)

    def figure(self, metric: str) -> Range:
        """One result by its column."""
        return next(each.value for each in self.figures if each.metric == metric)

    def effects(self, metric: str) -> dict[str, tuple[float, float]]:
        """Log change of a result at the low and high end of each input that is uncertain, alone."""
        function = _FORMULAS[metric][0]
        mids = {name: each.value.mid for name, each in self.inputs.items()}
        mid = function(mids)
        found = {}
        for name, each in self.inputs.items():
            low, high = (function({**mids, name: end}) for end in (each.value.low, each.value.high))
            if low != high and min(low, high) > 0:
                found[name] = (math.log(low / mid), math.log(high / mid))
        return found

    def drivers(self, metric: str) -> list[tuple[str, float]]:
        """Inputs that make a result uncertain: high over low that each makes alone, largest first."""
        found = [(name, math.exp(max(ends) - min(ends))) for name, ends in self.effects(metric).items()]
        return sorted(found, key=lambda pair: -pair[-1])


def estimate_training(edition: Edition, plan: TrainingPlan) -> TrainingEstimate:
    """The footprint of a training run.

    Args:
        edition: the factors.
        plan: what is known of the run.

    Returns:
        the figures; upstream is left out where the grid's factor is life-cycle and has it inside.

    Raises:
        UsageError: too little is known to compute hours of devices.

    Source: Patterson et al., arXiv:2104.10350, section 2; SCI (ISO/IEC 21031); GHG Protocol.
    """
    inputs = training_inputs(edition, plan)
    intensity = inputs["intensity_g_per_kwh"].choice
    is_life_cycle = intensity is not None and intensity.factor.basis.get("stage") == Stage.LIFE_CYCLE
    figures = tuple(
        Figure(metric, _ranged(function, inputs), boundary)
        for metric, (function, boundary) in _FORMULAS.items()
        if not (is_life_cycle and metric == "co2e_upstream_g")
    )
    return TrainingEstimate(plan, inputs, figures)


def break_even(estimate: TrainingEstimate, per_use: Range, uses_per_s: float | None) -> tuple[Range, Range | None]:
    """Uses, and seconds, until use has taken as much energy as the training; per use in kWh at the building's meter.

    Raises:
        BadValue: a use takes nothing, or there are none.
    """
    training = estimate.figure("facility_energy_kwh")
    count = propagate(break_even_count, training, per_use)
    if uses_per_s is None:
        return count, None
    return count, propagate(lambda whole, one: break_even_s(whole, one, uses_per_s), training, per_use)


def amortised(estimate: TrainingEstimate, lifetime_uses: float) -> Mapping[str, Range]:
    """What one use carries of the training, per column, over all uses of the model's life.

    Raises:
        BadValue: there are no uses.
    """
    return {
        metric: propagate(lambda whole: amortised_per_use(whole, lifetime_uses), estimate.figure(metric))
        for metric in ("facility_energy_kwh", "co2e_operational_location_g", "co2e_embodied_amortised_g")
    }


def _ranged(function: Callable[[Values], float], inputs: Mapping[str, TrainInput]) -> Range:
    names = list(inputs)
    return propagate(
        lambda *numbers: function(dict(zip(names, numbers, strict=True))), *(inputs[name].value for name in names)
    )


def _hours(v: Values) -> float:
    if "device_count" in v:
        return device_hours(v["device_count"], v["run_h"])
    flop = training_flop(v["parameter_count"], v["training_tokens"], v["flop_per_parameter_token"])
    peak = convert(v["peak_tflop_per_s"], "1e12", "1")
    return convert(device_s_of_flop(flop, peak, v["flop_utilisation_ratio"]), "s", "h")


def _gpu(v: Values) -> float:
    return device_energy_kwh(_hours(v), v["device_power_kw"], v["utilisation_ratio"])


def _it(v: Values) -> float:
    return it_energy_kwh(node_energy_kwh(_gpu(v), v["node_overhead_ratio"], 0), v["idle_overhead_ratio"])


def _facility(v: Values) -> float:
    return facility_energy_kwh(_it(v), v["pue_ratio"])


def _embodied(v: Values) -> float:
    per_hour = embodied_per_hour(
        v["embodied_g"],
        v["server_embodied_g"],
        v["devices_per_server_count"],
        v["server_life_h"],
        v["device_in_use_ratio"],
    )
    return embodied_device_hours_g(_hours(v), per_hour)


_FORMULAS: Mapping[str, tuple[Callable[[Values], float], Boundary]] = {
    "device_hours": (_hours, Boundary.GPU),
    "gpu_energy_kwh": (_gpu, Boundary.GPU),
    "node_energy_kwh": (lambda v: node_energy_kwh(_gpu(v), v["node_overhead_ratio"], 0), Boundary.NODE),
    "it_energy_kwh": (_it, Boundary.NODE_IDLE),
    "facility_energy_kwh": (_facility, Boundary.FACILITY),
    "co2e_operational_location_g": (
        lambda v: co2e_operational_location_g(_facility(v), v["intensity_g_per_kwh"]),
        Boundary.FACILITY,
    ),
    "co2e_grid_losses_g": (
        lambda v: co2e_grid_losses_g(_facility(v), v["intensity_g_per_kwh"], v["grid_loss_ratio"]),
        Boundary.FACILITY,
    ),
    "co2e_upstream_g": (lambda v: co2e_upstream_g(_facility(v), v["upstream_g_per_kwh"]), Boundary.FACILITY),
    "co2e_embodied_amortised_g": (_embodied, Boundary.NODE),
    "water_onsite_l": (lambda v: water_onsite_l(_it(v), v["wue_l_per_kwh"]), Boundary.FACILITY),
    "water_offsite_without_hydro_l": (
        lambda v: water_offsite_without_hydro_l(_facility(v), v["water_intensity_without_hydro_l_per_kwh"]),
        Boundary.FACILITY,
    ),
    "water_offsite_hydro_l": (
        lambda v: water_offsite_hydro_l(_facility(v), v["water_intensity_hydro_l_per_kwh"]),
        Boundary.FACILITY,
    ),
}
