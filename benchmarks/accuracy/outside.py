"""Measurements that nobody fitted: ML.ENERGY's first edition (2023), one request at a time on A40, A100 and V100."""

import csv
from dataclasses import dataclass
from datetime import date

import numpy as np
from benchmarks.accuracy.rows import DATA, shipped_ranges

from joulebook.estimate.serving import METHOD, ModelShape, estimate_serving, reference_kwh
from joulebook.terms.range import Range
from joulebook.terms.units import convert

SPLIT = "outside: 2023, one request at a time"
GPUS = {
    "A40": {"power_w": 300.0, "bandwidth_bytes_per_s": 6.96e11, "flop_per_s": 1.497e14, "memory_bytes": 4.8e10},
    "A100": "nvidia/a100-sxm-40gb",
    "V100": "nvidia/v100-sxm-32gb",
}
"""What the boards can do; the A40 by its maker's rated figures, the others as shipped."""
FITTED = ("A100",)
INPUT_TOKENS = 100.0
"""Assumed mean prompt; not in the table. At one request at a time it hardly counts."""
DAY = date(2024, 6, 1)
"""The oldest serving that was fitted; 2023 may have been worse."""


@dataclass(frozen=True)
class Outside:
    """The rows as columns: measured and predicted energy per output token [J], the range, and labels."""

    measured: np.ndarray
    predicted: np.ndarray
    low: np.ndarray
    high: np.ndarray
    gpu: np.ndarray
    model: np.ndarray


def read_outside() -> Outside:
    """Every row, each with the shipped estimate of a known deployment; of a model only its parameters are known."""
    factors = shipped_ranges(DAY)
    rows = []
    with (DATA / "mlenergy_v1_legacy.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            output = float(row["response_length"])
            serving = {name: factors[f"serving/text|{name}"] for name in METHOD}
            serving |= {name: Range.exact(value) for name, value in _deployment(row["gpu"], factors).items()}
            if row["gpu"] not in FITTED:
                serving["hardware_spread_ratio"] = factors["serving/unfitted-accelerator|hardware_spread_ratio"]
            serving["reference_input_tokens"] = Range.exact(INPUT_TOKENS)
            serving["reference_output_tokens"] = Range.exact(output)
            size = Range.exact(float(row["params_b"]))
            found = estimate_serving(ModelShape(size, size), serving)
            mids = {name: value.mid for name, value in serving.items()}
            joules = convert(reference_kwh(found.coefficients, mids), "kWh", "J") / output
            ends = (joules * found.spread.low, joules * found.spread.high)
            rows.append((float(row["energy"]) / output, joules, *ends, row["gpu"], row["model"]))
    return Outside(*(np.array(column) for column in zip(*rows, strict=True)))


def _deployment(gpu: str, factors: dict[str, Range]) -> dict[str, float]:
    """One board, one request, 16 bits."""
    board = GPUS[gpu]
    names = ("power_w", "bandwidth_bytes_per_s", "flop_per_s", "memory_bytes")
    if isinstance(board, str):
        board = {name: factors[f"{board}|accelerator_{name}"].mid for name in names}
    return {
        **{f"accelerator_{name}": board[name] for name in names},
        "accelerator_count": 1.0,
        "accelerator_ratio": 1.0,
        "batch_requests": 1.0,
        "compute_speed_ratio": 1.0,
        "expert_parallel_groups": 1.0,
        "kv_bytes_per_element": 2.0,
        "weight_bytes_per_parameter": 2.0,
    }


def outside_score() -> dict[str, object]:
    """One line of results; boards stand for families."""
    rows = read_outside()
    error = np.abs(rows.predicted / rows.measured - 1)
    near = np.abs(np.log(rows.predicted / rows.measured)) <= np.log(2)
    inside = (rows.measured >= rows.low) & (rows.measured <= rows.high)
    boards = np.unique(rows.gpu)
    medians = [float(np.median(error[rows.gpu == board])) for board in boards]
    found: dict[str, object] = {
        "split": SPLIT,
        "model": "joulebook, architecture unknown",
        "n": len(error),
        "median_ape": float(np.median(error)),
        "within_2x": float(near.mean()),
        "macro_median_ape": float(np.mean(medians)),
        "worst_family_median_ape": max(medians),
        "coverage_80": float(inside.mean()),
        "worst_family_coverage_80": min(float(inside[rows.gpu == board].mean()) for board in boards),
        "half_width": float(np.median(np.sqrt(rows.high / rows.low))),
    }
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}
