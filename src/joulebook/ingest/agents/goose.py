"""Goose: the database ``sessions.db``, and in older versions one JSON lines file per session.

Since its table ``usage_ledger`` every call of a model is a row of its own, with its model and time; those are booked,
calls that compact a conversation too. The session's totals (``accumulated_*``; the plain ones are those of the last
answer) repeat the ledger, so they are taken only of sessions that have no row there: of older versions, which kept
nothing else. What was booked of such a session before is taken off when it has grown (``counter_hash``).

Input contains what was read from and written to the cache. Versions that do not tell the cache apart leave it unknown.

Ignored: sessions without totals; the messages' content, of which only the answers' number is read.

Checked against: the tables of schema 16 (Goose 1.51), and those before the ledger. Sources: Goose documentation,
"Logging system" (places of the files), and ``session_manager.rs`` (tables).
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, BinaryIO

from joulebook.errors import InputBroken, translatable
from joulebook.ingest.agents.opencode import SQLITE_MAGIC, open_database, table_columns
from joulebook.ingest.identity import counter_hash
from joulebook.ingest.lines import ENDS, dig, loaded
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, name_of, rows_of, utf8_lines, whole
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

COUNTS = {
    "input_tokens": "accumulated_input_tokens",
    "cache_read_tokens": "accumulated_cache_read_tokens",
    "cache_write_tokens": "accumulated_cache_write_tokens",
    "output_tokens": "accumulated_output_tokens",
    "cost_usd": "accumulated_cost",
}
"""Our word -> their column."""

WANTED = ("id", "working_dir", "created_at", "updated_at", "provider_name", "model_config_json", *COUNTS.values())
NEEDED = {"id", "created_at", "accumulated_input_tokens", "accumulated_output_tokens"}
LEDGER = "usage_ledger"
LEDGER_COUNTS = {ours: theirs.removeprefix("accumulated_") for ours, theirs in COUNTS.items()}
LEDGER_WANTED = ("id", "session_id", "created_timestamp", "model", *LEDGER_COUNTS.values())
ANSWERS = "SELECT session_id, count(*) FROM messages WHERE role = 'assistant' GROUP BY session_id"


class Goose:
    """Reader of the database, or of one session file."""

    name = "goose"
    signs = translatable("a database with a table sessions, or a session file with accumulated tokens, of Goose")

    def detect(self, head: bytes, name: str) -> float:
        """By the names of the totals; of a database by the tables in its first page."""
        if head.startswith(SQLITE_MAGIC):
            return 0.95 if b"accumulated_input_tokens" in head or name == "sessions.db" else 0.0
        return 0.95 if b'"accumulated_input_tokens"' in head and b'"working_dir"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per call of a model; per session without such rows, what its totals are by now.

        Raises:
            InputBroken: the database cannot be read.
        """
        magic = stream.read(len(SQLITE_MAGIC))
        stream.seek(0)
        sessions = _database(stream, options.file) if magic == SQLITE_MAGIC else _file(stream, options.file)
        return rows_of(self.name, options, sessions, is_bucket=True)


def _database(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    try:
        with closing(open_database(stream)) as database:
            columns = table_columns(database, "sessions")
            if not columns >= NEEDED:
                yield Finding(file, None, "not-this-format", {"format": Goose.name})
                return
            answers: dict[str, int] = {}
            if {"session_id", "role"} <= table_columns(database, "messages"):
                answers = dict(database.execute(ANSWERS))
            sessions = {session["id"]: session for session in _table(database, "sessions", WANTED)}
            for call in _table(database, LEDGER, LEDGER_WANTED):
                session = sessions.get(call["session_id"], {})
                sessions[call["session_id"]] = {**session, "has_calls": True}
                record = _call(call, session)
                if record is not None:
                    yield None, record
            for identity, session in sessions.items():
                record = None if session.get("has_calls") else _record(session, str(identity), answers.get(identity))
                if record is not None:
                    yield None, record
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputBroken(file=file, reason=type(error).__name__) from error


def _table(database: sqlite3.Connection, table: str, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a table, with those of the wanted columns that it has; none where there is no such table."""
    names = [name for name in wanted if name in table_columns(database, table)]
    if not names:
        return []
    found = database.execute(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608  (constant names)
    return [dict(zip(names, cells, strict=True)) for cells in found]


def _call(call: Mapping[str, Any], session: Mapping[str, object]) -> dict[str, object] | None:
    """One row of the ledger; None where it tells of no token."""
    counts = {ours: call.get(theirs) for ours, theirs in LEDGER_COUNTS.items()}
    if not any(cell for name, cell in counts.items() if name.endswith("_tokens")):
        return None
    at = call.get("created_timestamp")
    return {
        **counts,
        "request_count": 1,
        "request_id": f"{call.get('session_id')}:call:{call.get('id')}:{at}",
        "started_at": at,
        "model": name_of(call.get("model")),
        **_of_session(session),
    }


def _of_session(session: Mapping[str, object]) -> dict[str, object]:
    return {
        "provider": provider_name(session.get("provider_name")),
        "project": folder_name(session.get("working_dir")),
        "tool": Goose.name,
    }


def _file(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    """The first line of a session file has the totals; the others are messages with their time."""
    session: Mapping[str, object] | None = None
    first: object = None
    last: object = None
    answers, number, line = 0, 0, b"\n"
    for number, line in enumerate(utf8_lines(stream, file), start=1):
        entry = loaded(line)
        if not isinstance(entry, dict):
            if line.strip():
                yield Finding(file, number, "not-json" if line.endswith(ENDS) else "truncated")
            continue
        if "accumulated_input_tokens" in entry and session is None:
            session = entry
        created = entry.get("created")
        if created is not None:
            first = created if first is None else first
            last = created
        answers += entry.get("role") == "assistant"
    if session is None:
        yield Finding(file, None, "not-this-format" if number else "empty-file", {"format": Goose.name})
        return
    identity = f"{session.get('working_dir')}:{first}"
    record = _record({**session, "created_at": first, "updated_at": last}, identity, answers)
    if record is not None:
        yield 1, record


def _record(session: Mapping[str, object], identity: str, answers: int | None) -> dict[str, object] | None:
    counts = {ours: session.get(theirs) for ours, theirs in COUNTS.items()}
    told = {name: cell for name, cell in counts.items() if name.endswith("_tokens") and cell is not None}
    if not told or all(cell == 0 for cell in told.values()):
        return None
    config = session.get("model_config_json")
    model = dig(loaded(config), "model_name") if isinstance(config, str) else None
    started, ended = _utc(session.get("created_at")), _utc(session.get("updated_at"))
    return {
        **counts,
        "request_count": answers or None,
        "request_id": f"{identity}:{sorted(told.items())}" if not _is_odd(told) else identity,
        "counter_hash": counter_hash(Goose.name, identity),
        "started_at": started,
        "ended_at": ended if str(ended) >= str(started) else None,
        "model": name_of(model),
        **_of_session(session),
    }


def _is_odd(told: Mapping[str, object]) -> bool:
    return any(whole(cell) is None for cell in told.values())


def _utc(time: object) -> object:
    """The database writes UTC without saying so."""
    return f"{time}+00:00" if isinstance(time, str) and time[10:11] == " " and "+" not in time else time
