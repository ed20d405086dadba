"""A job of Slurm and its energy, counted once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TRES = re.compile(r"([\w/:.-]+)=([^,]+)")
SCALED = re.compile(r"([\d.]+)\s*([KMGTPE]?)[a-zA-Z]*\Z")
PREFIXES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
NO_VALUES = 1e15
"""Joules from here on are Slurm's marks for "no value" (2^32 - 2 and 2^64 - 2), not energies."""

NO_VALUE_32 = (2.0**32 - 1, 2.0**32 - 2)


@dataclass
class Job:
    """One job with its steps.

    Attributes:
        name: its id, with array index; unique with its start.
        line: where it stands.
        cells: its fields, in sacct's names.
        steps: name of step -> joules.
    """

    name: str
    line: int | None
    cells: Mapping[str, str]
    steps: dict[str, float] = field(default_factory=dict)

    @property
    def joules(self) -> float | None:
        """Its energy [J], counted once; None where nothing counted it."""
        own = energy_of(self.cells)
        if own is not None:
            return own
        if self.steps.get("extern"):
            return self.steps["extern"]
        numbered = sum(joules for name, joules in self.steps.items() if name.isdecimal())
        return max(numbered, self.steps.get("batch", 0.0)) or None


def energy_of(cells: Mapping[str, str]) -> float | None:
    """Joules of a job or step: its raw figure, the figure with a prefix, or the energy among its TRES; None if none.

    >>> energy_of({"ConsumedEnergyRaw": "0", "AllocTRES": "cpu=4,energy=3600,node=1"})
    3600.0
    >>> energy_of({"ConsumedEnergy": "1.5K"}), energy_of({"ConsumedEnergyRaw": "18446744073709551614"})
    (1500.0, None)
    """
    told = [cells.get("ConsumedEnergyRaw", ""), cells.get("ConsumedEnergy", "")]
    told += [tres_of(cells.get(name, "")).get("energy", "") for name in ("AllocTRES", "TRESUsageInTot")]
    for cell in told:
        found = SCALED.match(cell.strip())
        joules = float(found[1]) * PREFIXES[found[2]] if found and found[1].count(".") < len("..") else 0.0
        if 0 < joules < NO_VALUES and joules not in NO_VALUE_32:
            return joules
    return None


def tres_of(cell: str) -> dict[str, str]:
    """Trackable resources by name.

    >>> tres_of("billing=8,cpu=8,gres/gpu:a100=2,mem=64G,node=1")["gres/gpu:a100"]
    '2'
    """
    return dict(TRES.findall(cell))
