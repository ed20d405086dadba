"""Meters that the kernel shows as hwmon chips: AMD sockets, NVIDIA Grace, Intel discrete GPUs, a server's own meter.

Sources: Linux kernel, Documentation/hwmon/sysfs-interface.rst (energy in microjoules, power in microwatts),
Documentation/hwmon/amd_energy.rst (Esocket), Documentation/gpu/... xe and i915 hwmon ABI (energy1_input);
NVIDIA Grace Performance Tuning Guide, "Power and Thermal Management" (ACPI power meters by socket).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from joulebook.measure.reading import Channel, Kind, Opened
from joulebook.measure.sysfs import ValueFiles, number_of, text_of

MICRO = 1e-6
"""hwmon counts microjoules and microwatts."""

GPU_CHIPS = ("i915", "xe")
Found = tuple[Path, Channel]


class HwmonReader:
    """Chips under ``/sys/class/hwmon``.

    Args:
        root: the folder of the chips.
    """

    name = "hwmon"

    def __init__(self, root: Path = Path("/sys/class/hwmon")) -> None:
        self._root = root
        self._files = ValueFiles()

    def open(self) -> Opened:
        """Find the chips that measure energy or power of something that counts."""
        channels = []
        for chip in sorted(self._root.glob("hwmon*")) if self._root.is_dir() else ():
            for path, channel in _channels(chip):
                try:
                    self._files.add(path)
                except OSError:
                    continue  # not for us; the chip's other values may be
                channels.append(channel)
        return Opened(channels)

    def read(self) -> Sequence[int | None]:
        """Energy [uJ] or power [uW], one per channel."""
        return self._files.read()

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _channels(chip: Path) -> Iterator[Found]:
    name = text_of(chip / "name")
    if name == "amd_energy":
        yield from _amd_sockets(chip)
    elif name == "power_meter":
        yield from _power_meter(chip)
    elif name in GPU_CHIPS:
        yield from _intel_gpu(chip, name)


def _amd_sockets(chip: Path) -> Iterator[Found]:
    """Sockets of an EPYC; the same registers as RAPL's packages, and named alike so that they count once."""
    for label in sorted(chip.glob("energy*_label")):
        text = text_of(label) or ""
        if text.startswith("Esocket"):
            domain = f"package-{int(text.removeprefix('Esocket'))}"
            path = chip / label.name.replace("_label", "_input")
            yield path, Channel("rapl", domain, "cpu", Kind.COUNTER, MICRO, "hwmon.amd_energy", label=domain)


def _power_meter(chip: Path) -> Iterator[Found]:
    """An ACPI power meter: a part of a Grace socket by its name, else the whole server."""
    path = next((chip / name for name in ("power1_average", "device/power1_average") if (chip / name).exists()), None)
    if path is None or number_of(path) is None:
        return
    folder = path.parent
    named = text_of(folder / "power1_oem_info") or text_of(folder / "power1_model_number") or ""
    part, _power, socket = named.partition(" Power Socket ")
    device = f"grace-{socket.strip()}" if socket else "server"
    whole = Channel(
        device,
        chip.name,
        "node",
        Kind.AVERAGE,
        MICRO,
        "hwmon.power_meter",
        contains=("gpu", "cpu", "memory"),
        label=named or "server",
    )
    if socket and part == "Grace":
        yield path, whole._replace(domain="grace", component="cpu", contains=())
    elif socket and part in {"CPU", "SysIO"}:
        yield path, whole._replace(domain=part.lower(), component="cpu", contains=(), within=("grace",))
    elif socket and part == "Module":
        yield path, whole._replace(domain="module")
    else:
        yield path, whole


def _intel_gpu(chip: Path, name: str) -> Iterator[Found]:
    """A discrete Intel GPU: the card's counter, and the package's inside it."""
    uuid = (chip / "device").resolve().name
    for number, domain in ((1, "board"), (2, "package")):
        path = chip / f"energy{number}_input"
        if number_of(path) is not None:
            within = () if domain == "board" else ("board",)
            yield (
                path,
                Channel(uuid, domain, "gpu", Kind.COUNTER, MICRO, f"hwmon.{name}", within=within, label="Intel GPU"),
            )
