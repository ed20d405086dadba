"""The usage table: what was consumed, as the supplier counts it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import TypedDict

INPUT_CLASSES = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens")
OUTPUT_CLASSES = ("visible_output_tokens", "reasoning_output_tokens")
TOKEN_CLASSES = (*INPUT_CLASSES, *OUTPUT_CLASSES)
"""Five disjoint classes; a reader converts its supplier's inclusive or exclusive counts into these.

A class that a source does not tell apart is unknown (None), and its tokens are inside a class of its side that is told:
all input is then priced as computed afresh. Tokens that a source does not count at all, such as the hidden reasoning of
an exported chat, make the row's ``tier`` estimated, and its energy a lower bound.
"""

HASHES = ("request_hash", "use_hash", "counter_hash")
"""By what a use is known again in another record of it: see the column dictionary."""

USAGE_COLUMNS = (
    "usage_key",
    "key_a",
    "key_b",
    "source",
    "provider",
    "model",
    "region",
    "service_tier",
    "started_at",
    "ended_at",
    "team",
    "project",
    "run",
    "tool",
    "user_hash",
    *HASHES,
    "is_synthetic",
    "request_count",
    *TOKEN_CLASSES,
    "image_count",
    "audio_s",
    "video_s",
    "embedding_tokens",
    "device",
    "device_hours",
    "vcpu_hours",
    "output_tokens_per_s",
    "time_to_first_token_s",
    "batch_requests",
    "cost_usd",
    "tier",
    "task",
    "image_width_px",
    "image_height_px",
    "image_steps",
    "video_frames_per_s",
    "memory_gb_hours",
    "storage_gb_hours",
    "network_gb",
    "metered_energy_kwh",
    "metered_low_ratio",
    "metered_high_ratio",
    "boundary",
)
"""Columns of the usage table, in order; types and meanings are in the column dictionary."""

REQUEST_ID = "request_id"
"""The supplier's own id of a record; it goes into the key and nowhere else."""

RESPONSE = "response"
"""First part of the key of a record whose request id is a `RESPONSE_ID`, instead of its source."""

RESPONSE_ID = r"(msg_|resp_|chatcmpl-|cmpl-|gen-)[0-9A-Za-z_-]{20,}"
"""Form of ids that suppliers draw for one response, so that they mean the same response wherever they stand."""

USER_ID = "user_id"
"""An id of a user; only its hash is kept, in ``user_hash``."""

INCLUSIVE: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "input_tokens": ("uncached_input_tokens", ("cache_read_tokens", "cache_write_tokens")),
        "output_tokens": ("visible_output_tokens", ("reasoning_output_tokens",)),
    }
)
"""Counts that contain others: field -> (the class that remains, the classes to take off).

``input_tokens`` contains what was read from and written to a cache (OpenAI, Gemini, OpenTelemetry); map
``uncached_input_tokens`` where the supplier counts input without cache (Anthropic). ``output_tokens`` contains hidden
reasoning.
"""

CONSUMPTION = (
    *TOKEN_CLASSES,
    "image_count",
    "audio_s",
    "video_s",
    "embedding_tokens",
    "task",
    "device_hours",
    "vcpu_hours",
    "memory_gb_hours",
    "storage_gb_hours",
    "network_gb",
    "metered_energy_kwh",
)
"""Fields of which a row needs at least one: without consumption there is nothing to price."""


class Usage(TypedDict, total=False):
    """One row of usage. A key that is absent or None is unknown, which is not zero."""

    usage_key: str
    source: str
    provider: str | None
    model: str | None
    region: str | None
    service_tier: str | None
    started_at: datetime
    ended_at: datetime | None
    team: str | None
    project: str | None
    run: str | None
    tool: str | None
    user_hash: str | None
    request_hash: str | None
    use_hash: str | None
    counter_hash: str | None
    is_synthetic: bool
    request_count: int
    uncached_input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    visible_output_tokens: int | None
    reasoning_output_tokens: int | None
    image_count: int | None
    audio_s: float | None
    video_s: float | None
    embedding_tokens: int | None
    device: str | None
    device_hours: float | None
    vcpu_hours: float | None
    output_tokens_per_s: float | None
    time_to_first_token_s: float | None
    batch_requests: float | None
    cost_usd: float | None
    tier: str
    task: str | None
    image_width_px: int | None
    image_height_px: int | None
    image_steps: float | None
    video_frames_per_s: float | None
    memory_gb_hours: float | None
    storage_gb_hours: float | None
    network_gb: float | None
    metered_energy_kwh: float | None
    metered_low_ratio: float | None
    metered_high_ratio: float | None
    boundary: str | None


KEY_DIGITS = 32
"""Hex digits of a usage key: SHA-256 cut to 128 bits."""

KEY_SEPARATOR = "\x1f"
"""Between the parts of a key: the unit separator of ASCII, which no id contains."""


def usage_key(parts: Iterable[str]) -> str:
    r"""Identity of a record from its source id and request id (or its content and how often it was seen before).

    The same text through `sha256` of any engine gives the same key.

    >>> usage_key(["azure-llm", "2023-11-16T18:17:03.979960", "4808", "10", "0"])[:8]
    'cbc26fad'
    """
    return sha256(KEY_SEPARATOR.join(parts).encode()).hexdigest()[:KEY_DIGITS]


def usage_keys(sources: Iterable[str], ids: Iterable[str]) -> list[str]:
    """The keys of many records, each of a source id and a request id.

    >>> usage_keys(["codex"], ["r1"]) == [usage_key(["codex", "r1"])]
    True
    """
    pairs = zip(sources, ids, strict=True)
    return [sha256(f"{source}{KEY_SEPARATOR}{one}".encode()).hexdigest()[:KEY_DIGITS] for source, one in pairs]


def key_checks(key: str) -> tuple[int, int]:
    """The two 32-bit numbers of a key whose sums make the order-independent input hash of a posting."""
    return int(key[:8], 16), int(key[8:16], 16)
