"""A slow device, asked in a thread of its own, so that neither the other meters nor the program wait for it."""

import threading
import time
from collections.abc import Callable

from joulebook.measure.clock import Stop

EVERY_S = 5.0
"""Seconds between two questions: management controllers renew their reading every one to ten seconds."""

STALE_S = 30.0
"""An answer older than this tells nothing about now."""

Ask = Callable[[], int | None]


class Polled:
    """The last answer of a device.

    Args:
        ask: asks the device; None where it does not tell. It may take seconds, and never raises.
        every_s: seconds between two questions.
        stale_s: how long an answer holds.
        now: monotonic time [s].
    """

    def __init__(
        self, ask: Ask, every_s: float = EVERY_S, stale_s: float = STALE_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._every_s, self._stale_s, self._now = ask, every_s, stale_s, now
        self._last: tuple[float, int] | None = None
        self._stop = Stop()
        self._thread: threading.Thread | None = None

    def start(self) -> int | None:
        """Ask once; go on in a thread where there was an answer, which is returned."""
        self._take()
        if self._last is None:
            return None
        self._thread = threading.Thread(target=self._run, name="joulebook-polled", daemon=True)
        self._thread.start()
        return self._last[1]

    def _take(self) -> None:
        value = self._ask()
        if value is not None:
            self._last = self._now(), value

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._take()

    def value(self) -> int | None:
        """The last answer; None where there was none for `stale_s`."""
        last = self._last
        return None if last is None or self._now() - last[0] > self._stale_s else last[1]

    def stop(self) -> None:
        """Ask no more. A question that is under way is not waited for."""
        self._stop.set()
        self._last = None
