"""CO2e of making the machine: by share of its life (SCI), or whole in the year of purchase (GHG Protocol).

The two are views of the same grams and are never added. Embodied grams are never turned into energy.
"""

from joulebook.account.arithmetic import N
from joulebook.errors import BadValue, translatable


def co2e_embodied_amortised_g(gpu_energy_kwh: N, embodied_g_per_kwh: N, machine_embodied_g: N) -> N:
    """Embodied share of a use [g]: by the energy its accelerators drew, or by the hours of the machine.

    Args:
        gpu_energy_kwh: energy of the accelerators [kWh].
        embodied_g_per_kwh: embodied CO2e per kWh of the accelerators, from `embodied_per_kwh` [g/kWh]; 0 for machines
            that are counted by the hour.
        machine_embodied_g: embodied share of machines by the hour [g]; 0 for a model.

    Source: SCI (ISO/IEC 21031), "Embodied emissions", with time and resource share expressed through energy.
    """
    return gpu_energy_kwh * embodied_g_per_kwh + machine_embodied_g


def embodied_sci_g(total_embodied_g: N, time_share_ratio: N, resource_share_ratio: N) -> N:
    """Embodied share of a use [g]: M = TE × TS × RS.

    Args:
        total_embodied_g: TE, whole life-cycle CO2e of making the equipment [g].
        time_share_ratio: TS, time reserved over expected life.
        resource_share_ratio: RS, resources reserved over resources there are.

    Source: SCI (ISO/IEC 21031), "Embodied emissions".
    """
    return total_embodied_g * time_share_ratio * resource_share_ratio


def embodied_device_hours_g(device_hours: N, embodied_g_per_h: N) -> N:
    """Embodied share of device-hours [g].

    Args:
        device_hours: hours of accelerators in use, counted per device [h].
        embodied_g_per_h: embodied CO2e per hour in use, from `embodied_per_hour` [g/h].

    Source: Luccioni, Viguier and Ligozat, arXiv:2211.02001, section 4.1.
    """
    return device_hours * embodied_g_per_h


def embodied_per_hour(device_g: float, server_g: float, devices_per_server: float, life_h: float, used: float) -> float:
    """Embodied CO2e of one device with its part of the server, per hour in use [g/h].

    Args:
        device_g: making one device [g].
        server_g: making the server without its devices [g].
        devices_per_server: devices in one server.
        life_h: expected life [h].
        used: share of its life the device is in use, above 0 and at most 1.

    Raises:
        BadValue: a divisor is not above zero.

    Source: Luccioni, Viguier and Ligozat, arXiv:2211.02001, section 4.1.
    """
    _above_zero(devices_per_server=devices_per_server, life_h=life_h, used=used)
    return (device_g + server_g / devices_per_server) / (life_h * used)


def embodied_per_kwh(embodied_g_per_h: float, mean_power_kw: float) -> float:
    """Embodied CO2e per kWh of the device [g/kWh], at its mean power in use [kW].

    Raises:
        BadValue: the power is not above zero.
    """
    _above_zero(mean_power_kw=mean_power_kw)
    return embodied_g_per_h / mean_power_kw


def embodied_purchase_year_g(total_embodied_g: float, bought_year: int, reported_year: int) -> float:
    """Embodied CO2e in a reporting year [g]: all of it in the year of purchase, none in any other.

    >>> embodied_purchase_year_g(1000.0, 2024, 2024), embodied_purchase_year_g(1000.0, 2024, 2025)
    (1000.0, 0.0)

    Source: GHG Protocol Corporate Value Chain (Scope 3) Standard, category 2 "Capital goods": not depreciated.
    """
    return total_embodied_g if bought_year == reported_year else float(0)


def _above_zero(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise BadValue(value=value, expected=translatable("a number above zero"), next_step=f"{name} > 0.")
