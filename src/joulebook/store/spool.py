"""Rows from Python to the engine: a file of blocks of columns (see `joulebook.terms.blocks`)."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from io import SEEK_END
from itertools import islice
from pathlib import Path

from joulebook.store.durable import writing
from joulebook.store.schema import SQL_TYPES, identifier, literal
from joulebook.terms.blocks import KEPT, kept_at, packed

BLOCK_ROWS = 2048
SMALLEST_BUFFER = 1 << 22
_SPOOLED = {**SQL_TYPES, "timestamp": "BIGINT"}


class Spool:
    """A file of blocks.

    Args:
        path: the file to write.
        columns: name -> type of the dictionary, in order.
        unique: the column by which a row is known, or None.
    """

    def __init__(self, path: Path, columns: Mapping[str, str], unique: str | None = None) -> None:
        self.path = path
        self.columns = columns
        self.rows = 0
        self.is_once = False
        self._starts: list[int] = []
        self._size = 0
        self._has_all = True
        self._unique = unique
        self._longest = SMALLEST_BUFFER

    def write(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Write all rows, block by block; an absent key is unknown.

        Raises:
            BadValue: a value has not its column's type.
            UnknownName: a row has a key that is no column of the table.
            StoreUnwritable: the disk refused.
        """
        source = iter(rows)
        with self.filling():
            while block := list(islice(source, BLOCK_ROWS)):
                names = set().union(*block) or set(islice(self.columns, 1))
                lists = {name: [row.get(name) for row in block] for name in names}
                is_once = self.rows == 0 and self._has_each_once(block)
                self.put(packed(self.columns, lists), len(block))
                self.is_once = is_once

    @contextmanager
    def filling(self) -> Generator[None, None, None]:
        """Open the file for `put` and `leave_out`.

        Raises:
            StoreUnwritable: the disk refused.
        """
        with writing(self.path):
            stream = self.path.open("wb", buffering=0)  # nothing is left to fail when it is closed
        with stream:
            self._stream = stream
            yield

    def put(self, block: bytes, rows: int) -> None:
        """Write the next block, of so many rows, as `joulebook.terms.blocks.packed` makes it.

        Raises:
            StoreUnwritable: the disk refused.
        """
        self._starts.append(self._size)
        self._size += len(block)
        self._longest = max(self._longest, len(block))
        self.rows += rows
        self._write(block)

    def leave_out(self, block: int, rows: Sequence[int]) -> None:
        """Take rows back from a block.

        Args:
            block: its number; the first is 0.
            rows: their numbers in the block; the first is 0.

        Raises:
            StoreUnwritable: the disk refused.
        """
        with writing(self.path):
            for row in rows:
                self._stream.seek(self._starts[block] + kept_at(row))
                self._stream.write(b"0")
            self._stream.seek(0, SEEK_END)
        self.rows -= len(rows)
        self._has_all = False

    def _write(self, content: bytes) -> None:
        with writing(self.path):
            rest = memoryview(content)
            while rest:
                rest = rest[self._stream.write(rest) :]

    def _has_each_once(self, block: Sequence[Mapping[str, object]]) -> bool:
        """Whether a short input, of one block, has every key once; the engine finds out for longer ones."""
        keys = {row.get(self._unique) for row in block} if self._unique is not None else set()
        return len(keys) == len(block) and None not in keys

    def sql(self) -> str:
        """SQL that reads the rows back, in order, in the types that a table shows."""
        types = ", ".join(f"{literal(n)}: {literal(_SPOOLED[k] + '[]')}" for n, k in self.columns.items())
        lists = ", ".join(f"unnest({identifier(name)}) AS {identifier(name)}" for name in self.columns)
        shown = ", ".join(
            f"make_timestamp({identifier(name)}) AS {identifier(name)}" if kind == "timestamp" else identifier(name)
            for name, kind in self.columns.items()
        )
        read = (
            f"read_json({literal(str(self.path))}, format = 'newline_delimited', "
            f"columns = {{{literal(KEPT)}: 'TINYINT[]', {types}}}, maximum_object_size = {self._longest})"
        )
        kept = "" if self._has_all else f" WHERE {KEPT} = 1"
        return f"SELECT {shown} FROM (SELECT unnest({KEPT}) AS {KEPT}, {lists} FROM {read}){kept}"
