"""Processors, accelerators and memory of one machine, each kept apart with the way its energy is known.

A memory figure from a constant per gigabyte can be larger than everything that was measured; it must stay visible.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from joulebook.account.ranges import total
from joulebook.errors import translatable
from joulebook.terms.arithmetic import N
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier


def component_energy_kwh(run_h: N, component_count: N, component_power_kw: N, component_usage_ratio: N) -> N:
    """Energy of equal components of a machine [kWh]: cores of a processor, or accelerators.

    Args:
        run_h: wall time [h].
        component_count: cores or devices.
        component_power_kw: rated power of one [kW].
        component_usage_ratio: mean usage, 0..1.

    Source: Lannelongue, Grealey and Inouye, "Green Algorithms", Advanced Science 8, 2021, equation 1.
    """
    return run_h * component_count * component_power_kw * component_usage_ratio


def memory_energy_kwh(run_h: N, memory_gb: N, memory_kw_per_gb: N) -> N:
    """Energy of the memory [kWh], by a constant per gigabyte: an assumption, not a measurement.

    Args:
        run_h: wall time [h].
        memory_gb: memory available to the run [GB].
        memory_kw_per_gb: power per gigabyte, a factor [kW/GB].

    Source: Lannelongue, Grealey and Inouye, "Green Algorithms", Advanced Science 8, 2021, equation 1.
    """
    return run_h * memory_gb * memory_kw_per_gb


def components_energy_kwh(cpu_energy_kwh: N, gpu_energy_kwh: N, memory_energy_kwh: N) -> N:
    """Energy of a machine [kWh]: the sum of its components."""
    return cpu_energy_kwh + gpu_energy_kwh + memory_energy_kwh


class Known(StrEnum):
    """How the energy of a component is known."""

    MEASURED = translatable("measured")
    MODELLED = translatable("modelled")
    CONSTANT = translatable("constant")

    @property
    def tier(self) -> Tier:
        """Tier of a figure known in this way."""
        return {Known.MEASURED: Tier.MEASURED, Known.MODELLED: Tier.ESTIMATED, Known.CONSTANT: Tier.ASSUMED}[self]


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a machine.

    Attributes:
        name: gpu, cpu, memory, ...
        energy: its energy [kWh].
        known: how the energy is known.
    """

    name: str
    energy: Range
    known: Known


@dataclass(frozen=True, slots=True)
class Machine:
    """The components of one machine over one run."""

    components: tuple[Component, ...]

    @property
    def energy(self) -> Range:
        """Sum of the components [kWh]; their uncertainties are taken as independent."""
        return total(component.energy for component in self.components)

    @property
    def tier(self) -> Tier:
        """The worst tier of the components."""
        return Tier.worst(*(component.known.tier for component in self.components))

    def share(self, known: Known) -> float:
        """Share of the energy that is known in one way, 0..1; 0 for a machine without energy."""
        part = sum(component.energy.mid for component in self.components if component.known is known)
        return part / self.energy.mid if self.energy.mid else float(0)


def machine(components: Iterable[Component]) -> Machine:
    """Put components together.

    >>> gpu = Component("gpu", Range.exact(3), Known.MEASURED)
    >>> one = machine([gpu, Component("memory", Range.exact(1), Known.CONSTANT)])
    >>> one.energy.mid, str(one.tier), one.share(Known.CONSTANT)
    (4.0, 'assumed', 0.25)
    """
    return Machine(tuple(components))
