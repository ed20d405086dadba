"""Metrics of telemetry as protobuf: the same rows as from the JSON of the same request."""

import io
import json
import struct

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
    values = {name: {"intValue" if text.isdecimal() else "stringValue": text} for name, text in told.items()}
    attributes = [{"key": name, "value": value} for name, value in values.items()]
    span = {"traceId": "t", "spanId": "s", "name": "CreateEmbeddings", "startTimeUnixNano": "1795952363382567000"}
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [{**span, "attributes": attributes}]}]}]}
    (row,) = reader("otlp").parse(io.BytesIO(json.dumps(document).encode()), ReadOptions(file="f"))
    assert (row["model"], row["embedding_tokens"], row["provider"]) == ("text-embedding-3-small", 8, "openai")
