"""Cursor: the database ``state.vscdb`` of its global storage, tables of keys and JSON values.

A conversation (``composerData:ID``) lists its messages (``bubbleId:ID:MESSAGE``). Cursor keeps token counts of some
messages only (``tokenCount``, else zeros). Of the others there is nothing but text, which is counted from below as of
the exported chats (`joulebook.ingest.exports.least_tokens`) and not kept: those rows have the tier ``estimated``, and a
finding says that they are a lower bound.

A step is what the model says between two things it is told: it begins with the first message after the user's, or after
a tool's result, and reads all that was said before. Tool calls belong to the step that made them. Instructions, files
and memory that Cursor adds unseen are not in the database. Which company hosts the model is not told.

Ignored: drafts without messages; the older chat panel (``ItemTable``), which kept neither times nor models.

Source: no documentation of Cursor; the form was described by those who export it, such as the repositories that read
``cursorDiskKV``.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from joulebook.errors import InputBroken, translatable
from joulebook.ingest.agents.opencode import SQLITE_MAGIC, open_database, table_columns
from joulebook.ingest.exports import least_tokens
from joulebook.ingest.lines import dig, loaded
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import dicts, first_of, is_odd, maker_of, name_of, whole
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

USER, ASSISTANT = 1, 2
TABLE = "cursorDiskKV"
TALKS = "SELECT key, CAST(value AS TEXT) FROM cursorDiskKV WHERE key >= 'composerData:' AND key < 'composerData;'"
MESSAGE = "SELECT CAST(value AS TEXT) FROM cursorDiskKV WHERE key = ?"
AUTOMATIC = "default"
"""Stands for the model where Cursor chose it and does not say which."""


class Cursor:
    """Reader of the global database."""

    name = "cursor"
    signs = translatable("a database with a table cursorDiskKV, as Cursor writes it")

    def detect(self, head: bytes, name: str) -> float:
        """By the table in the first page of the database, or by its name."""
        if not head.startswith(SQLITE_MAGIC):
            return 0.0
        return 0.97 if TABLE.encode() in head else 0.6 if name == "state.vscdb" else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per step of the model.

        Raises:
            InputBroken: the database cannot be read.
        """
        makers = {tier: maker_of(self.name, options, tier=tier) for tier in ("measured", "estimated")}
        estimated = 0
        for item in _steps(stream, options.file):
            if isinstance(item, Finding):
                yield item
                continue
            is_told, record = item
            estimated += not is_told
            yield makers["measured" if is_told else "estimated"].make_named(record, None)
        if estimated:
            yield Finding(options.file, None, "counted-from-text", {"count": estimated}, is_error=False)


@dataclass(slots=True)
class _Step:
    """What the model said between two things it was told."""

    first: Mapping[str, Any]
    read: int
    said: int = 0
    taken: list[object] = field(default_factory=list)
    given: list[object] = field(default_factory=list)


def _steps(stream: BinaryIO, file: str) -> Iterator[tuple[bool, dict[str, object]] | Finding]:
    """Whether Cursor told the counts, and the record, of each step."""
    magic = stream.read(len(SQLITE_MAGIC))
    stream.seek(0)
    if magic != SQLITE_MAGIC:
        yield Finding(file, None, "not-this-format" if magic else "empty-file", {"format": Cursor.name})
        return
    try:
        with closing(open_database(stream)) as database:
            if not {"key", "value"} <= table_columns(database, TABLE):
                yield Finding(file, None, "not-this-format", {"format": Cursor.name})
                return
            for key, value in database.execute(TALKS):
                talk = loaded(value) if isinstance(value, str) else None
                if not isinstance(talk, dict):
                    if value is not None:
                        yield Finding(file, None, "broken-json")
                    continue
                identity = str(key).partition(":")[2]
                for step in _taken_apart(_messages(database, identity, talk)):
                    record = _record(identity, talk, step)
                    if record is not None:
                        yield record
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputBroken(file=file, reason=type(error).__name__) from error


def _messages(database: sqlite3.Connection, identity: str, talk: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The messages of a conversation in their order: in rows of their own, or in older versions inside."""
    yield from dicts(talk.get("conversation"))
    for header in dicts(talk.get("fullConversationHeadersOnly")):
        row = database.execute(MESSAGE, (f"bubbleId:{identity}:{header.get('bubbleId')}",)).fetchone()
        message = loaded(row[0]) if row is not None and isinstance(row[0], str) else None
        if isinstance(message, dict):
            yield {**header, **message}


def _taken_apart(messages: Iterator[dict[str, Any]]) -> Iterator[_Step]:
    step: _Step | None = None
    before, is_new = 0, True
    for message in messages:
        said, told = _sizes(message)
        if message.get("type") == ASSISTANT:
            is_call = isinstance(message.get("toolFormerData"), dict)
            if step is None or (is_new and not is_call):
                if step is not None:
                    yield step
                step = _Step(message, before)
            step.said += said
            step.taken.append(dig(message, "tokenCount.inputTokens"))
            step.given.append(dig(message, "tokenCount.outputTokens"))
            is_new = is_call
        elif step is not None:
            yield step
            step = None
        before += said + told
    if step is not None:
        yield step


def _sizes(message: Mapping[str, Any]) -> tuple[int, int]:
    """At least how many tokens were said in a message, and were told to the model by a tool's result."""
    texts = [message.get("text"), dig(message, "thinking.text"), first_of(message, "toolFormerData.rawArgs")]
    result = dig(message, "toolFormerData.result")
    said = sum(least_tokens(text) for text in texts if isinstance(text, str))
    return said, least_tokens(result) if isinstance(result, str) else 0


def _record(identity: str, talk: Mapping[str, Any], step: _Step) -> tuple[bool, dict[str, object]] | None:
    """The record of a step; None where nothing was said."""
    counts = _told(step)
    is_told = counts is not None
    if counts is None:
        if not step.said:
            return None
        counts = {"uncached_input_tokens": step.read, "visible_output_tokens": step.said}
    started = first_of(step.first, "createdAt", "timingInfo.clientRpcSendTime", "timingInfo.clientStartTime")
    model = name_of(first_of(step.first, "modelInfo.modelName")) or name_of(dig(talk, "modelConfig.modelName"))
    return is_told, {
        **counts,
        "request_id": f"{identity}:{step.first.get('bubbleId')}",
        "started_at": _moment(started) or talk.get("createdAt"),
        "model": None if model == AUTOMATIC else model,
        "tool": Cursor.name,
    }


def _told(step: _Step) -> dict[str, object] | None:
    """Counts that Cursor told; None where it told none or only zeros."""
    cells = {str(number): cell for number, cell in enumerate((*step.taken, *step.given))}
    if is_odd(cells):
        odd = next(cell for cell in cells.values() if is_odd({"": cell}))
        return {"input_tokens": odd, "output_tokens": 0}
    taken, given = (sum(whole(cell) or 0 for cell in side) for side in (step.taken, step.given))
    return {"input_tokens": taken, "output_tokens": given} if taken or given else None


def _moment(cell: object) -> object:
    """A time; counters that the editor keeps since its own start are none."""
    return cell if isinstance(cell, str) or (whole(cell) or 0) > EARLIEST_MS else None


EARLIEST_MS = 10**12
"""The year 2001 in milliseconds."""
