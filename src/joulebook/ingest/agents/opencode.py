"""opencode: the database ``opencode.db``, and in older versions one JSON file per message under ``storage/message``.

Its token counts are already taken apart: ``input`` is without cache. ``reasoning`` stands beside ``output``, unless a
total is given that shows it inside. Ignored: messages that are still being written (neither completed nor failed),
whose counts would be booked too low.

A forked session begins with copies of its parent's messages, under new ids but with their times and counts. So an
answer is known by when it was begun and completed, its model and its counts: copies count once, and so does a message
that stands in a file and in the database.

Checked against: ``Session.fork`` and the message schema of opencode 0.x and 1.x (``packages/opencode/src/session``).
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from joulebook.errors import InputBroken, translatable
from joulebook.ingest.lines import dig, loaded
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, name_of, rows_of, whole, whole_json
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

SQLITE_MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
TABLES = ("message", "session_message")
"""Where messages are kept: since the database came, and since its second form."""


class OpenCode:
    """Reader of the database or of one message file."""

    name = "opencode"
    signs = translatable(
        "a database with a table message, or a message with modelID and tokens, as opencode writes them"
    )

    def detect(self, head: bytes, name: str) -> float:
        """By the name of the database, or by the keys of a message."""
        if head.startswith(SQLITE_MAGIC):
            return 0.9 if name.startswith("opencode") else 0.1
        return 0.95 if b'"modelID"' in head and b'"sessionID"' in head and b'"role"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer.

        Raises:
            InputBroken: the database cannot be read.
        """
        return rows_of(self.name, options, self.records(stream, options))

    def records(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
        """The records behind the rows; raises as `parse`."""
        magic = stream.read(len(SQLITE_MAGIC))
        stream.seek(0)
        messages = _database(stream, options) if magic == SQLITE_MAGIC else _file(stream, options)
        return _records(messages)


def open_database(stream: BinaryIO) -> sqlite3.Connection:
    """A database for reading: the file itself with its journal where the stream is one, else from memory.

    Raises:
        sqlite3.Error: it is none, or breaks off.
    """
    head = stream.read(HEADER_BYTES)
    size, told = stream.seek(0, os.SEEK_END), _told_size(head)
    stream.seek(0)
    if size < told:
        raise sqlite3.DatabaseError
    path = getattr(stream, "name", None)
    if isinstance(path, (str, Path)) and Path(path).is_file():
        return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    database = sqlite3.connect(":memory:")
    database.deserialize(stream.read())
    return database


def _told_size(head: bytes) -> int:
    """How many bytes a database has by its header; 0 where the header does not say (SQLite file format, 1.3)."""
    if len(head) < HEADER_BYTES or head[24:28] != head[92:96]:
        return 0
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    return (page if page > 1 else 1 << 16) * pages


def table_columns(database: sqlite3.Connection, table: str) -> set[str]:
    """Names of the columns of a table; empty where there is no such table."""
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}


def _database(stream: BinaryIO, options: ReadOptions) -> Iterator[Mapping[str, object] | Finding]:
    try:
        with closing(open_database(stream)) as database:
            for table in TABLES:
                if not {"id", "session_id", "data"} <= table_columns(database, table):
                    continue
                for identity, session, data in database.execute(f"SELECT id, session_id, data FROM {table}"):  # noqa: S608  (a constant name)
                    message = loaded(data) if isinstance(data, (str, bytes)) else None
                    if isinstance(message, dict):
                        yield {**message, "id": identity, "sessionID": session}
                    else:
                        yield Finding(options.file, None, "broken-json")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputBroken(file=options.file, reason=type(error).__name__) from error


def _file(stream: BinaryIO, options: ReadOptions) -> Iterator[Mapping[str, object] | Finding]:
    for message in whole_json(stream, options.file):
        if isinstance(message, (dict, Finding)):
            yield message
        else:
            yield Finding(options.file, None, "not-this-format", {"format": OpenCode.name})


def _records(messages: Iterator[Mapping[str, object] | Finding]) -> Iterator[Record | Finding]:
    for message in messages:
        if isinstance(message, Finding):
            yield message
            continue
        tokens = message.get("tokens")
        if not isinstance(tokens, dict) or message.get("role", "assistant") != "assistant":
            continue
        if dig(message, "time.completed") is None and message.get("error") is None:
            continue
        model = message.get("modelID") or dig(message, "model.id") or dig(message, "model.modelID")
        yield (
            None,
            {
                **_counts(tokens),
                "request_id": _identity(message, model, tokens),
                "started_at": dig(message, "time.created"),
                "ended_at": dig(message, "time.completed"),
                "model": name_of(model),
                "provider": provider_name(message.get("providerID") or dig(message, "model.providerID")),
                "project": folder_name(dig(message, "path.root")) or folder_name(dig(message, "path.cwd")),
                "tool": OpenCode.name,
                "cost_usd": message.get("cost"),
            },
        )


def _identity(message: Mapping[str, object], model: object, tokens: Mapping[str, object]) -> str | None:
    """When it was begun and completed, model and counts; its id where it has no such times."""
    created, completed = dig(message, "time.created"), dig(message, "time.completed")
    if created is None or completed is None:
        return name_of(message.get("id"))
    counts = (dig(tokens, name) for name in ("input", "output", "reasoning", "cache.read", "cache.write"))
    return ":".join(str(part) for part in (created, completed, model, *counts))


def _counts(tokens: Mapping[str, object]) -> dict[str, object]:
    output, reasoning = tokens.get("output"), tokens.get("reasoning")
    read, written = dig(tokens, "cache.read"), dig(tokens, "cache.write")
    without = sum(whole(cell) or 0 for cell in (tokens.get("input"), output, read, written))
    is_inside = bool(whole(reasoning)) and tokens.get("total") == without
    return {
        "uncached_input_tokens": tokens.get("input"),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens" if is_inside else "visible_output_tokens": output,
        "reasoning_output_tokens": reasoning,
    }
