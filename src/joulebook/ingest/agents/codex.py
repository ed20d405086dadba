"""Codex: ``sessions/**/rollout-*.jsonl`` under its home.

Old form: ``token_count`` events carry the totals of the session so far and are emitted again without progress (on rate
limit news, on resume), so a use is the difference of totals. New form: ``token_usage_record`` lines carry one model
response each with its id; from the first of them on, the totals of the same file are passed over. Input contains cached
tokens, output contains reasoning. A forked session or a subagent begins with a copy of its parent's events; both are
booked under the parent's id, so that the copy gets the keys of the original.

Checked against: ``TokenUsageRecord``, ``TokenUsage`` and ``TokenCountEvent`` of ``codex-rs/protocol`` 0.159.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import sub
from typing import Any, BinaryIO, NamedTuple

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import astuple

from joulebook.errors import translatable
from joulebook.ingest.identity import use_hash
from joulebook.ingest.lines import dig
from joulebook.ingest.marked import marked_lines
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, is_odd, name_of, rows_of
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

MARKS = (b'"token_count"', b'"token_usage_record"', b'"turn_context"', b'"session_meta"', b'"thread_settings_applied"')
BEGIN = b'{"timestamp":"'

is_content = re.compile(rb'\{"timestamp":"[^"\\]{10,40}","type":"response_item",').match
"""How the lines begin that hold what was said and done, which are most of a file."""


class _Counts(Struct, gc=False):
    """Token counts; the names in the order of `COUNTS`."""

    input_tokens: Any = UNSET
    cached_input_tokens: Any = UNSET
    cache_write_input_tokens: Any = UNSET
    output_tokens: Any = UNSET
    reasoning_output_tokens: Any = UNSET


class _Info(Struct, gc=False):
    total_token_usage: _Counts | None = None
    last_token_usage: _Counts | None = None
    model: Any = None


class _Payload(Struct, gc=False):
    type: Any = None
    id: Any = None
    cwd: Any = None
    model: Any = None
    model_provider: Any = None
    forked_from_id: Any = None
    source: Any = None
    thread_settings: Any = None
    response_id: Any = None
    thread_id: Any = None
    turn_id: Any = None
    thread_token_usage: _Counts | None = None
    usage: _Counts | None = None
    info: _Info | None = None


class _Line(Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    payload: _Payload | None = None


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
    cells: tuple[Any, ...] | None = None
    totals: tuple[int, ...] = (0,) * len(COUNTS)
    has_records: bool = False


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    session = _Session()
    for item in marked_lines(stream, file, *MARKS, begin=BEGIN, shape=_Line, content=is_content):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        payload = entry.payload
        if payload is None:
            continue
        kind = payload.type if entry.type == "event_msg" else entry.type
        if kind == "token_count":
            record = None if session.has_records else _difference(session, entry.timestamp, payload.info or NO_INFO)
        else:
            record = _other_use(session, kind, entry.timestamp, payload)
        if record is not None:
            yield line, record


NO_INFO = _Info()


def _other_use(session: _Session, kind: object, at: object, payload: _Payload) -> dict[str, object] | None:
    """The use that a line tells, if any; what it says of the session is kept."""
    if kind == "session_meta":
        _begin(session, payload)
    elif kind == "turn_context":
        session.model = name_of(payload.model) or session.model
        session.project = folder_name(payload.cwd) or session.project
    elif kind == "thread_settings_applied":
        session.service_tier = name_of(dig(payload.thread_settings, "service_tier")) or session.service_tier
    elif kind == "token_usage_record":
        session.has_records = True
        if payload.usage is not None:
            return _row(session, at, _counts(payload.usage), _response(session, payload), name_of(payload.model))
    return None


def _response(session: _Session, payload: _Payload) -> str:
    """The response's id; without one the thread with what it used so far, which grows with every response."""
    response = name_of(payload.response_id)
    if response is not None:
        return response
    counts = _counts(payload.thread_token_usage) if payload.thread_token_usage else {}
    return f"{payload.thread_id or session.root}:{payload.turn_id}:{sorted(counts.items(), key=str)}"


def _begin(session: _Session, payload: _Payload) -> None:
    own = name_of(payload.id)
    session.own = session.own or own
    parents = (payload.forked_from_id, dig(payload.source, "subagent.thread_spawn.parent_thread_id"))
    parent = next((name for told in parents if (name := name_of(told))), None)
    if session.root is None or own == session.root:
        session.root = parent or own
    session.project = session.project or folder_name(payload.cwd)
    session.provider = session.provider or provider_name(payload.model_provider)


def _difference(session: _Session, at: object, info: _Info) -> dict[str, object] | None:
    """What was used since the event before; None for an event that only repeats it."""
    total, last = info.total_token_usage, info.last_token_usage
    if total is None:
        if last is None:
            return None
        counts = _counts(last)
        return _row(session, at, counts, f"{session.root}:{at}:{sorted(counts.items())}", None)
    cells = astuple(total)
    form = _form(tuple(map(type, cells)))
    if form is None or min(now := form.filled(cells)) < 0:
        told = _counts(total)
        return _row(session, at, told, f"{session.root}:{at}", None) if is_odd(told) else None
    if cells == session.cells:
        return None
    grown = tuple(map(sub, now, session.totals))
    is_more = session.cells is not None and min(grown) >= 0
    session.cells, session.totals = cells, now
    if is_more or last is None:
        used = dict(zip(form.names, form.told(grown if is_more else now), strict=True))
    else:
        used = _counts(last)
    return _row(session, at, used, f"{session.root}:{form.text % form.told(now)}", name_of(info.model))


class _Form(NamedTuple):
    """Which counts are told.

    Attributes:
        names: our words for them, sorted.
        text: how they are written in an identity.
        places: where they stand among all.
    """

    names: tuple[str, ...]
    text: str
    places: tuple[int, ...]

    def told(self, counts: Sequence[int]) -> tuple[int, ...]:
        """Those of all counts that are told, in the order of the names."""
        return tuple([counts[place] for place in self.places])

    def filled(self, cells: tuple[Any, ...]) -> tuple[int, ...]:
        """All counts; one that is not told is 0."""
        return cells if len(self.places) == len(cells) else tuple([0 if cell is UNSET else cell for cell in cells])


@cache
def _form(kinds: tuple[type, ...]) -> _Form | None:
    """The form of counts with cells of these types; None where one that is told is no whole number."""
    if not {*kinds} <= {int, UnsetType}:
        return None  # odd, or unknown: then the next totals contain it
    told = sorted((name, place) for place, (name, kind) in enumerate(zip(COUNTS, kinds, strict=True)) if kind is int)
    names = tuple(name for name, _place in told)
    text = ", ".join(f"({name!r}, %d)" for name in names)
    return _Form(names, f"[{text}]", tuple(place for _name, place in told))


def _row(
    session: _Session, at: object, used: Mapping[str, object], identity: str, model: str | None
) -> dict[str, object]:
    name = model or session.model
    get = used.get
    told = (get("input_tokens"), get("cache_read_tokens"), get("output_tokens"), get("reasoning_output_tokens"))
    return {
        **used,
        "use_hash": use_hash(Codex.name, session.own, name, told),
        "request_id": identity,
        "started_at": at,
        "model": name,
        "provider": session.provider or ("openai" if name and name.startswith("gpt-") else None),
        "project": session.project,
        "service_tier": session.service_tier,
        "tool": Codex.name,
    }


def _counts(usage: _Counts) -> dict[str, Any]:
    return {ours: cell for ours, cell in zip(COUNTS, astuple(usage), strict=True) if cell is not UNSET}


assert tuple(COUNTS.values()) == _Counts.__struct_fields__
