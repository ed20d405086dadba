"""Gemini CLI and Qwen Code: chats under ``~/.gemini/tmp/*/chats`` and ``~/.qwen/projects/*/chats``.

Gemini CLI writes one JSON file per session, in later versions JSON lines; a message is written again under its id when
it grows. Its ``input`` contains ``cached``; ``thoughts`` and ``tool`` stand beside ``output`` and ``input``. Qwen Code
writes JSON lines with the API's ``usageMetadata``. Where a total is given it decides what contains what.

Subagents of Gemini CLI have files of their own in a folder named like the session that called them. A conversation that
was rewound or compressed (``$rewindTo``, ``$set``) was computed all the same: its messages count.

Checked against: ``chatRecordingService.ts`` and ``chatRecordingTypes.ts`` of Gemini CLI 0.4x and of Qwen Code 0.2x.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, TypedDict

from joulebook.errors import translatable
from joulebook.ingest.identity import use_hash
from joulebook.ingest.lines import dig
from joulebook.ingest.marked import marked_lines
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, is_odd, name_of, rows_of, whole, whole_json
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

GEMINI_BEGIN, QWEN_BEGIN = b'{"id":"', b'{"uuid":"'
GEMINI_WORDS = ("input", "cached", "output", "thoughts", "tool", "total")
API_WORDS = (
    "promptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "totalTokenCount",
)
QWEN_WORDS = API_WORDS[:4]
"""Their words for: input, of it cached, output, hidden reasoning, input from tools, all together. Qwen Code's event has
the first four."""


class _Message(TypedDict, total=False):
    sessionId: Any
    id: Any
    timestamp: Any
    type: Any
    model: Any
    tokens: Any


class _Chat(TypedDict, total=False):
    sessionId: Any
    messages: list[_Message]


class _QwenLine(TypedDict, total=False):
    type: Any
    sessionId: Any
    uuid: Any
    timestamp: Any
    model: Any
    cwd: Any
    usageMetadata: Any


class GeminiCli:
    """Reader of one chat of Gemini CLI."""

    name = "gemini-cli"
    signs = translatable("messages of type gemini with tokens, as Gemini CLI writes them")

    def detect(self, head: bytes, name: str) -> float:
        """By the session's keys."""
        if b'"sessionId"' in head and b'"projectHash"' in head:
            return 0.95
        return 0.5 if name.startswith("session-") and b'"gemini"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer."""
        return rows_of(self.name, options, self.records(stream, options))

    def records(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
        """The records behind the rows."""
        return _gemini_records(stream, options)


class QwenCode:
    """Reader of one chat of Qwen Code."""

    name = "qwen-code"
    signs = translatable("lines of type assistant with usageMetadata, as Qwen Code writes them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the keys of its lines."""
        return 0.95 if b'"usageMetadata"' in head and b'"sessionId"' in head and b'"assistant"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer."""
        return rows_of(self.name, options, self.records(stream, options))

    def records(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
        """The records behind the rows."""
        return _qwen_records(stream, options.file)


def _gemini_records(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    """Messages of either form; a later copy of a message replaces the earlier one."""
    latest: dict[str, Record] = {}
    session: object = None
    for item in _gemini_messages(stream, options):
        if isinstance(item, Finding):
            yield item
            continue
        line, message = item
        session = message.get("sessionId") or session
        tokens = message.get("tokens")
        if message.get("type") != "gemini" or not isinstance(tokens, dict):
            continue
        identity = f"{session}:{message.get('id') or message.get('timestamp')}"
        told = [tokens.get(word) for word in GEMINI_WORDS if word != "total"]
        latest[identity] = (
            line,
            {
                **gemini_counts(tokens, GEMINI_WORDS),
                "request_id": identity,
                "use_hash": use_hash(GeminiCli.name, session, message.get("model"), told),
                "started_at": message.get("timestamp"),
                "model": name_of(message.get("model")),
                "provider": "google",
                "tool": GeminiCli.name,
            },
        )
    yield from latest.values()


def _gemini_messages(
    stream: BinaryIO, options: ReadOptions
) -> Iterator[tuple[int | None, Mapping[str, object]] | Finding]:
    if options.file.removesuffix(".gz").endswith(".jsonl"):
        yield from marked_lines(stream, options.file, b'"sessionId"', b'"tokens"', begin=GEMINI_BEGIN, shape=_Message)
        return
    for chat in whole_json(stream, options.file, _Chat):
        if isinstance(chat, Finding):
            yield chat
            continue
        messages = dig(chat, "messages")
        if not isinstance(messages, list):
            yield Finding(options.file, None, "not-this-format", {"format": GeminiCli.name})
            continue
        session = dig(chat, "sessionId")
        for message in messages:
            if isinstance(message, dict):
                yield None, {"sessionId": session, **message}


def _qwen_records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for item in marked_lines(stream, file, b'"usageMetadata"', begin=QWEN_BEGIN, shape=_QwenLine):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        usage = entry.get("usageMetadata")
        if entry.get("type") != "assistant" or not isinstance(usage, dict):
            continue
        yield (
            line,
            {
                **gemini_counts(usage, API_WORDS),
                "use_hash": use_hash(
                    QwenCode.name, entry.get("sessionId"), entry.get("model"), [usage.get(word) for word in QWEN_WORDS]
                ),
                "request_id": f"{entry.get('sessionId')}:{entry.get('uuid') or entry.get('timestamp')}",
                "started_at": entry.get("timestamp"),
                "model": name_of(entry.get("model")),
                "project": folder_name(entry.get("cwd")),
                "tool": QwenCode.name,
            },
        )


def gemini_counts(tokens: Mapping[str, object], words: tuple[str, ...]) -> dict[str, object]:
    """Our classes of their counts; a total, where given, says what contains what."""
    taken, cached, output, thoughts, tool, total = [tokens.get(word) for word in words]
    counted, extra = whole(taken), whole(tool) or 0
    parts, all_told = (counted or 0) + (whole(output) or 0) + extra, whole(total)
    hidden, kept = whole(thoughts) or 0, whole(cached) or 0
    is_input_apart = kept > 0 and all_told in {parts + kept, parts + kept + hidden}
    is_reasoning_inside = hidden > 0 and all_told == (parts + kept if is_input_apart else parts)
    both = taken if counted is None else counted + extra
    return {
        "uncached_input_tokens" if is_input_apart else "input_tokens": tool if is_odd({"tool": tool}) else both,
        "cache_read_tokens": cached,
        "output_tokens" if is_reasoning_inside else "visible_output_tokens": output,
        "reasoning_output_tokens": thoughts,
    }
