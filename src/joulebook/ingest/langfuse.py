"""Langfuse: observations of its public API, its batch export or the export to blob storage: JSON, JSON lines or CSV.

Only generations and embeddings are calls of a model; spans, events, agents and tools repeat their children. The usage
types of an observation are disjoint and add up to its total; an instrumentation that sent a total without the parts
beside input and output meant them inside, so the total decides. Types that we have no class for (audio, a modality,
text) are input or output as their name begins. What was written to a cache may be told as a sum, by how long it is
kept, or both. Old observations have ``usage`` alone, the oldest in words of OpenAI; a unit other than tokens is none.

Checked against: the columns of ``observation-stream.ts`` (batch export) and the blob export's field reference, 2026;
the tests of Langfuse's ``OtelIngestionProcessor``, and how ``langfuse`` 5.0.4 for Python splits the usage of LangChain.
Sources: Langfuse API reference, "observations" (``usageDetails``); documentation, "Token and cost tracking" and "Blob
storage export field reference".
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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

CACHE_READ = re.compile(r"(cache_read_input_tokens|input_cached_tokens|input_cache_read|cached_modality_.+)\Z")
CACHE_WRITE_SUMS = ("cache_creation_input_tokens", "input_cache_creation_tokens", "input_cache_write_tokens")
CACHE_WRITE = re.compile(r"input_(cache_creation(_5m|_1h)?|ephemeral_(5m|1h)_input_tokens)\Z")
REASONING = ("output_reasoning_tokens", "output_reasoning")
INPUT = ("input", "input_tokens", "prompt_tokens", "promptTokens")
OUTPUT = ("output", "output_tokens", "completion_tokens", "completionTokens")
NO_PARTS = re.compile(r"(in|out)put_priority")
"""Types that repeat what others count."""

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
    details = _details(observation)
    counts = _counts(details)
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


def _details(observation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Counts by their usage types: the newer object where it holds any, then the older one, then the oldest words."""
    told = [observation.get(name) for name in ("usageDetails", "usage_details", "usage")]
    found = [loaded(one) if isinstance(one, str) else one for one in told]
    unit = first_of(observation, "usage.unit", "unit")
    if isinstance(unit, str) and unit.upper() != "TOKENS":
        return {}
    oldest = {name: observation.get(name) for name in ("promptTokens", "completionTokens")}
    return next((one for one in found if isinstance(one, dict) and one), oldest)


def _counts(details: Mapping[str, Any]) -> dict[str, object]:
    taken, output, reasoning = (first_of(details, *names) for names in (INPUT, OUTPUT, REASONING))
    numbers = {name: number for name, cell in details.items() if (number := whole(cell)) is not None}
    told = [details.get(name) for name in CACHE_WRITE_SUMS]
    read = _joined([details[name] for name in details if CACHE_READ.match(name)], max)
    written = _joined([_joined([details[name] for name in details if CACHE_WRITE.match(name)], sum), *told], max)
    known = {*INPUT, *OUTPUT, *REASONING, *CACHE_WRITE_SUMS}
    others = {
        name: number
        for name, number in numbers.items()
        if name not in known and not (CACHE_READ.match(name) or CACHE_WRITE.match(name) or NO_PARTS.match(name))
    }
    more = [sum(number for name, number in others.items() if name.startswith(side)) for side in ("input_", "output_")]
    beside = [whole(cell) or 0 for cell in (read, written, reasoning)] + more
    parts = (whole(taken) or 0) + (whole(output) or 0)
    is_inside = any(beside) and numbers.get("total") == parts
    if numbers.get("total", parts + sum(beside)) == parts + sum(beside):
        taken, output = (
            cell if not extra else (whole(cell) or 0) + extra for cell, extra in zip((taken, output), more, strict=True)
        )
    return {
        "input_tokens" if is_inside else "uncached_input_tokens": taken,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens" if is_inside else "visible_output_tokens": output,
        "reasoning_output_tokens": reasoning,
    }


def _joined(cells: Sequence[object], join: Callable[[list[int]], int]) -> object:
    """Counts of one thing as one; what is no count is handed on, to be refused; None where there is none."""
    told = [cell for cell in cells if cell is not None]
    numbers = [number for cell in told if (number := whole(cell)) is not None and number >= 0]
    odd = next((cell for cell in told if (whole(cell) or 0) < 0 or whole(cell) is None), None)
    return odd if odd is not None or not numbers else join(numbers)
