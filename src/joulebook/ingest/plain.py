"""Text tables that an engine may read by itself, because it would read them exactly as the row by row parse does.

A table is surveyed once, block by block. Whatever engines and the standard library read differently (other encodings
than UTF-8, lone carriage returns, blank lines, zero bytes, quotes in the middle of a cell) leaves it to the parse.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from joulebook.errors import UsageError
from joulebook.ingest.limit import limited
from joulebook.ingest.mapping import FieldMapping
from joulebook.ingest.reader import BLOCK_BYTES, ReadOptions, open_input, reader
from joulebook.ingest.rows import RowMaker
from joulebook.ingest.table import Sheet
from joulebook.terms.finding import Finding

PLAIN_BYTES = 4_000_000
"""Smaller files are read faster row by row than the engine takes to begin."""

QUOTE = b'"'
WHITE = b" \t\x0b\x0c"
"""White space within a line; engines pass over it after a closing quote, the standard library does not."""


class Tabular(Protocol):
    """A reader of tables with a header."""

    def declare(self, header: Sequence[str], options: ReadOptions) -> FieldMapping:
        """The mapping of a table with such a header."""
        ...


@dataclass(frozen=True, slots=True)
class Survey:
    """What the blocks of a file look like.

    Attributes:
        records: lines after the header.
        is_quoted: whether there is a quote.
    """

    records: int
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A text table that an engine can read.

    Attributes:
        path: the file.
        options: what the user said of it.
        mapping: which column is which field.
        header: its names of columns.
        delimiter: between the cells.
        survey: of its bytes.
    """

    path: Path
    options: ReadOptions
    mapping: FieldMapping
    header: tuple[str, ...]
    delimiter: str
    survey: Survey

    @property
    def file(self) -> str:
        """The name of the file in findings."""
        return self.options.file

    @property
    def places(self) -> dict[str, int]:
        """Field -> index of its column."""
        return {name: self.header.index(column) for name, column in self.mapping.columns.items()}

    def warnings(self) -> Iterator[Finding]:
        """What is told of the table whatever its rows are."""
        yield from RowMaker(self.mapping, self.file).warnings()

    def located(self, records: Sequence[int]) -> tuple[list[int], int, list[Finding]]:
        """Lines of some records (counted from 1), how many records there are, and findings on lines that are none."""
        wanted, found, faults, count = set(records), {}, [], 0
        with open_input(self.path) as stream:
            sheet = Sheet(stream, self.options, frozenset(self.mapping.columns.values()))
            for line in limited_lines(sheet, self.file):
                if isinstance(line, Finding):
                    faults.append(line)
                    continue
                count += 1
                if count in wanted:
                    found[count] = line
        return [found.get(record, record) for record in records], count, faults


def limited_lines(sheet: Sheet, file: str) -> Iterator[int | Finding]:
    """The line of each record, or what is wrong with it; many faults of a kind as a number."""
    lines = sheet.records(lambda _cells, line: line)
    return limited(lines, file)


def plain_table(name: str, path: Path, options: ReadOptions) -> PlainTable | None:
    """The table that a file is, if the engine may read it; None leaves it, and its findings, to the parse.

    Raises:
        InputMissing: the file cannot be opened.
    """
    one = reader(name)
    if not hasattr(one, "declare") or options.encoding is not None or not _is_large(path):
        return None
    with open_input(path) as stream:
        sheet = Sheet(stream, options, frozenset(options.mapping.values()))
    try:
        mapping = cast("Tabular", one).declare(sheet.header, options)
    except UsageError:
        return None  # the parse says the same
    with open_input(path) as stream:
        sheet = Sheet(stream, options, frozenset(mapping.columns.values()))
    if any(sheet.header.count(column) != 1 for column in mapping.columns.values()):
        return None
    with open_input(path) as stream:
        survey = surveyed(stream, sheet.delimiter)
    if survey is None:
        return None
    return PlainTable(path, options, mapping, tuple(sheet.header), sheet.delimiter, survey)


def _is_large(path: Path) -> bool:
    try:
        return path.stat().st_size >= PLAIN_BYTES
    except OSError:
        return False


def surveyed(stream: BinaryIO, delimiter: str) -> Survey | None:
    """What a table looks like; None where engines and the parse may read it differently."""
    marks = _Quotes(delimiter)
    decoder = codecs.getincrementaldecoder("utf-8")()
    ends = returns = pairs = 0
    last = b""
    while block := stream.read(BLOCK_BYTES):
        if b"\x00" in block or not _is_utf8(decoder, block):
            return None
        seen = last + block
        if seen.rfind(b"\n\n") >= 0:  # backwards it is found in half the time
            return None
        ends += block.count(b"\n")
        if b"\r" in seen:
            if b"\n\r" in seen:
                return None
            returns, pairs = returns + block.count(b"\r"), pairs + seen.count(b"\r\n")
        marks.look(block)
        if marks.is_odd:
            return None
        last = block[-1:]
    if marks.close() or returns != pairs or (returns and returns != ends) or not _is_utf8(decoder, b"", final=True):
        return None
    return Survey(ends - 1 + (last != b"\n"), marks.count > 0)


class _Quotes:
    """The quotes of a table, block by block: how many, and whether one stands where only some readers understand it.

    Attributes:
        count: how many there are.
        is_odd: one stands in the middle of a cell, or white space follows the last one of a cell.
    """

    def __init__(self, delimiter: str) -> None:
        mark = re.escape(delimiter.encode())
        self._white = WHITE.replace(delimiter.encode(), b"")
        inside = rb'"(?<=[^\n\r"' + mark + rb']")(?=[^\n\r"' + mark + rb"])"  # begins with what is sought
        self._odd = re.compile(inside + rb'|"[' + self._white + rb"]+(?=[\n\r" + mark + rb"])")
        self.count, self.is_odd = 0, False
        self._tail = b""
        self._header: int | None = None

    def look(self, block: bytes) -> None:
        """Take in the next block."""
        if self._header is None:
            self._header = block.partition(b"\n")[0].count(QUOTE)
        if QUOTE not in block and QUOTE not in self._tail:
            self._tail = block[-1:]
            return
        self.count += block.count(QUOTE)
        around = self._tail + block
        self.is_odd = self.is_odd or self._odd.search(around) is not None
        self._tail = around[max(0, len(around.rstrip(self._white)) - 2) :]

    def close(self) -> bool:
        """Whether quotes are left open, or white space follows the last one of the file."""
        is_even = self.count % 2 == 0 and (self._header or 0) % 2 == 0
        return not is_even or (QUOTE in self._tail and self._tail.rstrip(self._white) != self._tail)


def _is_utf8(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    if not final and block.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True
