"""Usage and cost reports of suppliers' administration APIs, as saved pages, and usage that their consoles export.

Buckets of the usage APIs are keyed by what they speak about (time, model, project, ...), not by their counts: save them
when the bucket has ended, for a bucket that still grows would be booked once, too low.

Sources: OpenAI API reference, "Costs" and "Usage" (input contains cached tokens and cache writes); Anthropic API
reference, "Get Messages Usage Report" (input without cache; no number of requests) and "Get Cost Report" (cents).

Checked against: examples of the references, OpenAI's specification (which calls the results of a bucket ``result``),
and answers that public repositories keep, up to 2026.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, money
from joulebook.ingest.consoles import (
    ANTHROPIC_COLUMNS,
    ANTHROPIC_COSTS,
    OPENAI_COLUMNS,
    OPENAI_COSTS,
    Bucket,
    anthropic_table,
    costs_table,
    openai_table,
)
from joulebook.ingest.energy import opened
from joulebook.ingest.lines import dig
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import TOKEN_FIELDS, Record, dicts, first_of, json_documents, name_of, rows_of, whole
from joulebook.ingest.table import csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

BUCKET_FIELDS = (*TOKEN_FIELDS, "image_count", "audio_s")
OPENAI = "organization.usage."
COSTS = "organization.costs.result"
CURRENCY_LETTERS = 3
CENTS = 100
FLAT = ("amount", "currency")
UNCACHED = re.compile(rb'"uncached_input_tokens"\s*:')
"""A count of Anthropic's usage report; its cost report has it as a type of cost."""
OPENAI_KINDS: Mapping[str, Mapping[str, str]] = {
    "completions": {
        "input_tokens": "input_tokens",
        "cache_read_tokens": "input_cached_tokens",
        "cache_write_tokens": "input_cache_write_tokens",
        "output_tokens": "output_tokens",
    },
    "embeddings": {"embedding_tokens": "input_tokens"},
    "images": {"image_count": "images"},
    "audio_transcriptions": {"audio_s": "seconds"},
}
"""Kind of result -> our word -> their word. Ignored kinds: moderations, vector stores, code interpreter sessions and
speech (counted in characters), which have no column of usage."""

BUCKET_NAMES = ("project_id", "workspace_id", "user_id", "api_key_id", "account_id", "model", "batch", "service_tier")
BUCKET_NAMES += ("context_window", "inference_geo", "speed", "size", "source", "object")
"""What a bucket may be grouped by: together with its time, its identity."""

LATER_NAMES = ("service_account_id",)
"""The same, since later: they count where they are told."""


class OpenAiUsage:
    """Pages of OpenAI's organization usage API."""

    name = "openai-usage"
    signs = translatable("buckets with organization.usage results, as OpenAI's usage API gives them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the kind of its results, or the header of an export."""
        return 0.98 if OPENAI.encode() in head or set(OPENAI_COLUMNS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per result."""
        stream, is_json = opened(stream)
        buckets = _buckets(stream, options.file) if is_json else openai_table(stream, options)
        return rows_of(self.name, options, _openai(buckets), BUCKET_FIELDS, is_bucket=True)


class OpenAiCosts:
    """Pages of OpenAI's costs API. They tell money and no use, so nothing of them is booked: it is said how much."""

    name = "openai-costs"
    signs = translatable("buckets with organization.costs results, as OpenAI's costs API gives them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the kind of its results, or the header of an export."""
        return 0.98 if COSTS.encode() in head or set(OPENAI_COSTS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """No rows: what the file costs, per currency."""
        stream, is_json = opened(stream)
        if not is_json:
            return _costs(costs_table(stream, options, OPENAI_COSTS), options.file, FLAT, 1)
        return _costs(_buckets(stream, options.file), options.file, ("amount.value", "amount.currency"), 1, COSTS)


class AnthropicUsage:
    """Pages of Anthropic's usage report. It tells no number of requests: that stays unknown."""

    name = "anthropic-usage"
    signs = translatable("buckets with uncached_input_tokens, as Anthropic's usage report gives them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its times and counts, or the header of an export."""
        if b'"starting_at"' in head and UNCACHED.search(head):
            return 0.98
        return 0.98 if set(ANTHROPIC_COLUMNS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per result."""
        stream, is_json = opened(stream)
        buckets = _buckets(stream, options.file) if is_json else anthropic_table(stream, options)
        return rows_of(self.name, options, _anthropic(buckets), is_bucket=True)


class AnthropicCosts:
    """Pages of Anthropic's cost report. They tell money and no use, so nothing of them is booked: it is said how much.

    Amounts of the report are in cents, those that the console exports in dollars.
    """

    name = "anthropic-costs"
    signs = translatable("buckets with starting_at, amount and currency, as Anthropic's cost report gives them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its times and amounts, or the header of an export."""
        if set(ANTHROPIC_COSTS) <= set(csv_header(head)):
            return 0.98
        marks = (b'"starting_at"', b'"amount"', b'"currency"')
        return 0.97 if all(mark in head for mark in marks) and not UNCACHED.search(head) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """No rows: what the file costs, per currency."""
        stream, is_json = opened(stream)
        if not is_json:
            return _costs(costs_table(stream, options, ANTHROPIC_COSTS), options.file, FLAT, 1)
        return _costs(_buckets(stream, options.file), options.file, FLAT, CENTS)


def _costs(
    buckets: Iterable[Bucket | Finding], file: str, paths: tuple[str, str], unit: int, kind: str | None = None
) -> Iterator[Usage | Finding]:
    """The cost of a file per currency, from amounts of which so many units make one."""
    amount, currency_path = paths
    sums: dict[str, float] = {}
    for item in buckets:
        if isinstance(item, Finding):
            yield item
            continue
        line, _bucket, result = item
        if kind is not None and result.get("object") != kind:
            continue
        try:
            cost = money(dig(result, amount)) / unit
        except CellFaultError as fault:
            yield Finding(file, line, fault.rule, {"column": amount})
            continue
        currency = str(dig(result, currency_path) or "usd").upper()[:CURRENCY_LETTERS]
        sums[currency] = sums.get(currency, 0.0) + cost
    for currency, cost in sums.items():
        facts = {"cost": f"{cost:,.2f}", "currency": currency}
        yield Finding(file, None, "costs-without-use", facts, is_error=False)


def _buckets(stream: BinaryIO, file: str) -> Iterator[Bucket | Finding]:
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, page = item
        for bucket in dicts(page["data"]) if "data" in page else [page]:
            for result in dicts(bucket.get("results") or bucket.get("result")):
                yield line, bucket, result


def _openai(buckets: Iterable[Bucket | Finding]) -> Iterator[Record | Finding]:
    for item in buckets:
        if isinstance(item, Finding):
            yield item
            continue
        line, bucket, result = item
        kind = str(result.get("object", "")).removeprefix(OPENAI).removesuffix(".result")
        if kind not in OPENAI_KINDS:
            continue
        yield (
            line,
            {
                **{ours: result.get(theirs) for ours, theirs in OPENAI_KINDS[kind].items()},
                **_shared(bucket.get("start_time"), bucket.get("end_time"), result),
                "provider": "openai",
                "project": name_of(result.get("project_id")),
                "request_count": result.get("num_model_requests") or None,
                "service_tier": "batch" if result.get("batch") is True else name_of(result.get("service_tier")),
            },
        )


def _anthropic(buckets: Iterable[Bucket | Finding]) -> Iterator[Record | Finding]:
    for item in buckets:
        if isinstance(item, Finding):
            yield item
            continue
        line, bucket, result = item
        yield (
            line,
            {
                **_shared(bucket.get("starting_at"), bucket.get("ending_at"), result),
                "provider": "anthropic",
                "uncached_input_tokens": result.get("uncached_input_tokens"),
                "cache_read_tokens": result.get("cache_read_input_tokens"),
                "cache_write_tokens": _written(result),
                "visible_output_tokens": result.get("output_tokens"),
                "project": name_of(result.get("workspace_id")),
                "service_tier": name_of(result.get("service_tier")),
            },
        )


def _written(result: Mapping[str, Any]) -> object:
    """Tokens written to the cache for five minutes and for an hour; a cell that is no count is handed on."""
    cells = [
        first_of(result, f"cache_creation.ephemeral_{life}_input_tokens", f"cache_creation_{life}_input_tokens")
        for life in ("5m", "1h")
    ]
    told = [cell for cell in cells if cell is not None]
    odd = [cell for cell in told if (whole(cell) or 0) <= 0 and cell != 0]
    if odd:
        return odd[0]
    return sum(whole(cell) or 0 for cell in told) if told else None


def _shared(start: object, end: object, result: Mapping[str, Any]) -> dict[str, object]:
    identity = [str(start), str(end), *(f"{name}={result.get(name)}" for name in BUCKET_NAMES)]
    identity += [f"{name}={result[name]}" for name in LATER_NAMES if result.get(name) is not None]
    return {
        "request_id": "|".join(identity),
        "started_at": start,
        "ended_at": end,
        "model": name_of(result.get("model")),
    }
