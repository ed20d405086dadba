"""What is inside a number. Figures on different rungs are not compared."""

from enum import StrEnum


class Boundary(StrEnum):
    """The ladder, from the accelerator alone to the building and what it took to make the machine."""

    GPU = "gpu"
    NODE = "node"
    NODE_IDLE = "node+idle"
    FACILITY = "facility"
    FACILITY_EMBODIED = "facility+embodied"

    @property
    def rung(self) -> int:
        """Place on the ladder, 0 for the accelerator alone."""
        return list(Boundary).index(self)
