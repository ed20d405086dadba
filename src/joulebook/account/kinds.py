"""Which unit prices a row of usage: each row is priced once, by the unit that says most about its energy.

Metered energy says most, then hours of machines, then parts of machines, then what a model made, then tokens. Units of
other kinds in the same row describe the same use and are not added: the tokens that a rented machine served, the tokens
of a picture, the processors of an instance.

Tokens that were summed over requests without saying how many are kinds of their own: what a token takes depends on how
long its request is, so the length comes from a published mean. Sums that are mostly cache hits are of agents, whose
requests are far longer than others.
"""

from collections.abc import Collection, Mapping
from typing import Any

import narwhals as nw

from joulebook.terms.boundary import Boundary
from joulebook.terms.usage import INPUT_CLASSES, OUTPUT_CLASSES

TEXT = "text"
BUCKET, CACHED_BUCKET = "bucket", "cached_bucket"
BUCKETS = (BUCKET, CACHED_BUCKET)
"""Kinds of tokens whose number of requests is not told; the second where most of the input came from a cache."""

OF_TOKENS = (TEXT, *BUCKETS)
UNTOLD = "untold_requests"
"""Stands among the units of a table where rows of tokens do not tell how many requests they are."""

METERED = "metered"
BEFORE_TEXT: Mapping[str, str] = {
    METERED: "metered_energy_kwh",
    "device": "device_hours",
    "vcpu": "vcpu_hours",
    "memory": "memory_gb_hours",
    "storage": "storage_gb_hours",
    "network": "network_gb",
    "image": "image_count",
    "video": "video_s",
    "embedding": "embedding_tokens",
}
"""Kind -> the unit that makes a row of it, the first one that is told; then come tokens."""

AFTER_TEXT: Mapping[str, str] = {"audio": "audio_s", "task": "task"}
"""The same for rows without tokens."""

OTHERS: tuple[str, ...] = (*BEFORE_TEXT.values(), *AFTER_TEXT.values())
"""Units of other kinds than text."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "image": ("image_width_px", "image_height_px", "image_steps"),
    "video": (
        "image_width_px",
        "image_height_px",
        "image_steps",
        "video_frames_per_s",
        "video_s",
        "request_count",
    ),
    "device": ("device", "vcpu_hours"),
    "storage": ("device",),
    "task": ("task",),
    METERED: ("boundary", "metered_low_ratio", "metered_high_ratio"),
}
"""Kind -> columns that, with model and provider, decide what one unit takes."""

_NAMES = ("device", "task", "boundary", "meter")
"""Keys that are words; the others are numbers."""

_MADE = ("kind_key", "meter_key")


def count_units() -> list[nw.Expr]:
    """How many rows of usage tell each unit of other kinds than text, and how many are tokens of untold requests."""
    bare = (nw.col("request_count").is_null() & _has_tokens()).cast(nw.Int64).sum().alias(UNTOLD)
    return [*(nw.col(name).count().alias(name) for name in OTHERS), bare]


def present(units: Mapping[str, int]) -> tuple[str, ...]:
    """The units of other kinds than text that a table has at all.

    Args:
        units: unit -> rows that tell it, from `count_units`.
    """
    return tuple(name for name in (*OTHERS, UNTOLD) if units.get(name))


def key_names(others: Collection[str]) -> tuple[str, ...]:
    """Key columns that a table with these units needs, beside model, provider and day."""
    if not others:
        return ()
    kinds = [kind for kind, unit in {**BEFORE_TEXT, **AFTER_TEXT}.items() if unit in others]
    names = dict.fromkeys(name for kind in kinds for name in KEYS.get(kind, ()))
    meter = ("meter_key",) if METERED in kinds else ()
    return ("kind_key", *(f"{name}_key" for name in names), *meter)


def no_use(others: Collection[str]) -> dict[str, Any]:
    """The key columns of a row of text."""
    return {name: TEXT if name == "kind_key" else _nothing(name) for name in key_names(others)}


def with_kind(usage: nw.LazyFrame, others: Collection[str]) -> nw.LazyFrame:
    """Rows with their kind, the keys that decide what one unit takes, and zero for units that are not theirs.

    Args:
        usage: rows of usage.
        others: units of other kinds than text that the table has; none makes every row one of text.
    """
    if not others:
        return usage
    usage = usage.with_columns(_kind(others).alias("kind_key"))
    keys = [_key(name.removesuffix("_key"), others) for name in key_names(others) if name not in _MADE]
    if "meter_key" in key_names(others):
        keys.append(_meter_key())
    is_task = nw.col("kind_key") == "task"
    return usage.with_columns(
        *keys,
        *(nw.col(name).cast(nw.Float64).fill_null(0).alias(name) for name in OTHERS if name not in _NAMES),
        nw.when(is_task).then(nw.col("request_count").fill_null(0)).otherwise(nw.lit(0)).alias("task_count"),
    )


def _has_tokens() -> nw.Expr:
    return ~nw.coalesce(*(nw.col(name) for name in (*INPUT_CLASSES, *OUTPUT_CLASSES))).is_null()


def _kind(others: Collection[str]) -> nw.Expr:
    ladder = [(kind, ~nw.col(unit).is_null()) for kind, unit in BEFORE_TEXT.items() if unit in others]
    if UNTOLD in others:
        fresh, cached, written = (nw.col(name).fill_null(0) for name in INPUT_CLASSES)
        bare = nw.col("request_count").is_null() & _has_tokens()
        ladder += [(CACHED_BUCKET, bare & (cached > fresh + written)), (BUCKET, bare)]
    ladder.append((TEXT, _has_tokens()))
    ladder += [(kind, ~nw.col(unit).is_null()) for kind, unit in AFTER_TEXT.items() if unit in others]
    found: Any = nw.lit(TEXT)
    for kind, is_told in reversed(ladder):
        found = nw.when(is_told).then(nw.lit(kind)).otherwise(found)
    return found


def _key(name: str, others: Collection[str]) -> nw.Expr:
    """A column as a key: what it says in rows of the kinds that it matters to, else nothing; numbers are Float64."""
    units = {**BEFORE_TEXT, **AFTER_TEXT}
    own = nw.col("kind_key").is_in([kind for kind in units if units[kind] in others and name in KEYS.get(kind, ())])
    is_word, nothing = name in _NAMES, _nothing(name)
    said = nw.col(name).fill_null(nothing) if is_word else nw.col(name).cast(nw.Float64).fill_null(nothing)
    if name == "vcpu_hours":  # only whether they are told matters; how many is multiplied, row by row
        own, said = own & ~nw.col(name).is_null(), nw.lit(1, nw.Float64)
    empty = nw.lit(nothing, nw.String if is_word else nw.Float64)
    return nw.when(own).then(said).otherwise(empty).alias(f"{name}_key")


def _meter_key() -> nw.Expr:
    """Says where the place's PUE is inside the figure already: at a meter of the building."""
    at_building = (nw.col("kind_key") == METERED) & (nw.col("boundary") == str(Boundary.FACILITY))
    return nw.when(at_building.fill_null(False)).then(nw.lit(METERED)).otherwise(nw.lit("")).alias("meter_key")  # noqa: FBT003  (the filling value)


def _nothing(name: str) -> str | float:
    """What a key says where its column is unknown or does not matter."""
    return "" if name.removesuffix("_key") in _NAMES else float(0)
