"""The rows of usage behind sums, to explain them: which belong to a posting, and what their coefficients multiply."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw

from joulebook.account.formulas import inputs_of
from joulebook.account.pricing import GROUP_NAMES
from joulebook.account.units_of_use import UNITS
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
from joulebook.terms.usage import KEY_SEPARATOR as SEPARATOR

PERIOD = "%Y-%m-%dT%H"
"""How the start of a posting's period is written, whether it is a day or an hour."""


def features(rows: nw.LazyFrame) -> nw.LazyFrame:
    """What each coefficient of the energy is multiplied by, summed per model resolution.

    The energy is linear in its coefficients, so the feature of one is the formula with that coefficient at one and
    all others at zero.

    Args:
        rows: usage rows after `joulebook.account.pricing.price`.

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
        rows: usage rows after `joulebook.account.pricing.price`.
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
