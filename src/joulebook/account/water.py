"""Water at the site, and water of the electricity in two views that are never mixed.

On-site water is WUE times *IT* energy; off-site water is the water intensity of the grid times *facility* energy.
Evaporation from hydropower reservoirs can decide a ranking of places, so both views are always given.
"""

from joulebook.account.arithmetic import N


def water_onsite_l(it_energy_kwh: N, wue_l_per_kwh: N) -> N:
    """Water used at the site [L]: WUE times IT energy, not facility energy.

    Args:
        it_energy_kwh: energy of the IT equipment [kWh].
        wue_l_per_kwh: water usage effectiveness, per kWh of IT energy [L/kWh].

    Source: ISO/IEC 30134-9, "Water usage effectiveness".
    """
    return it_energy_kwh * wue_l_per_kwh


def water_offsite_without_hydro_l(facility_energy_kwh: N, water_intensity_without_hydro_l_per_kwh: N) -> N:
    """Water used to make the electricity, without evaporation from hydropower [L].

    Args:
        facility_energy_kwh: energy at the meter of the building [kWh].
        water_intensity_without_hydro_l_per_kwh: water per kWh of electricity [L/kWh].

    Source: Li, Yang, Islam and Ren, arXiv:2304.03271, equation 2 (PUE × EWIF × IT energy).
    """
    return facility_energy_kwh * water_intensity_without_hydro_l_per_kwh


def water_offsite_hydro_l(facility_energy_kwh: N, water_intensity_hydro_l_per_kwh: N) -> N:
    """Water used to make the electricity, with evaporation from hydropower [L].

    Args:
        facility_energy_kwh: energy at the meter of the building [kWh].
        water_intensity_hydro_l_per_kwh: water per kWh of electricity [L/kWh].

    Source: Li, Yang, Islam and Ren, arXiv:2304.03271, equation 2 (PUE × EWIF × IT energy).
    """
    return facility_energy_kwh * water_intensity_hydro_l_per_kwh


def water_onsite_stressed_l(water_onsite_l: N, water_stress_ratio: N) -> N:
    """On-site water taken where water is short [L]: weighted by the stress of the basin.

    Args:
        water_onsite_l: water used at the site [L].
        water_stress_ratio: withdrawals over renewable supply of the basin, or the share of use under high stress.

    Source: WRI Aqueduct 4.0, "baseline water stress"; ESRS E3-4 (water consumption in areas of high stress).
    """
    return water_onsite_l * water_stress_ratio
