"""Intel and AMD RAPL through the kernel's powercap files.

Source: Linux kernel, Documentation/power/powercap/powercap.rst; Intel SDM volume 3B, 16.10 (RAPL domains: dram is not
part of package; psys, where present, holds the whole platform).
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from joulebook.errors import translatable
from joulebook.measure.reading import Absence, Channel, Kind, Opened

JOULES_PER_COUNT = 1e-6
"""powercap counts microjoules."""

_PARTS = {"core": "cpu", "uncore": "cpu", "dram": "memory"}
_DIE = re.compile(r"^(?P<package>package-\d+)-die-(?P<die>\d+)$")
_TWIN_COUNTS = 20_000_000
"""Two counters of one package that differ by less than this [counts, 20 J] at start are one register read twice."""


class _Zone(NamedTuple):
    folder: Path
    name: str
    parent: str | None

    @property
    def domain(self) -> str:
        return f"{self.parent}/{self.name}" if self.parent else self.name


class RaplReader:
    """Energy counters under ``/sys/class/powercap``.

    Mirrors are left out: the ``intel-rapl-mmio`` tree repeats the package of ``intel-rapl``, and dies that show one and
    the same register count once.

    Args:
        root: the powercap folder.
    """

    name = "rapl"

    def __init__(self, root: Path = Path("/sys/class/powercap")) -> None:
        self._root = root
        self._descriptors: list[int] = []

    def open(self) -> Opened:
        """Find the zones; a zone that may not be read is an absence with its remedy."""
        zones = _without_mirrors(_zones(self._root))
        if not zones:
            return Opened((), (_no_counter(),))
        channels: list[Channel] = []
        denied: list[_Zone] = []
        for zone in zones:
            try:
                descriptor = os.open(zone.folder / "energy_uj", os.O_RDONLY | os.O_CLOEXEC)
            except PermissionError:
                denied.append(zone)
                continue
            except OSError:
                continue
            self._descriptors.append(descriptor)
            channels.append(_channel(zone))
        channels = self._without_twin_dies(channels)
        absences = [_denied(component) for component in sorted({_component(zone) for zone in denied} - {"node"})]
        if not channels and not absences:
            absences = [_no_counter()]
        return Opened(channels, absences)

    def _without_twin_dies(self, channels: list[Channel]) -> list[Channel]:
        values = self.read()
        kept: list[Channel] = []
        descriptors: list[int] = []
        seen: list[tuple[str, int]] = []
        for channel, value, descriptor in zip(channels, values, self._descriptors, strict=True):
            base = _undied(channel.domain)
            is_twin = (
                base != channel.domain
                and value is not None
                and any(other == base and abs(value - before) < _TWIN_COUNTS for other, before in seen)
            )
            if is_twin:
                os.close(descriptor)
                continue
            if value is not None:
                seen.append((base, value))
            kept.append(channel)
            descriptors.append(descriptor)
        self._descriptors = descriptors
        return kept

    def read(self) -> Sequence[int | None]:
        """Counters [uJ]."""
        return [_value(descriptor) for descriptor in self._descriptors]

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []


def _value(descriptor: int) -> int | None:
    try:
        return int(os.pread(descriptor, 32, 0))
    except (OSError, ValueError):
        return None


def _zones(root: Path) -> Iterator[_Zone]:
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir(), key=lambda path: path.name):
        if not (folder / "name").is_file() or not (folder / "energy_uj").exists():
            continue
        name = _text(folder / "name")
        parent = _parent_folder(root, folder)
        yield _Zone(folder, name, _text(parent / "name") if parent is not None else None)


def _parent_folder(root: Path, folder: Path) -> Path | None:
    """``intel-rapl:0:2`` lies in ``intel-rapl:0``."""
    above = folder.name.rpartition(":")[0]
    return root / above if ":" in above and (root / above / "name").is_file() else None


def _without_mirrors(zones: Iterator[_Zone]) -> list[_Zone]:
    """One zone per domain; the register interface comes before its memory-mapped mirror."""
    ordered = sorted(zones, key=lambda zone: zone.folder.name.startswith("intel-rapl-mmio"))
    kept: dict[str, _Zone] = {}
    for zone in ordered:
        kept.setdefault(zone.domain, zone)
    return list(kept.values())


def _component(zone: _Zone) -> str:
    if zone.parent is None:
        return "node" if zone.name == "psys" else "memory" if zone.name.startswith("dram") else "cpu"
    return _PARTS.get(zone.name, "cpu")


def _channel(zone: _Zone) -> Channel:
    component = _component(zone)
    is_part = zone.parent is not None and component == "cpu"
    return Channel(
        device_uuid="rapl",
        domain=zone.domain,
        component=component,
        kind=Kind.COUNTER,
        scale=JOULES_PER_COUNT,
        method="rapl.powercap",
        within=(zone.parent,) if is_part and zone.parent else (),
        contains=("cpu", "memory") if component == "node" else (),
        range_counts=_number(zone.folder / "max_energy_range_uj"),
        max_power_w=_max_power_w(zone.folder),
        label=zone.domain,
    )


def _max_power_w(folder: Path) -> float | None:
    """Highest power the zone's constraints know, with room for a short peak; None where they know none."""
    limits = [_number(path) or 0 for path in folder.glob("constraint_*_max_power_uw")]
    highest = max(limits, default=0)
    return 4 * highest * JOULES_PER_COUNT if highest else None


def _undied(domain: str) -> str:
    """``package-0-die-1/dram`` without its die."""
    head, slash, tail = domain.partition("/")
    found = _DIE.match(head)
    return f"{found['package']}{slash}{tail}" if found else domain


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip()


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except (OSError, ValueError):
        return None


def _denied(component: str) -> Absence:
    return Absence(
        component,
        translatable("The energy counter is there, but only root may read it."),
        translatable(
            "sudo chmod a+r /sys/class/powercap/*/energy_uj (until the next start; for good, put it in a udev rule)"
        ),
        reader="rapl",
    )


def _no_counter() -> Absence:
    return Absence(
        "cpu",
        translatable("This machine shows no energy counter of its processor (usual in virtual machines)."),
        translatable("measure on the host; until then it is estimated from its use"),
        reader="rapl",
    )
