"""From usage rows to footprints: one pipeline for every engine.

Four rules make every engine give the same bits: factors arrive as small tables joined on equality; nothing is divided
and no time zone is computed on the big side; each measure of a row is turned once into a whole number of grains,
``floor(x * grains + half)``, and whole numbers are summed; instants are UTC microseconds.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

import narwhals as nw

from joulebook.account.formulas import DECISIONS, FORMULAS, Formula, inputs_of, rounds
from joulebook.account.kinds import BUCKETS, KEYS, OF_TOKENS, OTHERS, count_units, key_names, present, with_kind
from joulebook.account.resolver import shares
from joulebook.account.units_of_use import (
    UNITS,
    board_energy_kwh,
    host_energy_kwh,
    machine_embodied_g,
    media_energy_kwh,
)
from joulebook.estimate.tokens import token_energy_kwh
from joulebook.terms.boundary import Boundary
from joulebook.terms.columns import METRICS, column
from joulebook.terms.rounding import HALF
from joulebook.terms.usage import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES

MODEL_KEY = ("provider_key", "model_key", "day")
PLACE_KEY = ("provider_key", "region_key", "day")
BESIDE_TEXT = (media_energy_kwh, board_energy_kwh, host_energy_kwh, machine_embodied_g)
"""Formulas of what is no text; zero in a table that has nothing else."""

KNOWN_UP_TO = {
    "gpu_energy_kwh": Boundary.GPU,
    "it_energy_kwh": Boundary.NODE_IDLE,
    "water_onsite_l": Boundary.NODE_IDLE,
}
"""Metric -> the last rung at which an energy may enter the ladder and still tell it; further out it stays open."""

GROUP = (
    "day",
    "source",
    "provider",
    "model",
    "region",
    "zone",
    "team",
    "project",
    "tool",
    "device",
    "is_synthetic",
    "tier",
    "model_resolution_id",
    "place_resolution_id",
)
"""What one posting speaks about."""

COST = "cost_usd"
"""What was paid: kept beside the footprint for coverage, never a basis of it."""

SEEN = ("output_tokens_per_s", "time_to_first_token_s", "batch_requests")
"""Columns of usage that tell of the servers."""

SHARE_KEY = ("request_count",)
PER_REQUEST = (*SHARE_KEY, "per_request_ratio")
GROUP_NAMES = ("source", "provider", "model", "region", "team", "project", "tool", "device")
PRICED = tuple(formula.__name__ for formula in FORMULAS if formula.__name__ in METRICS)
"""Metrics the pipeline computes; the others of `METRICS` stay NULL, which is not zero."""


class Tables(Protocol):
    """What an engine must offer: its rows, and a small table of resolved factors beside the big one."""

    def rows(self, frame: nw.LazyFrame) -> list[dict[str, Any]]:
        """The rows of a table of the engine."""
        ...

    def small_table(self, name: str, rows: Iterable[Mapping[str, Any]]) -> nw.LazyFrame:
        """Rows as a table of the engine."""
        ...


def others_in(tables: Tables, usage: nw.LazyFrame) -> tuple[str, ...]:
    """Units of other kinds than text that a table of usage has, `kinds.UNTOLD` among them."""
    return present(tables.rows(usage.select(*count_units()))[0])


def keyed(usage: nw.LazyFrame, others: Collection[str] = (), *, hourly: bool = False) -> nw.LazyFrame:
    """Usage rows with the columns that join to resolved factors: three keys, those of their kind, and ``day``.

    The period ``day`` is the day, or the hour where the policy asks for hours.

    An unknown name becomes an empty key, so that it joins to what is resolved for the unknown. A token class that the
    supplier does not tell apart is inside those of its side that it does tell, so it adds nothing; a side of which
    nothing is told stays unknown.

    Args:
        usage: rows of usage.
        others: units of other kinds than text that the table has, from `others_in`.
        hourly: whether the period is the hour.
    """
    raw = _raw(is_mixed=bool(others))
    usage = usage.select(*(name for name in usage.columns if name in raw))
    told = (
        nw.when(~nw.coalesce(*(nw.col(other) for other in side)).is_null()).then(nw.col(name).fill_null(0)).alias(name)
        for side in (INPUT_CLASSES, OUTPUT_CLASSES)
        for name in side
    )
    return with_kind(usage, others).with_columns(
        *told,
        *(nw.col(name).fill_null("").alias(f"{name}_key") for name in ("provider", "model", "region")),
        nw.col("started_at").dt.truncate("1h" if hourly else "1d").alias("day"),
    )


@cache
def _raw(*, is_mixed: bool) -> frozenset[str]:
    """Columns of usage that are read at all."""
    mixed = (*OTHERS, *(name for names in KEYS.values() for name in names)) if is_mixed else ()
    return frozenset((*_read(is_mixed=is_mixed), *mixed, *GROUP_NAMES, *SEEN, "started_at", "usage_key"))


def model_key(others: Collection[str]) -> tuple[str, ...]:
    """Columns by which rows join to what was resolved for their model or machine."""
    return (*MODEL_KEY, *(name for name in key_names(others) if name != "meter_key"))


def place_key(others: Collection[str]) -> tuple[str, ...]:
    """Columns by which rows join to what was resolved for their place."""
    return (*PLACE_KEY, *(name for name in key_names(others) if name == "meter_key"))


def price(
    usage: nw.LazyFrame,
    models: nw.LazyFrame,
    places: nw.LazyFrame,
    shares: nw.LazyFrame | None,
    *,
    for_sums: bool = False,
) -> nw.LazyFrame:
    """Footprint of every usage row, in floating point.

    Args:
        usage: rows of `keyed`.
        models: one row per `model_key` with the columns that come from model, machine and server.
        places: one row per `place_key` with the columns that come from the place.
        shares: one row per number of requests in a row: ``request_count``, ``per_request_ratio``; None where every
            row is one request, or does not say.
        for_sums: keep only what `cube` reads; an engine plans every column that it carries, at each step.

    Returns:
        the rows with one more column per formula [unit of the column]; NULL where an input is unknown.
    """
    keys, at = _keys(models), _keys(places)
    rows = usage.join(models, on=keys, how="left").join(places, on=at, how="left")
    if shares is None:
        is_one = nw.col("request_count") == 1
        rows = rows.with_columns(nw.when(is_one).then(nw.lit(1, nw.Float64)).alias("per_request_ratio"))
    else:
        rows = rows.join(shares, on=["request_count"], how="left")
    is_mixed = "kind_key" in keys
    if is_mixed:  # what a request of theirs takes is inside their coefficients per token
        untold = nw.col("kind_key").is_in(BUCKETS)
        rows = rows.with_columns(
            nw.when(~untold).then(nw.col(name)).otherwise(nw.lit(0)).alias(name) for name in PER_REQUEST
        )
    rows = rows.with_columns(*(nw.col(name).cast(nw.Float64) for name in ("request_count", *TOKEN_CLASSES)))
    for number, together in enumerate(rounds()):
        results = [_result(formula, is_mixed=is_mixed) for formula in together]
        if for_sums:
            read = _summed(number + 1)
            rows = rows.select(*(name for name in rows.columns if name in read), *results)
        else:
            rows = rows.with_columns(*results)
    if not is_mixed:
        return rows
    return rows.with_columns(
        *(
            nw.when(nw.col("lowest_rung") <= rung.rung).then(nw.col(name)).alias(name)
            for name, rung in KNOWN_UP_TO.items()
        )
    )


def _result(formula: Formula, *, is_mixed: bool) -> nw.Expr:
    """The column that a formula makes; nothing but tokens costs anything in a table that has nothing but text."""
    result = formula(**{name: nw.col(name) for name in inputs_of(formula)})
    if formula in BESIDE_TEXT and not is_mixed:
        result = nw.lit(0, nw.Float64)
    elif formula is token_energy_kwh and is_mixed:
        result = nw.when(nw.col("kind_key").is_in(OF_TOKENS)).then(result).otherwise(nw.lit(0, nw.Float64))
    return result.alias(formula.__name__)


def _keys(resolved: nw.LazyFrame) -> list[str]:
    return [name for name in resolved.collect_schema().names() if name.endswith("_key") or name == "day"]


def distinct(tables: Tables, usage: nw.LazyFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    """The values of some columns that occur together, each once; groups take an engine less than unique rows do."""
    groups = tables.rows(usage.group_by(*names).agg(nw.len().alias("row_count")))
    return [{name: group[name] for name in names} for group in groups]


def joined(
    tables: Tables,
    usage: nw.LazyFrame,
    models: Iterable[Mapping[str, Any]],
    places: Iterable[Mapping[str, Any]],
    *,
    counts: Collection[int | None] | None = None,
    for_sums: bool = False,
) -> nw.LazyFrame:
    """`price` with resolved factors that are still rows.

    Args:
        tables: where the usage lives.
        usage: rows of `keyed`.
        models: one row per `model_key`.
        places: one row per `place_key`.
        counts: numbers of requests that rows stand for; looked up if None.
        for_sums: as in `price`.
    """
    if counts is None:
        counts = [row["request_count"] for row in distinct(tables, usage, SHARE_KEY)]
    read = _read(is_mixed="kind_key" in usage.columns)
    resolved = {"models": models, "places": places, "shares": shares(counts)}
    if all(count in (1, None) for count in counts):
        del resolved["shares"]
    small = {
        name: tables.small_table(name, ({key: row[key] for key in _kept(row, read)} for row in rows))
        for name, rows in resolved.items()
    }
    return price(usage, small["models"], small["places"], small.get("shares"), for_sums=for_sums)


def _kept(names: Iterable[str], read: Collection[str]) -> list[str]:
    return [name for name in names if name in read or name.endswith("_key")]


@cache
def _read(*, is_mixed: bool) -> frozenset[str]:
    """Columns, beside keys, that pricing and what follows it read."""
    formulas = [one for one in (*FORMULAS, *DECISIONS) if is_mixed or one not in BESIDE_TEXT]
    inputs = [name for formula in formulas for name in inputs_of(formula)]
    mixed = ("lowest_rung", *UNITS.values()) if is_mixed else ()
    return frozenset((*inputs, *mixed, *GROUP, COST, "request_count", "key_a", "key_b"))


@cache
def _summed(number: int) -> frozenset[str]:
    """Columns that sums and the rounds of formulas from one on read."""
    inputs = (name for together in rounds()[number:] for formula in together for name in inputs_of(formula))
    decided = (name for formula in DECISIONS for name in inputs_of(formula))
    return frozenset((*inputs, *decided, *PRICED, "lowest_rung", *GROUP, COST, "request_count", "key_a", "key_b"))


def in_grains(rows: nw.LazyFrame, metrics: Sequence[str] = PRICED) -> nw.LazyFrame:
    """Each metric as a whole number of grains, half rounded up: columns ``<metric>_q`` of type Int64."""
    return rows.with_columns(
        *(
            (nw.col(name) * column(name).grains_per_unit + HALF).floor().cast(nw.Int64).alias(f"{name}_q")
            for name in (*metrics, COST)
        )
    )


def cube(rows: nw.LazyFrame, by: Sequence[str] = GROUP, metrics: Sequence[str] = PRICED) -> nw.LazyFrame:
    """Exact sums per group.

    Returns:
        per group: ``<metric>_q`` [grains], ``<metric>_rows`` (how many rows had it), ``row_count``, ``request_count``,
        ``key_a``, ``key_b`` (sums of the rows' checks).
    """
    return rows.group_by(*by).agg(
        *(nw.col(f"{name}_q").sum() for name in metrics),
        *(nw.col(f"{name}_q").count().alias(f"{name}_rows") for name in metrics),
        nw.len().alias("row_count"),
        nw.col(f"{COST}_q").sum(),
        nw.col(f"{COST}_q").count().alias(f"{COST}_rows"),
        nw.col("request_count").cast(nw.Int64).sum(),
        nw.col("key_a").sum(),
        nw.col("key_b").sum(),
    )
