"""Codex: ``sessions/**/rollout-*.jsonl`` under its home.

Old form: ``token_count`` events carry the totals of the session so far and are emitted again without progress (on rate
limit news, on resume), so a use is the difference of totals. New form: ``token_usage_record`` lines carry one model
response each with its id; from the first of them on, the totals of the same file are passed over. Input contains cached
tokens, output contains reasoning. A forked session or a subagent begins with a copy of its parent's events; both are
booked under the parent's id, so that the copy gets the keys of the original.

Checked against: ``TokenUsageRecord``, ``TokenUsage`` and ``TokenCountEvent`` of ``codex-rs/protocol`` 0.159.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypedDict

from joulebook.errors import translatable
from joulebook.ingest.identity import use_hash
from joulebook.ingest.lines import dig
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, is_odd, marked_lines, name_of, rows_of
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

COUNTS = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_input_tokens",
    "output_tokens": "output_tokens",
    "reasoning_output_tokens": "reasoning_output_tokens",
}
"""Our word -> their word."""

MARKS = (b'"session_meta"', b'"turn_context"', b'"token_count"', b'"token_usage_record"', b'"thread_settings_applied"')
PARENTS = ("forked_from_id", "source.subagent.thread_spawn.parent_thread_id")


BEGIN = b'{"timestamp":"'
CONTENT = re.compile(rb'\{"timestamp":"[^"\\]{10,40}","type":"response_item",')
"""How the lines begin that hold what was said and done, which are most of a file."""


class _Payload(TypedDict, total=False):
    type: Any
    id: Any
    cwd: Any
    model: Any
    model_provider: Any
    forked_from_id: Any
    source: Any
    thread_settings: Any
    response_id: Any
    thread_id: Any
    turn_id: Any
    thread_token_usage: Any
    usage: Any
    info: Any


class _Line(TypedDict, total=False):
    type: Any
    timestamp: Any
    payload: _Payload


class Codex:
    """Reader of one rollout file."""

    name = "codex"
    signs = translatable("lines of type session_meta, turn_context and event_msg, as Codex writes them")

    def detect(self, head: bytes, name: str) -> float:
        """By the first line's type, or the types that follow."""
        if b'"session_meta"' in head and b'"payload"' in head:
            return 0.95
        return 0.8 if (b'"token_count"' in head and b'"event_msg"' in head) or name.startswith("rollout-") else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per model response."""
        return rows_of(self.name, options, self.records(stream, options))

    def records(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
        """The records behind the rows."""
        return _records(stream, options.file)


@dataclass(slots=True)
class _Session:
    """What the lines so far say about those to come."""

    own: str | None = None
    root: str | None = None
    project: str | None = None
    provider: str | None = None
    model: str | None = None
    service_tier: str | None = None
    totals: dict[str, int] | None = None
    has_records: bool = False


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    session = _Session()
    for item in marked_lines(stream, file, *MARKS, begin=BEGIN, shape=_Line, content=CONTENT):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        payload = entry.get("payload")
        if not isinstance(payload, dict):
            continue
        kind = entry.get("type")
        if kind == "event_msg":
            kind = payload.get("type")
        record = _use(session, kind, entry, payload)
        if record is not None:
            yield line, record


def _use(
    session: _Session, kind: object, entry: Mapping[str, object], payload: Mapping[str, object]
) -> dict[str, object] | None:
    """The use that a line tells, if any; what it says of the session is kept."""
    if kind == "session_meta":
        _begin(session, payload)
    elif kind == "turn_context":
        session.model = name_of(payload.get("model")) or session.model
        session.project = folder_name(payload.get("cwd")) or session.project
    elif kind == "thread_settings_applied":
        tier = dig(payload, "thread_settings.service_tier")
        session.service_tier = name_of(tier) or session.service_tier
    elif kind == "token_usage_record":
        session.has_records = True
        usage = payload.get("usage")
        if isinstance(usage, dict):
            return _row(session, entry, _counts(usage), _response(session, payload), name_of(payload.get("model")))
    elif kind == "token_count" and not session.has_records:
        return _difference(session, entry, payload)
    return None


def _response(session: _Session, payload: Mapping[str, object]) -> str:
    """The response's id; without one the thread with what it used so far, which grows with every response."""
    response, so_far = name_of(payload.get("response_id")), payload.get("thread_token_usage")
    if response is not None:
        return response
    counts = _counts(so_far if isinstance(so_far, dict) else {})
    return f"{payload.get('thread_id') or session.root}:{payload.get('turn_id')}:{sorted(counts.items(), key=str)}"


def _begin(session: _Session, payload: Mapping[str, object]) -> None:
    own = name_of(payload.get("id"))
    session.own = session.own or own
    parent = next((name for path in PARENTS if (name := name_of(dig(payload, path)))), None)
    if session.root is None or own == session.root:
        session.root = parent or own
    session.project = session.project or folder_name(payload.get("cwd"))
    session.provider = session.provider or provider_name(payload.get("model_provider"))


def _difference(
    session: _Session, entry: Mapping[str, object], payload: Mapping[str, object]
) -> dict[str, object] | None:
    """What was used since the event before; None for an event that only repeats it."""
    info = payload.get("info")
    total, last = dig(info, "total_token_usage"), dig(info, "last_token_usage")
    told = _counts(total) if isinstance(total, dict) else {}
    if is_odd(told):
        return _row(session, entry, told, f"{session.root}:{entry.get('timestamp')}", None)
    if None in told.values():
        return None  # the next totals contain it
    now = {name: cell for name, cell in told.items() if isinstance(cell, int)}
    if not isinstance(total, dict):
        if not isinstance(last, dict):
            return None
        identity = f"{session.root}:{entry.get('timestamp')}:{sorted(_counts(last).items())}"
        return _row(session, entry, _counts(last), identity, None)
    before, session.totals = session.totals, now
    if now == before:
        return None
    has_grown = before is not None and all(now.get(name, 0) >= count for name, count in before.items())
    if before is not None and has_grown:
        used: dict[str, object] = {name: count - before.get(name, 0) for name, count in now.items()}
    else:
        used = _counts(last) if isinstance(last, dict) else dict(now)
    return _row(session, entry, used, f"{session.root}:{sorted(now.items())}", name_of(dig(info, "model")))


def _row(
    session: _Session, entry: Mapping[str, object], used: Mapping[str, object], identity: str, model: str | None
) -> dict[str, object]:
    name = model or session.model
    told = (used.get(word) for word in COUNTS if word != "cache_write_tokens")
    return {
        **used,
        "use_hash": use_hash(Codex.name, session.own, name, told),
        "request_id": identity,
        "started_at": entry.get("timestamp"),
        "model": name,
        "provider": session.provider or ("openai" if name and name.startswith("gpt-") else None),
        "project": session.project,
        "service_tier": session.service_tier,
        "tool": Codex.name,
    }


def _counts(usage: Mapping[str, object]) -> dict[str, object]:
    return {ours: usage[theirs] for ours, theirs in COUNTS.items() if theirs in usage}
