"""Usage that suppliers' consoles export as CSV, in the words of their administration APIs.

- Anthropic's console: a line per day, model, key and workspace; input stands without what the cache took.
- OpenAI's platform: a line per bucket and group (``completions_usage_…csv``), lines without counts for empty buckets,
  whole numbers written as ``3.0`` by some; input contains cached tokens.

Checked against: headers and lines that public repositories which read these exports keep, 2025 and 2026. Neither
supplier documents the files.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, BinaryIO

from joulebook.ingest.documents import documents
from joulebook.ingest.reader import ReadOptions
from joulebook.terms.finding import Finding

ANTHROPIC_COLUMNS = ("usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens")
OPENAI_COLUMNS = ("start_time", "end_time", "start_time_iso", "num_model_requests")

_ANTHROPIC: Mapping[str, tuple[str, ...]] = {
    "model": ("model_version",),
    "api_key_id": ("api_key",),
    "workspace_id": ("workspace",),
    "service_tier": ("usage_type",),
    "context_window": ("context_window",),
    "inference_geo": ("inference_geo",),
    "speed": ("speed",),
    "uncached_input_tokens": ("usage_input_tokens_no_cache",),
    "cache_creation_5m_input_tokens": ("usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write"),
    "cache_creation_1h_input_tokens": ("usage_input_tokens_cache_write_1h",),
    "cache_read_input_tokens": ("usage_input_tokens_cache_read",),
    "output_tokens": ("usage_output_tokens",),
}
"""A word of the usage report -> columns of the console."""

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z")
_WHOLE = re.compile(r"(\d{1,15})\.0+\Z")
_TRUTH = {"true": True, "false": False}

Bucket = tuple[int | None, dict[str, Any], dict[str, Any]]


def anthropic_table(stream: BinaryIO, options: ReadOptions) -> Iterator[Bucket | Finding]:
    """Lines of Anthropic's console as buckets with one result."""
    for item in documents(stream, options, ANTHROPIC_COLUMNS):
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        started = str(cells.get("usage_date_utc") or "")
        found = {
            ours: next((cells[name] for name in theirs if name in cells), None) for ours, theirs in _ANTHROPIC.items()
        }
        yield line, {"starting_at": _utc(started), "ending_at": _next_day(started)}, found


def openai_table(stream: BinaryIO, options: ReadOptions) -> Iterator[Bucket | Finding]:
    """Lines of OpenAI's export as buckets with one result, of the kind that their columns and models show."""
    for item in documents(stream, options, OPENAI_COLUMNS):
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        result = {name: _plain(cell) for name, cell in cells.items()}
        kind = _kind(result)
        if kind is not None:
            yield line, cells, {**result, "object": f"organization.usage.{kind}.result"}


def _kind(result: Mapping[str, Any]) -> str | None:
    if "output_tokens" in result:
        return "completions"
    if "images" in result:
        return "images"
    if "seconds" in result:
        return "audio_transcriptions"
    return "embeddings" if "embedding" in str(result.get("model")) and "input_tokens" in result else None


def _plain(cell: object) -> object:
    """A cell in the words of the API: ``3.0`` is the count 3, ``False`` no."""
    if not isinstance(cell, str):
        return cell
    found = _WHOLE.match(cell)
    return int(found[1]) if found else _TRUTH.get(cell.lower(), cell)


def _utc(moment: str) -> str:
    """A day's start, or a time, in UTC."""
    if _DAY.match(moment):
        return f"{moment}T00:00:00Z"
    return moment if moment[-1:] == "Z" or re.search(r"[+-]\d\d:?\d\d\Z", moment) else f"{moment}Z"


def _next_day(moment: str) -> str | None:
    found = _DAY.match(moment)
    if found is None:
        return None
    try:
        return f"{date(int(found[1]), int(found[2]), int(found[3])) + timedelta(days=1)}T00:00:00Z"
    except (ValueError, OverflowError):
        return None
