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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO, Generic, TypeVar, cast

Task = TypeVar("Task")
Answer = TypeVar("Answer")

MOST_PROCESSES = 4
AHEAD = 2
"""Tasks that are under way or done but not yet taken, per process: bounds the memory."""

START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from joulebook.ingest.serving import serve; serve()"


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Beside(Generic[Task, Answer]):
    """Answers of a function to tasks, in their order, computed by several processes.

    Args:
        function: of a module that can be imported; what it raises is raised here.
        tasks: what it is called with.
        processes: how many; one for each processor, up to `MOST_PROCESSES`, if None.
    """

    def __init__(self, function: Callable[[Task], Answer], tasks: Sequence[Task], processes: int | None = None) -> None:
        self._function = function
        self._tasks = iter(tasks)
        wanted = min(processes or processors(), MOST_PROCESSES, len(tasks))
        self._helpers = [helper for helper in (_start() for _ in range(wanted)) if helper is not None]
        self._threads = ThreadPoolExecutor(max(1, len(self._helpers)))
        self._free = deque(self._helpers)
        self._waiting: deque[Future[Answer]] = deque()
        for task in islice(self._tasks, AHEAD * len(self._helpers)):
            self._waiting.append(self._threads.submit(self._ask, task))

    def __iter__(self) -> Iterator[Answer]:
        """The answers; ends the processes after the last one, or when the reader stops."""
        try:
            while self._waiting:
                answer = self._waiting.popleft().result()
                for task in islice(self._tasks, 1):
                    self._waiting.append(self._threads.submit(self._ask, task))
                yield answer
            for task in self._tasks:  # no process could be started
                yield self._function(task)
        finally:
            self.close()

    def close(self) -> None:
        """End the processes."""
        for helper in self._helpers:
            helper.kill()
        self._threads.shutdown(cancel_futures=True)
        for helper in self._helpers:
            for stream in (helper.stdin, helper.stdout):
                with suppress(OSError):
                    cast("BinaryIO", stream).close()
            helper.wait()
        self._helpers.clear()

    def _ask(self, task: Task) -> Answer:
        """The answer of a process; of this one where that process has ended."""
        helper = self._free.popleft()  # as many threads as processes: one is free
        try:
            pickle.dump((self._function, task), cast("BinaryIO", helper.stdin))
            cast("BinaryIO", helper.stdin).flush()
            answer: Any = pickle.load(cast("BinaryIO", helper.stdout))  # noqa: S301  (from a process of our own)
        except (OSError, EOFError, pickle.UnpicklingError):
            return self._function(task)
        finally:
            self._free.append(helper)
        return answer


def _start() -> "subprocess.Popen[bytes] | None":
    command = [sys.executable, "-c", START, json.dumps(sys.path)]
    try:
        return subprocess.Popen(  # noqa: S603  (our own interpreter and code)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None
