"""What the processes of `joulebook.ingest.beside` do; apart, so that they load no more than they need."""

import gc
import os
import pickle
import signal
import sys
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any


def serve() -> None:
    """Answer tasks from standard input on standard output until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks decides when to stop
    gc.disable()  # rows have no cycles, and looking for some costs a tenth of the time
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a reader may print is no answer
    tasks: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_receive, args=(tasks,), daemon=True).start()
    with suppress(BrokenPipeError):
        while (told := tasks.get()) is not None:
            function, task = told
            pickle.dump(function(task), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()


def _receive(tasks: "SimpleQueue[Any]") -> None:
    """Take what comes at once, so that the one who asks never waits while this process answers; None is the end."""
    try:
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))  # noqa: S301  (from the process that started this one)
    except EOFError:
        pass
    finally:
        tasks.put(None)
