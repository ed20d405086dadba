"""Energy of machines: from what a meter read or, where no meter reads, from how busy they were.

A server's power at the wall rises with its load from idle to full:

    P(u) = threads x (idle + (max - idle) x u ** p)

with idle and max per hardware thread by microarchitecture, and p below 1 where the curve is concave. A virtual machine
or a container is a slice: its threads, not those of the whole socket. The power per thread holds the memory a server
usually has; memory above that is added by size. Sources: SPECpower_ssj2008 (power at active idle and at full load);
Fan, Weber and Barroso, "Power provisioning for a warehouse-sized computer", ISCA 2007 (power as a function of load).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

METHOD = "machine-use-1"
"""Name and version of the calculation from use."""

MEMORY = "memory"
"""Subject of the factors of memory."""

METERS: Mapping[str, str] = {"nvml": "meter:nvml", "rapl": "meter:rapl", "rapl-dram": "meter:rapl-dram"}
"""Family of a reading -> subject of the meter's accuracy."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter read of one component.

    Attributes:
        energy_kwh: energy read, with what its gaps leave open [kWh].
        method: how it was read; the word before the first dot names the meter's family.
        tier: how well it is known.
    """

    energy_kwh: Range
    method: str
    tier: str


@dataclass(frozen=True, slots=True)
class MachineUse:
    """How a machine, or a slice of one, was used.

    Attributes:
        cpu: ``cpu:vendor/family/model/stepping`` in lower case, or None where it is not known.
        thread_count: hardware threads of the machine or slice.
        step_s: seconds in each step of utilisation [s].
        step_busy_s: CPU seconds used in each step [s].
        memory_gb: memory of the machine or slice [GB].
        readings: component -> what a meter read.
        at: the day.
    """

    cpu: str | None
    thread_count: float
    step_s: Sequence[float]
    step_busy_s: Sequence[float]
    memory_gb: float
    readings: Mapping[str, Reading]
    at: date


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """Energy of one component, in the words of the energy table.

    Attributes:
        component: gpu, cpu, memory or node.
        energy_kwh: low, mid, high [kWh].
        idle_energy_kwh: the part that an idle machine would have used as well [kWh]; None where that is not known.
        tier: the worst of the inputs.
        boundary: node, or gpu for accelerators alone.
        method: how it was read or calculated.
        choices: the factors, with why they were taken.
        effects: for each factor, what the energy becomes, as a multiple, at the low and the high end of its range.
    """

    component: str
    energy_kwh: Range
    idle_energy_kwh: float | None
    tier: Tier
    boundary: Boundary
    method: str
    choices: tuple[Choice, ...]
    effects: tuple[tuple[float, float], ...]


def server_power_w(
    thread_count: float, idle_power_w_per_thread: float, power_rise_w_per_thread: float, load_ratio: float
) -> float:
    """Power of a server or slice at the wall [W].

    Args:
        thread_count: hardware threads.
        idle_power_w_per_thread: power at rest [W per thread].
        power_rise_w_per_thread: power at full load less power at rest [W per thread].
        load_ratio: load to the power of the curve's exponent, 0..1.

    Source: see the module; Fan et al. 2007, section 4.
    """
    return thread_count * (idle_power_w_per_thread + power_rise_w_per_thread * load_ratio)


def memory_power_w(memory_gb: float, memory_power_w_per_gb: float) -> float:
    """Power of memory by its size [W].

    Source: Cloud Carbon Footprint methodology, "Memory".
    """
    return memory_gb * memory_power_w_per_gb


def component_energy(use: MachineUse, edition: Edition) -> list[ComponentRow]:
    """Rows of energy for every component: metered ones with their meter's accuracy, the rest from use.

    Where the processor is metered, memory without a meter is added by its size. Where it is not, the server as a whole
    is estimated from its load, and only memory above what such servers usually have is added.

    Raises:
        FactorMissing: the edition has not even a range for unknown machines.
    """
    rows = [_metered(component, reading, edition, use.at) for component, reading in use.readings.items()]
    seconds = sum(use.step_s)
    if seconds <= 0 or "node" in use.readings:
        return rows
    if "cpu" in use.readings:
        if "memory" not in use.readings:
            rows.append(_memory(use.memory_gb, seconds, use.at, edition))
        return rows
    server = _server(use, seconds, edition)
    usual_gb = choose(edition, "memory_gb_per_thread", MEMORY, use.at).factor.range
    more_gb = use.memory_gb - use.thread_count * usual_gb.high
    rows.append(server)
    if more_gb > 0 and "memory" not in use.readings:
        rows.append(_memory(more_gb, seconds, use.at, edition))
    return rows


def microarchitecture(cpu: str | None, at: date, edition: Edition) -> str | None:
    """Subject of a processor's generation; None where the edition does not know it.

    Args:
        cpu: ``cpu:vendor/family/model/stepping``; the stepping decides where one model number has several generations.
        at: the day.
        edition: the factors.
    """
    name = cpu
    while name is not None and "/" in name:
        links = edition.links_for(name, "microarchitecture", at)
        if links:
            return links[-1].object
        name = name.rpartition("/")[0]
    return None


def _metered(component: str, reading: Reading, edition: Edition, at: date) -> ComponentRow:
    family = reading.method.partition(".")[0]
    name = f"{family}-dram" if component == "memory" and f"{family}-dram" in METERS else family
    accuracy = choose(edition, "meter_error_ratio", METERS.get(name, UNKNOWN), at)
    error = accuracy.factor.range
    energy = reading.energy_kwh
    return ComponentRow(
        component,
        Range(energy.low * error.low, energy.mid * error.mid, energy.high * error.high),
        None,
        Tier(reading.tier),
        Boundary.GPU if component == "gpu" else Boundary.NODE,
        reading.method,
        (accuracy,),
        ((error.low / error.mid, error.high / error.mid),),
    )


def _server(use: MachineUse, seconds: float, edition: Edition) -> ComponentRow:
    subject = microarchitecture(use.cpu, use.at, edition)
    idle, full, exponent = (
        choose(edition, quantity, subject, use.at)
        for quantity in ("idle_power_w_per_thread", "max_power_w_per_thread", "load_exponent_ratio")
    )

    def energy_kwh(idle_w: float, full_w: float, power: float) -> float:
        load = _mean_load(use, seconds, power)
        watts = server_power_w(use.thread_count, idle_w, max(0, full_w - idle_w), load)
        return _kwh(watts, seconds)

    ranges = (idle.factor.range, full.factor.range, exponent.factor.range)
    energy, effects = _spread(energy_kwh, ranges)
    return ComponentRow(
        "node",
        energy,
        _kwh(use.thread_count * ranges[0].mid, seconds),
        Tier.worst(Tier.ESTIMATED, idle.factor.tier, full.factor.tier, exponent.factor.tier),
        Boundary.NODE,
        METHOD,
        (idle, full, exponent),
        effects,
    )


def _memory(memory_gb: float, seconds: float, at: date, edition: Edition) -> ComponentRow:
    per_gb = choose(edition, "memory_power_w_per_gb", MEMORY, at)
    energy, effects = _spread(lambda watts: _kwh(memory_power_w(memory_gb, watts), seconds), (per_gb.factor.range,))
    tier = Tier.worst(Tier.ESTIMATED, per_gb.factor.tier)
    return ComponentRow("memory", energy, energy.mid, tier, Boundary.NODE, METHOD, (per_gb,), effects)


def _mean_load(use: MachineUse, seconds: float, exponent: float) -> float:
    """Mean over time of load to the power of an exponent, 0..1."""
    parts = (
        step * min(1, busy / (step * use.thread_count)) ** exponent
        for step, busy in zip(use.step_s, use.step_busy_s, strict=True)
        if step > 0
    )
    return sum(parts) / seconds


def _spread(function: Callable[..., float], ranges: Sequence[Range]) -> tuple[Range, tuple[tuple[float, float], ...]]:
    """A result's range from those of its inputs, moved one at a time and added in squares; and what each does.

    Source: JCGM 100:2008 (GUM), 5.1.2, with finite differences as in 5.1.3, note 2.
    """
    mids = [one.mid for one in ranges]
    mid = function(*mids)
    down, up, effects = [], [], []
    for place, one in enumerate(ranges):
        ends = [function(*mids[:place], end, *mids[place + 1 :]) - mid for end in (one.low, one.high)]
        down.append(min(0, *ends))
        up.append(max(0, *ends))
        effects.append(((mid + down[-1]) / mid, (mid + up[-1]) / mid) if mid else (1, 1))
    return Range(max(0, mid - math.hypot(*down)), mid, mid + math.hypot(*up)), tuple(effects)


def _kwh(watts: float, seconds: float) -> float:
    return convert(watts * seconds, "J", "kWh")
