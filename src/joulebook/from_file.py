"""From a file to a book: row by row by a reader, or, where the file is large and plain, by the engine."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from joulebook.entries import as_text, take
from joulebook.ingest.imported import Imported, of_file
from joulebook.ingest.mapping import same_names
from joulebook.ingest.noticed import read_noticed
from joulebook.ingest.plain import plain_table
from joulebook.ingest.reader import USAGE_ONLY, ReadOptions, read_path, tables_of
from joulebook.ingest.table import declared

if TYPE_CHECKING:
    from joulebook.factors.edition import Edition
    from joulebook.store.store import Appended, Store

BULK = "parquet"
"""The format that the engine reads by itself, many millions of rows at a time."""


class Taker(Protocol):
    """The part of a book that takes rows."""

    store: "Store"

    @property
    def edition(self) -> "Edition":
        """The factors in use."""
        ...

    @property
    def import_rows(self) -> Callable[..., Imported]:
        """Books the rows that are new, and posts them."""
        ...

    @property
    def post(self) -> Callable[..., Any]:
        """Prices and posts what is not posted yet."""
        ...


def book_file(
    book: Taker, reader: str, path: Path, options: ReadOptions, tell: Callable[[int], None] | None
) -> Imported:
    """Book the rows of a file that are new; what is large the engine reads.

    Args:
        book: that takes the rows.
        reader: name of the format.
        path: the file.
        options: how it is read.
        tell: called with the number of rows now and then.
    """
    source = options.source_id(reader)
    tables = USAGE_ONLY if reader == BULK else tables_of(reader)
    if tables != USAGE_ONLY:
        with as_text(book.store, path) as text:
            read = partial(read_path, reader, text, replace(options, file=str(path)))
            taken = take(book.store, book.edition, read, tables, source, add_overlaps=options.add_overlaps)
        book.post(f"import {source}")
        return replace(taken, findings=tuple(of_file(taken.findings, source, options.file)))
    added = _by_engine(book.store, reader, path, options, source)
    if added is None:
        rows = read_noticed(reader, path, options)
        done = book.import_rows(rows, source, tell, add_overlaps=options.add_overlaps)
        return replace(done, findings=tuple(of_file(done.findings, source, options.file)))
    book.post(f"import {source}")
    told = tuple(of_file(added.findings, source, options.file))
    return Imported(added.added, added.already, added.refused, told)


def _by_engine(store: "Store", reader: str, path: Path, options: ReadOptions, source: str) -> "Appended | None":
    """What the engine reads by itself: Parquet, and large plain text tables; None is anything else."""
    how = {"unique": "usage_key", "info": {"import": source}, "add_overlaps": options.add_overlaps}
    if reader == BULK:
        mapping = declared(BULK, options, options.mapping or same_names(store.columns_of(path))).checked()
        return store.append_parquet("usage", path, mapping, **how)
    text = plain_table(reader, path, options)
    return None if text is None else store.append_text(text, **how)
