"""Published throughput of another engine at full load, beside the estimate: the check of prefill and of long contexts.

TensorRT-LLM's performance overview (NVIDIA, versions 0.6.1 and 1.0) gives output tokens per second under maximum load
for inputs of 128 to 20,000 tokens. No energy is measured. The estimated energy of a request times requests per second,
over the rated power of the accelerators, is the share of that power which the estimate implies. It cannot be above 1,
and lies between 0.55 and 0.95 in the rows that were fitted. Nothing is fitted here.

``python -m benchmarks.accuracy.throughput`` prints the table of docs/accuracy.md.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from joulebook.account.request import estimate_request
from joulebook.estimate.deployment import Deployment
from joulebook.estimate.hardware import hardware_facts
from joulebook.factors.read import read_edition
from joulebook.terms.units import convert

HERE = Path(__file__).parent
POLICY = "ghgp-location"
DAYS = {"trtllm-1.0": date(2025, 9, 1), "trtllm-0.6.1": date(2024, 1, 1)}
LARGEST_BATCH = 2048.0
"""Requests together where the source does not say and memory does not limit them: the engine's usual limit."""


@dataclass(frozen=True)
class Checked:
    """One published throughput.

    Attributes:
        source, model, accelerator, precision: as published.
        is_dense: every token uses every parameter.
        input_tokens, output_tokens: of each request.
        power_ratio: power that the estimate implies at that throughput, over the rated power.
        least_ratio, most_ratio: the same at the ends of the estimate's range.
    """

    source: str
    model: str
    accelerator: str
    precision: str
    is_dense: bool
    input_tokens: int
    output_tokens: int
    power_ratio: float
    least_ratio: float
    most_ratio: float


def read_throughput() -> list[Checked]:
    """Every published row beside its estimate."""
    with (HERE / "throughput.csv").open(newline="", encoding="utf-8") as stream:
        return [_checked(row) for row in csv.DictReader(stream)]


def _checked(row: dict[str, str]) -> Checked:
    edition, at, count = read_edition(), DAYS[row["source"]], float(row["accelerator_count"])
    output = int(row["output_tokens"])
    usage = {
        "provider": "own",
        "model": row["model"],
        "request_count": 1,
        "uncached_input_tokens": int(row["input_tokens"]),
        "visible_output_tokens": output,
    }
    batch = float(row["batch_requests"] or LARGEST_BATCH)
    deployment = Deployment(row["accelerator"], count, batch, row["precision"])
    found = estimate_request(edition, POLICY, usage, deployment, at)
    fits = found.served.batch_that_fits
    if not row["batch_requests"] and fits is not None and fits < batch:
        deployment = Deployment(row["accelerator"], count, max(1.0, fits), row["precision"])
        found = estimate_request(edition, POLICY, usage, deployment, at)
    assert found.served.accelerator is not None
    facts = hardware_facts(edition, POLICY, found.served.accelerator, at)
    requests_per_s = float(row["output_tokens_per_s"]) / output
    energy = found.priced.ranges["gpu_energy_kwh"]
    low, mid, high = (
        convert(end, "kWh", "J") * requests_per_s / (facts["accelerator_power_w"] * count) for end in energy
    )
    sizes = (found.facts.ranges[f"parameters_{name}_billion"] for name in ("active", "total"))
    return Checked(
        row["source"],
        row["model"],
        row["accelerator"],
        row["precision"],
        next(sizes) == next(sizes),
        int(row["input_tokens"]),
        output,
        mid,
        low,
        high,
    )


def table(rows: list[Checked]) -> str:
    """Median implied share of rated power, and the share of rows whose range reaches what boards draw."""
    lines = [
        "| requests | kind | rows | estimated over rated power | range holds 0.55 to 0.95 |\n",
        "|---|---|--:|--:|--:|\n",
    ]
    mostly_read = [row for row in rows if row.input_tokens >= 10 * row.output_tokens]
    mostly_written = [row for row in rows if row.output_tokens >= 10 * row.input_tokens]
    for name, part in (("input ten times the output", mostly_read), ("output ten times the input", mostly_written)):
        for kind, wanted in (("dense", True), ("mixture of experts", False)):
            chosen = [row for row in part if row.is_dense == wanted]
            shares = np.array([row.power_ratio for row in chosen])
            held = np.mean([row.least_ratio <= 0.95 and row.most_ratio >= 0.55 for row in chosen])
            lines.append(
                f"| {name} | {kind} | {len(chosen)} | {np.median(shares):.2f} | {held:.0%} |\n".replace("%", " %")
            )
    return "".join(lines)


if __name__ == "__main__":
    print(table(read_throughput()))
