"""From units of use to energy: media at the accelerators, machines and their parts at the host, metered energy.

A row of usage is priced by one kind of unit (`joulebook.account.kinds`); the coefficients of the others are zero.
"""

from joulebook.terms.arithmetic import N


def media_energy_kwh(
    image_count: N,
    image_kwh: N,
    video_s: N,
    video_kwh_per_s: N,
    audio_s: N,
    audio_kwh_per_s: N,
    embedding_tokens: N,
    embedding_kwh_per_token: N,
    task_count: N,
    inference_kwh: N,
) -> N:
    """Accelerator energy of images, video, audio, embeddings and small tasks [kWh].

    Source: `joulebook.estimate.media` for the energy of one unit (ML.ENERGY; Luccioni et al., arXiv:2311.16863).
    """
    return (
        image_count * image_kwh
        + video_s * video_kwh_per_s
        + audio_s * audio_kwh_per_s
        + embedding_tokens * embedding_kwh_per_token
        + task_count * inference_kwh
    )


def board_energy_kwh(device_hours: N, board_power_kw: N, metered_energy_kwh: N, metered_gpu_ratio: N) -> N:
    """Energy of accelerators that were rented by the hour, or read by a meter at the accelerators [kWh].

    Args:
        device_hours: hours of an accelerator, or of an instance [h].
        board_power_kw: mean power of the accelerators of one device [kW].
        metered_energy_kwh: what a meter read [kWh].
        metered_gpu_ratio: 1 where the meter sits at the accelerators, else 0.
    """
    return device_hours * board_power_kw + metered_energy_kwh * metered_gpu_ratio


def gpu_energy_kwh(token_energy_kwh: N, media_energy_kwh: N, board_energy_kwh: N) -> N:
    """Energy of the accelerators [kWh]: of tokens, of media and of accelerators by the hour."""
    return token_energy_kwh + media_energy_kwh + board_energy_kwh


def host_energy_kwh(
    device_hours: N,
    host_power_kw: N,
    vcpu_hours: N,
    vcpu_power_kw: N,
    memory_gb_hours: N,
    memory_kw_per_gb: N,
    storage_gb_hours: N,
    storage_kw_per_gb: N,
    network_gb: N,
    network_kwh_per_gb: N,
    metered_energy_kwh: N,
    metered_host_ratio: N,
) -> N:
    """Energy of processors, memory, storage and network that are counted by themselves [kWh].

    Args:
        device_hours: hours of an instance [h].
        host_power_kw: mean power of one instance without its accelerators [kW].
        vcpu_hours: hours of virtual processors [h].
        vcpu_power_kw: mean power of one virtual processor with the usual memory [kW].
        memory_gb_hours: memory over time [GB h].
        memory_kw_per_gb: power of memory [kW/GB].
        storage_gb_hours: stored data over time [GB h].
        storage_kw_per_gb: power of stored data, all copies [kW/GB].
        network_gb: data sent [GB].
        network_kwh_per_gb: energy of sending [kWh/GB].
        metered_energy_kwh: what a meter read [kWh].
        metered_host_ratio: 1 where the meter sits at the machine or further out, else 0.

    Source: Cloud Carbon Footprint, methodology, "Energy estimate" (compute, memory, storage, networking).
    """
    return (
        device_hours * host_power_kw
        + vcpu_hours * vcpu_power_kw
        + memory_gb_hours * memory_kw_per_gb
        + storage_gb_hours * storage_kw_per_gb
        + network_gb * network_kwh_per_gb
        + metered_energy_kwh * metered_host_ratio
    )


def machine_embodied_g(
    device_hours: N,
    device_embodied_g_per_h: N,
    vcpu_hours: N,
    vcpu_embodied_g_per_h: N,
    memory_gb_hours: N,
    memory_embodied_g_per_gb_h: N,
    storage_gb_hours: N,
    storage_embodied_g_per_gb_h: N,
    network_gb: N,
    network_embodied_g_per_gb: N,
    metered_energy_kwh: N,
    metered_embodied_g_per_kwh: N,
) -> N:
    """Embodied share of machines and their parts by the hour [g]: a share of the server over a share of its life.

    Source: SCI (ISO/IEC 21031), "Embodied emissions": time share times resource share.
    """
    return (
        device_hours * device_embodied_g_per_h
        + vcpu_hours * vcpu_embodied_g_per_h
        + memory_gb_hours * memory_embodied_g_per_gb_h
        + storage_gb_hours * storage_embodied_g_per_gb_h
        + network_gb * network_embodied_g_per_gb
        + metered_energy_kwh * metered_embodied_g_per_kwh
    )


UNITS: dict[str, str] = {
    "image_kwh": "image_count",
    "video_kwh_per_s": "video_s",
    "audio_kwh_per_s": "audio_s",
    "embedding_kwh_per_token": "embedding_tokens",
    "inference_kwh": "task_count",
    "board_power_kw": "device_hours",
    "host_power_kw": "device_hours",
    "vcpu_power_kw": "vcpu_hours",
    "memory_kw_per_gb": "memory_gb_hours",
    "storage_kw_per_gb": "storage_gb_hours",
    "network_kwh_per_gb": "network_gb",
    "metered_gpu_ratio": "metered_energy_kwh",
    "metered_host_ratio": "metered_energy_kwh",
}
"""Coefficient of an energy formula -> the unit it is multiplied by."""

EMBODIED_UNITS: dict[str, str] = {
    "device_embodied_g_per_h": "device_hours",
    "vcpu_embodied_g_per_h": "vcpu_hours",
    "memory_embodied_g_per_gb_h": "memory_gb_hours",
    "storage_embodied_g_per_gb_h": "storage_gb_hours",
    "network_embodied_g_per_gb": "network_gb",
    "metered_embodied_g_per_kwh": "metered_energy_kwh",
}
"""The same for the embodied share."""

NO_COST: dict[str, float] = dict.fromkeys((*UNITS, *EMBODIED_UNITS), float(0))
"""Coefficients of a use that has none of these units."""

NO_USE: dict[str, float] = {**NO_COST, **dict.fromkeys(UNITS.values(), float(0))}
"""Nothing of any unit, at no cost: what a row of tokens has."""
