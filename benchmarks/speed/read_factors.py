"""How long a command waits for the factors: compiled against parsed, in one run, without any cache.

Usage: python benchmarks/speed/read_factors.py
"""

import os
import tempfile
import time
from collections.abc import Callable

from joulebook.factors import compiled
from joulebook.factors.read import HERE, _fingerprint, read_with_faults, ship

ROUNDS = 5


def quickest(task: Callable[[], object]) -> float:
    """Processor time of the quickest of some rounds [s]; a shared machine makes wall time say little."""
    times = []
    for _round in range(ROUNDS):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print both times and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        path = ship()
        try:
            quick = quickest(lambda: compiled.load(_fingerprint(HERE)))
        finally:
            path.unlink()
        slow = quickest(read_with_faults)
    count = len(read_with_faults().edition.factors)
    numbers = f"compiled {quick * 1e3:.0f} ms, parsed {slow * 1e3:.0f} ms of processor time, {slow / quick:.0f}x"
    print(f"{count:,} values: {numbers}")


if __name__ == "__main__":
    main()
