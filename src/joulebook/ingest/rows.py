"""From the fields of one record to a checked, keyed row of usage: the only place where rows of readers are made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from joulebook.ingest.cells import (
    LARGEST_COUNT,
    CellFaultError,
    Convert,
    Names,
    amount,
    count,
    instant,
    key_text,
    money,
    text,
    zone_named,
)
from joulebook.ingest.mapping import (
    AMOUNT_FIELDS,
    CONSUMPTION,
    COUNT_FIELDS,
    INCLUSIVE,
    REQUEST_ID,
    TEXT_FIELDS,
    USER_ID,
    FieldMapping,
)
from joulebook.terms.finding import Finding
from joulebook.terms.usage import HASHES, RESPONSE, RESPONSE_ID, Usage, usage_key, usage_keys

_CONVERT: Mapping[str, Convert] = {
    **dict.fromkeys(COUNT_FIELDS, count),
    **dict.fromkeys(AMOUNT_FIELDS, amount),
    **dict.fromkeys((*TEXT_FIELDS, REQUEST_ID, USER_ID, *HASHES), text),
    "cost_usd": money,
}
_CONSUMPTION = frozenset(CONSUMPTION)
_TRUE = ("true", "1", "yes")
_ID_DIGITS = 16

_RESPONSE_ID = re.compile(RESPONSE_ID)


def is_response_id(request_id: object) -> bool:
    """Whether an id was drawn by a supplier for one response, so that it means the same response wherever it stands.

    Such an id is the whole identity: a response that an agent's log, a gateway and a trace all tell of is booked once.

    >>> is_response_id("chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"), is_response_id("42")
    (True, False)
    """
    return isinstance(request_id, str) and _RESPONSE_ID.fullmatch(request_id) is not None


def keys_of(source_id: str, request_ids: Sequence[str]) -> list[str]:
    """The keys of records with a request id."""
    is_response = _RESPONSE_ID.fullmatch
    return usage_keys([RESPONSE if is_response(one) else source_id for one in request_ids], request_ids)


def base_of(mapping: FieldMapping) -> dict[str, object]:
    """What holds for every row of a mapping, unless the row says otherwise."""
    return {
        "source": mapping.source_id,
        **({} if mapping.is_bucket else {"request_count": 1}),
        "tier": mapping.tier,
        **mapping.constants,
        "is_synthetic": mapping.constants.get("is_synthetic", "").lower() in _TRUE,
    }


class RowMaker:
    """Makes the rows of one file under one mapping.

    Args:
        mapping: which fields the records bring, and what holds for all of them.
        file: the file, for findings.

    Attributes:
        content: the fields in which two records of one request id must agree, with what holds where they are not told.
    """

    def __init__(self, mapping: FieldMapping, file: str) -> None:
        self.mapping = mapping
        self.file = file
        names = Names()
        self._plan = [(name, names.text if name in TEXT_FIELDS else _CONVERT.get(name)) for name in mapping.columns]
        self._converts = dict(self._plan)
        self._zone = zone_named(mapping.timezone)
        self._naive: tuple[str, int | None] | None = None
        self._whole = [(name, *INCLUSIVE[name]) for name in INCLUSIVE if name in mapping.columns]
        self._key_fields = mapping.key_fields
        self._source_id = mapping.source_id
        self._by_id = REQUEST_ID in mapping.columns
        self._seen: dict[int, int] = {}
        self._base = base_of(mapping)
        told = {INCLUSIVE[name][0] if name in INCLUSIVE else name for name in mapping.columns}
        self.content = {name: self._base.get(name) for name in sorted(told - {REQUEST_ID})}

    def make(self, cells: Sequence[object], line: int | None) -> Usage | Finding:
        """The row of one record, or what is wrong with it.

        Args:
            cells: one per field of the mapping, in its order; None or "" is unknown.
            line: where the record stands in the file.
        """
        row: dict[str, object] = {}
        name = ""
        try:
            for (name, convert), cell in zip(self._plan, cells, strict=True):
                if cell is None or cell == "":
                    continue
                row[name] = convert(cell) if convert is not None else self._instant(name, cell, line)
        except CellFaultError as fault:
            return self.finding(line, fault.rule, name)
        return self._checked(row, line)

    def make_named(self, fields: Mapping[str, object], line: int | None) -> Usage | Finding:
        """As `make`, from the cells by the name of their field; names that the mapping lacks are passed over."""
        row: dict[str, object] = {}
        converts = self._converts
        try:
            for name, cell in fields.items():
                if cell is None or name not in converts:
                    continue
                convert = converts[name]
                if convert is count and type(cell) is int and 0 <= cell <= LARGEST_COUNT:
                    row[name] = cell
                elif cell != "":
                    row[name] = convert(cell) if convert is not None else self._instant(name, cell, line)
        except CellFaultError:
            return self.make([fields.get(name) for name in converts], line)  # tells the first fault of the mapping
        return self._checked(row, line)

    def _checked(self, row: dict[str, object], line: int | None) -> Usage | Finding:
        key = self._key(row)
        fault = _unfit(row, self._whole)
        if fault is None and self._by_id:
            fault = self._unfit_id(key, row)
        if fault is not None:
            return self.finding(line, *fault)
        if USER_ID in row:
            row["user_hash"] = usage_key(["user", str(row.pop(USER_ID))])
        return {"usage_key": key, **self._base, **row}

    def warnings(self) -> Iterator[Finding]:
        """What concerns the file as a whole; to be told after its last row."""
        if self._naive is not None:
            name, line = self._naive
            yield Finding(self.file, line, "no-timezone", {"column": self._column(name)}, is_error=False)
        mapped = self.mapping.columns.keys()
        if mapped & {"uncached_input_tokens", "input_tokens"} and "cache_read_tokens" not in mapped:
            yield Finding(self.file, None, "no-cache-split", {}, is_error=False)

    def finding(self, line: int | None, rule: str, name: str) -> Finding:
        """A finding on one field, told by the name of its column in the file."""
        return Finding(self.file, line, rule, {"column": self._column(name)})

    def _column(self, name: str) -> str:
        return self.mapping.columns.get(name) or name

    def _instant(self, name: str, cell: object, line: int | None) -> datetime:
        moment, known = instant(cell, self._zone)
        if not known and self._naive is None:
            self._naive = (name, line)
        return moment

    def _key(self, row: Mapping[str, object]) -> str:
        get = row.get
        parts = [self._source_id]
        if self._by_id:
            return keys_of(self._source_id, [key_text(get(REQUEST_ID))])[0]
        for name in self._key_fields:
            value = get(name)
            parts.append(str(value) if type(value) is int else key_text(value))
        first = usage_key([*parts, "0"])
        number = int(first[:_ID_DIGITS], 16)
        before = self._seen.get(number, 0)
        self._seen[number] = before + 1
        return first if before == 0 else usage_key([*parts, str(before)])

    def _unfit_id(self, key: str, row: dict[str, object]) -> tuple[str, str] | None:
        """Rule and field where the request id is missing, or another row of the file has it and says something else."""
        if row.pop(REQUEST_ID, None) is None:
            return "missing-value", REQUEST_ID
        content = hash(tuple([row.get(name, base) for name, base in self.content.items()]))
        is_same = self._seen.setdefault(int(key[:_ID_DIGITS], 16), content) == content
        return None if is_same else ("same-key", REQUEST_ID)

    def agrees(self, keys: Sequence[str], contents: Sequence[int]) -> bool:
        """Whether rows say what the earlier rows of their keys said; they are then known as well.

        Args:
            keys: of rows with a request id.
            contents: a hash of what each says, in the fields `content`.
        """
        numbers = [int(key[:_ID_DIGITS], 16) for key in keys]
        fresh = dict(zip(numbers, contents, strict=True))
        told = zip(numbers, contents, strict=True)
        if any(self._seen.get(number, fresh[number]) != content for number, content in told):
            return False
        self._seen.update(fresh)
        return True


def _unfit(row: dict[str, object], whole: list[tuple[str, str, tuple[str, ...]]]) -> tuple[str, str] | None:
    """Rule and field of what is wrong with a row as a whole; turns counts that contain others into what remains."""
    if "started_at" not in row:
        return "missing-value", "started_at"
    for name, rest, parts in whole:
        if name in row:
            left = cast("int", row.pop(name)) - sum(cast("int", row.get(part, 0)) for part in parts)
            if left < 0:
                return "part-exceeds-whole", name
            row[rest] = left
    if _CONSUMPTION.isdisjoint(row):
        return "nothing-consumed", "started_at"
    if "ended_at" in row and cast("datetime", row["ended_at"]) < cast("datetime", row["started_at"]):
        return "ends-before-start", "ended_at"
    return None
