"""Small tables that are resolved for one computation, brought to the engine with exact values."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.errors import BadValue, translatable
from joulebook.store.schema import SQL_TYPES, identifier
from joulebook.store.spool import Spool
from joulebook.terms.columns import columns as dictionary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int64"),
    (float, "float64"),
    (str, "string"),
    (datetime, "timestamp"),
    (date, "date"),
)
_numbers = count()


def type_of(name: str, values: Iterable[object]) -> str:
    """The dictionary's type of a column, or what its values tell.

    Raises:
        BadValue: the dictionary does not know the name and all values are unknown.
    """
    known = dictionary()
    if name in known:
        return known[name].type
    present = [value for value in values if value is not None]
    for python_type, kind in _KINDS:
        if present and all(isinstance(value, python_type) for value in present):
            return kind
    if present and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        return "float64"
    raise BadValue(value=name, expected=translatable("a column of one type"), next_step=f"types={{{name!r}: ...}}.")


def small_table_sql(
    engine: "DuckDBPyConnection",
    spool: Path,
    name: str,
    rows: Iterable[Mapping[str, object]],
    types: Mapping[str, str] | None,
) -> str:
    """Make a temporary table of this engine and return SQL that reads it.

    Args:
        engine: that gets the table.
        spool: a file that may be written for a moment.
        name: for the reader of a query plan.
        rows: any number; all with the same keys.
        types: column -> type of the dictionary, where name and values do not tell.

    Raises:
        BadValue: a type cannot be told, or a value has another type.
    """
    listed = list(rows)
    given = dict(types or {})
    names = list(dict.fromkeys([*given, *(key for row in listed for key in row)]))
    kinds = {key: given.get(key) or type_of(key, (row.get(key) for row in listed)) for key in names}
    if not kinds:
        raise BadValue(
            value=name,
            expected=translatable("a table with columns"),
            next_step=translatable("give types= for a table without rows."),
        )
    temporary = identifier(f"small_{next(_numbers)}_{name}")
    columns = ", ".join(f"{identifier(key)} {SQL_TYPES[kind]}" for key, kind in kinds.items())
    engine.execute(f"CREATE TEMP TABLE {temporary} ({columns})")
    if listed:
        lines = Spool(spool, kinds)
        try:
            lines.write(listed)
            engine.execute(f"INSERT INTO {temporary} {lines.sql()}")
        finally:
            spool.unlink(missing_ok=True)
    return f"FROM {temporary}"
