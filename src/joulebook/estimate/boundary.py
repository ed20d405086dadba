"""From the accelerators to the IT equipment: the host, then the machines kept ready.

The step from IT equipment to the building is PUE and lives in `joulebook.account`. The ratios are factors, each with
its range: Elsworth et al. 2025, "Measuring the environmental impact of delivering AI at Google Scale"
(arXiv:2508.15734), table 1, gives accelerators 0.14 Wh, host 0.06 Wh, idle machines 0.02 Wh of a median prompt.
"""

from joulebook.terms.arithmetic import N
from joulebook.terms.boundary import Boundary

HOST = "serving/host"
"""Subject of what stands around the accelerators."""

LADDER = (
    (Boundary.NODE, "node_overhead_ratio", HOST),
    (Boundary.NODE_IDLE, "idle_overhead_ratio", HOST),
    (Boundary.FACILITY, "pue_ratio", None),
)
"""Rung -> the ratio that leads up to it, and its subject; None is the place."""


def node_energy_kwh(gpu_energy_kwh: N, node_overhead_ratio: N, host_energy_kwh: N) -> N:
    """Energy of the accelerators with their host: processors, memory, fans, network cards [kWh].

    Args:
        gpu_energy_kwh: energy of the accelerators [kWh].
        node_overhead_ratio: energy of accelerators and what stands around them, over that of the accelerators.
        host_energy_kwh: energy of machines, storage and network that are counted by themselves [kWh]; 0 for a model.
    """
    return gpu_energy_kwh * node_overhead_ratio + host_energy_kwh


def it_energy_kwh(node_energy_kwh: N, idle_overhead_ratio: N) -> N:
    """Energy of the IT equipment with the idle machines kept ready for peaks and failures [kWh].

    Source: ISO/IEC 30134-2 counts idle equipment as IT load.
    """
    return node_energy_kwh * idle_overhead_ratio
