"""Any table of usage as text: CSV and JSON lines, read under a mapping that the user declares."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import BinaryIO, TypeVar

from joulebook.errors import translatable
from joulebook.ingest.lines import Lines, dig, json_records
from joulebook.ingest.mapping import FieldMapping, same_names
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.rows import RowMaker
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

DELIMITERS = (",", ";", "\t", "|")
LONGEST_CELL = 1 << 24
"""Characters of one cell; a longer one is an open quote that swallows the rest of the file."""


class CsvTable:
    """Comma-separated values, or with semicolons, tabs or bars: the delimiter that finds the mapped columns."""

    name = "csv"
    signs = translatable("a header line whose names can be mapped to columns of usage")

    def detect(self, head: bytes, name: str) -> float:
        """Low, for any table looks like this: a name of our own in the header, or the ending."""
        if "started_at" in csv_header(head):
            return 0.6
        return 0.2 if name.lower().removesuffix(".gz").endswith((".csv", ".tsv")) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """Rows of the table.

        Raises:
            UsageError: the mapping lacks the time or any consumption.
        """
        mapping = declared(self.name, options, options.mapping).checked() if options.mapping else None
        return read_csv(stream, options, mapping)

    def declare(self, header: Sequence[str], options: ReadOptions) -> FieldMapping:
        """The mapping that the user gave, or the columns that are named like ours.

        Raises:
            UsageError: the mapping lacks the time or any consumption.
        """
        return declared(self.name, options, options.mapping or same_names(header)).checked()


class JsonLines:
    """One JSON object per line; dots in a mapping lead into nested objects."""

    name = "jsonl"
    signs = translatable("one JSON object per line")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """Low, for many formats are JSON lines."""
        first = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].strip()
        if not (first.startswith(b"{") and first.endswith(b"}")):
            return 0.0
        return 0.5 if b'"started_at"' in first else 0.15

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """Rows of the objects.

        Raises:
            UsageError: the mapping lacks the time or any consumption.
        """
        maker = None
        if options.mapping:
            maker = RowMaker(declared(self.name, options, options.mapping).checked(), options.file)
        for line, record in json_records(Lines(stream, options.file, options.encoding)):
            if isinstance(record, Finding):
                yield record
                continue
            if maker is None:
                maker = RowMaker(declared(self.name, options, same_names(record)).checked(), options.file)
            yield maker.make([dig(record, column) for column in maker.mapping.columns.values()], line)
        if maker is not None:
            yield from maker.warnings()


def declared(name: str, options: ReadOptions, columns: Mapping[str, str]) -> FieldMapping:
    """A mapping of columns with everything else that the user said."""
    return FieldMapping(
        columns=dict(columns),
        source_id=options.source_id(name),
        constants=options.constants,
        timezone=options.timezone,
    )


def csv_header(head: bytes) -> list[str]:
    """The names in the first line, whatever the delimiter of `DELIMITERS`."""
    first = next(iter(head.decode("utf-8-sig", errors="replace").splitlines()), "")
    return _widest(first, frozenset())[1]


def read_csv(stream: BinaryIO, options: ReadOptions, mapping: FieldMapping | None) -> Iterator[Usage | Finding]:
    """Rows of a CSV file under a mapping; None takes the columns that are named like ours.

    Raises:
        UsageError: no mapping was given and the names of the columns do not make one.
    """
    wanted = frozenset(mapping.columns.values() if mapping else ())
    sheet = Sheet(stream, options, wanted)
    if not sheet.header:
        yield from sheet.faults
        return
    if mapping is None:
        mapping = declared("csv", options, same_names(sheet.header)).checked()
    wrong = [column for column in mapping.columns.values() if sheet.header.count(column) != 1]
    for column in wrong:
        rule = "missing-column" if column not in sheet.header else "column-twice"
        yield Finding(options.file, 1, rule, {"column": column})
    if wrong:
        return
    maker = RowMaker(mapping, options.file)
    pick = _picker([sheet.header.index(column) for column in mapping.columns.values()])
    make = maker.make
    yield from sheet.records(lambda cells, line: make(pick(cells), line))
    yield from maker.warnings()


Made = TypeVar("Made")


class Sheet:
    """A CSV file: its header, and its records one by one with what is wrong with them.

    Args:
        stream: the file.
        options: its name and encoding.
        wanted: names that tell which delimiter is meant.
    """

    def __init__(self, stream: BinaryIO, options: ReadOptions, wanted: frozenset[str] = frozenset()) -> None:
        csv.field_size_limit(LONGEST_CELL)
        self.header: list[str] = []
        self.delimiter = DELIMITERS[0]
        self.faults: list[Finding] = []
        self._lines = Lines(stream, options.file, options.encoding)
        source = iter(self._lines)
        first = next(source, None)
        if first is None:
            self.faults.append(Finding(options.file, None, "empty-file", is_error=False))
            return
        self.delimiter, header = _widest(first, wanted)
        self._table = csv.reader(chain([first], source), delimiter=self.delimiter, strict=True)
        try:
            next(self._table)
        except csv.Error:
            self.faults.append(Finding(options.file, 1, "bad-quotes"))
            return
        self.header = header

    def records(self, make: Callable[[list[str], int], Made]) -> Iterator[Made | Finding]:
        """What ``make`` makes of the cells and the line of each record; findings for records that cannot be read."""
        width, lines, table = len(self.header), self._lines, self._table
        while True:
            try:
                for cells in table:
                    if len(cells) == width:
                        yield make(cells, table.line_num)
                    elif cells and len(cells) < width and lines.is_cut_off:
                        yield Finding(lines.file, table.line_num, "truncated")
                    elif cells:
                        facts = {"count": len(cells), "expected": width}
                        yield Finding(lines.file, table.line_num, "ragged-row", facts)
            except csv.Error:
                rule = "truncated" if lines.is_cut_off else "bad-quotes"
                yield Finding(lines.file, table.line_num, rule)
            else:
                return

    def named(self) -> Iterator[tuple[int, dict[str, str]] | Finding]:
        """The records by name of column, with their line."""
        header = self.header
        return self.records(lambda cells, line: (line, dict(zip(header, cells, strict=True))))


def _widest(first: str, wanted: frozenset[str]) -> tuple[str, list[str]]:
    """The delimiter that finds most of the wanted columns, then most columns at all, and the header it makes."""

    def header(mark: str) -> list[str]:
        try:
            return [name.strip() for name in next(csv.reader([first], delimiter=mark), [])]
        except csv.Error:
            return []

    marks = [(mark, header(mark)) for mark in DELIMITERS]
    return max(marks, key=lambda one: (len(wanted & set(one[1])), len(one[1])))


def _picker(indexes: list[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    if len(indexes) == 1:
        index = indexes[0]
        return lambda cells: (cells[index],)
    return itemgetter(*indexes)
