"""Azure OpenAI: token metrics of Azure Monitor, and the gateway log of API Management, as JSON.

- Answers of Azure Monitor's metrics API (``az monitor metrics list``), split by deployment or model: sums per interval.
- Metrics that a diagnostic setting writes to storage, one JSON object per line: sums per minute, not split by model.
- The table ``ApiManagementGatewayLlmLog``, and the log ``GatewayLlmLogs`` that a diagnostic setting writes to storage
  or an event hub (``records`` with ``properties``): one row per request. Only the latter tells cached tokens, which
  Claude counts beside the prompt, and OpenAI's models inside it.
- The gateway's log ``GatewayLogs`` where it keeps the bodies of answers: the counts of each answer, by its id.
- The diagnostic log ``RequestResponse`` has no token counts; its lines are counted and told, not booked.

The metrics do not tell cached tokens apart. Counts of requests come from ``AzureOpenAIRequests`` or ``ModelRequests``
of the same split and interval; without them the number is unknown.

Checked against: gateway logs in the tests of Elastic's integration "Azure OpenAI"; a public processor of an event hub's
gateway logs (fields of ``properties``; a turn of Claude with 26 tokens of prompt and 48,854 cached ones).

Sources: Azure Monitor REST reference, "Metrics - List"; Azure documentation, "Monitoring data reference for Azure
OpenAI"; Azure Monitor log reference, "ApiManagementGatewayLlmLog", "AzureDiagnostics".
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.bill_regions import azure_region
from joulebook.ingest.cells import CellFaultError, count, instant
from joulebook.ingest.helicone import ANTHROPIC, OPENAI
from joulebook.ingest.lines import dig, loaded
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

PROMPT, COMPLETION = ("PromptTokens", "promptTokens"), ("CompletionTokens", "completionTokens")
CACHED = ("promptCachedTokens", "PromptCachedTokens")
BODY = ("backendResponseBody", "BackendResponseBody", "responseBody", "ResponseBody")
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
        if b"GatewayLlmLogs" in head or (b"GatewayLogs" in head and b"esponseBody" in head and b"_tokens" in head):
            return 0.96
        is_metric = b'"timeseries"' in head or b'"metricName"' in head.replace(b'"MetricName"', b'"metricName"')
        if is_metric and any(f'"{metric}"'.encode() in head for metric in METRICS):
            return 0.96
        return 0.8 if b'"RequestResponse"' in head and b"COGNITIVESERVICES" in head.upper() else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per interval and deployment, or per request of the gateway."""
        sums, requests = (maker_of(self.name, options, is_bucket=is_bucket) for is_bucket in (True, False))
        told = _Told(options.file)
        for item in _entries(stream, options.file):
            if isinstance(item, Finding):
                yield item
                continue
            line, entry = item
            request = _request(entry)
            if request is not None:
                yield requests.make_named(request, line)
            else:
                yield from told.take(entry, line)
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
        elif "metricName" in document or "MetricName" in document:
            yield from _metric_line(document, self.buckets, self.file, line)
        else:
            self.silent += document.get("category", document.get("Category")) == SILENT


def _entries(stream: BinaryIO, file: str) -> Iterator[tuple[int | None, dict[str, Any]] | Finding]:
    """Documents, or the records in them, with what their properties hold beside their own names."""
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, document = item
        records = document.get("records")
        for entry in dicts(records) if isinstance(records, list) else (document,):
            properties = entry.get("properties")
            inner = loaded(properties) if isinstance(properties, str) else properties
            yield line, {**entry, **inner} if isinstance(inner, dict) else entry


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
    name = str(first_of(entry, "metricName", "MetricName"))
    if name in METRICS:
        point = {"timeStamp": first_of(entry, "time", "TimeGenerated"), "total": first_of(entry, "total", "Total")}
        labels = {"resource": str(first_of(entry, "resourceId", "ResourceId", "_ResourceId") or "").lower()}
        yield from _add(buckets, name, point, str(first_of(entry, "timeGrain", "TimeGrain")), labels, file, line)


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


def _request(entry: Mapping[str, Any]) -> dict[str, object] | None:
    """A request that the gateway logged with its counts; None for everything else."""
    answer = _body(entry)
    told = _answered(answer) if answer is not None else _counted(entry)
    if told is None:
        return None
    return {
        **told,
        "request_id": told.get("request_id") or name_of(first_of(entry, "RequestId", "requestId", *CORRELATION)),
        "started_at": first_of(entry, "TimeGenerated", "time"),
        "provider": "azure",
        "region": azure_region(name_of(first_of(entry, "Region", "location"))),
    }


CORRELATION = ("CorrelationId", "correlationId")


def _counted(entry: Mapping[str, Any]) -> dict[str, object] | None:
    """Counts that the log itself has."""
    prompt, completion, cached = (first_of(entry, *names) for names in (PROMPT, COMPLETION, CACHED))
    if prompt in NOTHING and completion in NOTHING and cached in NOTHING:
        return None
    names = ("ModelName", "modelName", "DeploymentName", "deploymentName", "modelDeploymentName")
    model = name_of(first_of(entry, *names))
    is_beside = bool(model and "claude" in model.lower())
    return {
        "uncached_input_tokens" if is_beside else "input_tokens": prompt,
        "cache_read_tokens": cached,
        "output_tokens": completion,
        "model": model,
    }


def _body(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answer with its counts that a gateway kept: whole, or the last piece of a stream that has them."""
    text = first_of(entry, *BODY)
    if not isinstance(text, str):
        return None
    pieces = [piece.removeprefix("data:").strip() for piece in text.splitlines() if piece.startswith("data:")]
    found = (loaded(piece) for piece in reversed(pieces or [text]))
    return next((one for one in found if isinstance(one, dict) and isinstance(one.get("usage"), dict)), None)


def _answered(answer: Mapping[str, Any]) -> dict[str, object]:
    """Counts of an answer that a gateway kept."""
    usage = answer["usage"]
    is_beside = "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
    return {
        **{ours: first_of(usage, *theirs) for ours, theirs in (ANTHROPIC if is_beside else OPENAI).items()},
        "request_id": name_of(answer.get("id")),
        "model": name_of(answer.get("model")),
    }
