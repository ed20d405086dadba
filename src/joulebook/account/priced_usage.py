"""A table of usage, priced: look once at what it tells, resolve that, and join it to the rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw

from joulebook.account.kinds import count_units, present
from joulebook.account.pricing import SEEN, Tables, distinct, joined, keyed, model_key, place_key
from joulebook.account.resolver import Resolver
from joulebook.account.served import seen


def priced_usage(tables: Tables, table: nw.LazyFrame, resolver: Resolver, *, hourly: bool) -> nw.LazyFrame | None:
    """Every row of a table of usage as `joulebook.account.pricing.cube` sums it; None where it has no row.

    Args:
        tables: where the usage lives.
        table: rows of usage.
        resolver: finds the factors, and keeps what it found.
        hourly: whether the period of a posting is the hour.
    """
    requests = nw.col("request_count")
    asked = [*(nw.col(name).count().alias(name) for name in SEEN), requests.min().alias("fewest"), requests.max()]
    told = tables.rows(table.select(*count_units(), *asked))[0]
    counts = {told["fewest"], told["request_count"]}
    others = present(told)
    usage = keyed(table, others, hourly=hourly)
    if any(told[name] for name in SEEN):
        resolver.served = seen(tables, usage)
    together = distinct(tables, usage, [*dict.fromkeys((*model_key(others), *place_key(others)))])
    if not together:
        return None
    models, places = (_each(together, names) for names in (model_key(others), place_key(others)))
    found = resolver.models(models), resolver.places(places)
    return joined(tables, usage, *found, counts=counts if counts <= {1, None} else None, for_sums=True)


def _each(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The values of some columns that occur together, each once."""
    found = {tuple(row[name] for name in names) for row in rows}
    return [dict(zip(names, values, strict=True)) for values in sorted(found, key=repr)]
