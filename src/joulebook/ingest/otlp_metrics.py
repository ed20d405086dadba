"""Token metrics of telemetry: sums over the requests of an interval, for sources that send neither spans nor events.

Delta points are the use of their interval, also where they are sent again. Cumulative points are running totals since
their start: the last one counts, and of a total that was booked before only the growth (``counter_hash``). A histogram
also counts the requests; a counter does not, so that their number is unknown.

Sources: opentelemetry/proto/metrics/v1; OpenTelemetry GenAI semantic conventions, "gen_ai.client.token.usage"; Claude
Code documentation, "Monitoring", token counter; Gemini CLI documentation, "Telemetry", metrics.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from joulebook.ingest.cells import hashable
from joulebook.ingest.identity import counter_hash
from joulebook.ingest.otlp_values import attributes, nanoseconds, owner
from joulebook.ingest.otlp_words import AGENT_SERVICES, METRIC_TYPES, METRICS, TOOLS, first_of
from joulebook.ingest.providers import provider_name
from joulebook.ingest.records import Record, dicts, name_of
from joulebook.terms.finding import Finding
from joulebook.terms.usage import usage_key

CUMULATIVE = (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")
KINDS = ("sum", "histogram", "exponentialHistogram")
OUTPUTS = ("output_tokens", "visible_output_tokens")

Key = tuple[str, ...]


class Measures:
    """Sums per source, model and interval."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._sums: dict[Key, dict[str, Any]] = {}

    def add(self, metric: Mapping[str, Any], resource: Mapping[str, Any], line: int | None) -> Iterator[Finding]:
        """Take the points of a token metric; of other metrics nothing."""
        words = METRICS.get(str(metric.get("name")))
        for kind in KINDS if words else ():
            body = metric.get(kind)
            if isinstance(body, dict):
                is_running = body.get("aggregationTemporality") in CUMULATIVE
                for point in _begun_together(body):
                    yield from self._point(str(metric["name"]), point, resource, line, is_running=is_running)

    def _point(
        self, name: str, point: Mapping[str, Any], resource: Mapping[str, Any], line: int | None, *, is_running: bool
    ) -> Iterator[Finding]:
        known = attributes(point)
        word = METRICS[name].get(str(first_of(known, METRIC_TYPES)))
        if word is None:
            return
        value = _value(point)
        start, end = nanoseconds(point.get("startTimeUnixNano")), nanoseconds(point.get("timeUnixNano"))
        if value is None or end is None or not end.isdecimal():
            yield Finding(self.file, line, "bad-number", {"column": name})
            return
        labels = _labels(known)
        owners = sorted(f"{key}={cell}" for key, cell in resource.items())
        series = tuple(hashable([name, str(is_running), *owners, *labels, str(start) if is_running else end]))
        sums = self._sums.setdefault(series, {"line": line, "name": name, "known": known, "resource": resource})
        sums["start"], sums["is_running"] = start or end, is_running
        sums["end"] = max(sums.get("end", end), end, key=int)
        sums[word] = max(sums.get(word, 0), value)
        requests = _requests(point) if word in OUTPUTS else None
        sums["requests"] = requests if requests is not None else sums.get("requests")

    def rest(self, told: set[tuple[str, object]], services: set[str]) -> Iterator[Record]:
        """Sums of sources that told nothing by another signal.

        Args:
            told: agents, with and without session, that events told of.
            services: ``service.name`` of the spans.
        """
        for series, sums in self._sums.items():
            service = str(sums["resource"].get("service.name"))
            agent = TOOLS.get(sums["name"].partition(".")[0]) or AGENT_SERVICES.get(service)
            if (agent, None) not in told and service not in services:
                yield sums["line"], _row(series, sums, agent)


def _labels(known: Mapping[str, Any]) -> list[str]:
    return sorted(f"{key}={cell}" for key, cell in known.items() if key not in METRIC_TYPES)


def _begun_together(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Points with the earliest start among those of their labels: input and output of one source are one sum.

    An SDK may give each type of token the moment of its own first count as start, as Python's 1.45.2 does.
    """
    points = [(tuple(_labels(attributes(point))), point) for point in dicts(body.get("dataPoints"))]
    starts: dict[tuple[str, ...], str] = {}
    for labels, point in points:
        start = nanoseconds(point.get("startTimeUnixNano"))
        if start is not None and start.isdecimal():
            starts[labels] = min(starts.get(labels, start), start, key=int)
    yield from ({**point, "startTimeUnixNano": starts.get(labels)} for labels, point in points)


def _row(series: Key, sums: Mapping[str, Any], agent: str | None) -> dict[str, object]:
    known = sums["known"]
    counts = {word: sums[word] for word in sums if word.endswith("_tokens")}
    extra = counts.pop("tool_tokens", 0)
    if extra:
        counts["input_tokens"] = counts.get("input_tokens", 0) + extra
    model = name_of(first_of(known, ("gen_ai.response.model", "gen_ai.request.model", "model")))
    identity = usage_key([*series, *(f"{word}={count}" for word, count in sorted(counts.items()))])
    return {
        **counts,
        "request_id": identity if sums["is_running"] else usage_key(series),
        "counter_hash": counter_hash(*series) if sums["is_running"] else None,
        "request_count": sums.get("requests"),
        "started_at": sums["start"],
        "ended_at": sums["end"],
        "model": model,
        "provider": provider_name(first_of(known, ("gen_ai.provider.name", "gen_ai.system"))),
        "tool": agent,
        **owner(sums["resource"]),
    }


def _value(point: Mapping[str, Any]) -> int | None:
    """The number of tokens of a point; None where it is no count."""
    cell = next((point[name] for name in ("asInt", "asDouble", "sum") if point.get(name) is not None), None)
    try:
        number = float(str(cell))
    except ValueError:
        return None
    return round(number) if math.isfinite(number) and number >= 0 else None


def _requests(point: Mapping[str, Any]) -> int | None:
    text = str(point.get("count"))
    return int(text) or None if text.isdecimal() else None
