"""Helicone: requests of its query API or of its export tool, as JSON, JSON lines or CSV.

Helicone prices prompt tokens and cached tokens side by side, so its ``prompt_tokens`` are taken as those without cache.
Where the export holds the answers (``--include-body``), the supplier's own usage block in them decides instead. An
answer out of Helicone's own cache used no model and is passed over, and so is a request that failed.

A request is known by the supplier's id of its response where the body holds it, else by Helicone's own, which is all
that the CSV has; where both are told, `joulebook.store.overlap` knows the one by the other. Times of the CSV are in
UTC.

Checked against: the export tool's columns (``examples/export/typescript`` of Helicone's repository, 2025). Sources:
Helicone API reference, "Query requests" (HeliconeRequest); documentation, "Export data"; its cost module.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.documents import documents, in_utc
from joulebook.ingest.identity import request_hash
from joulebook.ingest.lines import dig
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import TOKEN_FIELDS, Record, first_of, name_of, rows_of, whole
from joulebook.ingest.table import csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert
from joulebook.terms.usage import Usage

FIELDS = (*TOKEN_FIELDS, "time_to_first_token_s")
COUNTS = {
    "uncached_input_tokens": "prompt_tokens",
    "cache_read_tokens": "prompt_cache_read_tokens",
    "cache_write_tokens": "prompt_cache_write_tokens",
    "output_tokens": "completion_tokens",
    "reasoning_output_tokens": "reasoning_tokens",
}
"""Our word -> their word."""

OPENAI = {
    "input_tokens": ("prompt_tokens", "input_tokens"),
    "cache_read_tokens": ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
    "output_tokens": ("completion_tokens", "output_tokens"),
    "reasoning_output_tokens": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
    ),
}
ANTHROPIC = {
    "uncached_input_tokens": ("input_tokens",),
    "cache_read_tokens": ("cache_read_input_tokens",),
    "cache_write_tokens": ("cache_creation_input_tokens",),
    "visible_output_tokens": ("output_tokens",),
}
"""Our word -> words of the supplier's usage block."""

COLUMNS = ("response_id", "request_created_at", "prompt_tokens", "completion_tokens")
FIRST_ERROR = 400


class Helicone:
    """Reader of requests."""

    name = "helicone"
    signs = translatable("requests with request_created_at and completion_tokens, as Helicone exports them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        if b'"request_created_at"' in head and b'"completion_tokens"' in head:
            return 0.96
        return 0.96 if set(COLUMNS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per request."""
        return rows_of(self.name, options, _records(stream, options), FIELDS)


def _records(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    for item in documents(stream, options, COLUMNS):
        if isinstance(item, Finding):
            yield item
            continue
        line, request = item
        if (whole(request.get("response_status")) or 0) < FIRST_ERROR and not _is_cached(request):
            yield line, _record(request)


def _is_cached(request: Mapping[str, Any]) -> bool:
    return request.get("cached") is True or name_of(request.get("cache_reference_id")) not in {None, UNCACHED}


UNCACHED = "00000000-0000-0000-0000-000000000000"
"""The reference of a request that did not come out of the cache."""


def _record(request: Mapping[str, Any]) -> dict[str, object]:
    wait = request.get("time_to_first_token")
    return {
        **_counts(request),
        "request_id": name_of(first_of(request, "response_body.id", "response_id", "request_id")),
        "request_hash": request_hash(request.get("response_id")),
        "started_at": in_utc(request.get("request_created_at")),
        "ended_at": in_utc(request.get("response_created_at")),
        "model": name_of(first_of(request, "response_model", "model_override", "request_model", "model")),
        "provider": provider_name(request.get("provider")),
        "user_id": name_of(first_of(request, "request_user_id", "helicone_user")),
        "project": name_of(dig(request, "request_properties.Helicone-Property-App")),
        "cost_usd": first_of(request, "cost", "costUSD"),
        "time_to_first_token_s": convert(wait, "ms", "s") if isinstance(wait, (int, float)) and wait > 0 else None,
    }


def _counts(request: Mapping[str, Any]) -> dict[str, object]:
    usage = dig(request, "response_body.usage")
    if isinstance(usage, dict):
        is_beside = "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
        words = ANTHROPIC if is_beside else OPENAI
        counts = {ours: first_of(usage, *theirs) for ours, theirs in words.items()}
        if any(cell is not None for cell in counts.values()):
            return counts
    return {ours: request.get(theirs) for ours, theirs in COUNTS.items()}
