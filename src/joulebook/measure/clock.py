"""Time as an argument: a monotonic clock that counts suspended time, the wall clock, and waiting."""

import threading
import time
from typing import Protocol

NANOSECONDS = 1_000_000_000
"""Nanoseconds in a second."""


class Clock(Protocol):
    """What the meter asks of time; tests bring their own."""

    def elapsed_ns(self) -> int:
        """Monotonic time [ns]; the same clock in every process of one boot, suspended time included."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, UTC; may jump."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait until `stop` is set or the time is over [s]; True when it was set."""
        ...


class SystemClock:
    """The clock of this machine.

    `CLOCK_BOOTTIME` is used where there is one (Linux), because `CLOCK_MONOTONIC` stands still while a machine sleeps
    and energy counters do not. Source: clock_gettime(2).
    """

    def __init__(self) -> None:
        self._clock_id = getattr(time, "CLOCK_BOOTTIME", None)

    def elapsed_ns(self) -> int:
        """Monotonic time [ns]."""
        if self._clock_id is None:
            return time.monotonic_ns()
        return time.clock_gettime_ns(self._clock_id)

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        return time.time_ns()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait for `stop`, at most so long [s]."""
        return stop.wait(seconds)
