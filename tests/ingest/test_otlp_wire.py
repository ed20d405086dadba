"""Metrics of telemetry as protobuf: the same rows as from the JSON of the same request."""

import io
import json
import struct

import pytest
from recorded import RECORDINGS

from joulebook.ingest.reader import ReadOptions, reader
from joulebook.terms.finding import Finding

TEMPORALITY = {"AGGREGATION_TEMPORALITY_CUMULATIVE": 2}
HISTOGRAM, SUM = 9, 7


def varint(number):
    """A number in groups of seven bits."""
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def text(field, content):
    """A field of bytes."""
    encoded = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(encoded)) + encoded


def number(field, value):
    """A field of a number in a varint."""
    return varint(field << 3) + varint(value)


def fixed(field, value, form="<Q"):
    """A field of eight bytes."""
    return varint(field << 3 | 1) + struct.pack(form, value)


def attributes(field, entry):
    """Attributes with text values."""
    return b"".join(
        text(field, text(1, one["key"]) + text(2, text(1, one["value"]["stringValue"])))
        for one in entry.get("attributes", ())
    )


def point(entry, *, is_histogram):
    """A data point."""
    times = b"".join(
        fixed(field, int(entry[name]))
        for field, name in ((2, "startTimeUnixNano"), (3, "timeUnixNano"))
        if name in entry
    )
    if is_histogram:
        return times + fixed(4, int(entry["count"])) + fixed(5, float(entry["sum"]), "<d") + attributes(9, entry)
    return attributes(7, entry) + times + fixed(6, int(entry["asInt"]), "<q")


def metric(entry):
    """A metric of one of the two kinds."""
    is_histogram = "histogram" in entry
    body = entry["histogram" if is_histogram else "sum"]
    points = b"".join(text(1, point(one, is_histogram=is_histogram)) for one in body["dataPoints"])
    temporality = TEMPORALITY.get(body["aggregationTemporality"], body["aggregationTemporality"])
    return text(1, entry["name"]) + text(HISTOGRAM if is_histogram else SUM, points + number(2, temporality))


def test_metrics_as_protobuf():
    """A request of metrics gives the same rows as JSON and as protobuf, alone and after its length."""
    content = next(one for one in RECORDINGS if one.file == "otlp-metrics.json").content()
    message = b"".join(
        text(
            1,
            text(1, attributes(1, group["resource"]))
            + b"".join(
                text(2, b"".join(text(2, metric(one)) for one in scope["metrics"])) for scope in group["scopeMetrics"]
            ),
        )
        for group in json.loads(content)["resourceMetrics"]
    )
    forms = (content, message, len(message).to_bytes(4, "big") + message)
    plain, alone, framed = (list(reader("otlp").parse(io.BytesIO(form), ReadOptions(file="f"))) for form in forms)
    assert len(plain) == 2
    assert alone == framed
    assert [row["usage_key"] for row in alone] == [row["usage_key"] for row in plain]
    assert [row.get("visible_output_tokens") for row in alone] == [row.get("visible_output_tokens") for row in plain]


def told(content):
    """Rows and rules of the findings of a telemetry file."""
    found = list(reader("otlp").parse(io.BytesIO(content), ReadOptions(file="f")))
    return [row for row in found if not isinstance(row, Finding)], [
        (row.line, row.rule) for row in found if isinstance(row, Finding)
    ]


END = "\n}\n"


def printed():
    """The objects of Gemini CLI's telemetry file."""
    text = next(one for one in RECORDINGS if one.file == "otlp-gemini.log").content().decode()
    return [part + END for part in text.split(END)[:-1]]


def test_an_object_that_breaks_off_costs_no_other():
    """Of objects printed one behind the other, one that breaks off is told, and those around it are read."""
    objects = printed()
    rows, findings = told("".join(objects).encode())
    assert (len(rows), findings) == (2, [])
    torn = objects[1][: len(objects[1]) // 2] + "\n"
    rows, findings = told("".join([objects[0], torn, *objects[2:]]).encode())
    assert [row["model"] for row in rows] == ["gemini-2.5-flash"]
    assert findings == [(objects[0].count("\n") + 1, "broken-json")]


def test_sums_of_the_sdk_count_where_nothing_else_does():
    """A telemetry file with nothing but counters is counted by them."""
    rows, findings = told("".join(text for text in printed() if "scopeMetrics" in text).encode())
    assert findings == []
    assert [(row["tool"], row["uncached_input_tokens"]) for row in rows] == [("gemini-cli", 1000)]


def test_the_model_of_an_embedding_by_openinference():
    """OpenInference names the model of an embedding by a word of its own.

    Source: what openinference-instrumentation-openai 0.1.66 wrote of an embedding by a server of ours, November 2026.
    """
    told = {
        "llm.system": "openai",
        "llm.token_count.total": "8",
        "llm.token_count.prompt": "8",
        "embedding.model_name": "text-embedding-3-small",
        "openinference.span.kind": "EMBEDDING",
    }
    span = {"traceId": "t", "spanId": "s", "name": "CreateEmbeddings", "startTimeUnixNano": "1795952363382567000"}
    (row,) = traced({**span, "attributes": listed(told)})
    assert (row["model"], row["embedding_tokens"], row["provider"]) == ("text-embedding-3-small", 8, "openai")


def listed(told):
    """Attributes as OTLP lists them."""
    values = {name: {"intValue" if text.isdecimal() else "stringValue": text} for name, text in told.items()}
    return [{"key": name, "value": value} for name, value in values.items()]


def traced(*spans, resource=None):
    """What the reader makes of spans."""
    groups = [{"resource": {"attributes": listed(resource or {})}, "scopeSpans": [{"spans": [span]}]} for span in spans]
    lines = "".join(json.dumps({"resourceSpans": [group]}) + "\n" for group in groups)
    return list(reader("otlp").parse(io.BytesIO(lines.encode()), ReadOptions(file="f")))


COUNTS = {
    "gen_ai.usage.input_tokens": "4320",
    "gen_ai.usage.output_tokens": "50",
    "gen_ai.usage.details.cache_read_input_tokens": "4000",
    "gen_ai.usage.details.cache_creation_input_tokens": "300",
    "gen_ai.usage.details.reasoning_tokens": "10",
}
CALL = {
    "traceId": "t",
    "spanId": "call",
    "parentSpanId": "run",
    "startTimeUnixNano": "1795952363382567000",
    "attributes": listed({"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5", **COUNTS}),
}
RUN = {
    **CALL,
    "spanId": "run",
    "parentSpanId": None,
    "attributes": listed({"model_name": "claude-sonnet-4-5", **COUNTS}),
}


@pytest.mark.parametrize("spans", [(CALL, RUN), (RUN, CALL)], ids=["inner-first", "outer-first"])
def test_a_run_of_an_agent_repeats_its_calls(spans):
    """A span without an operation that holds another with counts is a sum; its calls are counted, with their cache.

    Source: what Pydantic AI 0.4.0 wrote of an agent's run with one answer by a server of ours, November 2026.
    """
    (row,) = traced(*spans)
    classes = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "visible_output_tokens")
    assert [row[name] for name in (*classes, "reasoning_output_tokens")] == [20, 4000, 300, 40, 10]


def test_a_span_without_operation_that_holds_none_is_a_call():
    """Counts of a span by an old convention are taken where no span inside it tells any."""
    assert len(traced(RUN, {**CALL, "traceId": "other"})) == 2


def test_a_service_without_a_name_is_no_project():
    """The SDK calls a service that nobody named unknown_service: that is no project."""
    names = ("shop", "unknown_service", "unknown_service:python")
    assert [traced(CALL, resource={"service.name": name})[0].get("project") for name in names] == ["shop", None, None]


def test_calls_of_vercels_sdk():
    """Calls of Vercel's AI SDK have counts in two conventions; the span around a call repeats it; hosts are hosts.

    Source: what the AI SDK 5 wrote of answers by a server of ours, November 2026.
    """
    counts = {"ai.usage.cachedInputTokens": "1024", "ai.usage.reasoningTokens": "64", "ai.usage.inputTokens": "1200"}
    outer = {"ai.operationId": "ai.streamText", "ai.model.id": "gpt-5-mini", **counts}
    told = {
        "gen_ai.usage.input_tokens": "1200",
        "gen_ai.usage.output_tokens": "90",
        "gen_ai.system": "openai.responses",
    }
    inner = {**outer, **told, "ai.operationId": "ai.streamText.doStream"}
    embedded = {"ai.model.id": "e", "ai.usage.tokens": "8", "ai.model.provider": "openai.embedding"}
    spans = (
        inner,
        outer,
        {**embedded, "ai.operationId": "ai.embed.doEmbed"},
        {**embedded, "ai.operationId": "ai.embed"},
    )
    call, embedding = traced(
        *({**CALL, "spanId": str(number), "attributes": listed(one)} for number, one in enumerate(spans))
    )
    names = ("uncached_input_tokens", "cache_read_tokens", "visible_output_tokens", "reasoning_output_tokens")
    assert ([call[name] for name in names], call["provider"]) == ([176, 1024, 26, 64], "openai")
    assert (embedding["embedding_tokens"], embedding["model"], embedding["provider"]) == (8, "e", "openai")


def test_sums_of_input_and_output_that_began_apart():
    """Input and output of one source are one sum, though each type of token has a start of its own.

    Source: what the Python SDK 1.45.2 wrote of the histogram gen_ai.client.token.usage, November 2026.
    """
    points = [
        {
            "attributes": listed({"gen_ai.request.model": "gpt-5-mini", "gen_ai.token.type": kind}),
            "startTimeUnixNano": f"179595236338256{start}",
            "timeUnixNano": "1795952363392567000",
            "count": "3",
            "sum": total,
        }
        for kind, start, total in (("input", "7000", 300), ("output", "7900", 30))
    ]
    histogram = {"aggregationTemporality": 2, "dataPoints": points}
    metrics = [{"name": "gen_ai.client.token.usage", "histogram": histogram}]
    document = {"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": metrics}]}]}
    (row,) = reader("otlp").parse(io.BytesIO(json.dumps(document).encode()), ReadOptions(file="f"))
    assert (row["uncached_input_tokens"], row["visible_output_tokens"], row["request_count"]) == (300, 30, 3)


def told_twice(scope, span_id, start, end, **changes):
    """A span of one call by an instrumentation, in a request of its own."""
    counts = {"llm.token_count.prompt": "1200", "llm.token_count.completion": "90", "openinference.span.kind": "LLM"}
    times = {"startTimeUnixNano": str(START + start), "endTimeUnixNano": str(START + end)}
    span = {"traceId": span_id, "spanId": span_id, **times, "attributes": listed(counts), **changes}
    scoped = {"scope": {"name": f"openinference.instrumentation.{scope}"}, "spans": [span]}
    return {"resourceSpans": [{"scopeSpans": [scoped]}]}


START = 1795952363382567000


@pytest.mark.parametrize(
    ("framework", "inner", "calls"),
    [
        ({"scope": "langchain", "start": 0, "end": 9}, {}, 1),
        ({"scope": "llama_index", "start": 0, "end": 9}, {"parentSpanId": "outer", "traceId": "outer"}, 1),
        ({"scope": "openai", "start": 0, "end": 9}, {"parentSpanId": "outer", "traceId": "outer"}, 1),
        ({"scope": "openai", "start": 0, "end": 9}, {}, 2),
        ({"scope": "langchain", "start": 5, "end": 9}, {}, 2),
    ],
    ids=["around", "parent", "parent-of-one-scope", "two-calls-at-once", "one-after-the-other"],
)
def test_a_call_that_two_instrumentations_tell(framework, inner, calls):
    """A call that a framework tells around the supplier's own span is one; calls beside each other are several.

    Source: what OpenInference wrote of LangChain and OpenAI together, November 2026; issue 5590 of Phoenix.
    """
    documents = [told_twice("openai", "inner", 2, 7, **inner), told_twice(span_id="outer", **framework)]
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    rows = list(reader("otlp").parse(io.BytesIO(lines.encode()), ReadOptions(file="f")))
    assert len(rows) == calls


def test_two_calls_of_a_framework_at_once():
    """Of two equal calls at once, each is told once by the package and once by the framework: they are two."""
    documents = [
        told_twice("openai", "1", 2, 6),
        told_twice("openai", "2", 2, 7),
        told_twice("langchain", "3", 1, 8),
        told_twice("langchain", "4", 1, 9),
    ]
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    assert len(list(reader("otlp").parse(io.BytesIO(lines.encode()), ReadOptions(file="f")))) == 2


def test_spans_with_odd_ids_and_counts():
    """Ids that are no text and counts that are no numbers are no reason to fail; the span is told or taken."""
    odd = {"key": "gen_ai.usage.input_tokens", "value": {"arrayValue": {"values": []}}}
    found = traced({**CALL, "traceId": ["t"], "spanId": {}}, {**CALL, "attributes": [*CALL["attributes"], odd]})
    assert [getattr(one, "rule", "row") for one in found] == ["row", "bad-number"]
