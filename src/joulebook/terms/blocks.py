"""Rows of a table as blocks of columns, each a line of JSON: how rows go to the engine, and from process to process.

A block holds the columns of some thousand rows as lists. That carries NULL apart from the empty text, any Unicode,
line ends and quotes, and times as whole microseconds, and costs a third of writing row by row.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isfinite

import msgspec

from joulebook.errors import BadValue, UnknownName, translatable
from joulebook.terms.columns import column

KEPT = "_kept"
"""The first list of a block: 1 for each row; 0 written over it takes the row back."""

EPOCH = datetime.fromtimestamp(0, tz=UTC)
MICROSECOND = timedelta(microseconds=1)
INT64_LIMIT = 1 << 63

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


def kept_at(row: int) -> int:
    r"""Where in a block the mark of a row stands.

    >>> block = packed({"a": "int64"}, {"a": [7, 8, 9]})
    >>> block, block[kept_at(2) :]
    (b'{"_kept":[1,1,1],"a":[7,8,9]}\n', b'1],"a":[7,8,9]}\n')
    """
    return len(f'{{"{KEPT}":[') + len("1,") * row


def _block(
    columns: Mapping[str, str], told: Mapping[str, Sequence[object]], *, strict: bool
) -> dict[str, Sequence[object]]:
    lists: dict[str, Sequence[object]] = {KEPT: [1] * len(next(iter(told.values())))}
    for name, kind in columns.items():
        values = _column_list(name, kind, told[name], strict=strict) if name in told else None
        if values is not None:
            lists[name] = values
    return lists


def table_types(columns: Iterable[str]) -> dict[str, str]:
    """The dictionary's type of each column."""
    return {name: column(name).type for name in columns}
