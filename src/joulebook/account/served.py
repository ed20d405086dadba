"""How the servers of a model did on a day, as the records tell: speed of a request, wait, requests at once.

Logs of one's own servers and metrics of model servers tell it; where they do, the estimate of that model on that day
takes it instead of what stands in for an unknown deployment, and its range is narrower. Each value of a row is turned
into whole grains and summed as such, so that every engine gives the same mean.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import narwhals as nw

from joulebook.account.pricing import MODEL_KEY, SEEN, Tables
from joulebook.estimate.deployment import Deployment
from joulebook.terms.columns import column
from joulebook.terms.rounding import HALF

Served = Mapping[tuple[str, str, date], Deployment]
"""Provider, model, day -> what was seen."""


def seen(tables: Tables, usage: nw.LazyFrame) -> Served:
    """The mean of what rows tell of the servers, per provider, model and day; days of which none tells are not there.

    Args:
        tables: where the usage lives.
        usage: rows of `joulebook.account.pricing.keyed`.
    """
    told = usage.filter(nw.any_horizontal(*(nw.col(name) > 0 for name in SEEN), ignore_nulls=True))
    keys = [nw.col(name) for name in MODEL_KEY if name != "day"]
    sums = (
        told.with_columns(nw.col("day").dt.truncate("1d").alias("day"))
        .group_by(*keys, "day")
        .agg(
            *(
                (nw.when(nw.col(name) > 0).then(nw.col(name)) * column(name).grains_per_unit + HALF)
                .floor()
                .cast(nw.Int64)
                .sum()
                .alias(f"{name}_q")
                for name in SEEN
            ),
            *(nw.when(nw.col(name) > 0).then(nw.col(name)).count().alias(f"{name}_rows") for name in SEEN),
        )
    )
    return {(row["provider_key"], row["model_key"], row["day"].date()): _means(row) for row in tables.rows(sums)}


def _means(row: Mapping[str, Any]) -> Deployment:
    speed, wait, batch = (
        row[f"{name}_q"] / row[f"{name}_rows"] / column(name).grains_per_unit if row[f"{name}_q"] else None
        for name in SEEN
    )
    return Deployment(output_tokens_per_s=speed, first_token_s=wait, batch_requests=batch)
