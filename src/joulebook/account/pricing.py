"""From usage rows to footprints: one pipeline for every engine.

Four rules make every engine give the same bits: factors arrive as small tables joined on equality; nothing is divided
and no time zone is computed on the big side; each measure of a row is turned once into a whole number of grains,
``floor(x * grains + half)``, and whole numbers are summed; instants are UTC microseconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import narwhals as nw

from joulebook.account.formulas import FORMULAS, inputs_of
from joulebook.account.resolve import shares
from joulebook.estimate.tokens import COEFFICIENTS, gpu_energy_kwh
from joulebook.terms.columns import METRICS, column
from joulebook.terms.rounding import HALF
from joulebook.terms.usage import INPUT_CLASSES, OUTPUT_CLASSES, TOKEN_CLASSES
from joulebook.terms.usage import KEY_SEPARATOR as SEPARATOR

MODEL_KEY = ("provider_key", "model_key", "day")
PLACE_KEY = ("provider_key", "region_key", "day")
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
    "is_synthetic",
    "tier",
    "model_resolution_id",
    "place_resolution_id",
)
"""What one posting speaks about."""

SHARE_KEY = ("request_count",)
PERIOD = "%Y-%m-%dT%H"
"""How the start of a posting's period is written, whether it is a day or an hour."""
GROUP_NAMES = ("source", "provider", "model", "region", "team", "project", "tool")
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


def keyed(usage: nw.LazyFrame, *, hourly: bool = False) -> nw.LazyFrame:
    """Usage rows with the columns that join to resolved factors: three keys and ``day``, which is the period's start.

    The period is the day, or the hour where the policy asks for hours.

    An unknown name becomes an empty key, so that it joins to what is resolved for the unknown. A token class that the
    supplier does not tell apart is inside those of its side that it does tell, so it adds nothing; a side of which
    nothing is told stays unknown.
    """
    told = (
        nw.when(~nw.coalesce(*(nw.col(other) for other in side)).is_null()).then(nw.col(name).fill_null(0)).alias(name)
        for side in (INPUT_CLASSES, OUTPUT_CLASSES)
        for name in side
    )
    return usage.with_columns(
        *told,
        *(nw.col(name).fill_null("").alias(f"{name}_key") for name in ("provider", "model", "region")),
        nw.col("started_at").dt.truncate("1h" if hourly else "1d").alias("day"),
    )


def price(usage: nw.LazyFrame, models: nw.LazyFrame, places: nw.LazyFrame, shares: nw.LazyFrame) -> nw.LazyFrame:
    """Footprint of every usage row, in floating point.

    Args:
        usage: rows of `keyed`.
        models: one row per ``MODEL_KEY`` with the columns that come from model and server.
        places: one row per ``PLACE_KEY`` with the columns that come from the place.
        shares: one row per number of requests in a row: ``request_count``, ``per_request_ratio``.

    Returns:
        the rows with one more column per formula [unit of the column]; NULL where an input is unknown.
    """
    rows = usage.join(models, on=list(MODEL_KEY), how="left").join(places, on=list(PLACE_KEY), how="left")
    rows = rows.join(shares, on=["request_count"], how="left")
    rows = rows.with_columns(*(nw.col(name).cast(nw.Float64) for name in ("request_count", *TOKEN_CLASSES)))
    for formula in FORMULAS:
        arguments = {name: nw.col(name) for name in inputs_of(formula)}
        rows = rows.with_columns(formula(**arguments).alias(formula.__name__))
    return rows


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
        models: one row per ``MODEL_KEY``.
        places: one row per ``PLACE_KEY``.
    """
    counts = shares(row["request_count"] for row in distinct(tables, usage, SHARE_KEY))
    resolved = {"models": models, "places": places, "shares": counts}
    return price(usage, **{name: tables.small_table(name, rows) for name, rows in resolved.items()})


def in_grains(rows: nw.LazyFrame, metrics: Sequence[str] = PRICED) -> nw.LazyFrame:
    """Each metric as a whole number of grains, half rounded up: columns ``<metric>_q`` of type Int64."""
    return rows.with_columns(
        *(
            (nw.col(name) * column(name).grains_per_unit + HALF).floor().cast(nw.Int64).alias(f"{name}_q")
            for name in metrics
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
        nw.col("request_count").cast(nw.Int64).sum(),
        nw.col("key_a").sum(),
        nw.col("key_b").sum(),
    )


def features(rows: nw.LazyFrame) -> nw.LazyFrame:
    """What each coefficient of the estimate is multiplied by, summed per model resolution.

    The estimate is linear in its coefficients, so the feature of one is the formula with that coefficient at one and
    all others at zero.

    Args:
        rows: usage rows after `keyed`, joined with ``per_request_ratio`` and ``model_resolution_id``.

    Returns:
        per ``model_resolution_id``: one column per coefficient, of its inverse unit.
    """
    counts = [name for name in inputs_of(gpu_energy_kwh) if name not in COEFFICIENTS]
    tokens = {name: nw.col(name).cast(nw.Float64) for name in counts}
    zeros = {name: nw.lit(0, nw.Float64) for name in COEFFICIENTS}
    units = (gpu_energy_kwh(**tokens, **{**zeros, name: nw.lit(1, nw.Float64)}).alias(name) for name in COEFFICIENTS)
    return rows.with_columns(*units).group_by("model_resolution_id").agg(*(nw.col(name).sum() for name in COEFFICIENTS))


def only(rows: nw.LazyFrame, groups: Iterable[Mapping[str, Any]]) -> nw.LazyFrame:
    """Usage rows that belong to some groups.

    Args:
        rows: usage rows after `price`.
        groups: postings of the same usage.
    """
    wanted = {
        SEPARATOR.join([f"{group['period_start']:{PERIOD}}", *(group[name] or "" for name in GROUP_NAMES)])
        for group in groups
    }
    day = nw.col("day").dt.to_string(PERIOD)
    names = (nw.col(name).fill_null("") for name in GROUP_NAMES)
    return rows.filter(nw.concat_str([day, *names], separator=SEPARATOR).is_in(sorted(wanted)))


def keyed_by(rows: nw.LazyFrame, keys: Sequence[str]) -> nw.LazyFrame:
    """The rows whose usage key is, or begins like, one of some keys."""
    return rows.filter(
        nw.any_horizontal(*(nw.col("usage_key").str.starts_with(key) for key in keys), ignore_nulls=False)
    )
