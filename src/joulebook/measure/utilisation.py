"""How busy the machine and the measured program are; turning that into energy is not the meter's business."""

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from joulebook.measure.cgroup import Allotment, allotment, used_us
from joulebook.measure.process_tree import MICRO, ProcessTree


class Machine(NamedTuple):
    """What is known of the machine without a meter.

    Attributes:
        cpu_vendor: GenuineIntel, AuthenticAMD, ARM's implementer code, Apple.
        cpu_family: family number of x86, or None.
        cpu_model: model number of x86, or ARM's part number, or None.
        cpu_stepping: stepping of x86, or revision of ARM, or None.
        cpu_name: the processor's own name.
        thread_count: hardware threads that the system shows.
        allotted_threads: how many of them this process may use (quota, cpuset, affinity).
        memory_bytes: memory that the system shows [bytes].
        allotted_memory_bytes: how much of it this process may use.
        is_virtual: True in a virtual machine.
    """

    cpu_vendor: str
    cpu_family: int | None
    cpu_model: int | None
    cpu_stepping: int | None
    cpu_name: str
    thread_count: int
    allotted_threads: float
    memory_bytes: int
    allotted_memory_bytes: int
    is_virtual: bool

    def as_record(self) -> dict[str, Any]:
        """As the journal keeps it."""
        return self._asdict()

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Machine":
        """The machine a journal names.

        Raises:
            TypeError: the record lacks a field.
        """
        return cls(**record)


class Use(NamedTuple):
    """Use at one time; both CPU times are cumulative.

    Attributes:
        tree_cpu_us: CPU time of the measured program [us]; None where it was not read this time.
        tree_memory_bytes: its resident memory [bytes]; None likewise.
        busy_us: CPU time of everything in the allotted part of the machine [us].
    """

    tree_cpu_us: int | None
    tree_memory_bytes: int | None
    busy_us: int


class UtilisationReader:
    """Reads use of a process tree and of the machine (or the control group that limits it).

    Args:
        tree: the measured program.
        limits: what the control groups allow; looked up by default.
    """

    def __init__(self, tree: ProcessTree, limits: Allotment | None = None) -> None:
        self._tree = tree
        self._limits = allotment() if limits is None else limits
        self._us_per_tick = MICRO // os.sysconf("SC_CLK_TCK") if sys.platform == "linux" else 1
        self._stat = -1

    def machine(self) -> Machine:
        """The machine as it is now."""
        threads = os.cpu_count() or 1
        affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
        allowed = min(float(affinity), self._limits.threads or float("inf"))
        memory = _memory_bytes()
        return Machine(
            **_cpu_identity(),
            thread_count=threads,
            allotted_threads=allowed,
            memory_bytes=memory,
            allotted_memory_bytes=min(memory, self._limits.memory_bytes or memory),
        )

    def use(self, *, is_tree_read: bool = True) -> Use:
        """Use so far.

        Args:
            is_tree_read: False leaves the program out, which is four times cheaper.
        """
        if not is_tree_read:
            return Use(None, None, self._busy_us())
        return Use(*self._tree.use(), self._busy_us())

    def close(self) -> None:
        """Close what is kept open."""
        if self._stat >= 0:
            os.close(self._stat)
            self._stat = -1

    def _busy_us(self) -> int:
        if self._limits.usage_file is not None:
            used = used_us(self._limits.usage_file)
            if used is not None:
                return used
        if sys.platform == "linux":
            if self._stat < 0:
                self._stat = os.open("/proc/stat", os.O_RDONLY | os.O_CLOEXEC)
            _cpu, user, nice, system, _idle, _wait, irq, softirq, _rest = os.pread(self._stat, 128, 0).split(None, 8)
            return (int(user) + int(nice) + int(system) + int(irq) + int(softirq)) * self._us_per_tick
        import psutil  # noqa: PLC0415  (only where there is no /proc)

        times = psutil.cpu_times()
        return int(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq")) * MICRO)


def _memory_bytes() -> int:
    if sys.platform == "linux":
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    import psutil  # noqa: PLC0415  (only where sysconf does not know)

    return psutil.virtual_memory().total


def _cpu_identity(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, Any]:
    """Vendor, family, model and name of the first processor.

    Source: Linux kernel, arch/x86/kernel/cpu/proc.c and arch/arm64/kernel/cpuinfo.c for the names of the lines.
    """
    lines: dict[str, str] = {}
    with contextlib.suppress(OSError), cpuinfo.open("rb", buffering=0) as stream:
        # one processor's block is enough: reading all of them asks each core for its clock
        for line in stream.read(8192).decode("utf-8", errors="replace").splitlines():
            name, _colon, value = line.partition(":")
            lines.setdefault(name.strip(), value.strip())
    if not lines:
        import platform  # noqa: PLC0415  (only where there is no /proc)

        lines = {"vendor_id": "Apple" if sys.platform == "darwin" else "", "model name": platform.processor()}
    return {
        "cpu_vendor": lines.get("vendor_id") or lines.get("CPU implementer", ""),
        "cpu_family": _whole(lines.get("cpu family")),
        "cpu_model": _whole(lines.get("model") or lines.get("CPU part")),
        "cpu_stepping": _whole(lines.get("stepping") or lines.get("CPU revision")),
        "cpu_name": lines.get("model name", ""),
        "is_virtual": "hypervisor" in lines.get("flags", "").split(),
    }


def _whole(text: str | None) -> int | None:
    try:
        return int(text, 0) if text is not None else None
    except ValueError:
        return None
