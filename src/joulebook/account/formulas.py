"""The formulas of the way from counts to footprints, in the order they are computed.

Each is a plain function whose name is the column it makes and whose arguments are the columns it takes.
"""

import inspect
from functools import cache
from types import FunctionType

from joulebook.account.embodied import co2e_embodied_amortised_g
from joulebook.account.operational import (
    co2e_grid_losses_g,
    co2e_operational_location_g,
    co2e_operational_marginal_g,
    co2e_upstream_g,
)
from joulebook.account.overhead import facility_energy_kwh
from joulebook.account.units_of_use import (
    board_energy_kwh,
    gpu_energy_kwh,
    host_energy_kwh,
    machine_embodied_g,
    media_energy_kwh,
)
from joulebook.account.water import water_offsite_hydro_l, water_offsite_without_hydro_l, water_onsite_l
from joulebook.estimate.boundary import it_energy_kwh, node_energy_kwh
from joulebook.estimate.tokens import token_energy_kwh

Formula = FunctionType

FORMULAS: tuple[Formula, ...] = (
    token_energy_kwh,
    media_energy_kwh,
    board_energy_kwh,
    gpu_energy_kwh,
    host_energy_kwh,
    node_energy_kwh,
    it_energy_kwh,
    facility_energy_kwh,
    co2e_operational_location_g,
    co2e_grid_losses_g,
    co2e_upstream_g,
    machine_embodied_g,
    co2e_embodied_amortised_g,
    water_onsite_l,
    water_offsite_without_hydro_l,
    water_offsite_hydro_l,
)

DECISIONS: tuple[Formula, ...] = (co2e_operational_marginal_g,)
"""Formulas for decisions; what they make is never posted."""

INNER = frozenset(("token_energy_kwh", "media_energy_kwh", "board_energy_kwh", "host_energy_kwh", "machine_embodied_g"))
"""Results that are parts of others and no figures of their own."""

BY_NAME: dict[str, Formula] = {formula.__name__: formula for formula in (*FORMULAS, *DECISIONS)}


@cache
def inputs_of(formula: Formula) -> tuple[str, ...]:
    """Columns a formula takes, in order.

    >>> inputs_of(facility_energy_kwh)
    ('it_energy_kwh', 'pue_ratio')
    """
    return tuple(inspect.signature(formula).parameters)


@cache
def rounds() -> tuple[tuple[Formula, ...], ...]:
    """`FORMULAS` in rounds: those of one round take nothing that another of it makes, so they are computed together.

    >>> [formula.__name__ for formula in rounds()[1]]
    ['gpu_energy_kwh']
    """
    made: dict[str, int] = {}
    for formula in FORMULAS:
        made[formula.__name__] = 1 + max((made[name] for name in inputs_of(formula) if name in made), default=-1)
    return tuple(
        tuple(formula for formula in FORMULAS if made[formula.__name__] == number)
        for number in range(max(made.values()) + 1)
    )


@cache
def leaves_of(metric: str, given: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Columns from outside that a metric needs in the end.

    Args:
        metric: a column that a formula makes.
        given: columns that are known from outside although a formula could make them, such as metered energy.

    >>> leaves_of("facility_energy_kwh", frozenset({"it_energy_kwh"}))
    ('it_energy_kwh', 'pue_ratio')
    """
    if metric in given or metric not in BY_NAME:
        return (metric,)
    found: dict[str, None] = {}
    for name in inputs_of(BY_NAME[metric]):
        found.update(dict.fromkeys(leaves_of(name, given)))
    return tuple(found)


def path_to(metric: str, given: frozenset[str] = frozenset()) -> tuple[Formula, ...]:
    """Formulas that lead to a metric, first to last."""
    if metric in given or metric not in BY_NAME:
        return ()
    found: dict[Formula, None] = {}
    for name in inputs_of(BY_NAME[metric]):
        found.update(dict.fromkeys(path_to(name, given)))
    return (*found, BY_NAME[metric])
