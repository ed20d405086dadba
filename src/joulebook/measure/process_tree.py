"""CPU time and memory of a process with all its children.

Time of children that ended is in their parent's record, so the sum over the living is the sum over all that ever ran.
Source: proc_pid_stat(5), fields 14 to 17 and 24; proc_tid_children(5).
"""

import contextlib
import os
import sys
from typing import NamedTuple

MICRO = 1_000_000
"""Microseconds in a second."""

THREADS = 17
"""Place of the number of threads (field 20) among the numbers from field 3 on."""

PAGE = 4096
"""Bytes asked for at once."""


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
            waiting += _children(pid, stat[THREADS])
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
    text = _content(f"/proc/{pid}/stat")
    if not text:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    return [0, *map(int, fields[1:])]


def _children(pid: int, thread_count: int) -> list[int]:
    """Pids of the children of all threads of a process."""
    threads = [str(pid)]
    if thread_count > 1:
        try:
            threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  (twice as quick as Path.iterdir)
        except OSError:
            return []
    return [int(word) for thread in threads for word in _content(f"/proc/{pid}/task/{thread}/children").split()]


def _content(path: str) -> bytes:
    """All of a file of the kernel, without the cost of a stream; nothing where its process has ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        found = b""
        while part := os.read(descriptor, PAGE):  # the kernel gives such files a page at a time
            found += part
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return found
