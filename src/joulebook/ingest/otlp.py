"""OpenTelemetry (OTLP) spans and log events of language models, as JSON or protobuf.

Reads files of the collector's file exporter (one JSON request per line), single JSON requests, and protobuf requests,
alone or each after its length in four bytes. The receiving server uses the same functions.

Spans follow the GenAI conventions, old and new, with the aliases of OpenLLMetry and OpenInference; input contains
cached tokens and output contains reasoning. Log events are those of coding agents (Claude Code, Gemini CLI, Codex).
Ignored, because they tell again what spans tell: metrics; GenAI log events; spans of agents, chains and tools, whose
counts are sums over their children.

Sources: OTLP 1.x, opentelemetry/proto/{trace,logs}/v1; OpenTelemetry GenAI semantic conventions; OpenInference semantic
conventions; Claude Code "Monitoring"; Gemini CLI "Telemetry"; Codex "Observability".
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.otlp_words import AGENT_EVENTS, LOGS, PASSED_OVER, SPAN_WORDS, SPANS, first_of
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import JSON_STARTS, Record, dicts, json_documents, name_of, rows_of, whole
from joulebook.ingest.wire import WireFaultError, decoded
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

LENGTH_BYTES = 4
OPERATION = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "llm.request.type")


class Otlp:
    """Reader of telemetry files."""

    name = "otlp"
    signs = translatable("resourceSpans or resourceLogs of OpenTelemetry, as JSON or protobuf")

    def detect(self, head: bytes, name: str) -> float:
        """By the outermost key, or for protobuf by the ending and the first bytes."""
        if b'"resourceSpans"' in head or b'"resourceLogs"' in head:
            return 0.95
        ending = name.lower().removesuffix(".gz")
        return (
            0.6 if ending.endswith((".pb", ".binpb", ".otlp", ".proto")) and not head.startswith(JSON_STARTS) else 0.0
        )

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per call of a model."""
        return rows_of(self.name, options, _records(_requests(stream, options.file)))


def _requests(stream: BinaryIO, file: str) -> Iterator[tuple[int | None, dict[str, Any]] | Finding]:
    """Export requests of a file, with their line where it has lines."""
    head = stream.read(LENGTH_BYTES)
    stream.seek(0)
    if head.startswith(JSON_STARTS) or not head.strip():
        yield from json_documents(stream, file)
        return
    for number, message in enumerate(_messages(stream.read()), start=1):
        request = export_request(message)
        yield Finding(file, number, "broken-message") if request is None else (number, request)


def export_request(message: bytes) -> dict[str, Any] | None:
    """A protobuf export request of spans or log records in the form of its JSON; None where it is neither."""
    for shape in (SPANS, LOGS):
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


def _records(requests: Iterator[tuple[int | None, dict[str, Any]] | Finding]) -> Iterator[Record | Finding]:
    for item in requests:
        if isinstance(item, Finding):
            yield item
            continue
        line, request = item
        for is_span, resource, entry in _entries(request):
            record = _span(entry, resource) if is_span else _event(entry, resource)
            if record is not None:
                yield line, record


def _entries(request: Mapping[str, Any]) -> Iterator[tuple[bool, dict[str, Any], dict[str, Any]]]:
    """Whether it is a span, the attributes of its resource, and the span or log record, for all of a request."""
    for outer, middle, inner in (("resourceSpans", "scopeSpans", "spans"), ("resourceLogs", "scopeLogs", "logRecords")):
        for group in dicts(request.get(outer)):
            owner = group.get("resource")
            resource = _attributes(owner) if isinstance(owner, dict) else {}
            for scope in dicts(group.get(middle)):
                for entry in dicts(scope.get(inner)):
                    yield inner == "spans", resource, entry


def _span(span: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, object] | None:
    """The use that a span tells: of a span of one model call with token counts."""
    known = _attributes(span)
    operation = str(first_of(known, OPERATION) or "").lower()
    if operation in PASSED_OVER:
        return None
    counts = {ours: first_of(known, theirs) for ours, theirs in SPAN_WORDS.items() if ours.endswith("_tokens")}
    if all(cell is None for cell in counts.values()):
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
        "started_at": _nanoseconds(span.get("startTimeUnixNano")),
        "ended_at": _nanoseconds(span.get("endTimeUnixNano")),
        **_owner(resource),
    }


def _disjoint(counts: dict[str, object]) -> dict[str, object]:
    """Counts as they are, unless the input is too small to contain the cache: then it stands beside it."""
    kept = sum(whole(counts.get(name)) or 0 for name in ("cache_read_tokens", "cache_write_tokens"))
    taken = whole(counts.get("input_tokens"))
    if taken is None or taken >= kept:
        return counts
    return {**counts, "input_tokens": None, "uncached_input_tokens": taken}


def _event(event: Mapping[str, Any], resource: Mapping[str, Any]) -> dict[str, object] | None:
    """The use that a coding agent's event tells."""
    known = _attributes(event)
    body = event.get("body")
    said = body.get("stringValue") if isinstance(body, dict) else None
    name = str(known.get("event.name") or event.get("eventName") or said or "")
    words = next((words for ending, words in AGENT_EVENTS.items() if name.endswith(ending)), None)
    if words is None:
        return None
    record: dict[str, object] = {ours: known.get(theirs) for ours, theirs in words.items()}
    if all(cell is None for field, cell in record.items() if field.endswith("_tokens")):
        return None
    extra = record.pop("tool_tokens", None)
    if extra is not None:
        taken = whole(_number(record.get("input_tokens")))
        record["input_tokens"] = None if taken is None else taken + (whole(_number(extra)) or 0)
    request = record.pop("request", None)
    at = event.get("timeUnixNano") or event.get("observedTimeUnixNano")
    session = known.get("session.id") or known.get("conversation.id")
    record["request_id"] = str(request) if request else f"{session}:{at}:{known.get('event.sequence')}"
    record["started_at"] = _nanoseconds(at)
    record["tool"] = name.partition(".")[0].replace("_", "-") if "." in name else None
    return {**record, **_owner(resource)}


def _owner(resource: Mapping[str, Any]) -> dict[str, object]:
    return {
        "project": name_of(first_of(resource, ("service.name",))),
        "team": name_of(first_of(resource, ("team", "team.id", "service.namespace"))),
        "region": name_of(resource.get("cloud.region")),
    }


def _attributes(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as a plain dictionary; only single values are kept."""
    found: dict[str, Any] = {}
    for attribute in dicts(entry.get("attributes")):
        value = attribute.get("value")
        if isinstance(value, dict):
            kind, content = next(iter(value.items()), ("", None))
            found[str(attribute.get("key"))] = _number(content) if kind == "intValue" else content
    return found


def _number(value: object) -> object:
    """JSON writes 64-bit numbers as text; what is no whole number stays as it is and is refused later."""
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    return value


def _nanoseconds(value: object) -> object:
    """A time in nanoseconds as text, which `joulebook.ingest.cells.instant` reads; 0 is unknown."""
    text = str(value or "")
    return text if text not in {"", "0"} else None
