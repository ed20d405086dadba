"""A book's tables: append, read, look back."""

import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from joulebook.errors import BadValue, SegmentCut, SegmentMissing, UnknownName, translatable
from joulebook.store.commit import Draft, Terms, commit_draft, tidy
from joulebook.store.connection import connect, engine_reading, engine_writing, unordered
from joulebook.store.delta import Commit, DeltaLog, Segment
from joulebook.store.durable import make_folder, writing
from joulebook.store.once import SMALL_GROUPS, copy_to_parquet, files
from joulebook.store.schema import identifier, key_checks_sql, nothing, shown, stored
from joulebook.terms import tables

if TYPE_CHECKING:
    import narwhals as nw
    from duckdb import DuckDBPyConnection

    from joulebook.store.bulk import Bulk
    from joulebook.store.declared import Declaration
    from joulebook.store.hot import Hot
    from joulebook.store.spool import Spool
    from joulebook.store.text import TextTable
    from joulebook.terms.finding import Finding


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    Attributes:
        version: the table's version afterwards; -1 where it still does not exist.
        added: rows that were added.
        already: rows left out because their key was there, in the table or earlier in the input.
        refused: rows left out because they are faulty.
        findings: what is wrong with them; the first thousand of each rule.
    """

    version: int
    added: int
    already: int
    refused: int = 0
    findings: "tuple[Finding, ...]" = ()


class Store:
    """The tables of one book.

    Args:
        path: the book's folder; made by the first append.
        memory_limit: for the engine, such as "2GB".
        threads: for the engine; all processors if None.
    """

    def __init__(self, path: Path, *, memory_limit: str | None = None, threads: int | None = None) -> None:
        self.path = Path(path)
        self._memory_limit = memory_limit
        self._threads = threads
        self._logs: dict[str, DeltaLog] = {}
        self._tidied: set[str] = set()

    def close(self) -> None:
        """Close the engine and the file of waiting records; tables of this store can be used no more."""
        if "engine" in self.__dict__:
            self.engine.close()
        if "hot" in self.__dict__:
            self.hot.close()

    @cached_property
    def engine(self) -> "DuckDBPyConnection":
        """The engine that tables of this store live in."""
        return connect(self._drafts / f"spill-{uuid.uuid4().hex}", self._memory_limit, self._threads)

    @cached_property
    def hot(self) -> "Hot":
        """Records that came one by one and wait to be sealed."""
        from joulebook.store.hot import Hot  # noqa: PLC0415  (only who keeps single records pays)

        return Hot(self.path / "hot.sqlite")

    @property
    def _drafts(self) -> Path:
        return self.path / ".drafts"

    def _draft(self, ending: str) -> Path:
        """A fresh name for an unfinished file."""
        with writing(self.path):
            make_folder(self._drafts)
        return self._drafts / f"{uuid.uuid4().hex}.{ending}"

    def log(self, name: str) -> DeltaLog:
        """The Delta log of a table.

        Raises:
            UnknownName: there is no such table.
        """
        if name not in self._logs:
            self._logs[name] = DeltaLog(self.path / tables.table(name).name, self._drafts)
        return self._logs[name]

    def version(self, name: str) -> int:
        """Latest version of a table; -1 where nothing was ever appended."""
        return self.log(name).version()

    def history(self, name: str) -> list[Commit]:
        """Every commit of a table, oldest first."""
        return self.log(name).commits()

    def verify(self) -> "Iterator[Finding]":
        """What is wrong with the files of the book; see `joulebook.store.verify`."""
        from joulebook.store.verify import verify_log  # noqa: PLC0415  (only who looks pays)

        for name in tables.TABLES:
            yield from verify_log(DeltaLog(self.path / name, self._drafts))

    def table(self, name: str, *, version: int | None = None, after: int = -1) -> "nw.LazyFrame":
        """A table, as it is or as it was at a version; without rows where it does not exist.

        Args:
            name: of the table.
            version: the latest if None; -1 is before the first.
            after: only rows that came after this version.

        Raises:
            SegmentMissing, SegmentCut: a segment is not as it was written.
            BadValue: there is no such version.
        """
        import narwhals as nw  # noqa: PLC0415  (only commands that compute pay)

        with engine_reading(self.path):
            return nw.from_native(self.engine.sql(self._table_sql(name, version, after)))

    def rows(self, frame: "nw.LazyFrame") -> list[dict[str, Any]]:
        """The rows of a table of this engine as Python values, without any data frame library; times are aware."""
        relation = frame.to_native()
        names = relation.columns
        with engine_reading(self.path):
            found = relation.fetchall()
        return list(_aware(dict(zip(names, values, strict=True)) for values in found))

    def every_row(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table as Python values, as `rows` gives them; nothing is planned that has not to be.

        Raises:
            SegmentMissing, SegmentCut: a segment is not as it was written.
        """
        with engine_reading(self.path):
            found = self.engine.execute(self._table_sql(name, None, -1))
            names = [told[0] for told in found.description or ()]
            return list(_aware(dict(zip(names, values, strict=True)) for values in found.fetchall()))

    def segments(self, name: str, *, version: int | None = None, after: int = -1) -> list[Path]:
        """The Parquet files of a table at a version, for other engines; with ``after`` only those that came later.

        Raises:
            SegmentMissing, SegmentCut: a segment is not as it was written.
            BadValue: there is no such version.
        """
        log = self.log(name)
        latest = log.version()
        if version is not None and not -1 <= version <= latest:
            raise BadValue(
                value=version, expected=f"{name} 0..{latest}", next_step=translatable("choose one of these versions.")
            )
        return [_checked(log.folder, segment) for segment in log.segments(version, after)]

    def _table_sql(self, name: str, version: int | None, after: int) -> str:
        columns = tables.table(name).columns
        segments = self.segments(name, version=version, after=after)
        if not segments:
            return nothing(columns)
        schemas = self.log(name).schemas(version)
        source = f"read_parquet({files(segments)}, union_by_name = {str(len(schemas) > 1).lower()})"
        missing = [column for column in columns if column not in schemas[-1]]
        if missing:
            source = f"(FROM {source} UNION ALL BY NAME SELECT {stored(missing)} FROM ({nothing(missing)}))"
        return f"SELECT {shown(columns)} FROM {source}"

    def small_table(
        self, name: str, rows: Iterable[Mapping[str, object]], types: Mapping[str, str] | None = None
    ) -> "nw.LazyFrame":
        """Rows that are resolved for one computation, such as factors, as a table of this engine.

        Args:
            name: says what it is where a query is shown.
            rows: all with the same keys; None is unknown; times are aware.
            types: column -> type, for columns that neither the dictionary nor the values tell.

        Raises:
            BadValue: a column's type cannot be told, or a value has another type.
        """
        import narwhals as nw  # noqa: PLC0415  (only commands that compute pay)

        from joulebook.store.small import small_table_sql  # noqa: PLC0415  (only commands that compute pay)

        with tempfile.TemporaryDirectory(prefix="joulebook-") as folder:  # the book may be one that can only be read
            query = small_table_sql(self.engine, Path(folder) / "rows.json", name, rows, types)
        return nw.from_native(self.engine.sql(query))

    def append_rows(
        self,
        table: str,
        rows: Iterable[Mapping[str, object]],
        *,
        unique: str | None,
        info: Mapping[str, str],
        expected: int | None = None,
        add_overlaps: bool = False,
    ) -> Appended:
        """Append rows in one commit: none of them if anything fails, no commit if none is new.

        Args:
            table: name of the table.
            rows: column -> value; times are aware; an absent key is unknown. May be a generator of any length.
            unique: the column by which a row is known; rows already there are left out and counted.
            info: what the commit says about itself.
            expected: append only if the table is at this version when the commit is made.
            add_overlaps: of usage, sums and requests of the same time are different uses; else they are left out.

        Raises:
            BadValue: a value has not its column's type, or a row has no key.
            UnknownName: a row has a key that is no column.
            StoreUnwritable: the disk is full or the folder cannot be written.
            StoreConflict: the table is not at the expected version, or others wrote all the time.
        """
        how = Terms(unique, info, expected, add_overlaps=add_overlaps)
        return self.append_filled(table, lambda spool: spool.write(rows), how)

    def append_filled(self, table: str, fill: "Callable[[Spool], None]", how: Terms) -> Appended:
        """Append what a function puts into a spool, in one commit; raises as `append_rows`.

        Args:
            table: name of the table.
            fill: the function.
            how: terms of the commit; whether each key is there once the spool knows better.
        """
        from joulebook.store.spool import Spool  # noqa: PLC0415  (only who writes pays)
        from joulebook.terms.blocks import table_types  # noqa: PLC0415

        columns = tables.table(table).columns
        spool = Spool(self._draft("json"), table_types(columns), how.unique)
        try:
            fill(spool)
            if not spool.rows:
                return Appended(self.version(table), 0, 0)
            query = key_checks_sql(spool.sql(), columns, how.unique)
            return self._append(table, query, replace(how, is_once=spool.is_once))
        finally:
            spool.path.unlink(missing_ok=True)

    def columns_of(self, path: Path) -> tuple[str, ...]:
        """Names of the columns of a Parquet file.

        Raises:
            InputMissing, InputNotParquet: there is no such file, or it is no Parquet file.
        """
        from joulebook.store.bulk import parquet_columns  # noqa: PLC0415  (only who imports such a file pays)

        return parquet_columns(self.engine, path)

    def parquet_as_text(self, path: Path, folder: Path) -> Path:
        """A Parquet file as text in a folder; see `joulebook.store.as_text`."""
        from joulebook.store.as_text import parquet_as_text  # noqa: PLC0415  (only who imports such a file pays)

        return parquet_as_text(self.engine, Path(path), folder)

    def append_parquet(
        self,
        table: str,
        path: Path,
        mapping: "Declaration",
        *,
        unique: str,
        info: Mapping[str, str],
        add_overlaps: bool = False,
    ) -> Appended:
        """Append the records of a Parquet file of usage in one commit; faulty ones become findings.

        Args:
            table: ``usage``, the only table that others write records for.
            path: the Parquet file.
            mapping: which of its columns is which field.
            unique: ``usage_key``.
            info: what the commit says about itself.
            add_overlaps: as in `append_rows`.

        Raises:
            InputMissing, InputNotParquet: there is no such file, or it is no Parquet file.
            UnknownName: there is no such time zone.
            BadValue: another table, or another key.
            StoreUnwritable: the disk is full or the folder cannot be written.
        """
        from joulebook.store.bulk import write_bulk  # noqa: PLC0415  (only who imports such a file pays)

        if (table, unique) != ("usage", "usage_key"):
            raise BadValue(
                value=f"{table}.{unique}",
                expected="usage.usage_key",
                next_step=translatable("import usage."),
            )
        write = partial(write_bulk, self.engine, Path(path), mapping)
        return cast(
            "Appended", self._append_written(table, write, Terms(unique, info, is_once=True, add_overlaps=add_overlaps))
        )

    def append_text(
        self, text: "TextTable", *, unique: str, info: Mapping[str, str], add_overlaps: bool = False
    ) -> Appended | None:
        """Append the records of a text table of usage in one commit; faulty ones become findings.

        Args:
            text: the table.
            unique: ``usage_key``.
            info: what the commit says about itself.
            add_overlaps: as in `append_rows`.

        Returns:
            what was done; None where the engine does not read the file as the row by row parse does: then nothing was.

        Raises:
            UnknownName: there is no such time zone.
            StoreUnwritable: the disk is full or the folder cannot be written.
        """
        from joulebook.store.text import write_text  # noqa: PLC0415  (only who imports such a file pays)

        write = partial(write_text, self.engine, text)
        return self._append_written("usage", write, Terms(unique, info, is_once=True, add_overlaps=add_overlaps))

    def _append_written(self, table: str, write: "Callable[[Path], Bulk | None]", how: Terms) -> Appended | None:
        """Append what a function writes as a draft."""
        draft = self._new_draft(table)
        try:
            with engine_writing(draft.path), unordered(self.engine):
                bulk = write(draft.path)
                if bulk is None:
                    return None
                draft.rows = bulk.rows
                version = self._commit(table, draft, how)
            already, refused = bulk.already + draft.left_out, bulk.refused + draft.told.covered
            return Appended(version, draft.rows, already, refused, (*bulk.findings, *draft.told.findings))
        finally:
            draft.discard()

    def put(self, table: str, rows: Iterable[Mapping[str, object]], *, unique: str) -> int:
        """Keep small records safely until `seal` moves them into their table; see `joulebook.store.hot.Hot.put`."""
        return self.hot.put(table, rows, unique=unique)

    def seal(self, table: str, *, unique: str, info: Mapping[str, str]) -> list[Appended]:
        """Move what was `put` into its table; doing it twice, or being killed in between, changes nothing."""
        return self.hot.seal(table, lambda rows: self.append_rows(table, rows, unique=unique, info=info))

    def append_table(
        self, table: str, frame: "nw.LazyFrame", *, info: Mapping[str, str], unique: str | None = None
    ) -> Appended:
        """Append a table that this store's engine computes; frames of other engines go row by row.

        Args:
            table: name of the table.
            frame: with columns of that table; those it lacks are unknown.
            info: what the commit says about itself.
            unique: as in `append_rows`.

        Raises:
            UnknownName: the frame has a column that the table lacks.
            BadValue: a value does not fit its column's type.
        """
        import narwhals as nw  # noqa: PLC0415  (only commands that compute pay)

        columns = tables.table(table).columns
        names = frame.collect_schema().names()
        if frame.implementation is not nw.Implementation.DUCKDB:
            rows = _aware(frame.collect().iter_rows(named=True))
            return self.append_rows(table, rows, unique=unique, info=info)
        strange = sorted(set(names) - set(columns))
        if strange:
            raise UnknownName(kind=translatable("column"), name=strange[0], nearest=", ".join(columns))
        missing = "".join(f", NULL AS {identifier(name)}" for name in columns if name not in names)
        return self._append(table, f"SELECT *{missing} FROM ({frame.to_native().sql_query()})", Terms(unique, info))

    def _append(self, table: str, source: str, how: Terms) -> Appended:
        """Append what a query gives, in the types that a table shows."""
        draft = self._new_draft(table)
        try:
            with engine_writing(self.path / table):
                query = f"SELECT {stored(tables.table(table).columns)} FROM ({source})"
                draft.rows = copy_to_parquet(self.engine, query, draft.path, SMALL_GROUPS)
            version = self._commit(table, draft, how)
            told = draft.told
            return Appended(version, draft.rows, draft.left_out, told.covered, tuple(told.findings))
        finally:
            draft.discard()

    def _new_draft(self, table: str) -> Draft:
        """A draft for a table; the first one of this store tidies up what killed writers left."""
        if table not in self._tidied:
            self._tidied.add(table)
            tidy(self.log(table), self._drafts)
        return Draft(self._draft("parquet"), 0)

    def _commit(self, table: str, draft: Draft, how: Terms) -> int:
        return commit_draft(self.engine, self.log(table), draft, tables.table(table).columns, how)


def _checked(folder: Path, segment: Segment) -> Path:
    path = folder / segment.name
    try:
        size = path.stat().st_size
    except FileNotFoundError as fault:
        raise SegmentMissing(file=str(path)) from fault
    if size != segment.size:
        raise SegmentCut(file=str(path))
    return path


def _aware(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows with the times that tables show (UTC without a zone) made aware."""
    for row in rows:
        yield {
            name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
            for name, value in row.items()
        }
