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
from typing import Any, BinaryIO, NamedTuple, TypedDict

from joulebook.errors import translatable
from joulebook.ingest.identity import request_hash, use_hash
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, marked_lines, name_of, rows_of, whole
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
HOSTS = (("msg_bdrk_", "aws"), ("msg_vrtx_", "gcp"), ("msg_", "anthropic"))
"""Who hosted the model, by the form of the message id."""


class _Told(TypedDict, total=False):
    input_tokens: Any
    cache_creation_input_tokens: Any
    cache_read_input_tokens: Any
    output_tokens: Any
    service_tier: Any
    iterations: Any


class _Message(TypedDict, total=False):
    id: Any
    model: Any
    usage: _Told


class _Line(TypedDict, total=False):
    type: Any
    timestamp: Any
    sessionId: Any
    requestId: Any
    uuid: Any
    cwd: Any
    costUSD: Any
    isApiErrorMessage: Any
    message: _Message


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
    for item in marked_lines(stream, file, b'"usage"', begin=BEGIN, shape=_Line):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        message = entry.get("message")
        if entry.get("type") != "assistant" or not isinstance(message, dict):
            continue
        usage = message.get("usage")
        if not isinstance(usage, dict):
            continue
        if message.get("model") == SYNTHETIC or entry.get("isApiErrorMessage") is True:
            continue
        identity = _identity(entry, message)
        output = whole(usage.get("output_tokens")) or 0
        known = best.get(identity)
        if known is None:
            best[identity] = _Written(line, entry.get("timestamp"), output, entry, message, usage)
        elif output >= known.output:
            best[identity] = _Written(known.line, known.began, output, entry, message, usage)
    for identity, written in best.items():
        for record in _answers(identity, written):
            yield written.line, record


class _Written(NamedTuple):
    """The line of an answer that counts, with where and when its first line stood."""

    line: int
    began: object
    output: int
    entry: Mapping[str, object]
    message: Mapping[str, object]
    usage: Mapping[str, object]


def _answers(identity: str, written: _Written) -> Iterator[dict[str, object]]:
    """The main model's answer, then those of its advisors."""
    entry, usage, message_id = written.entry, written.usage, written.message.get("id")
    model = name_of(written.message.get("model"))
    shared = {
        "started_at": written.began,
        "project": folder_name(entry.get("cwd")),
        "tool": ClaudeCode.name,
        "service_tier": name_of(usage.get("service_tier")),
    }
    counts = _counts(usage)
    yield {
        **shared,
        **counts,
        "request_hash": request_hash(entry.get("requestId")),
        "use_hash": use_hash(ClaudeCode.name, entry.get("sessionId"), model, counts.values()),
        "model": model,
        "provider": _host(message_id, model),
        "request_id": identity,
        "cost_usd": entry.get("costUSD"),
    }
    iterations = usage.get("iterations")
    for number, one in enumerate(iterations if isinstance(iterations, list) else []):
        if isinstance(one, dict) and one.get("type") == "advisor_message":
            advisor = name_of(one.get("model"))
            yield {
                **shared,
                **_counts(one),
                "model": advisor,
                "provider": _host(message_id, advisor),
                "request_id": f"{identity}:advisor:{number}",
            }


def _identity(entry: Mapping[str, object], message: Mapping[str, object]) -> str:
    """The message id; of gateways, whose ids may come again, with the session; without any, the line's own id."""
    message_id = name_of(message.get("id"))
    if message_id is None:
        return f"line:{entry.get('sessionId')}:{entry.get('uuid') or entry.get('timestamp')}"
    return message_id if message_id.startswith("msg_") else f"{entry.get('sessionId')}:{message_id}"


def _host(message_id: object, model: str | None) -> str | None:
    if not isinstance(message_id, str) or model is None or "claude" not in model:
        return None
    return next((host for start, host in HOSTS if message_id.startswith(start)), None)


def _counts(usage: Mapping[str, object]) -> dict[str, object]:
    return {ours: usage.get(theirs) for ours, theirs in COUNTS.items()}
