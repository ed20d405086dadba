"""How a number is known."""

from enum import StrEnum


class Tier(StrEnum):
    """From the best known to the least; a result has the worst tier of its inputs."""

    MEASURED = "measured"
    DERIVED = "derived"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"

    @classmethod
    def worst(cls, *tiers: str) -> "Tier":
        """The least certain of several tiers.

        >>> str(Tier.worst("measured", "estimated", "derived"))
        'estimated'
        """
        order = list(cls)
        return max((cls(tier) for tier in tiers), key=order.index)
