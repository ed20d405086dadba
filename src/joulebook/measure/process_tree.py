"""CPU time and memory of a process with all its children.

Time of children that ended is in their parent's record, so the sum over the living is the sum over all that ever ran.
Source: proc_pid_stat(5), fields 14 to 17 and 24; proc_tid_children(5).
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import NamedTuple

MICRO = 1_000_000
"""Microseconds in a second."""


class TreeUse(NamedTuple):
    """Use of a process tree so far.

    Attributes:
        cpu_us: CPU time in user and kernel mode [us], cumulative.
        memory_bytes: resident memory now [bytes]; shared pages count in each process.
    """

    cpu_us: int
    memory_bytes: int


class ProcessTree:
    """One process and everything below it.

    Args:
        root: its pid.
        is_root_counted: False leaves the root itself out, as a wrapper does that measures only its child.
    """

    def __init__(self, root: int, *, is_root_counted: bool = True) -> None:
        self._root = root
        self._is_root_counted = is_root_counted
        self._highest_us = 0
        self._offset_us = 0
        if sys.platform == "linux":
            self._us_per_tick = MICRO // os.sysconf("SC_CLK_TCK")
            self._page = os.sysconf("SC_PAGE_SIZE")

    def use(self) -> TreeUse:
        """Use so far; CPU time never falls, also when a child takes its time with it."""
        now = self._use_linux() if sys.platform == "linux" else self._use_elsewhere()
        if now.cpu_us + self._offset_us < self._highest_us:
            self._offset_us = self._highest_us - now.cpu_us
        self._highest_us = now.cpu_us + self._offset_us
        return TreeUse(self._highest_us, now.memory_bytes)

    def _use_linux(self) -> TreeUse:
        ticks = pages = 0
        waiting = [self._root]
        while waiting:
            pid = waiting.pop()
            stat = _stat(pid)
            if stat is None:
                continue
            is_own = pid != self._root or self._is_root_counted
            # the root's waited-for children (16, 17) belong to the tree even where the root itself does not
            ticks += sum(stat[11:15]) if is_own else sum(stat[13:15])
            pages += stat[21] if is_own else 0
            waiting += _children(pid)
        return TreeUse(ticks * self._us_per_tick, pages * self._page)

    def _use_elsewhere(self) -> TreeUse:
        import psutil  # noqa: PLC0415  (only where there is no /proc)

        seconds, memory = 0.0, 0
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self._root)
            for process in [*([root] if self._is_root_counted else []), *root.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    seconds += times.user + times.system
                    memory += process.memory_info().rss
        return TreeUse(int(seconds * MICRO), memory)


def _stat(pid: int) -> list[int] | None:
    """Numbers of ``/proc/PID/stat`` from field 3 on (the state, a letter, as 0)."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(descriptor, 1024)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    fields = text[text.rindex(b")") + 2 :].split()
    return [0, *map(int, fields[1:])]


def _children(pid: int) -> list[int]:
    """Pids of the children of all threads of a process."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  (twice as quick as Path.iterdir)
    except OSError:
        return found
    for thread in threads:
        with contextlib.suppress(OSError):
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split())
    return found
