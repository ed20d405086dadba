"""Counters of model servers: resets, hours, overlapping exports, untold requests."""

import io
import json

import pytest

from joulebook.ingest.reader import ReadOptions, reader
from joulebook.terms.finding import Finding

NINE = 1763456400
QUARTER = 900


def answer(name, values, start=NINE, **labels):
    """One answer with one counter, read every quarter of an hour."""
    metric = {"__name__": name, "instance": "a", "model_name": "m", **labels}
    samples = [[start + number * QUARTER, str(value)] for number, value in enumerate(values)]
    return json.dumps({"data": {"resultType": "matrix", "result": [{"metric": metric, "values": samples}]}}) + "\n"


def read(*answers):
    """Rows and rules of findings."""
    found = list(reader("prometheus").parse(io.BytesIO("".join(answers).encode()), ReadOptions(file="f")))
    return [r for r in found if not isinstance(r, Finding)], [r.rule for r in found if isinstance(r, Finding)]


def test_a_counter_that_falls_began_anew():
    """A restart of the server loses nothing that was counted since and counts nothing twice."""
    rows, findings = read(answer("vllm:generation_tokens_total", [100, 150, 20, 30, 40]))
    assert [row["visible_output_tokens"] for row in rows] == [50 + 20 + 10 + 10]
    assert findings == []


def test_only_whole_hours():
    """Hours that the export holds in part are told and not booked, so that a later export can book them whole."""
    rows, findings = read(answer("vllm:generation_tokens_total", range(0, 70, 10), start=NINE - QUARTER))
    assert [row["started_at"].hour for row in rows] == [9]
    assert findings == ["partial-hours"]


def test_overlapping_exports_give_the_same_rows():
    """The same hour out of two exports has the same key and the same counts."""
    counter = list(range(0, 200, 10))
    one, _ = read(answer("vllm:generation_tokens_total", counter[:9]))
    two, _ = read(answer("vllm:generation_tokens_total", counter[4:], start=NINE + 4 * QUARTER))
    assert one[1] == two[0]


def test_labels_that_split_a_counter_are_added_up():
    """Requests are summed over their reasons to finish; two servers stay two."""
    stop = answer("vllm:request_success_total", [0, 1, 2, 3, 4], finished_reason="stop")
    length = answer("vllm:request_success_total", [0, 0, 0, 0, 2], finished_reason="length")
    tokens = answer("vllm:generation_tokens_total", [0, 10, 20, 30, 40])
    other = answer("vllm:generation_tokens_total", [0, 10, 20, 30, 40], instance="b")
    rows, _ = read(stop, length, tokens, other)
    assert [(row.get("request_count"), row["visible_output_tokens"]) for row in rows] == [(6, 40), (None, 40)]


def test_samples_that_are_none():
    """A sample that is no number is told, and the other series are read."""
    bad = answer("vllm:generation_tokens_total", [0, "x"])
    good = answer("vllm:generation_tokens_total", [0, 10, 20, 30, 40], instance="b")
    rows, findings = read(bad, good)
    assert (len(rows), findings) == (1, ["bad-number"])


def test_speed_wait_and_batch():
    """Histograms of a server give the speed and wait of its requests, a gauge how many it decodes at once when busy."""
    rows, _ = read(
        answer("vllm:generation_tokens_total", [0, 10, 20, 30, 40]),
        answer("vllm:time_per_output_token_seconds_sum", [0, 0.5, 0.5, 0.75, 1]),
        answer("vllm:time_per_output_token_seconds_count", [0, 20, 20, 30, 40]),
        answer("vllm:time_to_first_token_seconds_sum", [0, 1, 1, 1, 3]),
        answer("vllm:time_to_first_token_seconds_count", [0, 2, 2, 2, 6]),
        answer("vllm:num_requests_running", [0, 4, 8, 0, 6]),
    )
    told = [(row["output_tokens_per_s"], row["time_to_first_token_s"], row["batch_requests"]) for row in rows]
    assert told == [(40.0, 0.5, 6.0)]


def test_speed_of_llama_cpp():
    """llama.cpp counts the seconds of its decoding."""
    rows, _ = read(
        answer("llamacpp:tokens_predicted_total", [0, 10, 20, 30, 60]),
        answer("llamacpp:tokens_predicted_seconds_total", [0, 1, 1, 1, 2]),
    )
    assert [row["output_tokens_per_s"] for row in rows] == [30.0]


@pytest.mark.parametrize("server", ["sglang:", "tgi_"])
def test_speed_of_other_servers(server):
    """SGLang and TGI tell the time per token of a request."""
    name = {"sglang:": "sglang:inter_token_latency_seconds", "tgi_": "tgi_request_mean_time_per_token_duration"}[server]
    tokens = {"sglang:": "sglang:generation_tokens_total", "tgi_": "tgi_request_generated_tokens_sum"}[server]
    rows, _ = read(
        answer(tokens, [0, 10, 20, 30, 40]),
        answer(f"{name}_sum", [0, 1, 1, 1, 1]),
        answer(f"{name}_count", [0, 50, 50, 50, 50]),
    )
    assert [row["output_tokens_per_s"] for row in rows] == [50.0]


def test_cached_tokens_that_are_counted_before_their_prompt():
    """An hour with more cached tokens than prompt, which vLLM counts at another moment, is still booked."""
    hits = answer("vllm:prefix_cache_hits_total", [0, 40, 80, 120, 150])
    rows, findings = read(answer("vllm:prompt_tokens_total", [0, 30, 60, 90, 100]), hits)
    assert [(row["cache_read_tokens"], row["uncached_input_tokens"]) for row in rows] == [(100, 0)]
    assert findings == []


@pytest.mark.parametrize("is_dump", [True, False])
def test_text_with_times(is_dump):
    """Text as promtool dumps it, or of several pages with times, gives the rows of the same series in an answer.

    Source: `promtool tsdb dump` writes a line per sample, the metric among the labels and milliseconds at the end.
    """
    counter = list(range(0, 200, 10))
    rows, _ = read(answer("vllm:generation_tokens_total", counter))
    labels = 'instance="a",model_name="m"'
    named = f'{{__name__="vllm:generation_tokens_total",{labels}}}' if is_dump else None
    lines = [
        f"{named or f'vllm:generation_tokens_total{{{labels}}}'} {value} {(NINE + number * QUARTER) * 1000}\n"
        for number, value in enumerate(counter)
    ]
    text = "".join(lines if is_dump else ["# TYPE vllm:generation_tokens_total counter\n", *reversed(lines)])
    assert reader("prometheus").detect(text.encode(), "f") == 0.9
    assert read(text)[0] == rows


def test_a_page_of_metrics_is_told():
    """A page of /metrics has no times: it is recognised, nothing of it is booked, and what to do is told once."""
    page = 'vllm:prompt_tokens_total{engine="0",model_name="Qwen/Qwen3-8B"} 1397.0\n'
    page += 'vllm:generation_tokens_total{engine="0",model_name="Qwen/Qwen3-8B"} 4829.0\n'
    assert reader("prometheus").detect(page.encode(), "f") == 0.9
    assert read(page) == ([], ["series-without-time"])


def test_an_export_of_victoriametrics():
    """A line of VictoriaMetrics' export, with values and times apart, gives the rows of the same series.

    Source: the README of ryotarai/prometheus-tsdb-dump, output format "victoriametrics".
    """
    counter = list(range(0, 200, 10))
    rows, _ = read(answer("vllm:generation_tokens_total", counter))
    metric = {"__name__": "vllm:generation_tokens_total", "instance": "a", "model_name": "m"}
    stamps = [(NINE + number * QUARTER) * 1000 for number in range(len(counter))]
    text = json.dumps({"metric": metric, "values": counter, "timestamps": stamps}) + "\n"
    assert reader("prometheus").detect(text.encode(), "f") == 0.95
    assert read(text)[0] == rows
