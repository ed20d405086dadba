"""A day of made-up usage for the demo: seeded, so that everybody gets the same; nobody caused it.

Teams, shapes of requests and the run of the day are invented; names of models and regions are real, so that real
factors are used. Every record is marked synthetic and is shown so.
"""

import csv
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from joulebook.ingest.reader import ReadOptions

REQUESTS = 20_000
SEED = 20261101
DAY = datetime(2026, 11, 2, tzinfo=UTC)

COLUMNS = (
    "request_id",
    "started_at",
    "provider",
    "model",
    "region",
    "team",
    "project",
    "tool",
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "visible_output_tokens",
    "reasoning_output_tokens",
)


class _Use(NamedTuple):
    """One kind of use: who, with what, where, how often and how large (medians in tokens)."""

    team: str
    project: str
    tool: str
    provider: str
    model: str
    region: str
    weight: float
    input_median: float
    output_median: float
    cached_ratio: float
    reasoning_ratio: float


_USES = (
    _Use("search", "answers", "gateway", "azure", "gpt-4o-mini", "swedencentral", 26, 1_800, 160, 0.5, 0),
    _Use("search", "rerank", "gateway", "gcp", "gemini-2.5-flash-lite", "europe-west4", 18, 900, 20, 0, 0),
    _Use("support", "chat", "gateway", "aws", "claude-haiku-4-5", "us-east-1", 16, 2_600, 240, 0.7, 0),
    _Use("support", "voice notes", "gateway", "gcp", "gemini-2.5-flash", "asia-northeast3", 9, 1_200, 180, 0, 0.3),
    _Use("platform", "coding agent", "agent", "aws", "claude-sonnet-4-5", "us-west-2", 12, 42_000, 520, 0.93, 0.2),
    _Use("platform", "review", "ci", "azure", "gpt-5", "koreacentral", 5, 9_000, 700, 0.6, 0.7),
    _Use("research", "synthesis", "notebook", "azure", "o3", "eastus2", 3, 3_000, 900, 0, 0.8),
    _Use("research", "open models", "notebook", "aws", "llama-3.3-70b-instruct", "ap-northeast-2", 6, 1_500, 400, 0, 0),
    _Use("research", "evaluation", "notebook", "gcp", "gemini-2.5-pro", "us-central1", 3, 5_000, 1_100, 0.2, 0.6),
    _Use("marketing", "texts", "web", "openai", "gpt-4o", "", 2, 700, 450, 0, 0),
)
"""The last one names no region: the report shows how an unknown place is handled."""


def sample_requests(requests: int = REQUESTS, seed: int = SEED) -> Iterator[dict[str, object]]:
    """Requests of one day, in the order of their time.

    Args:
        requests: how many.
        seed: of the generator; equal seeds give equal requests.
    """
    chance = random.Random(seed)  # noqa: S311  (a reproducible sample, not a secret)
    weights = [use.weight for use in _USES]
    instants = sorted(_second_of_day(chance) for _ in range(requests))
    for number, second in enumerate(instants):
        use = chance.choices(_USES, weights)[0]
        whole_input = _tokens(chance, use.input_median)
        is_hit = use.cached_ratio > 0 and chance.random() < use.cached_ratio
        cached = int(whole_input * chance.uniform(0.6, 0.98)) if is_hit else 0
        fresh = whole_input - cached
        written = fresh if use.cached_ratio > 0 and not is_hit and use.provider == "aws" else 0
        output = _tokens(chance, use.output_median)
        reasoning = int(output * use.reasoning_ratio / (1 - use.reasoning_ratio)) if use.reasoning_ratio else 0
        yield {
            "request_id": f"sample-{seed}-{number:06d}",
            "started_at": (DAY + timedelta(seconds=second)).isoformat(),
            "provider": use.provider,
            "model": use.model,
            "region": use.region,
            "team": use.team,
            "project": use.project,
            "tool": use.tool,
            "uncached_input_tokens": fresh - written,
            "cache_read_tokens": cached,
            "cache_write_tokens": written,
            "visible_output_tokens": output,
            "reasoning_output_tokens": reasoning,
        }


def write_sample(path: Path, requests: int = REQUESTS, seed: int = SEED) -> Path:
    """Write the sample day as CSV and return its path."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(sample_requests(requests, seed))
    return path


def sample_options(path: Path) -> ReadOptions:
    """How the sample's file is read: columns named like ours, every row marked synthetic."""
    return ReadOptions(str(path), "sample", {"is_synthetic": "true"}, {name: name for name in COLUMNS})


def _second_of_day(chance: random.Random) -> float:
    """More by day than by night: the density is one minus a cosine, shifted to a peak in the afternoon."""
    while True:
        second = chance.uniform(0, 86_400)
        if chance.random() < 0.55 - 0.45 * math.cos(2 * math.pi * (second / 86_400 - 0.08)):
            return round(second, 3)


def _tokens(chance: random.Random, median: float) -> int:
    """Log-normal around a median, as lengths of prompts and answers are."""
    return max(1, round(median * math.exp(chance.gauss(0, 0.8))))
