"""Small records as they arrive: each safe on disk at once, sealed into segments later.

A commit of a Delta table for each record would make a file for each record. So records first go into an SQLite file
in WAL mode with ``synchronous=FULL``, which many processes share; `Hot.seal` moves them into the table. The keys stay,
so that a record that comes again after sealing is refused as before it.

A crash at any point loses and doubles nothing: the rows are appended under their unique key, and only then forgotten
here; whoever seals next appends what is already there to no effect.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.errors import BadValue, HotBroken, StoreUnwritable, translatable
from joulebook.store.durable import make_folder, writing
from joulebook.terms import tables
from joulebook.terms.blocks import checked_row, table_types

if TYPE_CHECKING:
    from joulebook.store.store import Appended

PATIENCE_S = 60.0
"""How long a writer waits for the others."""

SEAL_ROWS = 100_000
"""Rows that are sealed at once; more than that become several commits."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT,
    PRIMARY KEY (name, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waiting ON record (name) WHERE body IS NOT NULL;
"""


class Hot:
    """The records of one book that are not sealed yet, and the keys of all that ever came this way.

    Args:
        path: the SQLite file; made by the first `put`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open_connection: sqlite3.Connection | None = None

    def __del__(self) -> None:
        self.close()

    def put(self, table: str, rows: Iterable[Mapping[str, object]], *, unique: str) -> int:
        """Keep rows, in one transaction that is on the disk when this returns; return how many were new.

        Args:
            table: name of the table they go to.
            rows: as for `joulebook.store.store.Store.append_rows`.
            unique: the column by which a row is known; of equal keys the first is kept.

        Raises:
            BadValue: a value has not its column's type, or a row has no key.
            UnknownName: a row has a key that is no column.
            StoreUnwritable: the disk is full, the folder cannot be written, or others hold the file for a minute.
        """
        types = table_types(tables.table(table).columns)
        listed = [(table, *_record(row, types, unique)) for row in rows]
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany("INSERT OR IGNORE INTO record (name, key, body) VALUES (?, ?, ?)", listed)
            return connection.total_changes - before

    def waiting(self, table: str) -> int:
        """How many records wait to be sealed."""
        if not self.path.exists():
            return 0
        with self._transaction() as connection:
            query = "SELECT count(*) FROM record WHERE name = ? AND body IS NOT NULL"
            return connection.execute(query, (table,)).fetchone()[0]

    def seal(self, table: str, append: "Callable[[list[dict[str, object]]], Appended]") -> "list[Appended]":
        """Move what waits into the table; the keys stay.

        Args:
            table: name of the table.
            append: appends rows under their unique key, safely on disk when it returns.
        """
        done = []
        while batch := self._batch(table):
            types = table_types(tables.table(table).columns)
            done.append(append([_row(body, types) for _, body in batch]))
            with self._transaction() as connection:
                sealed = [(table, key) for key, _ in batch]
                connection.executemany("UPDATE record SET body = NULL WHERE name = ? AND key = ?", sealed)
        return done

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._open_connection is not None:
            self._open_connection.close()
            self._open_connection = None

    def _batch(self, table: str) -> list[tuple[str, str]]:
        if not self.path.exists():
            return []
        with self._transaction() as connection:
            query = "SELECT key, body FROM record WHERE name = ? AND body IS NOT NULL ORDER BY key LIMIT ?"
            return connection.execute(query, (table, SEAL_ROWS)).fetchall()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self)

    def _connection(self) -> sqlite3.Connection:
        if self._open_connection is None:
            with writing(self.path):
                make_folder(self.path.parent)
            connection = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            self._open_connection = connection
        return self._open_connection


class _Transaction:
    """One transaction that takes its lock at once, with SQLite's refusals as errors of the store."""

    def __init__(self, hot: Hot) -> None:
        self._hot = hot

    def __enter__(self) -> sqlite3.Connection:
        try:
            connection = self._hot._connection()  # noqa: SLF001  (the two classes are one thing)
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as fault:
            raise _refused(self._hot.path, fault) from fault
        return connection

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: object) -> None:
        connection = self._hot._connection()  # noqa: SLF001  (the two classes are one thing)
        try:
            connection.execute("COMMIT" if kind is None else "ROLLBACK")
        except sqlite3.Error as refusal:
            if kind is None:
                raise _refused(self._hot.path, refusal) from refusal
        if isinstance(fault, sqlite3.Error):
            raise _refused(self._hot.path, fault) from fault


def _refused(path: Path, fault: sqlite3.Error) -> StoreUnwritable | HotBroken:
    if isinstance(fault, sqlite3.OperationalError):
        return StoreUnwritable(path=str(path), reason=str(fault))
    return HotBroken(file=str(path), reason=str(fault))


def _record(row: Mapping[str, object], types: Mapping[str, str], unique: str) -> tuple[str, str]:
    body = checked_row(row, types)
    key = body.get(unique)
    if key is None:
        raise BadValue(value=None, expected=unique, next_step=translatable("give every row its key."))
    return str(key), json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _row(body: str, types: Mapping[str, str]) -> dict[str, object]:
    return dict(_read(json.loads(body), types))


def _read(body: Mapping[str, object], types: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name, value in body.items():
        if types[name] == "timestamp" and isinstance(value, int):
            seconds, micros = divmod(value, 1_000_000)
            yield name, datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
        elif types[name] == "date" and isinstance(value, str):
            yield name, date.fromisoformat(value)
        else:
            yield name, value
