"""Energy of a training run: devices × hours × power × utilisation, or from the size of the model and its data.

Power is the mean power of one device where it was measured (then the utilisation is 1), or its rated power with an
assumed utilisation. The boundary is the devices alone; `components` adds the host and `overhead` the building.
"""

from joulebook.errors import BadValue, translatable
from joulebook.terms.arithmetic import N


def device_hours(device_count: N, run_h: N) -> N:
    """Hours of devices in use, counted per device [h].

    Args:
        device_count: devices that ran side by side.
        run_h: wall time of the run [h].
    """
    return device_count * run_h


def device_energy_kwh(device_hours: N, device_power_kw: N, utilisation_ratio: N) -> N:
    """Energy of the devices alone [kWh].

    Args:
        device_hours: hours of devices in use, counted per device [h].
        device_power_kw: mean measured power of one device, or its rated power [kW].
        utilisation_ratio: mean over rated power where the power is rated, 1 where it was measured.

    Source: Strubell, Ganesh and McCallum, arXiv:1906.02243, equation 1; Patterson et al., arXiv:2104.10350, section 2.
    """
    return device_hours * device_power_kw * utilisation_ratio


def training_flop(parameter_count: N, training_tokens: N, flop_per_parameter_token: N) -> N:
    """Floating-point operations of a training run.

    Args:
        parameter_count: parameters that take part in each token (active ones, for a mixture of experts).
        training_tokens: tokens seen, all epochs.
        flop_per_parameter_token: forward and backward pass; a factor, 6 without recomputation.

    Source: Kaplan et al., arXiv:2001.08361, section 2.1 (C = 6 N D).
    """
    return parameter_count * training_tokens * flop_per_parameter_token


def device_s_of_flop(flop: float, peak_flop_per_s: float, flop_utilisation_ratio: float) -> float:
    """Device-seconds that an amount of computation takes [s].

    Args:
        flop: floating-point operations.
        peak_flop_per_s: peak of one device at the precision used [1/s].
        flop_utilisation_ratio: share of the peak that is reached (model FLOPs utilisation), above 0 and at most 1.

    Raises:
        BadValue: the peak is not above zero, or the utilisation not in 0..1.

    Source: Chowdhery et al., arXiv:2204.02311, section 4.1 (model FLOPs utilisation).
    """
    if not peak_flop_per_s > 0:
        raise BadValue(
            value=peak_flop_per_s,
            expected=translatable("a peak above zero"),
            next_step=translatable("give the device's peak."),
        )
    if not 0 < flop_utilisation_ratio <= 1:
        raise BadValue(
            value=flop_utilisation_ratio,
            expected=translatable("a share of the peak"),
            next_step=translatable("give a ratio in 0..1, not percent."),
        )
    return flop / (peak_flop_per_s * flop_utilisation_ratio)


def scaled_energy_kwh(part_energy_kwh: float, part_h: float, whole_h: float) -> float:
    """Energy of a whole run from the part of it that was run [kWh], at the same power.

    Raises:
        BadValue: the part took no time.

    Source: Dodge et al., arXiv:2206.05229, section 4 (6 billion parameters, 8 of about 60 days).
    """
    if not part_h > 0:
        raise BadValue(
            value=part_h,
            expected=translatable("a time above zero"),
            next_step=translatable("give the hours that were run."),
        )
    return part_energy_kwh * whole_h / part_h
