"""Claude Code: ``projects/**/*.jsonl`` under its configuration folder.

One answer is written several times while it streams (one line per content block, the counts growing), and copied
into the logs of forked sessions and subagents, there under another request id. So the message id is the identity, and
of several lines the one with the most output counts. Input is counted without cache. Advisor models answer inside a
message and are counted under their own name. The request id, and session, model and counts, tell the same answer in the
agent's telemetry (`joulebook.ingest.identity`).

Ignored: lines that are not of the assistant, messages of API errors (model ``<synthetic>``), progress lines that repeat
a subagent's messages.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

from msgspec import Struct

from joulebook.errors import translatable
from joulebook.ingest.identity import request_hash, use_hash
from joulebook.ingest.marked import marked_lines
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, name_of, rows_of
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

COUNTS = {
    "uncached_input_tokens": "input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "visible_output_tokens": "output_tokens",
}
"""Our word -> their word. Thinking is part of ``output_tokens`` and not told apart."""

BEGIN = b'{"parentUuid":'
SYNTHETIC = "<synthetic>"
OWN_ID = "msg_"
HOSTS = (("msg_bdrk_", "aws"), ("msg_vrtx_", "gcp"), (OWN_ID, "anthropic"))
"""Who hosted the model, by the form of the message id."""


def is_content(line: bytes) -> bool:
    """Whether a line holds what was asked or what a tool answered: of type user, told before any object in it."""
    return line.find(b'"type":"user"', 1, line.find(b"{", 1)) > 0


class _Told(Struct, gc=False):
    input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_read_input_tokens: Any = None
    output_tokens: Any = None
    service_tier: Any = None
    iterations: Any = None


class _Message(Struct, gc=False):
    id: Any = None
    model: Any = None
    usage: _Told | None = None


class _Line(
    Struct,
    gc=False,
    rename={
        "session_id": "sessionId",
        "request_id": "requestId",
        "cost_usd": "costUSD",
        "is_api_error": "isApiErrorMessage",
    },
):
    type: Any = None
    timestamp: Any = None
    session_id: Any = None
    request_id: Any = None
    uuid: Any = None
    cwd: Any = None
    cost_usd: Any = None
    is_api_error: Any = None
    message: _Message | None = None


class ClaudeCode:
    """Reader of one session file."""

    name = "claude-code"
    signs = translatable("lines of type assistant with message.usage, as Claude Code writes them")

    def detect(self, head: bytes, name: str) -> float:
        """By the keys that every line of a session has."""
        if b'"sessionId"' in head and b'"type":"assistant"' in head and b'"usage"' in head:
            return 0.95
        return 0.6 if name.endswith(".jsonl") and b'"sessionId"' in head and b'"parentUuid"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer."""
        return rows_of(self.name, options, self.records(stream, options))

    def records(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
        """The records behind the rows."""
        return _records(stream, options.file)


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    best: dict[str, _Written] = {}
    names: dict[object, object] = {}
    for item in marked_lines(stream, file, b'"usage"', begin=BEGIN, shape=_Line, content=is_content):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        message = entry.message
        if entry.type != "assistant" or message is None or message.usage is None:
            continue
        if message.model == SYNTHETIC or entry.is_api_error is True:
            continue
        identity, output = message.id, message.usage.output_tokens
        if type(identity) is not str or not identity.startswith(OWN_ID):
            identity = _identity(entry, message)
        if type(output) is not int:
            output = 0
        known = best.get(identity)
        if known is None:
            best[identity] = (line, entry.timestamp, output, entry)
        elif output >= known[2]:
            best[identity] = (known[0], known[1], output, entry)
        if len(best) > MANY:
            _make_slim(entry, message, names)
    yield from _answers(best)


_Written = tuple[int, object, int, _Line]
"""Of an answer: where its first line stood and when that was; output counts and content of the line that counts."""

MANY = 10_000
"""From so many answers in one file on, less is kept of each."""


def _make_slim(entry: _Line, message: _Message, names: dict[object, object]) -> None:
    """Drop what is not needed any more, and let answers share what many of them say."""
    entry.type = entry.timestamp = entry.uuid = None
    for place, name in ((entry, "cwd"), (entry, "session_id"), (message, "model"), (message.usage, "service_tier")):
        told = getattr(place, name)
        if type(told) is str:
            setattr(place, name, names.setdefault(told, told))


def _answers(best: dict[str, _Written]) -> Iterator[Record]:
    """The main model's answers, each with those of its advisors; each is let go when it is told."""
    for identity in list(best):
        line, began, _output, entry = best.pop(identity)
        message = cast("_Message", entry.message)
        usage = cast("_Told", message.usage)
        shared = {
            "started_at": began,
            "project": folder_name(entry.cwd),
            "tool": ClaudeCode.name,
            "service_tier": name_of(usage.service_tier),
        }
        yield line, _answer(identity, shared, entry, message, usage)
        if isinstance(usage.iterations, list):
            for record in _advice(identity, shared, message, usage.iterations):
                yield line, record


def _answer(
    identity: str, shared: Mapping[str, object], entry: _Line, message: _Message, usage: _Told
) -> dict[str, object]:
    """The main model's answer."""
    model = name_of(message.model)
    counts = (
        usage.input_tokens,
        usage.cache_creation_input_tokens,
        usage.cache_read_input_tokens,
        usage.output_tokens,
    )
    return {
        **shared,
        "uncached_input_tokens": counts[0],
        "cache_write_tokens": counts[1],
        "cache_read_tokens": counts[2],
        "visible_output_tokens": counts[3],
        "request_hash": request_hash(entry.request_id),
        "use_hash": use_hash(ClaudeCode.name, entry.session_id, model, counts),
        "model": model,
        "provider": _host(message.id, model),
        "request_id": identity,
        "cost_usd": entry.cost_usd,
    }


def _advice(
    identity: str, shared: Mapping[str, object], message: _Message, iterations: list[object]
) -> Iterator[dict[str, object]]:
    """The answers of advisors inside the main model's answer."""
    for number, one in enumerate(iterations):
        if isinstance(one, dict) and one.get("type") == "advisor_message":
            advisor = name_of(one.get("model"))
            yield {
                **shared,
                **{ours: one.get(theirs) for ours, theirs in COUNTS.items()},
                "model": advisor,
                "provider": _host(message.id, advisor),
                "request_id": f"{identity}:advisor:{number}",
            }


def _identity(entry: _Line, message: _Message) -> str:
    """The message id; of gateways, whose ids may come again, with the session; without any, the line's own id."""
    message_id = name_of(message.id)
    if message_id is None:
        return f"line:{entry.session_id}:{entry.uuid or entry.timestamp}"
    return message_id if message_id.startswith(OWN_ID) else f"{entry.session_id}:{message_id}"


def _host(message_id: object, model: str | None) -> str | None:
    if not isinstance(message_id, str) or model is None or "claude" not in model:
        return None
    for start, host in HOSTS:
        if message_id.startswith(start):
            return host
    return None
