"""RAPL through perf events, where the powercap files are absent or closed.

Source: perf_event_open(2); Linux kernel, arch/x86/events/rapl.c (one counter per package, read on one of its
processors; the unit is in ``events/*.scale``).
"""

import ctypes
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from joulebook.errors import translatable
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.measure.sysfs import number_of, text_of

SYSCALLS = {"x86_64": 298, "aarch64": 241}
"""Number of perf_event_open by machine."""

PARTS = {"energy-pkg": ("", "cpu"), "energy-ram": ("/dram", "memory"), "energy-psys": ("psys", "node")}
"""Event -> suffix of the domain, component. Cores and GPU are inside the package."""

OpenEvent = Callable[[int, int, int], int]
"""Type of the unit, config of the event, processor -> file descriptor."""


def open_event(unit: int, config: int, processor: int) -> int:
    """Open a counter of a whole processor package.

    Raises:
        OSError: the kernel says no (EACCES: perf_event_paranoid).
    """
    number = SYSCALLS.get(os.uname().machine)
    if number is None:
        raise OSError(38, os.strerror(38))
    attributes = struct.pack("<IIQQQQQIIQ", unit, 64, config, 0, 0, 0, 0, 0, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.syscall(number, ctypes.c_char_p(attributes), -1, processor, -1, 0x8)
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor


def read_event(descriptor: int) -> int:
    """The counter now.

    Raises:
        OSError: it cannot be read.
    """
    return struct.unpack("<Q", os.read(descriptor, 8))[0]


class PerfRaplReader:
    """The energy events of the ``power`` unit.

    Args:
        root: the unit's folder.
        topology: folder of the processors, for their package.
        opener: opens an event.
        taker: reads one.
    """

    name = "perf"

    def __init__(
        self,
        root: Path = Path("/sys/bus/event_source/devices/power"),
        topology: Path = Path("/sys/devices/system/cpu"),
        opener: OpenEvent = open_event,
        taker: Callable[[int], int] = read_event,
    ) -> None:
        self._root, self._topology, self._opener, self._taker = root, topology, opener, taker
        self._descriptors: list[int] = []

    def open(self) -> Opened:
        """Open one counter per package and event."""
        unit = number_of(self._root / "type")
        if unit is None:
            return Opened()
        channels = []
        try:
            for channel, config, processor in self._events():
                self._descriptors.append(self._opener(unit, config, processor))
                channels.append(channel)
        except OSError:
            self.close()
            return Opened((), (_denied(),))
        return Opened(channels)

    def _events(self) -> Iterator[tuple[Channel, int, int]]:
        processors = [int(word) for word in (text_of(self._root / "cpumask") or "0").split(",") if word.isdigit()]
        for event, (suffix, component) in PARTS.items():
            config = text_of(self._root / "events" / event)
            scale = text_of(self._root / "events" / f"{event}.scale")
            if config is None or scale is None:
                continue
            places = processors[:1] if suffix == "psys" else processors
            for processor in places:
                package = number_of(self._topology / f"cpu{processor}" / "topology" / "physical_package_id") or 0
                domain = suffix if suffix == "psys" else f"package-{package}{suffix}"
                contains = ("cpu", "memory") if component == "node" else ()
                channel = Channel(
                    "rapl", domain, component, Kind.COUNTER, float(scale), "rapl.perf_event", contains=contains,
                    label=domain,
                )  # fmt: skip
                yield channel, int(config.rpartition("=")[2], 16), processor

    def read(self) -> Sequence[int | None]:
        """Counters, in the event's own unit."""
        return [self._value(descriptor) for descriptor in self._descriptors]

    def _value(self, descriptor: int) -> int | None:
        try:
            return self._taker(descriptor)
        except OSError:
            return None

    def close(self) -> None:
        """Close the events."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []


def _denied() -> Absence:
    return Absence(
        "cpu",
        translatable("The processor's energy events may not be opened."),
        translatable("sudo sysctl kernel.perf_event_paranoid=0, or give the program CAP_PERFMON"),
        reader="perf",
    )
