"""The frozen rows: measured energy with the facts of model, deployment and task.

Reads ``split_text_rows.csv`` (which rows, which family) and the two ML.ENERGY tables it was cut from.
"""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import yaml

from joulebook.estimate.serving import METHOD, coefficients_kwh
from joulebook.estimate.tokens import token_energy_kwh
from joulebook.terms.range import Range
from joulebook.terms.units import convert

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATA = ROOT.parent / "shared" / "data" / "inference"
SERVING = ROOT / "src" / "joulebook" / "factors" / "data" / "serving"

GPUS = {
    "A100-40GB": "nvidia/a100-sxm-40gb",
    "H100": "nvidia/h100-sxm-80gb",
    "B200": "nvidia/b200-sxm-180gb",
}
WEIGHT_BYTES = {"bfloat16": 2.0, "fp8": 1.0, "mxfp4": 0.53}
COMPUTE_SPEED = {"bfloat16": 1.0, "fp8": 2.0, "mxfp4": 1.0}
INPUT_TOKENS = {
    "gpqa": 250.0,
    "lm-arena-chat": 300.0,
    "sourcegraph-fim": 1200.0,
    "sharegpt-chat": 250.0,
    "humaneval-code": 170.0,
}
"""Assumed mean prompt of each task; the tables give output tokens only. Set once, never fitted."""

TERMS = (
    "weight_stream_ratio",
    "context_stream_ratio",
    "compute_ratio",
    "expert_compute_ratio",
    "narrow_expert_compute_ratio",
    "layer_s",
    "expert_layer_s",
    "link_layer_s",
    "link_ratio",
    "sequence_s",
)
"""Fitted numbers; the energy is linear in each."""


@dataclass(frozen=True)
class Rows:
    """The rows as columns.

    Attributes:
        measured: accelerator energy per output token [J].
        design: energy per output token of each term at a coefficient of 1 [J], rows x TERMS.
        plain: the same with the architecture unknown (laws of size).
        family, model, gpu, task: labels.
        old: 1 for rows of 2024 (v2), 0 for rows of 2025 (v3).
        batch: requests decoded together.
        active: active parameters [1e9]; total: all parameters [1e9].
    """

    measured: np.ndarray
    design: np.ndarray
    plain: np.ndarray
    family: np.ndarray
    model: np.ndarray
    gpu: np.ndarray
    task: np.ndarray
    old: np.ndarray
    batch: np.ndarray
    active: np.ndarray
    total: np.ndarray
    itl: np.ndarray
    count: np.ndarray
    values: list[dict[str, float]]
    architecture: list[dict[str, float]]
    output: np.ndarray

    def __len__(self) -> int:
        return len(self.measured)


def shipped_ranges(at: date = date(2025, 6, 1)) -> dict[str, Range]:
    """Shipped serving factors that hold on a day, as ``subject|quantity``."""
    ranges = {}
    for path in sorted(SERVING.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for subject in document["factors"]:
            for given in subject["values"]:
                row = document.get("defaults", {}) | given
                if row["valid_from"] <= at < row.get("valid_to", date.max):
                    key = f"{subject['subject']}|{row['quantity']}"
                    ranges[key] = Range.checked(row["low"], row["value"], row["high"])
    return ranges


def shipped(at: date = date(2025, 6, 1)) -> dict[str, float]:
    """Mid values of `shipped_ranges`."""
    return {name: value.mid for name, value in shipped_ranges(at).items()}


def read_models() -> dict[str, dict[str, float]]:
    """Published facts of each model in the rows."""
    with (HERE / "models.csv").open(newline="", encoding="utf-8") as stream:
        return {
            row.pop("model_id"): {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(stream)
        }


def _tables() -> dict[tuple[str, ...], dict[str, str]]:
    found = {}
    for name in ("mlenergy_v2_llm.csv", "mlenergy_v3_llm.csv"):
        with (DATA / name).open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                found[_key(row, row["gpu_j_per_output_token"])] = row
    return found


def _key(row: dict[str, str], energy: str) -> tuple[str, ...]:
    names = ("source", "task", "model_id", "gpu", "num_gpus", "max_num_seqs")
    return (*(row[name] for name in names), f"{float(energy):.9g}")


def energy_j(values: dict[str, float], architecture: dict[str, float], output: float) -> float:
    """Energy per output token of one request of the package's own formula [J]."""
    kwh = token_energy_kwh(
        request_count=1.0,
        per_request_ratio=1.0,
        uncached_input_tokens=values["reference_input_tokens"],
        cache_read_tokens=0.0,
        cache_write_tokens=0.0,
        visible_output_tokens=output,
        reasoning_output_tokens=0.0,
        **coefficients_kwh(values, architecture),
    )
    return convert(kwh, "kWh", "J") / output


def design_row(values: dict[str, float], architecture: dict[str, float], output: float) -> list[float]:
    """Energy per output token of each term alone, its coefficient 1 [J]."""
    none = dict.fromkeys(TERMS, 0.0)
    return [energy_j({**values, **none, term: 1.0}, architecture, output) for term in TERMS]


def read_rows() -> Rows:
    """The 879 rows, in the order of the frozen file."""
    tables, models, factors = _tables(), read_models(), shipped()
    method = {name: factors[f"serving/text|{name}"] for name in METHOD} | {"vintage_ratio": 1.0}
    with (DATA / "split_text_rows.csv").open(newline="", encoding="utf-8") as stream:
        frozen = list(csv.DictReader(stream))
    columns: dict[str, list] = {name: [] for name in Rows.__dataclass_fields__}
    for cut in frozen:
        row = tables[_key(cut, cut["y"])]
        facts = dict(models[row["model_id"]])
        size = {name: facts.pop(name) for name in ("parameters_active_billion", "parameters_total_billion")}
        output = float(row["avg_output_tokens"])
        hardware = {
            name: factors[f"{GPUS[row['gpu']]}|{name}"]
            for name in (
                "accelerator_power_w",
                "accelerator_bandwidth_bytes_per_s",
                "accelerator_flop_per_s",
                "accelerator_memory_bytes",
            )
        }
        values = {
            **method,
            **size,
            **hardware,
            "accelerator_ratio": 1.0,
            "expert_parallel_groups": 1.0,
            "text_estimate_ratio": 1.0,
            "accelerator_count": float(row["num_gpus"]),
            "batch_requests": float(row["avg_batch_size"]),
            "weight_bytes_per_parameter": WEIGHT_BYTES[row["weight_precision"]],
            "compute_speed_ratio": COMPUTE_SPEED[row["weight_precision"]],
            "kv_bytes_per_element": 2.0,
            "reference_input_tokens": INPUT_TOKENS[row["task"]],
            "reference_output_tokens": output,
        }
        columns["measured"].append(float(row["gpu_j_per_output_token"]))
        columns["design"].append(design_row(values, facts, output))
        columns["plain"].append(design_row(values, {}, output))
        columns["family"].append(cut["family"])
        columns["model"].append(row["model_id"])
        columns["gpu"].append(row["gpu"])
        columns["task"].append(row["task"])
        columns["old"].append(float(row["source"] == "mlenergy_v2"))
        columns["batch"].append(float(row["avg_batch_size"]))
        columns["active"].append(size["parameters_active_billion"])
        columns["total"].append(size["parameters_total_billion"])
        columns["itl"].append(float(row["median_itl_ms"]) / 1e3)
        columns["count"].append(float(row["num_gpus"]))
        columns["values"].append(values)
        columns["architecture"].append(facts)
        columns["output"].append(output)
    lists = {"values", "architecture"}
    return Rows(**{name: value if name in lists else np.array(value) for name, value in columns.items()})
