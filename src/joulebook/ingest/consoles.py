"""Usage that suppliers' consoles export as CSV, in the words of their administration APIs.

- Anthropic's console: a line per day, model, key and workspace; input stands without what the cache took.
- DeepSeek's platform: a line per day, model, key, kind of token and price; several prices of a kind are one sum. The
  table of costs beside it has no use.
- OpenAI's platform: a line per bucket and group (``completions_usage_…csv``), lines without counts for empty buckets,
  whole numbers written as ``3.0`` by some; input contains cached tokens.

Checked against: headers and lines that public repositories which read these exports keep, 2025 and 2026. No supplier
documents the files.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, count
from joulebook.ingest.documents import documents
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, first_of, rows_of
from joulebook.ingest.table import csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

ANTHROPIC_COLUMNS = ("usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens")
DEEPSEEK_COLUMNS = ("model", "type", "price", "amount")
OPENAI_COLUMNS = ("start_time", "end_time", "start_time_iso", "num_model_requests")

ANTHROPIC_COSTS = ("usage_date_utc", "token_type", "cost_usd")
OPENAI_COSTS = ("start_time_iso", "amount_value", "amount_currency")

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

_DEEPSEEK: Mapping[str, str] = {
    "input_cache_miss_tokens": "uncached_input_tokens",
    "input_cache_hit_tokens": "cache_read_tokens",
    "output_tokens": "output_tokens",
    "request_count": "request_count",
}
"""Kind of a line -> our word; other kinds are no use of ours."""

_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)\Z")
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


def costs_table(stream: BinaryIO, options: ReadOptions, columns: tuple[str, ...]) -> Iterator[Bucket | Finding]:
    """Lines of an export of costs as results with an amount and, where it is told, a currency; empty days are none."""
    for item in documents(stream, options, columns):
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        amount = first_of(cells, "cost_usd", "amount_value")
        if amount is not None:
            yield line, cells, {"amount": amount, "currency": cells.get("amount_currency")}


class DeepSeekUsage:
    """Reader of the usage that DeepSeek's platform exports."""

    name = "deepseek-usage"
    signs = translatable("the columns type, price and amount with kinds of tokens of DeepSeek's usage export")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header and the kinds of its lines."""
        is_told = any(kind.encode() in head for kind in _DEEPSEEK)
        return 0.97 if is_told and set(DEEPSEEK_COLUMNS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per day, model and key."""
        return rows_of(self.name, options, _deepseek(stream, options), is_bucket=True)


def _deepseek(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    sums: dict[tuple[str, ...], tuple[int | None, dict[str, int]]] = {}
    for item in documents(stream, options, DEEPSEEK_COLUMNS):
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        ours = _DEEPSEEK.get(str(cells.get("type")))
        if ours is None:
            continue
        try:
            amount = count(_plain(cells.get("amount")))
        except CellFaultError as fault:
            yield Finding(options.file, line, fault.rule, {"column": "amount"})
            continue
        started = str(first_of(cells, "start_time_iso", "utc_date") or "")
        ended = str(cells.get("end_time_iso") or _next_day(started) or "")
        names = ("user_id", "model", "api_key_name", "api_key")
        key = (_utc(started), ended, *(str(cells.get(name) or "") for name in names))
        _, counts = sums.setdefault(key, (line, {}))
        counts[ours] = counts.get(ours, 0) + amount
    for key, (line, counts) in sums.items():
        started, ended, _user, model, key_name, _masked = key
        yield (
            line,
            {
                **counts,
                "request_count": counts.get("request_count") or None,
                "request_id": "|".join(key),
                "started_at": started,
                "ended_at": ended or None,
                "model": model or None,
                "provider": "deepseek",
                "project": key_name or None,
            },
        )


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
    if found := _DAY.match(moment):
        return f"{found[1]}-{found[2]}-{found[3]}T00:00:00Z"
    return moment if moment[-1:] == "Z" or re.search(r"[+-]\d\d:?\d\d\Z", moment) else f"{moment}Z"


def _next_day(moment: str) -> str | None:
    found = _DAY.match(moment)
    if found is None:
        return None
    try:
        return f"{date(int(found[1]), int(found[2]), int(found[3])) + timedelta(days=1)}T00:00:00Z"
    except (ValueError, OverflowError):
        return None
