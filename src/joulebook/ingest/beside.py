"""Many log files read by several processes of our own at once, in the order in which they were given.

The processes know nothing of a book: they get lists of files on their standard input and answer with rows and findings.
They end when their input ends, so none outlives the one that started them. Where none can be started, or one fails, the
files are read here.
"""

import json
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Semaphore, Thread
from typing import Any, BinaryIO, Generic, TypeVar, cast

Task = TypeVar("Task")
Answer = TypeVar("Answer")

MOST_PROCESSES = 4
AHEAD = 32
"""Tasks that are under way or done but not yet taken, per process: bounds the memory."""

SENT = 3
"""Of these, how many a process has at a time: one that it does, and others that wait for it."""

KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
"""What lets the C library of Linux keep memory between two logs, instead of giving it back and asking for it anew."""

START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from joulebook.ingest.serving import serve; serve()"


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Beside(Generic[Task, Answer]):
    """Answers of a function to tasks, in their order, computed by several processes, which begin at once.

    Args:
        function: of a module that can be imported; what it raises is raised here.
        tasks: what it is called with.
        processes: how many, up to `MOST_PROCESSES`; one for each processor if None.
    """

    def __init__(self, function: Callable[[Task], Answer], tasks: Iterable[Task], processes: int | None = None) -> None:
        self._function = function
        wanted = min(processes or processors(), MOST_PROCESSES)
        self._helpers = [helper for helper in (_start() for _ in range(wanted)) if helper is not None]
        self._work: deque[tuple[Task, Future[Answer]]] = deque((task, Future()) for task in tasks)
        self._pending = deque(self._work)
        self._is_closed = False
        self._lock = Lock()
        self._room = Semaphore(AHEAD * len(self._helpers))
        self._threads = [Thread(target=self._drive, args=(helper,), daemon=True) for helper in self._helpers]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[Answer]:
        """The answers; ends the processes after the last one, or when the reader stops."""
        try:
            while self._work:
                task, future = self._work.popleft()
                yield future.result() if self._helpers else self._function(task)
                self._room.release()
        finally:
            self.close()

    def close(self) -> None:
        """End the processes."""
        self._is_closed = True
        with self._lock:
            self._pending.clear()
        for helper in self._helpers:
            helper.kill()
            self._room.release()
        for thread in self._threads:
            thread.join()
        for helper in self._helpers:
            for stream in (helper.stdin, helper.stdout):
                with suppress(OSError):
                    cast("BinaryIO", stream).close()
            helper.wait()
        self._helpers.clear()
        self._threads.clear()

    def _drive(self, helper: "subprocess.Popen[bytes]") -> None:
        """Keep a process busy; where it has ended, do its tasks here."""
        sent: deque[tuple[Task, Future[Answer]]] = deque()
        stdin, stdout = cast("BinaryIO", helper.stdin), cast("BinaryIO", helper.stdout)
        try:
            while self._send(stdin, sent):
                answer: Any = pickle.load(stdout)  # noqa: S301  (from a process of our own)
                sent.popleft()[1].set_result(answer)
        except Exception:  # noqa: BLE001  (whatever became of the process: it is done here, and fails here)
            while not self._is_closed and (work := sent.popleft() if sent else self._take(wait=True)) is not None:
                self._do(*work)

    def _send(self, stdin: BinaryIO, sent: "deque[tuple[Task, Future[Answer]]]") -> bool:
        """Send a process the next tasks, so that it never waits for one; whether it has any."""
        while len(sent) < SENT and (work := self._take(wait=not sent)) is not None:
            sent.append(work)
            pickle.dump((self._function, work[0]), stdin)
            stdin.flush()
        return bool(sent)

    def _take(self, *, wait: bool) -> "tuple[Task, Future[Answer]] | None":
        """The next task; None where there is none, or the answers so far have to be taken first."""
        if not self._room.acquire(blocking=wait):
            return None
        with self._lock:
            return self._pending.popleft() if self._pending else None

    def _do(self, task: Task, future: "Future[Answer]") -> None:
        try:
            future.set_result(self._function(task))
        except Exception as error:  # noqa: BLE001  (raised where the answer is asked for)
            future.set_exception(error)


def _start() -> "subprocess.Popen[bytes] | None":
    command = [sys.executable, "-c", START, json.dumps(sys.path)]
    try:
        return subprocess.Popen(  # noqa: S603  (our own interpreter and code)
            command,
            env={**KEEP_MEMORY, **os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
