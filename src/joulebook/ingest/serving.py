"""What the processes of `joulebook.ingest.beside` do; apart, so that they load no more than they need."""

import gc
import os
import pickle
import signal
import sys
from contextlib import suppress


def serve() -> None:
    """Answer tasks from standard input on standard output until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks decides when to stop
    gc.disable()  # rows have no cycles, and looking for some costs a tenth of the time
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a reader may print is no answer
    with suppress(EOFError, BrokenPipeError):
        while True:
            function, task = pickle.load(tasks)  # noqa: S301  (from the process that started this one)
            pickle.dump(function(task), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
