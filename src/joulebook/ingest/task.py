"""What one process reads at a time: some log files of one agent, into batches of rows.

Apart from `joulebook.ingest.reading`, so that the processes load no more than they need.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from joulebook.errors import InputUnreadable
from joulebook.ingest.columns import ColumnMaker, Columns, columns_of, content_hashes, tokens_of
from joulebook.ingest.home import LogFile
from joulebook.ingest.limit import Limit
from joulebook.ingest.reader import ReadOptions, from_path, reader
from joulebook.ingest.records import Record, mapping_of
from joulebook.ingest.rows import RowMaker
from joulebook.terms.blocks import packed
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

BATCH_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Task:
    """What one process reads at a time.

    Attributes:
        files: of one reader.
        settled: answers that began later may still be streaming.
        types: column -> type of the table that the rows go to.
    """

    files: Sequence[LogFile]
    settled: datetime
    types: Mapping[str, str]


class Batch(NamedTuple):
    """Some rows.

    Attributes:
        keys: of each row, one behind the other.
        tokens: of each row, of all classes: of two rows with one key the fuller one is right.
        young: rows that may still be streaming, with the number of their file in the task.
        block: the rows themselves, as `joulebook.terms.blocks.packed` makes it.
    """

    keys: str
    tokens: Sequence[int]
    young: dict[int, int]
    block: bytes


class Answer(NamedTuple):
    """What the files of a task hold."""

    findings: list[Finding]
    batches: list[Batch]


def read_task(task: Task) -> Answer:
    """Rows and findings of the files of a task; a file that cannot be read is a finding."""
    return _TaskReading(task).answer()


class _TaskReading:
    """The files of a task being read; records are taken together across files."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._reader: Any = reader(task.files[0].reader)
        self._has_records = hasattr(self._reader, "records")
        self._columns = ColumnMaker(mapping_of(self._reader.name, ReadOptions()))
        self._items: list[tuple[int, Record | Usage | Finding]] = []
        self._makers: dict[int, RowMaker] = {}
        self._limits: dict[int, Limit] = {}
        self._findings: list[Finding] = []
        self._batches: list[Batch] = []

    def answer(self) -> Answer:
        """Read them all."""
        for number, file in enumerate(self._task.files):
            items = self._items
            for item in self._found(file):
                items.append((number, item))
                if len(items) >= BATCH_ROWS:
                    self._flush(number)
        self._flush(None)
        return Answer(self._findings, self._batches)

    def _found(self, file: LogFile) -> Iterator[Record | Usage | Finding]:
        parse = self._reader.records if self._has_records else self._reader.parse
        try:
            yield from from_path(parse, Path(file.path), ReadOptions(file=file.path))
        except InputUnreadable as error:
            yield Finding(file.path, None, "unreadable", {"reason": error.facts.get("reason")})

    def _flush(self, going_on: int | None) -> None:
        """Make a batch of the items so far; the file of that number has more of them."""
        made = self._at_once(going_on) or self._one_by_one()
        if made is not None:
            numbers, columns = made
            started, settled = columns["started_at"], self._task.settled
            young = {row: numbers[row] for row, moment in enumerate(started) if moment > settled}
            keys = columns["usage_key"]
            self._batches.append(Batch("".join(keys), tokens_of(columns), young, packed(self._task.types, columns)))
        self._items.clear()
        for number in sorted((self._makers.keys() | self._limits.keys()) - {going_on}):
            self._end(number)

    def _at_once(self, going_on: int | None) -> tuple[list[int], Columns] | None:
        """Numbers of the files and columns of all rows; None where a record needs to be looked at by itself."""
        if not self._has_records:
            return None
        told = [(number, item) for number, item in self._items if not isinstance(item, Finding)]
        if not told:
            return None
        columns = self._columns.make([cast("Record", item)[1] for _number, item in told])
        numbers = [number for number, _item in told]
        if columns is None or not self._is_each_once(numbers, columns, going_on):
            return None
        for number, item in self._items if len(told) < len(self._items) else ():
            if isinstance(item, Finding):
                self._tell(number, item)
        return numbers, columns

    def _is_each_once(self, numbers: list[int], columns: Columns, going_on: int | None) -> bool:
        """Whether no file has two rows of one key, or where it has more than these, none that say different things."""
        keys = columns["usage_key"]
        if len(set(keys)) < len(keys) and len(set(zip(numbers, keys, strict=True))) < len(keys):
            return False
        spanning = {*self._makers} if going_on is None else {*self._makers, going_on}
        for number in spanning.intersection(numbers):
            maker, rows = self._maker(number), slice(bisect_left(numbers, number), bisect_right(numbers, number))
            if not maker.agrees(keys[rows], content_hashes(columns, maker)[rows]):
                return False
        return True

    def _one_by_one(self) -> tuple[list[int], Columns] | None:
        """As `_at_once`, for any rows."""
        rows: list[Usage] = []
        numbers: list[int] = []
        for number, item in self._items:
            row = self._maker(number).make_named(item[1], item[0]) if isinstance(item, tuple) else item
            if isinstance(row, Finding):
                self._tell(number, row)
            else:
                rows.append(row)
                numbers.append(number)
        return (numbers, columns_of(rows)) if rows else None

    def _maker(self, number: int) -> RowMaker:
        if number not in self._makers:
            mapping = mapping_of(self._reader.name, ReadOptions())
            self._makers[number] = RowMaker(mapping, self._task.files[number].path)
        return self._makers[number]

    def _tell(self, number: int, finding: Finding) -> None:
        if self._limits.setdefault(number, Limit()).takes(finding):
            self._findings.append(finding)

    def _end(self, number: int) -> None:
        """Tell what concerns a file as a whole."""
        for finding in self._makers.pop(number).warnings() if number in self._makers else ():
            self._tell(number, finding)
        if number in self._limits:
            self._findings += self._limits.pop(number).rest(self._task.files[number].path)
