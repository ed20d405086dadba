"""A command run under measurement: started, signals passed on, waited for."""

import contextlib
import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")
    if hasattr(signal, name)
)
"""Signals that are the child's business."""

FROM_KERNEL = 0x80
"""``si_code`` of a signal that a terminal sent; it went to the child as well. Source: sigaction(2), SI_KERNEL."""

PR_SET_CHILD_SUBREAPER = 36
"""Orphans below become our children, so that their use still counts. Source: prctl(2)."""

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes of a shell for a command that is not there, or cannot be run."""


class Child:
    """A command and its exit status.

    Args:
        command: program and arguments.
        environment: its whole environment.

    Raises:
        OSError: the program cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command, self._environment = list(command), dict(environment)
        self.pid = 0
        self.code: int | None = None

    def run(self, every_s: float, tick: Callable[[], None]) -> int:
        """Start, pass signals on, wait; the exit code as a shell gives it (128 + number after a signal).

        Args:
            every_s: how often `tick` is called [s].
            tick: called meanwhile; it may call `stop`.
        """
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if hasattr(signal, "sigtimedwait"):
            return self._run_waiting(every_s, tick)
        return self._run_handling(every_s, tick)

    def _spawn(self) -> None:
        program = shutil.which(self._command[0], path=self._environment.get("PATH")) or self._command[0]
        ours = (getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name))
        # the interpreter ignores these two; what a shell ignores for a background job stays ignored
        self.pid = os.posix_spawn(program, self._command, self._environment, setsigmask=[], setsigdef=set(ours))

    def _run_waiting(self, every_s: float, tick: Callable[[], None]) -> int:
        watched = {*PASSED_ON, signal.SIGCHLD}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        try:
            self._spawn()
            while not self._reaped():
                found = signal.sigtimedwait(watched, every_s)
                if found is None:
                    tick()
                elif found.si_signo != signal.SIGCHLD and found.si_code != FROM_KERNEL:
                    self.send(found.si_signo)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self.code is not None
        return self.code

    def _run_handling(self, every_s: float, tick: Callable[[], None]) -> int:
        def pass_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (the handler's signature)
            if not (number == signal.SIGINT and sys.stdin.isatty()):
                self.send(number)

        import time  # noqa: PLC0415  (only where signals cannot be waited for)

        before = {number: signal.signal(number, pass_on) for number in PASSED_ON}
        try:
            self._spawn()
            while not self._reaped():
                time.sleep(min(every_s, 0.05))
                tick()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        assert self.code is not None
        return self.code

    def _reaped(self) -> bool:
        """Collect everything that ended; True when the command itself did."""
        while self.code is None:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.pid:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else 128 - code
        return True

    def send(self, number: int) -> None:
        """Send a signal to the command."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
