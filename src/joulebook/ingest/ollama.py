"""Ollama: saved answers of its API (``/api/generate``, ``/api/chat``), one JSON object per line or a list.

Only the last object of a streamed answer (``done``) has counts; the pieces before it are passed over. Ollama runs on
one's own machine: the provider is ``own`` and the speed (``eval_count`` over ``eval_duration``) is that of one request.
``created_at`` is when the last piece was made. An answer has no id, so it is known by its time and counts.

Source: Ollama API documentation, "Generate a completion", "Generate a chat completion" (durations in nanoseconds; a
prompt that was kept from before may have no count).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, instant
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, json_documents, name_of, rows_of, whole
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert
from joulebook.terms.usage import Usage

FIELDS = (
    "started_at",
    "ended_at",
    "model",
    "provider",
    "tool",
    "uncached_input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "output_tokens_per_s",
    "time_to_first_token_s",
)


class Ollama:
    """Reader of answers."""

    name = "ollama"
    signs = translatable("answers with eval_count and eval_duration, as Ollama's API gives them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of the counts."""
        return 0.95 if b'"eval_count"' in head and b'"eval_duration"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer."""
        return rows_of(self.name, options, _records(stream, options.file), FIELDS)


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
        elif item[1].get("done") is True and ("eval_count" in item[1] or "prompt_eval_count" in item[1]):
            yield item[0], _record(item[1])


def _record(answer: Mapping[str, Any]) -> dict[str, object]:
    ended = answer.get("created_at")
    return {
        "started_at": _began(ended, _seconds(answer.get("total_duration"))),
        "ended_at": ended,
        "model": name_of(answer.get("model")),
        "provider": "own",
        "tool": Ollama.name,
        "uncached_input_tokens": answer.get("prompt_eval_count"),
        "output_tokens": answer.get("eval_count"),
        "output_tokens_per_s": _speed(answer),
        "time_to_first_token_s": _wait(answer),
    }


def _began(ended: object, lasted_s: float | None) -> object:
    """When an answer began; as its end where its length is not told or absurd, and as it is where it is no time."""
    try:
        moment, _known = instant(ended, None)
        return (moment - timedelta(seconds=lasted_s or 0)).isoformat()
    except (CellFaultError, OverflowError):
        return ended


def _speed(answer: Mapping[str, Any]) -> float | None:
    count, lasted_s = whole(answer.get("eval_count")), _seconds(answer.get("eval_duration"))
    return count / lasted_s if count and lasted_s else None


def _wait(answer: Mapping[str, Any]) -> float | None:
    load_s, prompt_s = (_seconds(answer.get(name)) for name in ("load_duration", "prompt_eval_duration"))
    return None if prompt_s is None else (load_s or 0) + prompt_s


def _seconds(nanoseconds: object) -> float | None:
    count = whole(nanoseconds)
    return convert(count, "ns", "s") if count is not None and count > 0 else None
