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
from joulebook.account.kinds import BUCKETS, OF_TOKENS, count_units, key_names, present, with_kind
from joulebook.account.resolver import shares
from joulebook.account.units_of_use import (
    UNITS,
    board_energy_kwh,
    host_energy_kwh,
    machine_embodied_g,
    media_energy_kwh,
)
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
from joulebook.terms.boundary import Boundary
from joulebook.terms.columns import METRICS, column
from joulebook.terms.rounding import HALF
from joulebook.terms.usage import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES
from joulebook.terms.usage import KEY_SEPARATOR as SEPARATOR

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

SHARE_KEY = ("request_count",)
PER_REQUEST = (*SHARE_KEY, "per_request_ratio")
PERIOD = "%Y-%m-%dT%H"
"""How the start of a posting's period is written, whether it is a day or an hour."""
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


def model_key(others: Collection[str]) -> tuple[str, ...]:
    """Columns by which rows join to what was resolved for their model or machine."""
    return (*MODEL_KEY, *(name for name in key_names(others) if name != "meter_key"))


def place_key(others: Collection[str]) -> tuple[str, ...]:
    """Columns by which rows join to what was resolved for their place."""
    return (*PLACE_KEY, *(name for name in key_names(others) if name == "meter_key"))


def price(usage: nw.LazyFrame, models: nw.LazyFrame, places: nw.LazyFrame, shares: nw.LazyFrame) -> nw.LazyFrame:
    """Footprint of every usage row, in floating point.

    Args:
        usage: rows of `keyed`.
        models: one row per `model_key` with the columns that come from model, machine and server.
        places: one row per `place_key` with the columns that come from the place.
        shares: one row per number of requests in a row: ``request_count``, ``per_request_ratio``.

    Returns:
        the rows with one more column per formula [unit of the column]; NULL where an input is unknown.
    """
    keys, at = _keys(models), _keys(places)
    rows = usage.join(models, on=keys, how="left").join(places, on=at, how="left")
    rows = rows.join(shares, on=["request_count"], how="left")
    is_mixed = "kind_key" in keys
    if is_mixed:  # what a request of theirs takes is inside their coefficients per token
        untold = nw.col("kind_key").is_in(BUCKETS)
        rows = rows.with_columns(
            nw.when(~untold).then(nw.col(name)).otherwise(nw.lit(0)).alias(name) for name in PER_REQUEST
        )
    rows = rows.with_columns(*(nw.col(name).cast(nw.Float64) for name in ("request_count", *TOKEN_CLASSES)))
    for together in rounds():
        rows = rows.with_columns(*(_result(formula, is_mixed=is_mixed) for formula in together))
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
    """The values of some columns that occur together, each once."""
    return tables.rows(usage.select(*names).unique())


def joined(
    tables: Tables, usage: nw.LazyFrame, models: Iterable[Mapping[str, Any]], places: Iterable[Mapping[str, Any]]
) -> nw.LazyFrame:
    """`price` with resolved factors that are still rows.

    Args:
        tables: where the usage lives.
        usage: rows of `keyed`.
        models: one row per `model_key`.
        places: one row per `place_key`.
    """
    counts = shares(row["request_count"] for row in distinct(tables, usage, SHARE_KEY))
    names = usage.collect_schema().names()
    read = _read(is_mixed="kind_key" in names)
    resolved = {"models": models, "places": places, "shares": counts}
    small = {
        name: tables.small_table(name, ({key: row[key] for key in _kept(row, read)} for row in rows))
        for name, rows in resolved.items()
    }
    return price(usage.select(*_kept(names, read)), **small)


def _kept(names: Iterable[str], read: Collection[str]) -> list[str]:
    return [name for name in names if name in read or name.endswith("_key")]


@cache
def _read(*, is_mixed: bool) -> frozenset[str]:
    """Columns, beside keys, that pricing and what follows it read: an engine plans all that it is handed, each time."""
    formulas = [one for one in (*FORMULAS, *DECISIONS) if is_mixed or one not in BESIDE_TEXT]
    inputs = [name for formula in formulas for name in inputs_of(formula)]
    mixed = ("lowest_rung", *UNITS.values()) if is_mixed else ()
    return frozenset((*inputs, *mixed, *GROUP, COST, "request_count", "key_a", "key_b"))


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


def features(rows: nw.LazyFrame) -> nw.LazyFrame:
    """What each coefficient of the energy is multiplied by, summed per model resolution.

    The energy is linear in its coefficients, so the feature of one is the formula with that coefficient at one and
    all others at zero.

    Args:
        rows: usage rows after `price`.

    Returns:
        per ``model_resolution_id``: one column per coefficient, of its inverse unit.
    """
    is_mixed = "kind_key" in rows.collect_schema().names()
    counts = [name for name in inputs_of(token_energy_kwh) if name not in COEFFICIENTS]
    tokens = {name: nw.col(name).cast(nw.Float64) for name in counts}
    zeros = {name: nw.lit(0, nw.Float64) for name in COEFFICIENTS}
    units = [token_energy_kwh(**tokens, **{**zeros, name: nw.lit(1, nw.Float64)}).alias(name) for name in COEFFICIENTS]
    if is_mixed:
        units += [nw.col(unit).cast(nw.Float64).alias(name) for name, unit in UNITS.items()]
    names = (*COEFFICIENTS, *(UNITS if is_mixed else ()))
    return rows.with_columns(*units).group_by("model_resolution_id").agg(*(nw.col(name).sum() for name in names))


def only(rows: nw.LazyFrame, groups: Iterable[Mapping[str, Any]]) -> nw.LazyFrame:
    """Usage rows that belong to some groups.

    Args:
        rows: usage rows after `price`.
        groups: postings of the same usage.
    """
    names = (*GROUP_NAMES, "model_resolution_id")
    wanted = {
        SEPARATOR.join([f"{group['period_start']:{PERIOD}}", *(group[name] or "" for name in names)])
        for group in groups
    }
    day = nw.col("day").dt.to_string(PERIOD)
    said = (nw.col(name).fill_null("") for name in names)
    return rows.filter(nw.concat_str([day, *said], separator=SEPARATOR).is_in(sorted(wanted)))


def keyed_by(rows: nw.LazyFrame, keys: Sequence[str]) -> nw.LazyFrame:
    """The rows whose usage key is, or begins like, one of some keys."""
    return rows.filter(
        nw.any_horizontal(*(nw.col("usage_key").str.starts_with(key) for key in keys), ignore_nulls=False)
    )
