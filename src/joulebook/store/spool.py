"""Rows from Python to the engine: normalised blocks of columns, as JSON lines on disk.

A block holds the columns of some thousand rows as lists. That carries NULL apart from the empty text, any Unicode,
line ends and quotes, and times as whole microseconds, and costs a third of writing row by row.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from errno import EIO
from functools import partial
from io import FileIO
from itertools import islice
from math import isfinite
from pathlib import Path

import msgspec

from joulebook.errors import BadValue, UnknownName, translatable
from joulebook.store.durable import writing
from joulebook.store.schema import SQL_TYPES, identifier, literal
from joulebook.terms.columns import column

BLOCK_ROWS = 2048
ROWS = "_rows"
"""How many rows a block has, beside its columns."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
INT64_LIMIT = 1 << 63
SMALLEST_BUFFER = 1 << 24

_encode = msgspec.json.Encoder().encode
"""What is not finite it would write as null: `_quick` hands such a column on to be refused."""


def _refuse(name: str, value: object, expected: str) -> BadValue:
    kind = type(value).__name__
    return BadValue(
        value=f"{name}: {kind}", expected=expected, next_step=translatable("correct the reader that made this row.")
    )


def _string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _refuse(name, value, "text")
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise _refuse(name, value, "text that can be written as UTF-8") from fault
    return text


def _int64(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -INT64_LIMIT <= value < INT64_LIMIT:
        raise _refuse(name, value, "a whole number of 64 bits")
    return int(value)


def _float64(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise _refuse(name, value, "a finite number (unknown is None)")
    return float(value)


def _bool(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, "True or False")
    return value


def _date(name: str, value: object) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _refuse(name, value, "a date")
    return value.isoformat()


def _timestamp(name: str, value: object) -> int:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _refuse(name, value, "a time with its zone")
    return (value - EPOCH) // MICROSECOND


_CONVERT = {
    "string": _string,
    "int64": _int64,
    "float64": _float64,
    "bool": _bool,
    "date": _date,
    "timestamp": _timestamp,
}
_SPOOLED = {**SQL_TYPES, "timestamp": "BIGINT"}


def _quick(kind: str, kinds: set[type], values: Sequence) -> bool:
    """Whether JSON carries the values as they are; what only the encoder can see is checked there."""
    if kind == "int64":
        known = values if None not in values else [value for value in values if value is not None]
        return kinds == {int} and min(known) >= -INT64_LIMIT and max(known) < INT64_LIMIT
    if kind == "float64":
        return kinds == {float} and isfinite(sum(value for value in values if value is not None))
    return (kind, kinds) in (("string", {str}), ("bool", {bool}))


def _column_list(name: str, kind: str, values: Sequence, *, strict: bool) -> Sequence | None:
    """One column of a block as JSON can carry it; None where nothing is known."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if not kinds:
        return None
    if not strict and _quick(kind, kinds, values):
        return values
    convert = _CONVERT[kind]
    return [None if value is None else convert(name, value) for value in values]


def checked_row(row: Mapping[str, object], columns: Mapping[str, str]) -> dict[str, object]:
    """One row as JSON can carry it: times as microseconds since 1970, dates as text, what is unknown left out.

    Raises:
        BadValue: a value has not its column's type.
        UnknownName: the row has a key that is no column.
    """
    _refuse_strange(row.keys() - columns.keys(), columns)
    return {name: _CONVERT[columns[name]](name, value) for name, value in row.items() if value is not None}


def _refuse_strange(strange: set[str], columns: Mapping[str, str]) -> None:
    if strange:
        raise UnknownName(kind=translatable("column"), name=min(strange), nearest=", ".join(columns))


def packed(columns: Mapping[str, str], told: Mapping[str, Sequence[object]]) -> bytes:
    """A block of rows as a line of JSON.

    Args:
        columns: name -> type of the dictionary, in order.
        told: name -> a value per row; those that are absent are unknown.

    Raises:
        BadValue: a value has not its column's type.
        UnknownName: a name is no column of the table.
    """
    _refuse_strange(told.keys() - columns.keys(), columns)
    try:
        return _encode(_block(columns, told, strict=False)) + b"\n"
    except ValueError:  # a lone surrogate: look at each value to name it
        return _encode(_block(columns, told, strict=True)) + b"\n"


def _block(
    columns: Mapping[str, str], told: Mapping[str, Sequence[object]], *, strict: bool
) -> dict[str, int | Sequence[object]]:
    lists: dict[str, int | Sequence[object]] = {ROWS: len(next(iter(told.values())))}
    for name, kind in columns.items():
        values = _column_list(name, kind, told[name], strict=strict) if name in told else None
        if values is not None:
            lists[name] = values
    return lists


def _read_whole(stream: FileIO, size: int) -> bytes:
    parts = []
    while size:
        parts.append(stream.read(size))
        if not parts[-1]:
            raise OSError(EIO, "the spool is cut off")
        size -= len(parts[-1])
    return b"".join(parts)


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
        self.pack = partial(packed, dict(columns))
        self._ends = [0]
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
                self.put(self.pack(lists), len(block))
                self.is_once = is_once

    @contextmanager
    def filling(self) -> Generator[None, None, None]:
        """Open the file for `put` and `leave_out`.

        Raises:
            StoreUnwritable: the disk refused.
        """
        with writing(self.path):
            stream = self.path.open("w+b", buffering=0)  # nothing is left to fail when it is closed
        with stream:
            self._stream = stream
            yield

    def put(self, block: bytes, rows: int) -> None:
        """Write the next block, of so many rows, as `pack` made it.

        Raises:
            StoreUnwritable: the disk refused.
        """
        self._ends.append(self._ends[-1] + len(block))
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
        start, end = self._ends[block : block + 2]
        with writing(self.path):
            self._stream.seek(start)
            lists = msgspec.json.decode(_read_whole(self._stream, end - start))
        left = sorted(set(range(lists.pop(ROWS))).difference(rows))
        rest = {ROWS: len(left), **{name: [values[row] for row in left] for name, values in lists.items()}}
        with writing(self.path):
            self._stream.seek(start)
        self._write(_encode(rest).ljust(end - start - 1) + b"\n")  # as long as before: blanks are nothing in JSON
        with writing(self.path):
            self._stream.seek(self._ends[-1])
        self.rows -= len(rows)

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
            f"columns = {{{literal(ROWS)}: 'BIGINT', {types}}}, maximum_object_size = {self._longest})"
        )
        return f"SELECT {shown} FROM (SELECT unnest(range({ROWS})) AS _row, {lists} FROM {read})"


def table_types(columns: Iterable[str]) -> dict[str, str]:
    """The dictionary's type of each column."""
    return {name: column(name).type for name in columns}
