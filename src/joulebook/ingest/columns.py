"""Rows of usage as columns: records without any fault are checked and keyed a column at a time.

What `joulebook.ingest.rows.RowMaker` does record by record, and with the same result; a record that needs to be looked
at by itself (a fault, a count written as text, a time without zone) leaves its whole batch to that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import isfinite
from operator import add
from typing import cast

from joulebook.ingest.cells import (
    FIRST_YEAR,
    LARGEST_COUNT,
    LAST_YEAR,
    LONGEST_NAME,
    CellFaultError,
    Names,
    instant,
)
from joulebook.ingest.mapping import (
    AMOUNT_FIELDS,
    CONSUMPTION,
    COUNT_FIELDS,
    INCLUSIVE,
    REQUEST_ID,
    TEXT_FIELDS,
    TIME_FIELDS,
    USER_ID,
    FieldMapping,
)
from joulebook.ingest.rows import RowMaker, base_of, keys_of
from joulebook.terms.usage import HASHES, TOKEN_CLASSES, Usage

Columns = dict[str, Sequence]
"""Column -> a value per row, None where it is unknown; columns of which nothing is known may be absent."""

Cells = Sequence[object]

_NONE = type(None)
_NUMBERS: set[type] = {int, float, _NONE}
ISO_DIGITS = 24
"""Characters of a time as programs in JavaScript and Rust write it: 2026-11-22T09:30:00.000Z."""


class _IrregularError(ValueError):
    """A record needs to be looked at by itself."""


class ColumnMaker:
    """Makes the columns of rows under one mapping, whose records have a request id.

    Args:
        mapping: which fields the records bring, and what holds for all of them.
    """

    def __init__(self, mapping: FieldMapping) -> None:
        self._names = Names({None: None})
        self._source_id = mapping.source_id
        self._whole = [(name, *INCLUSIVE[name]) for name in INCLUSIVE if name in mapping.columns]
        self._base = base_of(mapping)
        self._convert: dict[str, Callable[[Cells], Sequence]] = {
            **dict.fromkeys(COUNT_FIELDS, _counts),
            **dict.fromkeys(AMOUNT_FIELDS, _amounts),
            **dict.fromkeys(TEXT_FIELDS, self._texts),
            **dict.fromkeys((REQUEST_ID, *HASHES), _ids),
            **dict.fromkeys(TIME_FIELDS, _instants),
            "cost_usd": _numbers,
            USER_ID: _refused,
        }
        self._fields = frozenset(mapping.columns)

    def make(self, records: Sequence[Mapping[str, object]]) -> Columns | None:
        """The columns of the rows of some records; None where one of them needs to be looked at by itself."""
        try:
            columns = {
                name: self._convert[name](cells) for name, cells in _turned(records).items() if name in self._fields
            }
            return self._checked({name: values for name, values in columns.items() if values}, len(records))
        except (_IrregularError, CellFaultError, OverflowError):
            return None

    def _texts(self, cells: Cells) -> Cells:
        if str not in _kinds(cells, {str, _NONE}):
            return ()
        names = list(map(self._names.__getitem__, cast("Sequence[str | None]", cells)))
        if names.count(None) != cells.count(None):
            raise _IrregularError  # blank: told, and yet unknown
        return names

    def _checked(self, columns: Columns, rows: int) -> Columns:
        for name, rest, parts in self._whole:
            if name in columns:
                _take_apart(columns, name, rest, parts)
        ids, started, ended = columns.pop(REQUEST_ID, ()), columns.get("started_at", ()), columns.get("ended_at", ())
        if not ids or None in ids or {*map(type, started)} != {datetime} or not _is_consumed(columns):
            raise _IrregularError
        if ended and any(end is not None and end < start for start, end in zip(started, ended, strict=True)):
            raise _IrregularError
        for name, value in self._base.items():
            told = columns.get(name)
            columns[name] = [value] * rows if told is None else [value if one is None else one for one in told]
        return {"usage_key": keys_of(self._source_id, ids), **columns}


def content_hashes(columns: Columns, maker: RowMaker) -> list[int]:
    """What `RowMaker` compares two records of one request id by."""
    unknown = [None] * len(columns["usage_key"])
    return list(map(hash, zip(*(columns.get(name, unknown) for name in maker.content), strict=True)))


def columns_of(rows: Sequence[Usage]) -> Columns:
    """The columns of rows that are made already."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def tokens_of(columns: Columns) -> list[int]:
    """The tokens of each row, of all classes."""
    rows = len(columns["usage_key"])
    total = [0] * rows
    for name in TOKEN_CLASSES:
        if name in columns:
            total = list(map(add, total, [count or 0 for count in columns[name]]))
    return total


def _turned(records: Sequence[Mapping[str, object]]) -> dict[str, Cells]:
    """The fields of records, each with a cell per record."""
    shapes = set(map(tuple, records))
    if len(shapes) == 1:
        return dict(zip(shapes.pop(), zip(*(record.values() for record in records), strict=True), strict=True))
    return {name: [record.get(name) for record in records] for name in set().union(*shapes)}


def _take_apart(columns: Columns, name: str, rest: str, parts: Iterable[str]) -> None:
    """What remains of a count that contains others."""
    left: Cells = columns.pop(name)
    for part in parts:
        if part in columns:
            pairs = zip(cast("Sequence[int | None]", left), columns[part], strict=True)
            left = [whole if whole is None or not less else whole - less for whole, less in pairs]
    if min((count for count in cast("Sequence[int | None]", left) if count is not None), default=0) < 0:
        raise _IrregularError
    known = columns.get(rest)
    pairs = zip(left, known, strict=True) if known else ()
    columns[rest] = [other if count is None else count for count, other in pairs] if known else left


def _is_consumed(columns: Columns) -> bool:
    """Whether every row has a consumption."""
    told = [columns[name] for name in CONSUMPTION if name in columns]
    if any(None not in values for values in told):
        return True
    return bool(told) and all(any(value is not None for value in row) for row in zip(*told, strict=True))


def _kinds(cells: Cells, allowed: set[type]) -> set[type]:
    kinds = set(map(type, cells))
    if not kinds <= allowed:
        raise _IrregularError
    return kinds


def _known(cells: Cells, kinds: set[type]) -> Sequence:
    return [cell for cell in cells if cell is not None] if _NONE in kinds else cells


def _counts(cells: Cells) -> Cells:
    known = _known(cells, _kinds(cells, {int, _NONE}))
    if not known:
        return ()
    if min(known) < 0 or max(known) > LARGEST_COUNT:
        raise _IrregularError
    return cells


def _numbers(cells: Cells) -> Cells:
    kinds = _kinds(cells, _NUMBERS)
    known = _known(cells, kinds)
    if not known:
        return ()
    if not isfinite(sum(map(float, known))):
        raise _IrregularError
    return [None if cell is None else float(cast("float", cell)) for cell in cells] if int in kinds else cells


def _amounts(cells: Cells) -> Cells:
    numbers = _numbers(cells)
    if any(cast("float", number) < 0 for number in numbers if number is not None):
        raise _IrregularError
    return numbers


def _ids(cells: Cells) -> Cells:
    known = _known(cells, _kinds(cells, {str, _NONE}))
    if not known:
        return ()
    if max(map(len, known)) > LONGEST_NAME or not "".join(known).isprintable():
        raise _IrregularError
    if "" in known or list(map(str.strip, known)) != list(known):
        raise _IrregularError
    return cells


def _instants(cells: Cells) -> Cells:
    """Times in UTC; most are written in the one way that needs no further look."""
    read, moments = datetime.fromisoformat, []
    for cell in cells:
        if type(cell) is str and len(cell) == ISO_DIGITS and cell[4:17:6] == "-T:" and cell[19::4] == ".Z":
            try:
                moments.append(read(cell))
            except ValueError:
                raise _IrregularError from None
        else:
            moments.append(_instant(cell))
    known = [moment for moment in moments if moment is not None]
    if not known:
        return ()
    if not FIRST_YEAR <= min(known).year <= max(known).year <= LAST_YEAR:
        raise _IrregularError
    return moments


def _instant(cell: object) -> datetime | None:
    if cell is None:
        return None
    moment, is_known = instant(cell, None)
    if not is_known:
        raise _IrregularError
    return moment


def _refused(cells: Cells) -> Cells:
    if any(cell is not None for cell in cells):
        raise _IrregularError
    return ()
