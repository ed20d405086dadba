"""Langfuse: observations of its public API, its batch export or the export to blob storage: JSON, JSON lines or CSV.

Only generations and embeddings are calls of a model; spans, events, agents and tools repeat their children. The usage
types of an observation are disjoint and add up to its total; an instrumentation that sent a total without the parts
beside input and output meant them inside, so the total decides.

Checked against: the columns of ``observation-stream.ts`` (batch export) and the blob export's field reference, 2026.
Sources: Langfuse API reference, "observations" (``usageDetails``); documentation, "Token and cost tracking" and "Blob
storage export field reference".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.documents import documents, in_utc
from joulebook.ingest.lines import loaded
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, first_of, name_of, rows_of, whole
from joulebook.ingest.rows import is_response_id
from joulebook.ingest.table import csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

CACHE_READ = ("cache_read_input_tokens", "input_cached_tokens", "input_cache_read")
CACHE_WRITE = ("cache_creation_input_tokens", "input_cache_creation")
REASONING = ("output_reasoning_tokens", "output_reasoning")
CALLS = ("GENERATION", "EMBEDDING")
SENT_BY_LITELLM = re.compile(r"time-\d\d-\d\d-\d\d-\d+_(.+)\Z")
"""How LiteLLM names the observations that it sends."""


class Langfuse:
    """Reader of observations."""

    name = "langfuse"
    signs = translatable("observations of type GENERATION with usage details, as Langfuse exports them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        has_usage = b'"usageDetails"' in head or b'"usage_details"' in head
        if has_usage and (b'"traceId"' in head or b'"trace_id"' in head):
            return 0.95
        header = set(csv_header(head))
        return 0.95 if header & {"usageDetails", "usage_details"} and header & {"traceId", "trace_id"} else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per generation or embedding."""
        return rows_of(self.name, options, _records(stream, options))


def _records(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    for item in documents(stream, options, ("id", "type")):
        if isinstance(item, Finding):
            yield item
        elif item[1].get("type") in CALLS:
            yield item[0], _record(item[1])


def _record(observation: Mapping[str, Any]) -> dict[str, object]:
    kept = first_of(observation, "usageDetails", "usage_details", "usage")
    details = loaded(kept) if isinstance(kept, str) else kept
    counts = _counts(details if isinstance(details, dict) else {})
    if observation.get("type") == "EMBEDDING":
        counts = {"embedding_tokens": first_of(details, "input", "total")}
    return {
        **counts,
        "request_id": _identity(observation.get("id")),
        "started_at": in_utc(first_of(observation, "startTime", "start_time")),
        "ended_at": in_utc(first_of(observation, "endTime", "end_time")),
        "model": name_of(first_of(observation, "model", "provided_model_name", "providedModelName")),
        "user_id": name_of(first_of(observation, "userId", "user_id")),
        "cost_usd": first_of(observation, "costDetails.total", "cost_details.total"),
    }


def _identity(told: object) -> str | None:
    """The observation's id; of those that LiteLLM sends, the supplier's id of the response, which stands behind a time.

    >>> _identity("time-09-00-00-123456_chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG")
    'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG'
    """
    name = name_of(told)
    found = SENT_BY_LITELLM.match(name) if name else None
    return found[1] if found and is_response_id(found[1]) else name


def _counts(details: Mapping[str, Any]) -> dict[str, object]:
    taken, output = details.get("input"), details.get("output")
    read, written, reasoning = (first_of(details, *names) for names in (CACHE_READ, CACHE_WRITE, REASONING))
    beside = [whole(cell) or 0 for cell in (read, written, reasoning)]
    parts = (whole(taken) or 0) + (whole(output) or 0)
    is_inside = any(beside) and whole(details.get("total")) == parts
    return {
        "input_tokens" if is_inside else "uncached_input_tokens": taken,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens" if is_inside else "visible_output_tokens": output,
        "reasoning_output_tokens": reasoning,
    }
