"""How many everyday things an amount is: a count, from an amount and what one such thing takes."""

from joulebook.errors import BadValue, translatable


def equivalent_count(amount: float, per_one: float) -> float:
    """How many of a thing make an amount; both in the same unit of CO2e, energy or water.

    Raises:
        BadValue: one of it takes nothing.

    Source: US EPA, "Greenhouse Gas Equivalencies Calculator, calculations and references".
    """
    if not per_one > 0:
        raise BadValue(
            value=per_one,
            expected=translatable("an amount above zero"),
            next_step=translatable("give what one of it takes."),
        )
    return amount / per_one


def implied_per_one(amount: float, stated_count: float) -> float:
    """What one of a thing would take if a stated equivalence were true.

    Raises:
        BadValue: the stated count is not above zero.
    """
    if not stated_count > 0:
        raise BadValue(
            value=stated_count,
            expected=translatable("a count above zero"),
            next_step=translatable("give how many were stated."),
        )
    return amount / stated_count
