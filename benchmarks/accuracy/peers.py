"""EcoLogits' published formula, run through its own package: accelerator energy per output token."""

import numpy as np
from benchmarks.accuracy.rows import Rows
from ecologits.impacts.llm import (
    BATCH_SIZE,
    GPU_ENERGY_ALPHA,
    GPU_ENERGY_BETA,
    GPU_ENERGY_GAMMA,
    GPU_MEMORY,
    MODEL_QUANTIZATION_BITS,
    gpu_energy,
    gpu_required_count,
    model_required_memory,
)

from joulebook.terms.units import convert


def ecologits(rows: Rows, batch: np.ndarray | None = None) -> np.ndarray:
    """Energy per output token [J], as shipped (batch 64) or with the true batch."""
    batches = np.full(len(rows), BATCH_SIZE) if batch is None else batch
    joules = []
    for active, total, size in zip(rows.active, rows.total, batches, strict=True):
        one = gpu_energy(active, 1.0, float(size), GPU_ENERGY_ALPHA, GPU_ENERGY_BETA, GPU_ENERGY_GAMMA)
        count = gpu_required_count(model_required_memory(float(total), MODEL_QUANTIZATION_BITS), GPU_MEMORY)
        joules.append(convert(float(one) * count, "kWh", "J"))
    return np.array(joules)
