"""Telemetry as OpenTelemetry's JavaScript SDK holds it, brought into the form of OTLP.

Coding agents that write telemetry to a file write the SDK's own objects as JSON: GitHub Copilot CLI one to a line,
Gemini CLI and Qwen Code printed over several lines, one behind the other. Attributes are plain names and values, times
are pairs of seconds and nanoseconds, and the resource stands in every object.

Checked against: ``file-exporters.ts`` of Gemini CLI; files of Copilot CLI 1.0.62 to 1.0.84 as public repositories
record them. Source: OpenTelemetry JavaScript, ReadableSpan, ReadableLogRecord, ResourceMetrics.
"""

from collections.abc import Mapping
from typing import Any

from joulebook.ingest.lines import dig
from joulebook.ingest.records import dicts, whole

NANO = 10**9
PAIR = 2
KINDS = {0: "histogram", 1: "exponentialHistogram", 2: "gauge", 3: "sum"}
"""``dataPointType`` of the SDK -> OTLP's field."""

TEMPORALITIES = {0: 1, 1: 2}
"""Delta and cumulative: the SDK's number -> OTLP's."""

SIGNS = ((b'"hrTime"', b'"attributes"'), (b'"traceId"', b'"startTime"', b'"attributes"'), (b'"scopeMetrics"',))
"""What the objects of the SDK hold."""


def is_of_sdk(head: bytes) -> bool:
    """Whether the first bytes of a file look like the SDK's objects."""
    return any(all(sign in head for sign in signs) for signs in SIGNS)


def as_request(document: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the SDK as an export request of OTLP; anything else as it is."""
    resource = {"attributes": _listed(_resource(document.get("resource")))}
    if isinstance(document.get("scopeMetrics"), list):
        metrics = [
            _metric(metric) for scope in dicts(document["scopeMetrics"]) for metric in dicts(scope.get("metrics"))
        ]
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}
    told = document.get("attributes")
    if not isinstance(told, dict):
        return dict(document)
    if _time(document.get("startTime")) is not None:
        return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [_span(document)]}]}]}
    if _time(document.get("hrTime")) is not None:
        return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [_log(document)]}]}]}
    return dict(document)


def _span(span: Mapping[str, Any]) -> dict[str, Any]:
    names = ("traceId", "spanId")
    known = next((one for one in (span, span.get("spanContext"), span.get("_spanContext")) if dig(one, names[0])), {})
    return {
        **{name: dig(known, name) for name in names},
        "name": span.get("name"),
        "startTimeUnixNano": _time(span.get("startTime")),
        "endTimeUnixNano": _time(span.get("endTime")),
        "attributes": _listed(span["attributes"]),
    }


def _log(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "timeUnixNano": _time(record.get("hrTime")),
        "observedTimeUnixNano": _time(record.get("hrTimeObserved")),
        "eventName": record.get("eventName"),
        "attributes": _listed(record["attributes"]),
    }


def _metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    points = [
        {
            "startTimeUnixNano": _time(point.get("startTime")),
            "timeUnixNano": _time(point.get("endTime")),
            "attributes": _listed(point.get("attributes")),
            **_value(point.get("value")),
        }
        for point in dicts(metric.get("dataPoints"))
    ]
    temporality = TEMPORALITIES.get(whole(metric.get("aggregationTemporality")) or 0)
    kind = KINDS.get(whole(metric.get("dataPointType")) or 0, "sum")
    return {
        "name": dig(metric, "descriptor.name"),
        kind: {"aggregationTemporality": temporality, "dataPoints": points},
    }


def _value(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return {"sum": value.get("sum"), "count": value.get("count")}
    return {"asDouble": value}


def _resource(resource: object) -> Mapping[str, Any]:
    """Attributes of a resource, by the names that several releases of the SDK give them."""
    for name in ("attributes", "_attributes"):
        told = dig(resource, name)
        if isinstance(told, dict):
            return told
    pairs = dig(resource, "_rawAttributes")
    listed = pairs if isinstance(pairs, list) else []
    return {str(pair[0]): pair[1] for pair in listed if isinstance(pair, list) and len(pair) == PAIR}


def _listed(told: object) -> list[dict[str, object]]:
    """Plain attributes as OTLP lists them; only single values are kept."""
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    known = told if isinstance(told, dict) else {}
    return [{"key": name, "value": {kinds[type(cell)]: cell}} for name, cell in known.items() if type(cell) in kinds]


def _time(pair: object) -> str | None:
    """A pair of seconds and nanoseconds as nanoseconds."""
    if not isinstance(pair, list) or len(pair) != PAIR:
        return None
    seconds, nanoseconds = (whole(part) for part in pair)
    return None if seconds is None or nanoseconds is None else str(seconds * NANO + nanoseconds)
