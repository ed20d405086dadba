"""Metrics of one's own model servers (vLLM, SGLang, TGI, llama.cpp), as Prometheus' query_range answers or dumps them.

Save the counters of `COUNTERS`, and `TIMES` and `GAUGES` for speed and batch, with ``GET /api/v1/query_range``, several
queries in one file (JSON lines) or one file that a regular expression on ``__name__`` answers; or as text with times,
as ``promtool tsdb dump`` gives it, or lines of VictoriaMetrics' ``/api/v1/export``. A page of ``/metrics`` tells no
time, so that nothing of it can be booked. Counters are added up per server, model and hour; a counter that falls began
anew. Only whole hours are booked, so that overlapping exports give the same rows. Speed and batch narrow the estimate
of that model on that day. vLLM counts tokens found in the cache when a prompt is scheduled and the prompt when it has
been read: an hour's cached tokens are at most its prompt tokens.

Early vLLM counted what it found in the cache in blocks (``gpu_prefix_cache_hits``), which are no tokens: not read.
Checked against: names and labels of counters in ``/metrics`` of vLLM, SGLang and llama.cpp as public repositories keep
them, 2024 to 2026.

Sources: Prometheus documentation, "HTTP API", range vectors; vLLM "Production metrics"; SGLang "Production metrics";
Text Generation Inference "Metrics"; llama.cpp server README, "/metrics".
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import hashable
from joulebook.ingest.clusters.series import samples_of, series_in, series_opened
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import TOKEN_FIELDS, Record, json_documents, name_of, rows_of
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert
from joulebook.terms.usage import Usage, usage_key

COUNTERS: Mapping[str, str] = {
    "vllm:prompt_tokens_total": "input_tokens",
    "vllm:generation_tokens_total": "output_tokens",
    "vllm:prefix_cache_hits_total": "cache_read_tokens",
    "vllm:request_success_total": "request_count",
    "sglang:prompt_tokens_total": "input_tokens",
    "sglang:generation_tokens_total": "output_tokens",
    "sglang:cached_tokens_total": "cache_read_tokens",
    "sglang:num_requests_total": "request_count",
    "tgi_request_input_length_sum": "input_tokens",
    "tgi_request_generated_tokens_sum": "output_tokens",
    "tgi_request_input_length_count": "request_count",
    "llamacpp:prompt_tokens_total": "uncached_input_tokens",
    "llamacpp:tokens_predicted_total": "output_tokens",
}
"""Counter -> our word. llama.cpp counts the prompt tokens that it computes, the others all of them."""

MEANS: Mapping[str, str] = {
    "vllm:inter_token_latency_seconds": "token_s",
    "vllm:time_per_output_token_seconds": "token_s",
    "vllm:request_time_per_output_token_seconds": "token_s",
    "vllm:time_to_first_token_seconds": "wait_s",
    "sglang:inter_token_latency_seconds": "token_s",
    "sglang:time_per_output_token_seconds": "token_s",
    "sglang:time_to_first_token_seconds": "wait_s",
    "tgi_request_mean_time_per_token_duration": "token_s",
}
"""Histogram -> what its mean is: seconds per output token of one request, or to the first.

A server that has several for the same thing, in old and new words, tells the first of them."""

TIMES: Mapping[str, str] = {
    **{f"{name}_{part}": f"{name}_{part}" for name in MEANS for part in ("sum", "count")},
    "llamacpp:tokens_predicted_seconds_total": "llamacpp_s",
}
"""Counter -> under which name its growth is kept."""

GAUGES = (
    "vllm:num_requests_running",
    "sglang:num_running_reqs",
    "tgi_batch_current_size",
    "llamacpp:requests_processing",
)
"""Requests that are decoded together at a moment; moments without any do not count."""

READ = frozenset((*COUNTERS, *TIMES, *GAUGES))
TEXT = re.compile(
    rb'^(?:\{ *__name__ *= *")?(?:' + "|".join(map(re.escape, COUNTERS)).encode() + rb')(?:[{" ]|$)', re.MULTILINE
)
"""A line of a counter."""

PARTS = frozenset({"__name__", "finished_reason", "cache_source", "is_streaming", "le", "quantile"})
"""Labels that split one server's counter; their values are added up."""

MODEL_LABELS = ("model_name", "model", "model_id")
FIELDS = (*TOKEN_FIELDS, "output_tokens_per_s", "time_to_first_token_s", "batch_requests")
HOUR_S = convert(1, "h", "s")
PAIR = 2


class Prometheus:
    """Reader of saved range queries."""

    name = "prometheus"
    signs = translatable("counters of vLLM, SGLang, TGI or llama.cpp, as Prometheus answers or dumps them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the type of the result and the name of a counter, or by a line of a counter."""
        has_values = b'"matrix"' in head or b'"timestamps"' in head
        if has_values and any(name.encode() in head for name in COUNTERS):
            return 0.95
        return 0.9 if TEXT.search(head) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per server, model and hour."""
        return rows_of(self.name, options, _records(stream, options.file), FIELDS, is_bucket=True)


Labels = tuple[tuple[str, str], ...]


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    hours: dict[tuple[Labels, float], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    spans: dict[Labels, tuple[float, float]] = {}
    for item in _series(stream, file):
        if isinstance(item, Finding):
            yield item
        else:
            yield from _add(item[1], hours, spans, file, item[0])
    partial = 0
    for (labels, hour), counts in sorted(hours.items()):
        first, last = spans[labels]
        if hour < first or hour + HOUR_S > last:
            partial += 1
        elif any(counts.get(field, 0) > 0 for field in COUNTERS.values()):
            yield None, _row(labels, hour, counts)
    if partial:
        yield Finding(file, None, "partial-hours", {"count": partial}, is_error=False)


def _series(stream: BinaryIO, file: str) -> Iterator[tuple[int | None, Mapping[str, Any]] | Finding]:
    """Series as an answer lists them; the samples of a text in the order of their times."""
    stream, is_json = series_opened(stream)
    if is_json:
        for item in json_documents(stream, file):
            if isinstance(item, Finding):
                yield item
                continue
            yield from ((item[0], series) for series in series_in(item[1]))
        return
    told: dict[Labels, list[list[float]]] = defaultdict(list)
    for item in samples_of(stream, file, READ):
        if isinstance(item, Finding):
            yield item
        else:
            told[tuple(sorted(item.labels.items()))].append([item.at, item.value])
    yield from ((None, {"metric": dict(labels), "values": sorted(values)}) for labels, values in told.items())


def _add(
    series: Mapping[str, Any],
    hours: dict[tuple[Labels, float], dict[str, float]],
    spans: dict[Labels, tuple[float, float]],
    file: str,
    line: int | None,
) -> Iterator[Finding]:
    """Add the growth of one series to the hours of its server."""
    metric = series.get("metric")
    named = {str(name): str(value) for name, value in metric.items()} if isinstance(metric, dict) else {}
    name = named.get("__name__", "")
    field = COUNTERS.get(name) or TIMES.get(name)
    if field is None and name not in GAUGES:
        return
    labels = tuple(sorted((name, value) for name, value in named.items() if name not in PARTS))
    before: tuple[float, float] | None = None
    samples = series.get("values")
    for sample in samples if isinstance(samples, list) else []:
        read = _sample(sample)
        if read is None:
            yield Finding(file, line, "bad-number", {"column": named["__name__"]})
            return
        at, value = read
        if field is None:
            _add_moment(hours[labels, at // HOUR_S * HOUR_S], value)
        elif before is not None and at > before[0]:
            hour = before[0] // HOUR_S * HOUR_S
            hours[labels, hour][field] += value - before[1] if value >= before[1] else value
        first, last = spans.get(labels, (at, at))
        spans[labels] = (min(first, at), max(last, at))
        before = read


def _add_moment(counts: dict[str, float], running: float) -> None:
    if running > 0:
        counts["running"] += running
        counts["moments"] += 1


def _sample(sample: object) -> tuple[float, float] | None:
    """Time [s] and value of a sample; None where it is none."""
    if not isinstance(sample, list) or len(sample) != PAIR:
        return None
    try:
        at, value = float(sample[0]), float(sample[1])
    except (TypeError, ValueError, OverflowError):
        return None
    return (at, value) if math.isfinite(at) and math.isfinite(value) and value >= 0 else None


def _row(labels: Labels, hour: float, counts: Mapping[str, float]) -> dict[str, object]:
    named = dict(labels)
    told: dict[str, object] = {name: round(counts[name]) for name in dict.fromkeys(COUNTERS.values()) if name in counts}
    if "input_tokens" in told and "cache_read_tokens" in told:
        told["cache_read_tokens"] = round(min(counts["cache_read_tokens"], counts["input_tokens"]))
    return {
        **told,
        "request_count": told.get("request_count") or None,
        "request_id": usage_key(hashable([*(f"{name}={value}" for name, value in labels), f"{hour:.0f}"])),
        "started_at": hour,
        "ended_at": hour + HOUR_S,
        "output_tokens_per_s": _speed(counts),
        "time_to_first_token_s": _mean(counts, "wait_s"),
        "batch_requests": counts["running"] / counts["moments"] if counts.get("moments") else None,
        "model": next((named[name] for name in MODEL_LABELS if name_of(named.get(name))), None),
        "provider": "own",
        "project": name_of(named.get("namespace")) or name_of(named.get("job")),
    }


def _mean(counts: Mapping[str, float], meaning: str) -> float | None:
    """The mean of the first histogram of that meaning that grew [s]."""
    pairs = (
        (counts.get(f"{name}_sum"), counts.get(f"{name}_count")) for name, told in MEANS.items() if told == meaning
    )
    return next((total / count for total, count in pairs if total and count), None)


def _speed(counts: Mapping[str, float]) -> float | None:
    """Output tokens per second of one request."""
    token_s = _mean(counts, "token_s")
    if token_s is not None:
        return 1 / token_s
    predicted_s, predicted = counts.get("llamacpp_s"), counts.get("output_tokens")
    return predicted / predicted_s if predicted_s and predicted else None
