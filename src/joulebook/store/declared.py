"""A declared mapping as SQL: from the columns of any file to checked, keyed rows of usage.

Books the same rows with the same keys as the readers' row by row parse of the same records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from joulebook.store.cells import Cell, amount_cell, count_cell, is_bare, text_cell, time_cell, unquoted
from joulebook.store.schema import SQL_TYPES, identifier, literal
from joulebook.terms.columns import column
from joulebook.terms.usage import (
    CONSUMPTION,
    INCLUSIVE,
    KEY_DIGITS,
    REQUEST_ID,
    RESPONSE,
    RESPONSE_ID,
    USAGE_COLUMNS,
    USER_ID,
)

SEPARATOR = "chr(31)"
KEY_TIME = "'%Y-%m-%dT%H:%M:%S.%f'"


class Declaration(Protocol):
    """What a mapping must tell; `joulebook.ingest.mapping.FieldMapping` does.

    Attributes:
        columns: field -> column of the file; dots lead into structs.
        constants: fields with one value, used where the column is absent or empty.
        source_id: first part of every key, and the value of ``source``.
        timezone: zone of times without one; None = UTC, with a warning.
        tier: how the counts are known.
        key_fields: fields whose text identifies a row.
    """

    @property
    def columns(self) -> Mapping[str, str]: ...  # noqa: D102  (described above)
    @property
    def constants(self) -> Mapping[str, str]: ...  # noqa: D102  (described above)
    @property
    def source_id(self) -> str: ...  # noqa: D102  (described above)
    @property
    def timezone(self) -> str | None: ...  # noqa: D102  (described above)
    @property
    def tier(self) -> str: ...  # noqa: D102  (described above)
    @property
    def key_fields(self) -> tuple[str, ...]: ...  # noqa: D102  (described above)


@dataclass(frozen=True, slots=True)
class Plan:
    """SQL of one import.

    Attributes:
        raw: query of every record with ``_record`` and its cells as they are, the empty text as unknown, and whether
            they are written in the usual way.
        checked: query of every record with ``_record`` (from 1), ``_fault`` (0 is none), the parts of its key, and the
            converted values.
        faults: (rule, field) of each fault number, from 1.
        is_by_id: keys are made of the supplier's ids; else of content, and equal rows are numbered.
        bare: field -> condition on ``raw`` and ``checked`` that its time says nothing of the zone.
        outputs: column of usage, in order -> SQL over ``checked``, without the key.
    """

    raw: str
    checked: str
    faults: tuple[tuple[str, str], ...]
    is_by_id: bool
    bare: Mapping[str, str]
    outputs: Mapping[str, str]

    def key(self, occurrence: str = "0") -> str:
        """SQL of the key of a record.

        Args:
            occurrence: how many equal rows came before, where keys are made of content.
        """
        parts = "_parts" if self.is_by_id else f"concat(_parts, {SEPARATOR}, {occurrence})"
        return f"substr(sha256({parts}), 1, {KEY_DIGITS})"

    def rows(self, source: str, occurrence: str = "0") -> str:
        """Query of the rows of usage that the records without fault make.

        Args:
            source: ``checked``, or a query with its columns.
            occurrence: as in `key`.
        """
        listed = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in self.outputs.items())
        keyed = f"SELECT {self.key(occurrence)} AS usage_key, {listed} FROM ({source}) WHERE _fault = 0"
        checked = f"SELECT *, CAST(concat('0x', left(usage_key, 16)) AS UBIGINT) AS _checks FROM ({keyed})"
        return (
            "SELECT usage_key, CAST(_checks >> 32 AS BIGINT) AS key_a, CAST(_checks & 4294967295 AS BIGINT) AS key_b, "
            f"* EXCLUDE (usage_key, _checks) FROM ({checked})"
        )


def make_plan(source: str, kinds: Mapping[str, str], declaration: Declaration) -> Plan:
    """The SQL of one import.

    Args:
        source: query of the file: ``_record`` and one column ``raw_FIELD`` per mapped field.
        kinds: field -> the engine's type of that column.
        declaration: what the user said.

    Raises:
        UnknownName: there is no such time zone.
    """
    cells = {name: _cell(name, kind, declaration.timezone) for name, kind in kinds.items()}
    raws = ", ".join(f"{unquoted(_raw(name), kind)} AS {_raw(name)}" for name, kind in kinds.items())
    values = ", ".join(f"{cell.value} AS {_value(name)}" for name, cell in cells.items())
    asked = "".join(f", {cell.usual} AS {_usual(name)}" for name, cell in cells.items() if cell.usual is not None)
    raw = f"SELECT *{asked} FROM (SELECT _record, {raws} FROM ({source}))"
    converted = f"SELECT *, {values} FROM ({raw})"
    rest = _remainders(cells)
    if rest:
        listed = ", ".join(f"{sql} AS {_value(name)}" for name, sql in rest.items())
        converted = f"SELECT *, {listed} FROM ({converted})"
    known = {*cells, *rest}
    faults = [(fault, rule, name) for name, cell in cells.items() for fault, rule in cell.faults]
    faults += _row_faults(cells, known)
    numbered = " ".join(f"WHEN {fault} THEN {n}" for n, (fault, _, _) in enumerate(faults, 1))
    content = ", ".join(_value(name) for name in sorted(known - {REQUEST_ID, *INCLUSIVE}))
    fault = f"CASE {numbered} ELSE 0 END"
    rows = f"{_parts(declaration)} AS _parts, hash({content}) AS _content FROM ({converted})"
    times = (name for name in kinds if _type(name) == "timestamp")
    bare = {name: condition for name in times if (condition := is_bare(_raw(name), kinds[name], _usual(name)))}
    return Plan(
        raw=raw,
        checked=f"SELECT *, {fault} AS _fault, {rows}",
        faults=tuple((rule, name) for _, rule, name in faults),
        is_by_id=REQUEST_ID in cells,
        bare=bare,
        outputs=_outputs(known, declaration),
    )


def _raw(name: str) -> str:
    return identifier(f"raw_{name}")


def _value(name: str) -> str:
    return identifier(f"value_{name}")


def _usual(name: str) -> str:
    return identifier(f"usual_{name}")


def _type(name: str) -> str:
    if name in INCLUSIVE:
        return "int64"
    return "string" if name in {REQUEST_ID, USER_ID} else column(name).type


def _cell(name: str, kind: str, zone: str | None) -> Cell:
    raw, value = _raw(name), _value(name)
    field_type = _type(name)
    if field_type == "int64":
        return count_cell(raw, kind, value)
    if field_type == "float64":
        return amount_cell(raw, kind, value, may_be_negative=column(name).unit == "USD")
    if field_type == "timestamp":
        return time_cell(raw, kind, value, _usual(name), zone)
    return text_cell(raw, kind, value, _usual(name))


def _remainders(cells: Mapping[str, Cell]) -> dict[str, str]:
    """Counts that contain others, without them."""
    found = {}
    for whole, (rest, parts) in INCLUSIVE.items():
        if whole in cells:
            taken = "".join(f" - coalesce({_value(part)}, 0)" for part in parts if part in cells)
            found[rest] = f"TRY_CAST(CAST({_value(whole)} AS HUGEINT){taken} AS BIGINT)"
    return found


def _row_faults(cells: Mapping[str, Cell], known: set[str]) -> list[tuple[str, str, str]]:
    """(condition, rule, field) of what is wrong with a row as a whole."""
    faults = [(f"{_value('started_at')} IS NULL", "missing-value", "started_at")]
    faults += [
        (f"{_value(rest)} < 0", "part-exceeds-whole", whole) for whole, (rest, _) in INCLUSIVE.items() if whole in cells
    ]
    nothing = " AND ".join(f"{_value(name)} IS NULL" for name in CONSUMPTION if name in known)
    faults.append((nothing, "nothing-consumed", "started_at"))
    if "ended_at" in known:
        faults.append((f"{_value('ended_at')} < {_value('started_at')}", "ends-before-start", "ended_at"))
    if REQUEST_ID in cells:
        faults.append((f"{_value(REQUEST_ID)} IS NULL", "missing-value", REQUEST_ID))
    return faults


def _parts(declaration: Declaration) -> str:
    """SQL of the text that the key is the hash of, without the number of equal rows before."""
    first = literal(declaration.source_id)
    if REQUEST_ID in declaration.key_fields:
        is_response = f"regexp_full_match({_value(REQUEST_ID)}, {literal(RESPONSE_ID)})"
        first = f"CASE WHEN {is_response} THEN {literal(RESPONSE)} ELSE {first} END"
    texts = [first]
    for name in declaration.key_fields:
        value = _value(name)
        if _type(name) == "timestamp":
            value = f"strftime({value}, {KEY_TIME})"
        texts += [SEPARATOR, f"coalesce(CAST({value} AS VARCHAR), '')"]
    return f"concat({', '.join(texts)})"


def _outputs(known: set[str], declaration: Declaration) -> dict[str, str]:
    constants = declaration.constants
    fixed = {
        "source": literal(declaration.source_id),
        "tier": literal(declaration.tier),
        "is_synthetic": str(constants.get("is_synthetic", "").lower() in {"true", "1", "yes"}).lower(),
        "user_hash": _user_hash() if USER_ID in known else "CAST(NULL AS VARCHAR)",
        "request_count": f"coalesce({_value('request_count')}, 1)" if "request_count" in known else "CAST(1 AS BIGINT)",
    }
    outputs = {}
    for name in USAGE_COLUMNS:
        if name in fixed:
            outputs[name] = fixed[name]
        elif name not in {"usage_key", "key_a", "key_b"}:
            given = [_value(name)] if name in known else []
            given += [literal(constants[name])] if name in constants else []
            kind = SQL_TYPES[column(name).type]
            first = f"coalesce({', '.join(given)})" if len(given) > 1 else next(iter(given), "NULL")
            outputs[name] = f"CAST({first} AS {kind})"
    return outputs


def _user_hash() -> str:
    value = _value(USER_ID)
    hashed = f"substr(sha256(concat('user', {SEPARATOR}, {value})), 1, {KEY_DIGITS})"
    return f"CASE WHEN {value} IS NOT NULL THEN {hashed} END"
