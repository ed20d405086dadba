"""Run by test_crash: appends in forked processes that are killed at many points, then made whole.

Usage: ``python killed.py ROOT BOOK KILLS``. Each round appends its own thousand rows in three appends, dies at its
point, and is repeated without dying. Two of three rounds die before the n-th time that Python touches a file of
the book, the others by a timer, which may also strike inside the engine. Prints how many died.
"""

import os
import random
import signal
import sys
from pathlib import Path

root, book, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, str(root))

import duckdb  # noqa: E402, F401  (loaded once, before the forks)
import narwhals as nw  # noqa: E402, F401  (as above)
from tests.store.rows import usage_row  # noqa: E402  (as above)

from joulebook.store.store import Store  # noqa: E402  (after the path is set)

ROWS = 1000


def die_at(point: int) -> None:
    """Kill this process before it touches the book for the n-th time."""
    left = iter(range(point - 1))

    def watch(event: str, args: tuple) -> None:
        touches = event in {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.utime"}
        if touches and str(book) in str(args[0]) and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def die_after(seconds: float) -> None:
    """Let the kernel end this process, wherever it is then."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def append(number: int) -> None:
    """The appends of one round."""
    store = Store(book, threads=1)
    for part in range(3):
        rows = [usage_row(number * ROWS + row) for row in range(ROWS * part // 3, ROWS * (part + 1) // 3)]
        store.append_rows("usage", rows, unique="usage_key", info={"round": str(number)})


died = 0
chance = random.Random(20)
for number in range(kills):
    for attempt in range(2):
        child = os.fork()
        if child == 0:
            if attempt == 0 and number % 3:
                die_at(1 + number)
            elif attempt == 0:
                die_after(chance.uniform(0.01, 0.2))
            append(number)
            os._exit(0)
        died += os.WIFSIGNALED(os.waitpid(child, 0)[1])
print(died)
