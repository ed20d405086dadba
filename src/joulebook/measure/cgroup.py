"""What a control group (version 2) allows and has used.

Source: Linux kernel, Documentation/admin-guide/cgroup-v2.rst: cpu.max, cpu.stat, memory.max, cpuset.cpus.effective.
"""

from pathlib import Path
from typing import NamedTuple

MICRO = 1_000_000
"""Microseconds in a second."""


class Allotment(NamedTuple):
    """The part of a machine that this process may use.

    Attributes:
        threads: hardware threads by quota and cpuset; None where there is no limit.
        memory_bytes: memory limit; None where there is none.
        usage_file: ``cpu.stat`` of the group that sets the limit on threads; None without one.
    """

    threads: float | None = None
    memory_bytes: int | None = None
    usage_file: Path | None = None


def allotment(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Allotment:
    """Limits of this process's group and of all groups above it; the tightest holds."""
    folder = _own_folder(own, root)
    threads: float | None = None
    memory: int | None = None
    usage: Path | None = None
    while folder is not None and (folder / "cgroup.controllers").is_file():
        here = _threads(folder)
        if here is not None and (threads is None or here < threads):
            threads, usage = here, folder / "cpu.stat"
        limit = _read(folder / "memory.max")
        if limit.isdigit() and (memory is None or int(limit) < memory):
            memory = int(limit)
        folder = folder.parent if folder not in {root, root.parent} else None
    return Allotment(threads, memory, usage)


def used_us(usage_file: Path) -> int | None:
    """CPU time a group has used [us]; None where it cannot be read."""
    for line in _read(usage_file).splitlines():
        name, _space, value = line.partition(" ")
        if name == "usage_usec" and value.isdigit():
            return int(value)
    return None


def _own_folder(own: Path, root: Path) -> Path | None:
    for line in _read(own).splitlines():
        number, _colon, path = line.partition("::")
        if number == "0" and path:
            return root / path.lstrip("/")
    return None


def _threads(folder: Path) -> float | None:
    """Hardware threads by ``cpu.max`` (quota over period), or None for "max"."""
    quota, _space, period = _read(folder / "cpu.max").partition(" ")
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None
    return int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
