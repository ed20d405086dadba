"""Electricity to CO2e: operational, and what is lost or emitted before the meter, each a column of its own.

Which intensity is meant (average or marginal, direct or life-cycle) is part of the factor's basis. An average and a
marginal intensity answer different questions and have different output columns. Grid losses and upstream are Scope 3
category 3 and never part of Scope 2.
"""

from joulebook.account.arithmetic import N
from joulebook.errors import BadValue, translatable


def co2e_operational_location_g(facility_energy_kwh: N, intensity_g_per_kwh: N) -> N:
    """Operational footprint by the grid the electricity came from [g]: O = E × I.

    Args:
        facility_energy_kwh: energy at the meter of the building [kWh].
        intensity_g_per_kwh: average intensity of the grid [g/kWh].

    Source: SCI (ISO/IEC 21031), "Operational emissions"; GHG Protocol Scope 2 Guidance, location-based method.
    """
    return facility_energy_kwh * intensity_g_per_kwh


def co2e_operational_marginal_g(facility_energy_kwh: N, marginal_intensity_g_per_kwh: N) -> N:
    """CO2e that one more use of electricity causes [g]: for decisions, not for an inventory.

    Args:
        facility_energy_kwh: energy at the meter of the building [kWh].
        marginal_intensity_g_per_kwh: intensity of the plant that answers one more kWh [g/kWh].

    Source: GHG Protocol, Guidelines for Quantifying GHG Reductions from Grid-Connected Electricity Projects.
    """
    return facility_energy_kwh * marginal_intensity_g_per_kwh


def co2e_grid_losses_g(facility_energy_kwh: N, intensity_g_per_kwh: N, grid_loss_ratio: N) -> N:
    """CO2e of the electricity lost between plant and meter [g]; Scope 3 category 3, activity C.

    Args:
        facility_energy_kwh: energy at the meter of the building [kWh].
        intensity_g_per_kwh: average intensity of generation [g/kWh].
        grid_loss_ratio: energy lost per energy delivered; see `lost_per_delivered` for a share of generation.

    Source: GHG Protocol Corporate Value Chain (Scope 3) Standard, category 3, "T&D losses".
    """
    return facility_energy_kwh * intensity_g_per_kwh * grid_loss_ratio


def co2e_upstream_g(facility_energy_kwh: N, upstream_g_per_kwh: N) -> N:
    """CO2e of making the fuels and plants [g]; Scope 3 category 3, activity B.

    Args:
        facility_energy_kwh: energy at the meter of the building [kWh].
        upstream_g_per_kwh: life-cycle minus direct intensity [g/kWh].

    Source: GHG Protocol Corporate Value Chain (Scope 3) Standard, category 3, "upstream of purchased electricity".
    """
    return facility_energy_kwh * upstream_g_per_kwh


def lost_per_delivered(lost_per_generated_ratio: float) -> float:
    """Losses per delivered kWh from losses as statistics give them, per generated kWh: l / (1 - l).

    >>> lost_per_delivered(0.2)
    0.25

    Raises:
        BadValue: the share is not in 0..1.
    """
    if not 0 <= lost_per_generated_ratio < 1:
        raise BadValue(
            value=lost_per_generated_ratio,
            expected=translatable("a share of generation"),
            next_step=translatable("give a share of at least 0 and below 1, not percent."),
        )
    return lost_per_generated_ratio / (1 - lost_per_generated_ratio)
