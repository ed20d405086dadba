"""Metrics of telemetry as protobuf: the same rows as from the JSON of the same request."""

import io
import json
import struct

from recorded import RECORDINGS

from joulebook.ingest.reader import ReadOptions, reader

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
