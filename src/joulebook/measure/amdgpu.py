"""AMD GPUs through the kernel's files.

The energy accumulator of ``gpu_metrics`` where the board has one, else the board's averaged power from hwmon. Source:
Linux kernel, drivers/gpu/drm/amd/include/kgd_pp_interface.h (gpu_metrics_v1_0 to v1_8; unit 2^-16 J) and
Documentation/gpu/amdgpu/thermal.rst (power1_average, power1_input in microwatts).
"""

import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from joulebook.measure.reading import Channel, Kind, Opened
from joulebook.measure.sysfs import number_of, text_of

JOULES_PER_COUNT = 2.0**-16
"""Unit of the energy accumulator."""

ENERGY_OFFSETS = {
    (1, 0): 40,
    (1, 1): 24,
    (1, 2): 24,
    (1, 3): 24,
    (1, 4): 24,
    (1, 5): 88,
    (1, 6): 16,
    (1, 7): 24,
    (1, 8): 24,
}
"""Revision of the table -> where the 64-bit energy accumulator stands [bytes]."""

HEADER = struct.Struct("<HBB")
"""Size of the table, form and content revision."""

ABSENT = 0xFFFF_FFFF_FFFF_FFFF
"""What a field holds that the board does not know."""

VISIBLE = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
"""Which boards a ROCm program may use: numbers in the order of the cards."""

Call = Callable[[], int | None]


class AmdGpuReader:
    """Every amdgpu card that this process may use.

    Args:
        root: the folder of the cards.
        environment: where the visible devices are looked up.
    """

    name = "amdgpu"

    def __init__(self, root: Path = Path("/sys/class/drm"), environment: dict[str, str] | None = None) -> None:
        self._root = root
        self._environment = dict(os.environ) if environment is None else environment
        self._calls: list[Call] = []

    def open(self) -> Opened:
        """Find the cards; each gives its best reading. Partitions of one board are one board."""
        if not self._root.is_dir():
            return Opened()
        cards = sorted((path for path in self._root.glob("card*") if path.name[4:].isdigit()), key=_number_of_card)
        own = [card / "device" for card in cards if text_of(card / "device" / "vendor") == "0x1002"]
        channels = []
        for number, device in enumerate(own):
            if self._is_visible(number):
                found = _channel(device)
                if found is not None and found[0].key not in {channel.key for channel in channels}:
                    channels.append(found[0])
                    self._calls.append(found[1])
        return Opened(channels)

    def _is_visible(self, number: int) -> bool:
        for variable in VISIBLE:
            if variable in self._environment:
                return str(number) in {word.strip() for word in self._environment[variable].split(",")}
        return True

    def read(self) -> Sequence[int | None]:
        """Energy [2^-16 J] or power [uW], one per card."""
        return [call() for call in self._calls]

    def close(self) -> None:
        """Nothing is kept open."""
        self._calls = []


def _number_of_card(path: Path) -> int:
    return int(path.name[4:])


def _channel(device: Path) -> tuple[Channel, Call] | None:
    uuid = text_of(device / "unique_id") or device.resolve().name
    label = text_of(device / "product_name") or "AMD GPU"
    hwmon = next(iter(sorted(device.glob("hwmon/hwmon*"))), None)
    cap = number_of(hwmon / "power1_cap_max") if hwmon is not None else None
    limit_w = 2 * cap * 1e-6 if cap else None
    table = device / "gpu_metrics"
    if energy_counts(table) is not None:
        channel = Channel(
            uuid, "board", "gpu", Kind.COUNTER, JOULES_PER_COUNT, "amdgpu.energy", max_power_w=limit_w, label=label
        )
        return channel, lambda: energy_counts(table)
    for name, kind in (("power1_average", Kind.AVERAGE), ("power1_input", Kind.POWER)):
        path = hwmon / name if hwmon is not None else None
        if path is not None and number_of(path) is not None:
            channel = Channel(uuid, "board", "gpu", kind, 1e-6, f"amdgpu.{name}", max_power_w=limit_w, label=label)
            return channel, lambda path=path: number_of(path)
    return None


def energy_counts(table: Path) -> int | None:
    """The energy accumulator of a ``gpu_metrics`` file [2^-16 J]; None where the board or its table has none."""
    try:
        data = table.read_bytes()
    except OSError:
        return None
    if len(data) < HEADER.size:
        return None
    _size, form, content = HEADER.unpack_from(data)
    offset = ENERGY_OFFSETS.get((form, content))
    if offset is None or len(data) < offset + 8:
        return None
    (counts,) = struct.unpack_from("<Q", data, offset)
    return None if counts in {0, ABSENT} else counts
