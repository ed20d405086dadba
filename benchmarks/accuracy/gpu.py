"""A real training step and an inference loop on a GPU: joulebook, Zeus and the board's own counter side by side.

    python benchmarks/accuracy/gpu.py --seconds 30

Needs an NVIDIA board; PyTorch for the load (``--load idle`` needs none) and Zeus for its column (left out where it is
not installed). Prints a table for benchmarks/RESULTS.md.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pynvml

import joulebook

Step = Callable[[], None]


def training_step() -> Step:
    """Forward, backward and update of a transformer block stack in bfloat16."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(1024, 16, 4096, batch_first=True, device="cuda", dtype=torch.bfloat16)
    model = torch.nn.TransformerEncoder(layer, 8)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    batch = torch.randn(16, 512, 1024, device="cuda", dtype=torch.bfloat16)

    def step() -> None:
        optimiser.zero_grad()
        model(batch).float().pow(2).mean().backward()
        optimiser.step()
        torch.cuda.synchronize()

    return step


def inference_step() -> Step:
    """One row after another through a large matrix: bound by memory, as decoding is."""
    import torch

    weights = [torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _layer in range(32)]
    row = torch.randn(1, 8192, device="cuda", dtype=torch.bfloat16)

    def step() -> None:
        with torch.inference_mode():
            state = row
            for weight in weights:
                state = torch.nn.functional.silu(state @ weight) * 0.01
        torch.cuda.synchronize()

    return step


def idle_step() -> Step:
    """Nothing, for a machine without PyTorch."""
    return lambda: time.sleep(0.05)


LOADS: dict[str, Callable[[], Step]] = {"training": training_step, "inference": inference_step, "idle": idle_step}


def counters() -> float:
    """Sum of the counters of the visible boards [J]."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    numbers = [int(word) for word in visible.split(",")] if visible else range(pynvml.nvmlDeviceGetCount())
    handles = (pynvml.nvmlDeviceGetHandleByIndex(number) for number in numbers)
    return sum(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in handles) / 1000


def measured(step: Step, seconds: float) -> dict[str, float]:
    """Joules by each of the three over the same time."""
    step()  # warm up
    zeus = None
    if importlib.util.find_spec("zeus"):
        from zeus.monitor import ZeusMonitor

        zeus = ZeusMonitor(approx_instant_energy=False)
    found: dict[str, float] = {}
    folder = tempfile.TemporaryDirectory()
    with folder as name, joulebook.measure("gpu", folder=Path(name), meters=["nvidia"]) as run:
        before = counters()
        if zeus is not None:
            zeus.begin_window("w", sync_execution=False)
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            step()
            count += 1
        if zeus is not None:
            found["Zeus"] = sum(zeus.end_window("w", sync_execution=False).gpu_energy.values())
        found["counter"] = counters() - before
    assert run.result is not None
    energy = next(one.energy_kwh for one in run.result.components if one.component == "gpu")
    assert energy is not None
    return {"joulebook": energy.mid * 3.6e6, **found, "steps": count}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--load", nargs="*", default=["training", "inference"], choices=list(LOADS))
    arguments = parser.parse_args()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        sys.exit(f"no NVIDIA board: {error}")
    name = pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0))
    print(f"### GPU, three ways ({datetime.now(UTC):%Y-%m-%d})\n\n{name}, {arguments.seconds:g} s each\n")
    print("| load | steps | joulebook J | Zeus J | counter J | joulebook / counter |\n|---|---|---|---|---|---|")
    for load in arguments.load:
        one = measured(LOADS[load](), arguments.seconds)
        zeus = f"{one['Zeus']:.1f}" if "Zeus" in one else "–"
        ratio = one["joulebook"] / one["counter"]
        print(f"| {load} | {one['steps']:.0f} | {one['joulebook']:.1f} | {zeus} | {one['counter']:.1f} | {ratio:.4f} |")


if __name__ == "__main__":
    main()
