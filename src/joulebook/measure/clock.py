"""Time as an argument: a monotonic clock that counts suspended time, the wall clock, and waiting."""

import contextlib
import os
import select
import threading
import time
from functools import partial
from typing import Protocol

NANOSECONDS = 1_000_000_000
"""Nanoseconds in a second."""

MILLISECONDS = 1_000
"""Milliseconds in a second."""


class Stop:
    """A flag that a thread can wait for.

    Where the system can, waiting is one `poll` on a descriptor, which costs half of what `threading.Event` does: a
    meter that wakes once a second does little else. In a forked child it still works, apart from the parent's.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._descriptor = -1
        if hasattr(os, "eventfd"):
            with contextlib.suppress(OSError):  # no descriptor is left: the event alone does as well
                self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        if self._descriptor >= 0:
            self._poll = select.poll()
            self._poll.register(self._descriptor, select.POLLIN)

    def set(self) -> None:
        """Say stop; whoever waits goes on at once."""
        self._event.set()
        if self._descriptor >= 0:
            os.eventfd_write(self._descriptor, 1)

    def is_set(self) -> bool:
        """Whether it was said."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is said, at most so long [s]; True when it was."""
        if self._descriptor < 0:
            return self._event.wait(seconds)
        if not self._poll.poll(seconds * MILLISECONDS):
            return False
        return self._event.is_set() or self._event.wait(seconds)  # a forked child that stops writes here as well

    def close(self) -> None:
        """Let go of the descriptor, once nobody waits any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Clock(Protocol):
    """What the meter asks of time; tests bring their own."""

    def elapsed_ns(self) -> int:
        """Monotonic time [ns]; the same clock in every process of one boot, suspended time included."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, UTC; may jump."""
        ...

    def wait(self, stop: Stop, seconds: float, /) -> bool:
        """Wait until `stop` is set or the time is over [s]; True when it was set."""
        ...


_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """The clock of this machine.

    `CLOCK_BOOTTIME` is used where there is one (Linux), because `CLOCK_MONOTONIC` stands still while a machine sleeps
    and energy counters do not. Source: clock_gettime(2). The functions of the system stand here as they are, without a
    call of ours around each: the meter asks them every second.
    """

    elapsed_ns = staticmethod(partial(time.clock_gettime_ns, _MONOTONIC) if _MONOTONIC else time.monotonic_ns)
    """Monotonic time [ns]."""

    wall_ns = staticmethod(time.time_ns)
    """Nanoseconds since 1970, UTC."""

    wait = staticmethod(Stop.wait)
    """Wait for a `Stop`, at most so long [s]; True when it was set."""
