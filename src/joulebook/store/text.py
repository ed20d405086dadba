"""Millions of rows from a text table: read by the engine, where it reads as the row by row parse does.

The engine numbers no lines. So the records are counted: where fewer rows come out than the table has lines, a second
pass finds the faulty records, and a third one, by the readers' own parse, the lines where they stand. If that counts
other records than the engine, nothing is written and the table is left to the parse.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from joulebook.store.bulk import Bulk, Source, bare_times, copy_good, faults, once
from joulebook.store.connection import ordered
from joulebook.store.declared import Declaration, make_plan
from joulebook.store.schema import identifier, literal
from joulebook.terms.finding import Finding

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST_LINE = 2_000_000
"""Bytes of a line; the engine keeps several blocks of 16 such lines."""


class Survey(Protocol):
    """What the file looks like."""

    @property
    def records(self) -> int: ...  # noqa: D102  (lines after the header)
    @property
    def is_quoted(self) -> bool: ...  # noqa: D102  (whether there is a quote)


class TextTable(Protocol):
    """A text table in UTF-8 with a header; `joulebook.ingest.plain.PlainTable` is one.

    Attributes:
        path, file: where it is, and its name in findings.
        mapping: which column is which field.
        header: names of its columns.
        places: field -> index of its column.
        delimiter: between the cells.
        survey: of its bytes.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102  (described above)
    @property
    def file(self) -> str: ...  # noqa: D102  (described above)
    @property
    def mapping(self) -> Declaration: ...  # noqa: D102  (described above)
    @property
    def header(self) -> Sequence[str]: ...  # noqa: D102  (described above)
    @property
    def places(self) -> Mapping[str, int]: ...  # noqa: D102  (described above)
    @property
    def delimiter(self) -> str: ...  # noqa: D102  (described above)
    @property
    def survey(self) -> Survey: ...  # noqa: D102  (described above)

    def located(self, records: Sequence[int]) -> tuple[list[int], int, list[Finding]]:
        """Lines of some records, how many records there are, and findings on lines that are none."""
        ...

    def warnings(self) -> Iterator[Finding]:
        """What is told of the table whatever its rows are."""
        ...


def write_text(engine: "DuckDBPyConnection", text: TextTable, draft: Path) -> Bulk | None:
    """Write the good rows of a text table as a draft of the usage table, each key once.

    Args:
        engine: that does it.
        text: the table.
        draft: the Parquet file to write.

    Returns:
        what became of the table; None where the engine reads it otherwise than the parse.

    Raises:
        UnknownName: there is no such time zone.
    """
    import duckdb  # noqa: PLC0415  (only commands that compute pay)

    try:
        return _written(engine, text, draft)
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return None


def _written(engine: "DuckDBPyConnection", text: TextTable, draft: Path) -> Bulk | None:
    kinds = dict.fromkeys(text.mapping.columns, "VARCHAR")
    plan = make_plan(_query(text, "0"), kinds, text.mapping)
    numbered = make_plan(_query(text, "row_number() OVER ()"), kinds, text.mapping)
    source = Source(text.file, text.mapping, plan, numbered, lambda records: text.located(records)[0])
    rows, has_bare_times = copy_good(engine, source, draft)
    bulk = Bulk(rows=rows)
    with ordered(engine):
        if bulk.rows != text.survey.records:
            _lines, records, wrong = text.located(())
            if engine.execute(f"SELECT count(*) FROM ({plan.raw})").fetchall()[0][0] != records:
                return None
            bulk.refused = records - bulk.rows + sum(_lines_of(one) for one in wrong if one.is_error)
            bulk.findings += wrong
            if records > bulk.rows:
                bulk.findings += faults(engine, source)
            bulk.findings.sort(key=lambda one: (one.line is None, one.line or 0))
        if has_bare_times:
            bulk.findings += bare_times(engine, source)
        bulk.findings += (one for one in text.warnings() if one.rule != "no-timezone")
        once(engine, source, draft, bulk)
    return bulk


def _lines_of(finding: Finding) -> int:
    count = finding.facts.get("count")
    return count if finding.line is None and isinstance(count, int) else 1


def _query(text: TextTable, number: str) -> str:
    """Query of the mapped columns as text, with the number of the record."""
    columns = ", ".join(f"{literal(f'c{index}')}: 'VARCHAR'" for index in range(len(text.header)))
    quote = literal('"' if text.survey.is_quoted else "")
    listed = ", ".join(f"c{index} AS {identifier('raw_' + name)}" for name, index in text.places.items())
    packing = "gzip" if _is_packed(text.path) else "none"
    return (
        f"SELECT {number} AS _record, {listed} FROM read_csv({literal(str(text.path))}, columns = {{{columns}}}, "
        f"auto_detect = false, header = true, delim = {literal(text.delimiter)}, quote = {quote}, escape = {quote}, "
        f"compression = {literal(packing)}, encoding = 'utf-8', strict_mode = true, null_padding = false, "
        f"ignore_errors = true, max_line_size = {LONGEST_LINE})"
    )


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"
