"""Other modalities: images and video from the ML.ENERGY diffusion runs, small tasks from Luccioni's runs.

``python -m benchmarks.accuracy.other`` writes ``results_other.json`` and the factor files ``diffusion.yaml`` and
``task.yaml`` of ``factors/data/serving``.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.accuracy.rows import DATA, SERVING, shipped, shipped_ranges

from joulebook.terms.units import convert

RESULTS = Path(__file__).parent / "results_other.json"
GPUS = {
    "A100-40GB": "nvidia/a100-sxm-40gb",
    "H100": "nvidia/h100-sxm-80gb",
    "B200": "nvidia/b200-sxm-180gb",
}
FAMILIES = {
    "kandinsky": "kandinsky", "openjourney": "sd", "ssd-1b": "sd", "sdxl": "sd", "stable-diffusion-x": "sd",
    "stable-diffusion-2": "sd", "stable-diffusion-3": "sd3", "sana": "sana", "pixart": "pixart", "hunyuan": "hunyuan",
    "flux": "flux", "wan2": "wan", "cogvideo": "cogvideo", "stable-video": "svd", "i2vgen": "i2vgen",
    "animatediff": "animatediff", "text-to-video-ms": "modelscope",
}  # fmt: skip
UNET = {"kandinsky", "sd", "svd", "i2vgen", "animatediff", "modelscope"}
PIXELS_PER_TOKEN = 256
FRAMES_PER_TOKEN = 4
TASKS = {
    "text_classif": "text-classification", "qa": "extractive-qa", "fillmask": "masked-language-modelling",
    "token_classif": "token-classification", "image_class": "image-classification",
    "obj_detection": "object-detection", "itt": "image-captioning", "summarize": "summarization",
}  # fmt: skip
IDLE_W = (50.0, 58.0, 62.0)
"""Idle power of one A100 in those runs: the first percentile of eight boards together is 60 W each, the used one
included."""
BOARDS = 8
INFERENCES = 1000
BATCHED = 4.0
"""How much less a well-batched service may take than these runs of one request at a time; assumed."""


@dataclass(frozen=True)
class Diffusion:
    """Single-accelerator rows as columns; `scale` is rated power over peak rate times steps [J per operation]."""

    model: np.ndarray
    family: np.ndarray
    is_video: np.ndarray
    gpu: np.ndarray
    batch: np.ndarray
    features: np.ndarray
    scale: np.ndarray
    measured: np.ndarray
    pixels: np.ndarray
    frames: np.ndarray
    steps: np.ndarray


def read_diffusion() -> Diffusion:
    """Rows of both editions on one accelerator."""
    factors, columns = shipped(), defaultdict(list)
    for edition in ("v2", "v3"):
        with (DATA / f"mlenergy_{edition}_diffusion.csv").open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                if int(row["num_gpus"]) != 1:
                    continue
                width, height = row["resolution"].split("x") if edition == "v2" else (row["width"], row["height"])
                pixels, frames = float(width) * float(height), max(1.0, float(row["frames"]))
                family = next(name for part, name in FAMILIES.items() if part in row["model_id"].lower())
                depth = frames if family in UNET else 1 + (frames - 1) / FRAMES_PER_TOKEN
                power, rate = (
                    factors[f"{GPUS[row['gpu']]}|{name}"] for name in ("accelerator_power_w", "accelerator_flop_per_s")
                )
                columns["model"].append(row["model_id"])
                columns["family"].append(family)
                columns["is_video"].append(frames > 1)
                columns["gpu"].append(row["gpu"])
                columns["batch"].append(float(row["batch_size"]))
                tokens = pixels / PIXELS_PER_TOKEN * depth
                features = [1.0, np.log(float(row["total_params_b"])), np.log(tokens), float(family in UNET)]
                columns["features"].append(features)
                columns["scale"].append(power / rate * float(row["steps"]))
                columns["measured"].append(float(row["gpu_j_per_generation"]))
                columns["pixels"].append(pixels)
                columns["frames"].append(frames)
                columns["steps"].append(float(row["steps"]))
    return Diffusion(**{name: np.array(values) for name, values in columns.items()})


def law(rows: Diffusion, mask: np.ndarray) -> np.ndarray:
    """Least squares of log operations per step: constant, parameters, tokens, U-Net; families count evenly."""
    names, place, counts = np.unique(rows.family[mask], return_inverse=True, return_counts=True)
    root = np.sqrt(1 / counts[place]) if len(names) else np.ones(0)
    target = np.log(rows.measured[mask] / rows.scale[mask])
    return np.linalg.lstsq(rows.features[mask] * root[:, None], target * root, rcond=None)[0]


def held_out(rows: Diffusion) -> np.ndarray:
    """Energy per generation by a law that has not seen the family [J]."""
    predicted = np.empty(len(rows.measured))
    for family in np.unique(rows.family):
        test = rows.family == family
        predicted[test] = np.exp(rows.features[test] @ law(rows, ~test)) * rows.scale[test]
    return predicted


def read_tasks() -> dict[str, dict[str, tuple[float, float, float]]]:
    """Task -> model -> low, mid, high energy of one inference, seven idle boards taken out [kWh]."""
    runs = defaultdict(lambda: defaultdict(list))
    with (DATA / "luccioni_co2_inference.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            task = next((name for part, name in TASKS.items() if row["experiment"].startswith(part)), None)
            if task:
                seconds, joules = float(row["duration"]), convert(float(row["gpu_energy"]), "kWh", "J")
                found = [joules - (BOARDS - 1) * idle * seconds for idle in reversed(IDLE_W)]
                runs[task][row["model_id"]].append([convert(one, "J", "kWh") / INFERENCES for one in found])
    return {
        task: {model: tuple(np.median(np.array(values), axis=0)) for model, values in models.items()}
        for task, models in runs.items()
    }


TEXT_TOKENS = {"imdb": 300.0, "sst2": 25.0, "tomatoes": 27.0}
"""Assumed mean tokens of a text of each set; the runs do not give them."""


def encoder_checks() -> list[dict[str, object]]:
    """Classification of one text at a time against the estimate of the same tokens by an encoder of that size."""
    ranges = shipped_ranges()
    spread = ranges["serving/encoder|encoder_estimate_ratio"]
    board = {name: ranges[f"nvidia/a100-sxm-80gb|accelerator_{name}"].mid for name in ("power_w", "flop_per_s")}
    factors = {name: ranges[f"serving/text|{name}"].mid for name in ("compute_ratio", "flop_per_parameter")}
    per_flop = board["power_w"] / board["flop_per_s"] * factors["compute_ratio"] * factors["flop_per_parameter"]
    ratios = defaultdict(lambda: defaultdict(list))
    with (DATA / "luccioni_co2_inference.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            name = row["experiment"].removeprefix("text_classif_")
            if name != row["experiment"] and row["num_parameters"]:
                joules = convert(float(row["gpu_energy"]), "kWh", "J")
                joules -= (BOARDS - 1) * IDLE_W[1] * float(row["duration"])
                arithmetic = per_flop * float(row["num_parameters"]) * TEXT_TOKENS[name]
                ratios[name][row["model_id"]].append(joules / INFERENCES / arithmetic)
    lines = []
    for name, models in sorted(ratios.items()):
        each = np.array([np.median(values) for values in models.values()])
        lines.append(
            {
                "split": f"encoder, one text at a time, {name}",
                "n": len(each),
                "measured_over_arithmetic": round(float(np.median(each)), 1),
                "lowest": round(float(each.min()), 1),
                "highest": round(float(each.max()), 1),
                "coverage_80": round(float(((each >= spread.low) & (each <= spread.high)).mean()), 4),
            }
        )
    return lines


def _number(value: float) -> str:
    shown = f"{value:.3g}"
    return shown if "e" not in shown or "." in shown else shown.replace("e", ".0e")


def _row(quantity: str, unit: str, values: tuple[float, float, float], cell: str, basis: str) -> str:
    is_exact = values[0] == values[2]
    low, mid, high = (f"{value:.10g}" if is_exact and value >= 1 else _number(value) for value in values)
    body = f'quantity: {quantity}, unit: "{unit}", value: {mid}, low: {low}, high: {high}, cell: "{cell}"'
    return f'      - {{{body}, range_basis: "{basis}"}}\n'


def diffusion_file(rows: Diffusion) -> str:
    """The factor file of images and video: the law, and each measured model."""
    constant, parameters, tokens, unet = law(rows, np.ones(len(rows.measured), bool))
    error = np.log(rows.measured / held_out(rows))
    text = [
        "# Images and video by diffusion. Written by `python -m benchmarks.accuracy.other`.\n",
        "kind: serving\ndefaults:\n  source: joulebook-accuracy\n  valid_from: 2023-01-01\n",
        "  known_from: 2026-11-22\n  tier: derived\nfactors:\n  - subject: serving/diffusion\n",
        "    name: {en: Images and video by diffusion, ko: 확산 모형의 이미지와 영상}\n    values:\n",
    ]
    cell = f"least squares on {len(rows.measured)} single-accelerator rows"
    exact = "no spread of its own: the spread of the law is diffusion_estimate_ratio"
    for name, value in (
        ("diffusion_law_scale", float(np.exp(constant))),
        ("diffusion_parameter_exponent", float(parameters)),
        ("diffusion_token_exponent", float(tokens)),
        ("unet_ratio", float(np.exp(unet))),
    ):
        text.append(_row(name, "1", (value,) * 3, cell, exact))
    low, high = np.exp(np.quantile(error, (0.1, 0.9)))
    text.append(_row("diffusion_estimate_ratio", "1", (low, 1.0, high), "families held out", "80 % of their rows"))
    named = "definition of the law"
    text.append(_row("pixels_per_token", "1", (PIXELS_PER_TOKEN,) * 3, named, named))
    text.append(_row("frames_per_token", "1", (FRAMES_PER_TOKEN,) * 3, named, named))
    spread = "10th to 90th percentile of the measured models"
    sizes = np.exp(rows.features[:, 1])
    for name, values in (("image_steps", rows.steps), ("diffusion_parameters_billion", sizes)):
        quantiles = tuple(float(one) for one in np.quantile(values, (0.1, 0.5, 0.9)))
        unit = "1e9" if name.endswith("billion") else "1"
        text.append(_row(name, unit, quantiles, "the measured models", spread))
    text.extend(_models(rows))
    return "".join(text)


def _models(rows: Diffusion) -> list[str]:
    text = []
    newer = np.isin(rows.gpu, ("H100", "B200"))
    for model in np.unique(rows.model):
        part = (rows.model == model) & newer
        if not part.any():
            continue
        joules = convert(1, "J", "kWh") * rows.measured[part]
        values = (float(joules.min()) * 0.8, float(np.median(joules)), float(joules.max()) * 1.25)
        place = int(np.flatnonzero(part)[0])
        cell = f"{model}: H100 and B200, one accelerator, batch {rows.batch[part].min():.0f} to "
        cell += f"{rows.batch[part].max():.0f}"
        basis = "all measured batches and accelerators, a fifth wider for other deployments"
        text.append(f'  - subject: "{model.lower()}"\n    values:\n')
        text.append(_row("generation_kwh", "kWh", values, cell, basis).replace("{", "{source: mlenergy-benchmark, ", 1))
        for name, value in (
            ("generation_pixels", rows.pixels[place]),
            ("generation_frames", rows.frames[place]),
            ("generation_steps", rows.steps[place]),
        ):
            row = _row(name, "1", (float(value),) * 3, cell, "setting of the measurement")
            text.append(row.replace("{", "{source: mlenergy-benchmark, ", 1))
    return text


def task_file(tasks: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> str:
    """The factor file of small tasks: energy of one inference, over the models that were run."""
    text = [
        "# Small tasks, one inference each, on one A100. Written by `python -m benchmarks.accuracy.other`.\n",
        "kind: serving\ndefaults:\n  source: luccioni-runs\n  valid_from: 2023-01-01\n",
        "  known_from: 2026-11-22\n  tier: derived\nfactors:\n",
    ]
    for task, models in sorted(tasks.items()):
        low, _mid, _top = np.quantile([values[0] for values in models.values()], (0.1, 0.5, 0.9))
        mid = np.median([values[1] for values in models.values()])
        high = np.quantile([values[2] for values in models.values()], 0.9)
        text.append(f"  - subject: task/{task}\n    values:\n")
        cell = f"{len(models)} models, median run; gpu_energy less seven idle boards of 50 to 62 W"
        basis = "models (10th to 90th percentile) and idle power; a batched service may take a quarter"
        text.append(_row("inference_kwh", "kWh", (float(low) / BATCHED, float(mid), float(high)), cell, basis))
    return "".join(text)


def main() -> None:
    """Recompute and write."""
    rows, tasks = read_diffusion(), read_tasks()
    predicted = held_out(rows)
    results = []
    for name, part in (("image", ~rows.is_video), ("video", rows.is_video)):
        ratio = predicted[part] / rows.measured[part]
        families = rows.family[part]
        medians = [float(np.median(np.abs(ratio[families == one] - 1))) for one in np.unique(families)]
        line = {
            "split": f"{name}, family held out",
            "n": int(part.sum()),
            "median_ape": float(np.median(np.abs(ratio - 1))),
            "within_2x": float((np.abs(np.log(ratio)) <= np.log(2)).mean()),
            "macro_median_ape": float(np.mean(medians)),
            "worst_family_median_ape": max(medians),
        }
        results.append({key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()})
        print(results[-1])
    results += encoder_checks()
    print(*results[2:], sep="\n")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (SERVING / "diffusion.yaml").write_text(diffusion_file(rows), encoding="utf-8")
    (SERVING / "task.yaml").write_text(task_file(tasks), encoding="utf-8")


if __name__ == "__main__":
    main()
