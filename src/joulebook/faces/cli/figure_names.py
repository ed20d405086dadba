"""What the figures of a footprint are called, and what is inside each."""

from typing import TYPE_CHECKING

from joulebook.errors import translatable

if TYPE_CHECKING:
    from joulebook.ledger.balance import Line

BOUNDARY_OF = {
    "gpu_energy_kwh": "gpu",
    "it_energy_kwh": "node+idle",
    "facility_energy_kwh": "facility",
    "co2e_operational_location_g": "facility",
    "co2e_operational_marginal_g": "facility",
    "co2e_grid_losses_g": "facility",
    "co2e_upstream_g": "facility",
    "co2e_embodied_amortised_g": "node",
    "water_onsite_l": "facility",
    "water_offsite_without_hydro_l": "facility",
    "water_offsite_hydro_l": "facility",
    "water_without_hydro_l": "facility",
    "water_hydro_l": "facility",
}
"""What is inside each figure."""

MEASURED_BOUNDARY = "node"
"""What the meters and the model of a machine cover of the IT equipment: no idle machines beside it."""

SHORT_NAMES = {
    "gpu_energy_kwh": translatable("energy, accelerators"),
    "it_energy_kwh": translatable("energy, IT"),
    "facility_energy_kwh": translatable("energy, facility"),
    "co2e_operational_location_g": translatable("CO2e, operational (location)"),
    "co2e_operational_market_g": translatable("CO2e, operational (market)"),
    "co2e_grid_losses_g": translatable("CO2e, grid losses"),
    "co2e_upstream_g": translatable("CO2e, upstream"),
    "co2e_embodied_amortised_g": translatable("CO2e, embodied (amortised)"),
    "co2e_embodied_purchase_year_g": translatable("CO2e, embodied (purchase year)"),
    "water_onsite_l": translatable("water, on site"),
    "water_offsite_without_hydro_l": translatable("water, off site, without hydro"),
    "water_offsite_hydro_l": translatable("water, off site, with hydro"),
    "water_without_hydro_l": translatable("water, all, without hydro"),
    "water_hydro_l": translatable("water, all, with hydro"),
}
"""Names of figures as a report prints them."""

UPSTREAM_NOTE = translatable(
    "Where the grid's factor is life-cycle, upstream is inside the operational figure and not counted apart."
)


def boundary_of(name: str, line: "Line") -> str:
    """What is inside a figure of a line; where runs are in it, its IT energy ends at their machines."""
    return MEASURED_BOUNDARY if name == "it_energy_kwh" and line.part_count else BOUNDARY_OF[name]
