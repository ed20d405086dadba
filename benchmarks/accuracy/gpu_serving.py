"""Prefill, decode and cache hits of open architectures with random weights on one GPU, beside the estimate.

    python -m benchmarks.accuracy.gpu_serving --out measured.csv
    python -m benchmarks.accuracy.gpu_serving --device cpu --tiny        # no meter: checks the arithmetic only

Needs PyTorch and an NVIDIA board whose energy counter NVML reads. Weights are random: energy does not depend on their
values beyond a few percent. Layers run one kernel after another without the fusion of a serving engine, decoding in a
CUDA graph; so these figures are an upper bound of what an engine takes and a check of how energy grows with context,
batch, input and width of weights. Rows are an extra held-out set and are never fitted.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pynvml
import torch
from torch.nn.functional import scaled_dot_product_attention, silu

Step = Callable[[], object]


@dataclass(frozen=True)
class Shape:
    """Public facts of an architecture; the name is that of the model in the registry."""

    model: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    vocabulary: int
    experts: int = 0
    chosen: int = 0


SHAPES = (
    Shape("llama-3.1-8b", 32, 4096, 32, 8, 128, 14336, 128256),
    Shape("qwen3-4b", 36, 2560, 32, 8, 128, 9728, 151936),
    Shape("qwen3-30b-a3b", 48, 2048, 32, 4, 128, 768, 151936, experts=128, chosen=8),
)
TINY = (
    Shape("tiny", 2, 64, 4, 2, 16, 96, 128),
    Shape("tiny-experts", 2, 64, 4, 2, 16, 32, 128, experts=4, chosen=2),
)
PREFILLS = (256, 1024, 4096, 16384)
DECODES = tuple((batch, context) for batch in (1, 8, 64, 256) for context in (256, 2048, 16384))
HITS = (1024, 8192)
FRESH = 64
"""Tokens computed after a cache hit."""


class Linear:
    """Weights in 16 bits, or in 8-bit floats that are calculated with where the board can."""

    def __init__(self, rows: int, columns: int, device: str, precision: str) -> None:
        weight = torch.randn(rows, columns, device=device, dtype=torch.bfloat16) / columns**0.5
        self.is_narrow = precision == "fp8"
        self.weight = weight.to(torch.float8_e4m3fn) if self.is_narrow else weight
        self.one = torch.ones((), device=device)

    def __call__(self, state: torch.Tensor) -> torch.Tensor:
        """The product, in 16 bits."""
        if not self.is_narrow:
            return state @ self.weight.T
        flat = state.reshape(-1, state.shape[-1]).to(torch.float8_e4m3fn)
        scales = {"scale_a": self.one, "scale_b": self.one, "out_dtype": torch.bfloat16}
        product = torch._scaled_mm(flat, self.weight.T, **scales)  # noqa: SLF001  (the only public way to 8-bit products)
        return product.reshape(*state.shape[:-1], -1)


class Layer:
    """Attention with grouped keys and values, then one feed-forward block or several experts."""

    def __init__(self, shape: Shape, device: str, precision: str) -> None:
        self.shape = shape
        width = (shape.heads + 2 * shape.kv_heads) * shape.head
        self.attention = Linear(width, shape.hidden, device, precision)
        self.output = Linear(shape.hidden, shape.heads * shape.head, device, precision)
        blocks = range(max(1, shape.experts))
        self.up = [Linear(2 * shape.inner, shape.hidden, device, precision) for _block in blocks]
        self.down = [Linear(shape.hidden, shape.inner, device, precision) for _block in blocks]
        self.router = Linear(shape.experts, shape.hidden, device, "bf16") if shape.experts else None

    def __call__(self, state: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, start: int) -> torch.Tensor:
        """The next state; keys and values of the new tokens are written from `start` on."""
        shape, (batch, new, _hidden) = self.shape, state.shape
        sizes = [shape.heads * shape.head, shape.kv_heads * shape.head, shape.kv_heads * shape.head]
        query, key, value = self.attention(_normed(state)).split(sizes, dim=-1)
        end = start + new
        keys[:, :, start:end] = key.view(batch, new, shape.kv_heads, shape.head).transpose(1, 2)
        values[:, :, start:end] = value.view(batch, new, shape.kv_heads, shape.head).transpose(1, 2)
        mask = None
        if new > 1:
            places = torch.arange(end, device=state.device)
            mask = places[None, :] <= places[start:end, None]
        query = query.view(batch, new, shape.heads, shape.head).transpose(1, 2)
        is_whole = new > 1 and start == 0
        seen = scaled_dot_product_attention(
            query,
            keys[:, :, :end],
            values[:, :, :end],
            attn_mask=None if is_whole else mask,
            is_causal=is_whole,
            enable_gqa=True,
        )
        state = state + self.output(seen.transpose(1, 2).reshape(batch, new, -1))
        return state + self._forward(_normed(state))

    def _forward(self, state: torch.Tensor) -> torch.Tensor:
        if self.router is None:
            return self._block(0, state)
        flat = state.reshape(-1, state.shape[-1])
        weights, chosen = self.router(flat).float().softmax(-1).topk(self.shape.chosen)
        result = torch.zeros_like(flat)
        for expert in range(self.shape.experts):
            rows, place = torch.where(chosen == expert)
            if len(rows):
                result[rows] += self._block(expert, flat[rows]) * weights[rows, place, None].to(flat.dtype)
        return result.view_as(state)

    def _block(self, number: int, state: torch.Tensor) -> torch.Tensor:
        gate, up = self.up[number](state).chunk(2, dim=-1)
        return self.down[number](silu(gate) * up)


class Model:
    """Layers and a head that gives the next token; keys and values are kept in one block per layer."""

    def __init__(self, shape: Shape, device: str, precision: str) -> None:
        self.shape, self.device = shape, device
        self.layers = [Layer(shape, device, precision) for _layer in range(shape.layers)]
        self.head = Linear(shape.vocabulary, shape.hidden, device, "bf16")

    def cache(self, batch: int, length: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Room for keys and values."""
        size = (batch, self.shape.kv_heads, length, self.shape.head)
        return [
            tuple(torch.zeros(size, device=self.device, dtype=torch.bfloat16) for _kind in range(2))  # type: ignore[misc]
            for _layer in self.layers
        ]

    def __call__(self, state: torch.Tensor, cache: list[tuple[torch.Tensor, torch.Tensor]], start: int) -> torch.Tensor:
        """Scores of the token after the last one."""
        for layer, (keys, values) in zip(self.layers, cache, strict=True):
            state = layer(state, keys, values, start)
        return self.head(_normed(state[:, -1:]))


def _normed(state: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.rms_norm(state, (state.shape[-1],))


@dataclass(frozen=True)
class Row:
    """One measurement: `tokens` computed per step in `seconds`, with `joules` of the board (None without a meter)."""

    board: str
    model: str
    precision: str
    phase: str
    batch: int
    context: int
    tokens: int
    steps: int
    seconds: float
    joules: float | None


def measured(step: Step, seconds: float, device: str) -> tuple[int, float, float | None]:
    """Steps, seconds and joules of the board while `step` is repeated."""
    for _warm_up in range(2):
        step()
    before, start, steps = _joules(device), time.monotonic(), 0
    while steps == 0 or time.monotonic() - start < seconds:
        step()
        _wait(device)
        steps += 1
    after, took = _joules(device), time.monotonic() - start
    return steps, took, None if before is None or after is None else after - before


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def _joules(device: str) -> float | None:
    """Energy counter of the board [J]."""
    if device == "cpu":
        return None
    _wait(device)
    handle = pynvml.nvmlDeviceGetHandleByIndex(torch.cuda.current_device())
    return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000


def graphed(step: Step, device: str, *, is_fixed: bool) -> Step:
    """The step as one CUDA graph, where its shapes do not depend on the data."""
    if device == "cpu" or not is_fixed:
        return step
    for _warm_up in range(3):
        step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def steps_of(model: Model, *, is_tiny: bool) -> Iterator[tuple[str, int, int, int, Step]]:
    """Phase, batch, context, tokens per step, and the step."""
    scale = 64 if is_tiny else 1
    device, hidden = model.device, model.shape.hidden

    def state(batch: int, new: int) -> torch.Tensor:
        return torch.randn(batch, new, hidden, device=device, dtype=torch.bfloat16)

    for length in PREFILLS:
        new = length // scale
        cache, given = model.cache(1, new), state(1, new)
        yield "prefill", 1, new, new, lambda given=given, cache=cache: model(given, cache, 0)
    for batch, length in DECODES:
        context, size = length // scale, max(1, batch // (scale if is_tiny else 1))
        kept = 4 * model.shape.layers * model.shape.kv_heads * model.shape.head * size * context
        if device != "cpu" and kept > 0.8 * torch.cuda.mem_get_info()[0]:
            continue
        cache, given = model.cache(size, context), state(size, 1)
        place = context - 1
        step = graphed(
            lambda given=given, cache=cache, place=place: model(given, cache, place),
            device,
            is_fixed=not model.shape.experts,
        )
        yield "decode", size, context, size, step
    for length in HITS:
        context, new = length // scale, max(2, FRESH // scale)
        cache, given = model.cache(1, context + new), state(1, new)
        yield "hit", 1, context, new, lambda given=given, cache=cache, at=context: model(given, cache, at)


@torch.inference_mode()
def run(shapes: tuple[Shape, ...], precisions: list[str], device: str, seconds: float) -> list[Row]:
    """Every phase of every architecture."""
    rows, is_tiny = [], shapes is TINY
    board = "cpu" if device == "cpu" else torch.cuda.get_device_name()
    for shape in shapes:
        for precision in precisions:
            model = Model(shape, device, precision)
            for phase, batch, context, tokens, step in steps_of(model, is_tiny=is_tiny):
                steps, took, joules = measured(step, seconds, device)
                rows.append(Row(board, shape.model, precision, phase, batch, context, tokens, steps, took, joules))
                print(line_of(rows[-1]), flush=True)
            del model
            if device != "cpu":
                torch.cuda.empty_cache()
    return rows


def line_of(row: Row) -> str:
    """One line of the table, with what joulebook estimates where the board is known to it."""
    tokens = row.tokens * row.steps
    measured_j = "-" if row.joules is None else f"{row.joules / tokens:.4g}"
    cells = (row.model, row.precision, row.phase, row.batch, row.context, f"{tokens / row.seconds:.4g}", measured_j)
    estimate = estimated_j(row)
    return f"| {' | '.join(str(cell) for cell in cells)} | {'-' if estimate is None else f'{estimate:.4g}'} |"


def estimated_j(row: Row) -> float | None:
    """Estimated energy per computed token [J]; None on a processor."""
    if row.board == "cpu":
        return None
    from datetime import date

    from joulebook.account.request import estimate_request
    from joulebook.estimate.deployment import Deployment
    from joulebook.factors.read import read_edition
    from joulebook.terms.units import convert

    def joules(fresh: int, cached: int, output: int) -> float:
        usage = {
            "provider": "own",
            "model": row.model,
            "uncached_input_tokens": fresh,
            "cache_read_tokens": cached,
            "visible_output_tokens": output,
        }
        deployment = Deployment(row.board, 1.0, float(row.batch), row.precision)
        found = estimate_request(read_edition(), "ghgp-location", usage, deployment, date.today())  # noqa: DTZ011
        return convert(found.priced.ranges["gpu_energy_kwh"].mid, "kWh", "J")

    if row.phase == "decode":
        return joules(row.context, 0, 1) - joules(row.context, 0, 0)
    cached = row.context if row.phase == "hit" else 0
    return joules(row.tokens, cached, 0) / row.tokens


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes, to check the script")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--precision", nargs="*", default=["bf16", "fp8"], choices=["bf16", "fp8"])
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args()
    if wanted.device != "cpu":
        if not torch.cuda.is_available():
            sys.exit("no NVIDIA board that PyTorch can use")
        pynvml.nvmlInit()
    precisions = ["bf16"] if wanted.device == "cpu" else wanted.precision
    print("| model | precision | phase | batch | context | tokens/s | measured J/token | estimated |")
    print("|---|---|---|--:|--:|--:|--:|--:|")
    rows = run(TINY if wanted.tiny else SHAPES, precisions, wanted.device, wanted.seconds)
    if wanted.out:
        with wanted.out.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(Row.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
