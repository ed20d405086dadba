"""Vertex AI: request-response logs, exported from BigQuery as JSON lines, or saved answers with ``usageMetadata``.

A row of the log has the whole answer in ``full_response``: of Gemini with ``usageMetadata``, of Claude with ``usage``.
Only the counts are taken. Input contains cached tokens (Gemini); thoughts stand beside the candidates. The log samples
requests where its configuration says so: what was not logged is not here.

Sources: Google Cloud documentation, "Log requests and responses" (table schema); API reference,
"GenerateContentResponse", UsageMetadata; Anthropic API reference, "Usage".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.agents.gemini_cli import API_WORDS, gemini_counts
from joulebook.ingest.helicone import ANTHROPIC
from joulebook.ingest.lines import loaded
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, dicts, first_of, json_documents, name_of, rows_of
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

PLACE = re.compile(r"locations/([\w-]+)/")
MODEL = re.compile(r"models/([^/:]+)")
GLOBAL = "global"
"""A place that is none: the request went wherever there was room."""


class Vertex:
    """Reader of request-response logs."""

    name = "vertex"
    signs = translatable("rows with full_response and logging_time, or answers with usageMetadata, of Vertex AI")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the columns of the log, or by the keys of an answer."""
        if b'"logging_time"' in head and b'"full_response"' in head:
            return 0.97
        return 0.7 if b'"usageMetadata"' in head and b'"candidates"' in head and b'"responseId"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per request."""
        return rows_of(self.name, options, _records(stream, options.file))


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, entry = item
        inside = entry.get("jsonPayload")
        row = inside if isinstance(inside, dict) else entry
        answer = _answer(row)
        if answer is not None:
            yield line, _record(row, answer, entry)


def _answer(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answer with the counts: of a streamed one, the last piece that has them."""
    kept = row.get("full_response", row)
    value = loaded(kept) if isinstance(kept, str) else kept
    pieces = [_in_api_words(piece) for piece in dicts(value if isinstance(value, list) else [value])]
    return next((piece for piece in reversed(pieces) if _usage(piece) is not None), None)


def _in_api_words(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer whose names Google's Python library wrote, ``usage_metadata``, in the words of the API."""
    usage = answer.get("usage_metadata")
    if "usageMetadata" in answer or not isinstance(usage, dict):
        return answer
    named = {"modelVersion": answer.get("model_version"), "responseId": answer.get("response_id")}
    return {**answer, **named, "usageMetadata": {_camel(name): cell for name, cell in usage.items()}}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _usage(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    usage = first_of(answer, "usageMetadata", "usage")
    return usage if isinstance(usage, dict) else None


def _record(row: Mapping[str, Any], answer: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, object]:
    usage = _usage(answer) or {}
    endpoint = str(row.get("endpoint") or "")
    named = name_of(row.get("model"))
    place, model = PLACE.search(endpoint), MODEL.search(endpoint) or MODEL.search(named or "")
    region = place[1] if place else None
    is_claude = "usageMetadata" not in answer
    if is_claude:
        counts: dict[str, object] = {ours: first_of(usage, *theirs) for ours, theirs in ANTHROPIC.items()}
    else:
        counts = gemini_counts(usage, API_WORDS)
    return {
        **counts,
        "request_id": _identity(answer, row),
        "started_at": first_of(row, "logging_time", "createTime") or entry.get("timestamp"),
        "model": name_of(answer.get("modelVersion")) or (model[1] if model else named),
        "provider": "gcp",
        "region": None if region == GLOBAL else region,
    }


def _identity(answer: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    told = first_of(answer, "id", "responseId") or first_of(row, "request_id")
    return str(told) if isinstance(told, (str, int, float)) else None
