"""From the IT equipment to the meter of the building."""

from joulebook.account.arithmetic import N


def facility_energy_kwh(it_energy_kwh: N, pue_ratio: N) -> N:
    """Energy at the meter of the building [kWh]: IT energy times power usage effectiveness.

    Args:
        it_energy_kwh: energy of the IT equipment, idle share included [kWh].
        pue_ratio: energy of the building over energy of its IT equipment, at least 1.

    Source: ISO/IEC 30134-2, "Power usage effectiveness".
    """
    return it_energy_kwh * pue_ratio
