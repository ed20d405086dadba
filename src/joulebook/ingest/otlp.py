"""OpenTelemetry (OTLP) spans, log events and metrics of language models, as JSON or protobuf.

Reads files of the collector's file exporter (one JSON request per line), single JSON requests, protobuf requests, alone
or each after its length in four bytes, and the files that coding agents write (`joulebook.ingest.otlp_sdk`). The
receiving server uses the same functions.

Spans follow the GenAI conventions, old and new, with the aliases of OpenLLMetry and OpenInference; input contains
cached tokens and output contains reasoning. Log events and spans of their own form are those of coding agents. A source
that sends several signals is counted by one: events before spans before metrics; in files of their own, requests are
known again by their hashes, and sums beside requests are refused (`joulebook.store.overlap`).
Ignored: GenAI log events, which tell again what spans tell; spans of agents, chains and tools, whose counts are sums
over their children, also where they do not say what they are (`joulebook.ingest.otlp_nested`); metrics that count no
tokens.

Checked against: spans that OpenInference 0.1.66, OpenLLMetry 0.33.12 and 0.62.4, OpenTelemetry's openai-v2 2.1b0,
Logfire 5.4.0, Pydantic AI 0.4.0 and Vercel's AI SDK 5 wrote of the same answers of Anthropic and OpenAI.

Sources: OTLP 1.x, opentelemetry/proto/{trace,logs,metrics}/v1; OpenTelemetry GenAI semantic conventions; OpenInference
semantic conventions; of agents, see `joulebook.ingest.otlp_agents`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.lines import dig
from joulebook.ingest.otlp_agents import AgentSignals
from joulebook.ingest.otlp_metrics import Measures
from joulebook.ingest.otlp_nested import Nested, Origin
from joulebook.ingest.otlp_sdk import as_request, is_of_sdk
from joulebook.ingest.otlp_values import attributes, nanoseconds, owner
from joulebook.ingest.otlp_words import LOGS, MEASURES, PASSED_OVER, SPAN_WORDS, SPANS, first_of
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import (
    JSON_STARTS,
    Record,
    dicts,
    json_documents,
    maker_of,
    name_of,
    whole,
)
from joulebook.ingest.wire import WireFaultError, decoded
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

LENGTH_BYTES = 4
EVENTS, SUMS = "otlp-events", "otlp-metrics"
"""Sources of what is not told by spans, so that the store can tell the signals of one source apart."""

ENTRIES = (
    ("resourceSpans", "scopeSpans", "spans"),
    ("resourceLogs", "scopeLogs", "logRecords"),
    ("resourceMetrics", "scopeMetrics", "metrics"),
)
COUNTED = ("input_tokens", "output_tokens", "embedding_tokens")
"""Counts of which a span of a call tells one."""

OPERATION = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "llm.request.type",
    "ai.operationId",
)


class Otlp:
    """Reader of telemetry files."""

    name = "otlp"
    signs = translatable(
        "resourceSpans, resourceLogs or resourceMetrics of OpenTelemetry, as JSON or protobuf, or spans and log "
        "records as its SDK holds them"
    )

    def detect(self, head: bytes, name: str) -> float:
        """By the outermost key, or for protobuf by the ending and the first bytes."""
        if any(f'"{outer}"'.encode() in head for outer, _middle, _inner in ENTRIES):
            return 0.95
        if head.startswith(JSON_STARTS) and is_of_sdk(head):
            return 0.9
        ending = name.lower().removesuffix(".gz")
        return (
            0.6 if ending.endswith((".pb", ".binpb", ".otlp", ".proto")) and not head.startswith(JSON_STARTS) else 0.0
        )

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per call of a model, or per sum of a metric."""
        return _rows(stream, options)


def _requests(stream: BinaryIO, file: str) -> Iterator[tuple[int | None, dict[str, Any]] | Finding]:
    """Export requests of a file, with their line where it has lines."""
    head = stream.read(LENGTH_BYTES)
    stream.seek(0)
    if head.startswith(JSON_STARTS) or not head.strip():
        for item in json_documents(stream, file):
            yield item if isinstance(item, Finding) else (item[0], as_request(item[1]))
        return
    for number, message in enumerate(_messages(stream.read()), start=1):
        request = export_request(message)
        yield Finding(file, number, "broken-message") if request is None else (number, request)


def export_request(message: bytes) -> dict[str, Any] | None:
    """A protobuf export request in the form of its JSON; None where it is none."""
    for shape in (SPANS, LOGS, MEASURES):
        try:
            return decoded(message, shape)
        except WireFaultError:
            continue
    return None


def _messages(content: bytes) -> Iterator[bytes]:
    """The one message of a file, or those that stand after their length."""
    place, parts = 0, []
    while place + LENGTH_BYTES <= len(content):
        size = int.from_bytes(content[place : place + LENGTH_BYTES], "big")
        if size == 0 or place + LENGTH_BYTES + size > len(content):
            break
        parts.append(content[place + LENGTH_BYTES : place + LENGTH_BYTES + size])
        place += LENGTH_BYTES + size
    yield from parts if place == len(content) else [content]


def _rows(stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
    """Rows of all signals; of a source that sends several, those of one."""
    makers = {name: maker_of(name, options, is_bucket=name == SUMS) for name in (Otlp.name, EVENTS, SUMS)}
    for signal, item in _told(stream, options.file):
        if isinstance(item, Finding):
            yield item
        else:
            yield makers[signal].make_named(item[1], item[0])
    for maker in makers.values():
        yield from maker.warnings()


def _told(stream: BinaryIO, file: str) -> Iterator[tuple[str, Record | Finding]]:
    """The signal and what it tells: spans and events as they come, then what no other signal told."""
    agents, measures, services, nested = AgentSignals(), Measures(file), set[str](), Nested()
    for request in _requests(stream, file):
        if isinstance(request, Finding):
            yield Otlp.name, request
            continue
        line, document = request
        for inner, resource, scope, entry in _entries(document):
            if inner == "metrics":
                yield from ((SUMS, fault) for fault in measures.add(entry, resource, line))
                continue
            is_span = inner == "spans"
            if is_span and agents.hold(line, entry, resource):
                continue
            record = _span(entry, resource) if is_span else agents.event(entry, resource)
            if record is None:
                continue
            if is_span:
                service, known = str(resource.get("service.name")), attributes(entry)
                services.add(service)
                if agents.hold_common(line, record, known, resource):
                    continue
                origin = Origin(scope, service, is_named=first_of(known, OPERATION) is not None)
                if nested.hold(line, record, entry, origin):
                    continue
            yield Otlp.name if is_span else EVENTS, (line, record)
    yield from ((Otlp.name, record) for record in (*nested.rest(), *agents.rest()))
    yield from ((SUMS, record) for record in measures.rest(agents.sessions, services))


def _entries(request: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str, dict[str, Any]]]:
    """What it is, its resource's attributes, its scope, and the span, log record or metric, for all of a request."""
    for outer, middle, inner in ENTRIES:
        for group in dicts(request.get(outer)):
            described = group.get("resource")
            resource = attributes(described) if isinstance(described, dict) else {}
            for scope in dicts(group.get(middle)):
                name = str(dig(scope, "scope.name") or "")
                for entry in dicts(scope.get(inner)):
                    yield inner, resource, name, entry


def _span(span: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, object] | None:
    """The use that a span tells: of a span of one model call with token counts."""
    known = attributes(span)
    operation = str(first_of(known, OPERATION) or "").lower()
    if operation in PASSED_OVER:
        return None
    counts = {ours: first_of(known, theirs) for ours, theirs in SPAN_WORDS.items() if ours.endswith("_tokens")}
    if all(counts[name] is None for name in COUNTED):
        return None
    if operation in {"embeddings", "embedding"}:
        counts = {"embedding_tokens": counts.get("input_tokens")}
    texts = {ours: first_of(known, theirs) for ours, theirs in SPAN_WORDS.items() if not ours.endswith("_tokens")}
    texts["provider"] = provider_name(texts["provider"])
    identity = name_of(texts.pop("response_id")) or f"{span.get('traceId')}:{span.get('spanId')}"
    return {
        **_disjoint(counts),
        **{ours: name_of(cell) for ours, cell in texts.items()},
        "request_id": identity,
        "started_at": nanoseconds(span.get("startTimeUnixNano")),
        "ended_at": nanoseconds(span.get("endTimeUnixNano")),
        **owner(resource),
    }


def _disjoint(counts: dict[str, object]) -> dict[str, object]:
    """Counts as they are, unless the input is too small to contain the cache: then it stands beside it."""
    kept = sum(whole(counts.get(name)) or 0 for name in ("cache_read_tokens", "cache_write_tokens"))
    taken = whole(counts.get("input_tokens"))
    if taken is None or taken >= kept:
        return counts
    return {**counts, "input_tokens": None, "uncached_input_tokens": taken}
