"""Of an answer that stands in several log files of an agent, the fullest row counts."""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from joulebook.ingest.home import LogFile
from joulebook.ingest.task import Batch
from joulebook.terms.usage import KEY_DIGITS


class Sink(Protocol):
    """Where the rows of logs go.

    Attributes:
        is_once: whether every key is there once; else the first of equal keys counts.
    """

    is_once: bool

    def put(self, block: bytes, rows: int) -> None:
        """Take the next block, of so many rows, as `joulebook.terms.blocks.packed` makes it."""
        ...

    def leave_out(self, block: int, rows: Sequence[int]) -> None:
        """Take rows back from a block, by their numbers, which count from 0."""
        ...


class Fullest:
    """Hands blocks on as they come, and takes back what another row of the same answer says more fully.

    Memory: the keys, not the rows.

    Args:
        sink: where the rows go.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._known: dict[str, int] = {}
        self._tokens = array("q")
        self._starts: list[int] = []
        self._young: dict[int, str] = {}
        self._lost: set[int] = set()
        self._agent = 0
        sink.is_once = True

    def add(self, batch: Batch, files: Sequence[LogFile]) -> None:
        """Take the next batch of an agent.

        Args:
            batch: some rows.
            files: of the batch's task.
        """
        start, told = len(self._tokens), batch.keys
        keys = [told[place : place + KEY_DIGITS] for place in range(0, len(told), KEY_DIGITS)]
        self._starts.append(start)
        self._tokens.extend(batch.tokens)
        if self._known.keys().isdisjoint(keys) and len(set(keys)) == len(keys):
            self._known.update(zip(keys, range(start, start + len(keys)), strict=True))
        else:
            for number, key in enumerate(keys, start):
                self._decide(key, number)
        self._young.update((start + row, files[file].path) for row, file in batch.young.items())
        self._sink.put(batch.block, len(keys))

    def close_agent(self) -> Iterator[str]:
        """Take back the rows of the agent that do not count or must wait; give the file of each that waits."""
        waiting = {number: path for number, path in self._young.items() if number not in self._lost}
        rows = defaultdict(list)
        for number in sorted({*self._lost, *waiting}):
            block = bisect_right(self._starts, number) - 1
            rows[block].append(number - self._starts[block])
        for block, numbers in rows.items():
            self._sink.leave_out(block, numbers)
        self._young.clear()
        self._lost.clear()
        self._agent = len(self._tokens)
        yield from waiting.values()

    def _decide(self, key: str, number: int) -> None:
        before = self._known.setdefault(key, number)
        if before == number:
            return
        if before < self._agent:
            self._sink.is_once = False  # of another agent: the store keeps the first and counts the others
        elif self._tokens[number] > self._tokens[before]:
            self._lost.add(before)
            self._known[key] = number
        else:
            self._lost.add(number)
