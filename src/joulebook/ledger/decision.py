"""Lines of figures for decisions, which are computed when they are asked for and never posted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from joulebook.account.marginal import METRIC, METRICS
from joulebook.account.resolution import Resolution
from joulebook.ledger import balance
from joulebook.terms.tier import Tier

VIEWS = {METRIC: (METRIC,)}


def lines(
    groups: Iterable[Mapping[str, Any]], by: Sequence[str], resolutions: Mapping[str, Resolution]
) -> list[balance.Line]:
    """Add up groups per value of some columns, with ranges.

    Args:
        groups: rows of `joulebook.account.marginal.marginal_groups`.
        by: the columns; none gives the one line of the total.
        resolutions: id -> factors.
    """
    return balance.lines([_as_stated(group, resolutions) for group in groups], by, resolutions.__getitem__, VIEWS)


def _as_stated(group: Mapping[str, Any], resolutions: Mapping[str, Resolution]) -> dict[str, Any]:
    """A group in the form of a posting."""
    hour = group["day"]
    day = hour.replace(hour=0)
    amounts = {f"{name}_q": group[f"{name}_q"] if group[f"{name}_rows"] else None for name in METRICS}
    tiers = [resolutions[group[name]].tier for name in balance.RESOLUTIONS if group[name]]
    tier = str(Tier.worst(Tier.ESTIMATED, group["tier"], *tiers))
    periods = {"day": day, "month": day.replace(day=1)}
    unpriced = group["row_count"] - group["it_energy_kwh_rows"]
    return {**group, **periods, **amounts, "tier": tier, "usage_tier": group["tier"], "unpriced_count": unpriced}
