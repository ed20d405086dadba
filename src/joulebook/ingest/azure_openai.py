"""Azure OpenAI: token metrics of Azure Monitor, and the gateway log of API Management, as JSON.

- Answers of Azure Monitor's metrics API (``az monitor metrics list``), split by deployment or model: sums per interval.
- Metrics that a diagnostic setting writes to storage, one JSON object per line: sums per minute, not split by model.
- The table ``ApiManagementGatewayLlmLog``: one row per request.
- The diagnostic log ``RequestResponse`` has no token counts; its lines are counted and told, not booked.

The metrics do not tell cached tokens apart. Counts of requests come from ``AzureOpenAIRequests`` or ``ModelRequests``
of the same split and interval; without them the number is unknown.

Sources: Azure Monitor REST reference, "Metrics - List"; Azure documentation, "Monitoring data reference for Azure
OpenAI"; Azure Monitor log reference, "ApiManagementGatewayLlmLog", "AzureDiagnostics".
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, count, instant
from joulebook.ingest.lines import dig
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import dicts, first_of, json_documents, maker_of, name_of
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert
from joulebook.terms.usage import Usage

METRICS: Mapping[str, str] = {
    "ProcessedPromptTokens": "input_tokens",
    "GeneratedTokens": "output_tokens",
    "InputTokens": "input_tokens",
    "OutputTokens": "output_tokens",
    "AzureOpenAIRequests": "request_count",
    "ModelRequests": "request_count",
}
"""Name of a metric -> our word. Ignored: the totals of both (``TokenTransaction``, ``TotalTokens``), and times."""

LOG = {
    "input_tokens": ("PromptTokens", "promptTokens"),
    "output_tokens": ("CompletionTokens", "completionTokens"),
}
NOTHING = (None, 0, "0", "")
"""Counts of the gateway's rows that hold a piece of a message; those with its sequence number 0 hold the tokens."""

GATEWAY_TABLE = "ApiManagementGatewayLlmLog"
SILENT = "RequestResponse"
_GRAIN = re.compile(r"PT?(\d+)([MHD])\Z")
_UNITS = {"M": "min", "H": "h", "D": "d"}

Key = tuple[str, ...]


class AzureOpenAi:
    """Reader of metrics and gateway logs."""

    name = "azure-openai"
    signs = translatable("Azure Monitor metrics or gateway logs with prompt and generated tokens, of Azure OpenAI")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of metrics and tables."""
        if GATEWAY_TABLE.encode() in head or (b'"DeploymentName"' in head and b'"PromptTokens"' in head):
            return 0.96
        is_metric = b'"timeseries"' in head or b'"metricName"' in head
        if is_metric and any(f'"{metric}"'.encode() in head for metric in METRICS):
            return 0.96
        return 0.8 if b'"RequestResponse"' in head and b"COGNITIVESERVICES" in head.upper() else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per interval and deployment, or per request of the gateway."""
        sums, requests = (maker_of(self.name, options, is_bucket=is_bucket) for is_bucket in (True, False))
        told = _Told(options.file)
        for item in json_documents(stream, options.file):
            if isinstance(item, Finding):
                yield item
            elif _is_request(item[1]):
                yield requests.make_named(_request(item[1]), item[0])
            else:
                yield from told.take(item[1], item[0])
        for key, bucket in told.buckets.items():
            if bucket.get("input_tokens") or bucket.get("output_tokens"):
                yield sums.make_named(_row(key, bucket), None)
        yield from sums.warnings() if told.buckets else requests.warnings()
        if told.silent:
            yield Finding(options.file, None, "log-without-tokens", {"count": told.silent})


class _Told:
    """Sums of a file, and how many requests it tells without counts."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.buckets: dict[Key, dict[str, Any]] = {}
        self.silent = 0

    def take(self, document: Mapping[str, Any], line: int | None) -> Iterator[Finding]:
        """Take the sums of one document."""
        if isinstance(document.get("value"), list):
            yield from _answer(document, self.buckets, self.file)
        elif "metricName" in document:
            yield from _metric_line(document, self.buckets, self.file, line)
        else:
            self.silent += document.get("category", document.get("Category")) == SILENT


def _is_request(document: Mapping[str, Any]) -> bool:
    return any(first_of(document, *names) not in NOTHING for names in LOG.values())


def _answer(answer: Mapping[str, Any], buckets: dict[Key, dict[str, Any]], file: str) -> Iterator[Finding]:
    """Take the sums of one answer of the metrics API."""
    grain, region = str(answer.get("interval")), str(answer.get("resourceregion") or "")
    for metric in dicts(answer["value"]):
        name = str(dig(metric, "name.value"))
        resource = str(metric.get("id") or "").partition("/providers/Microsoft.Insights/")[0].lower()
        for series in dicts(metric.get("timeseries")) if name in METRICS else ():
            labels = {
                str(dig(label, "name.value")).lower(): str(label.get("value"))
                for label in dicts(series.get("metadatavalues"))
            }
            for point in dicts(series.get("data")):
                yield from _add(buckets, name, point, grain, {"region": region, **labels, "resource": resource}, file)


def _metric_line(
    entry: Mapping[str, Any], buckets: dict[Key, dict[str, Any]], file: str, line: int | None
) -> Iterator[Finding]:
    """Take one line of metrics out of storage."""
    name = str(entry["metricName"])
    if name in METRICS:
        point = {"timeStamp": entry.get("time"), "total": entry.get("total")}
        labels = {"resource": str(entry.get("resourceId") or "").lower()}
        yield from _add(buckets, name, point, str(entry.get("timeGrain")), labels, file, line)


def _add(
    buckets: dict[Key, dict[str, Any]],
    name: str,
    point: Mapping[str, Any],
    grain: str,
    labels: Mapping[str, str],
    file: str,
    line: int | None = None,
) -> Iterator[Finding]:
    if point.get("total") is None:
        return
    try:
        value = count(point["total"])
    except CellFaultError as fault:
        yield Finding(file, line, fault.rule, {"column": name})
        return
    told = sorted(f"{label}={text}" for label, text in labels.items() if text)
    key = (str(point.get("timeStamp")), grain, *told)
    buckets.setdefault(key, {"labels": labels})[METRICS[name]] = value


def _row(key: Key, bucket: Mapping[str, Any]) -> dict[str, object]:
    started, grain = key[0], _GRAIN.match(key[1])
    labels: Mapping[str, str] = bucket["labels"]
    model = labels.get("modelname") or labels.get("modeldeploymentname")
    version = labels.get("modelversion")
    return {
        "input_tokens": bucket.get("input_tokens"),
        "output_tokens": bucket.get("output_tokens"),
        "request_count": bucket.get("request_count") or None,
        "request_id": "|".join(key),
        "started_at": started,
        "ended_at": _end(started, convert(int(grain[1]), _UNITS[grain[2]], "s")) if grain else None,
        "model": f"{model}-{version}" if model and version and version[:2] == "20" else model,
        "provider": "azure",
        "region": labels.get("region") or None,
        "project": labels.get("resource", "").rpartition("/")[2] or None,
    }


def _end(started: str, lasts_s: float) -> object:
    try:
        moment, _known = instant(started, None)
        return (moment + timedelta(seconds=lasts_s)).isoformat()
    except (CellFaultError, OverflowError):
        return None


def _request(entry: Mapping[str, Any]) -> dict[str, object]:
    return {
        **{ours: first_of(entry, *theirs) for ours, theirs in LOG.items()},
        "request_id": name_of(first_of(entry, "RequestId", "CorrelationId")),
        "started_at": first_of(entry, "TimeGenerated", "time"),
        "model": name_of(first_of(entry, "ModelName", "DeploymentName")),
        "provider": "azure",
        "region": name_of(entry.get("Region")),
    }
