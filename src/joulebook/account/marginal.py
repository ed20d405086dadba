"""What one more use of electricity causes, hour by hour: for decisions, never posted and never beside an average."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import narwhals as nw

from joulebook.account.operational import co2e_operational_marginal_g
from joulebook.account.pricing import Tables, cube, in_grains
from joulebook.account.resolution import Resolution
from joulebook.account.resolve_hour import hour_parts
from joulebook.account.resolver import Resolver
from joulebook.errors import FactorMissing
from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import Edition
from joulebook.factors.hourly import MARGINAL, Hours, choose_hour

METRIC = "co2e_operational_marginal_g"
METRICS = ("it_energy_kwh", "facility_energy_kwh", METRIC)


class MarginalResolver(Resolver):
    """Resolves places with the marginal intensity of the hour beside the factors of the day."""

    def __init__(self, edition: Edition, policy: str, hours: Hours) -> None:
        super().__init__(edition, policy)
        self.fetched = hours

    def place(self, key: Mapping[str, Any]) -> Resolution:
        """The factors of one place, and ``marginal_intensity_g_per_kwh``, None where unknown."""
        return self._with_marginal(super().place(key), key["day"])

    def _with_marginal(self, day: Resolution, at: datetime) -> Resolution:
        zone = str(day.names["zone"])
        yearly = _yearly(self.edition, zone, at.date(), self.policy)
        choice = choose_hour(self.edition, self.fetched, MARGINAL, zone, at, self.policy, yearly)
        if choice is None:
            return Resolution(day.subject, {**day.values, MARGINAL: None}, day.parts, day.names)
        values = {**day.values, MARGINAL: choice.factor.value}
        return Resolution(day.subject, values, {**day.parts, MARGINAL: hour_parts(choice, day.names)}, day.names)


def _yearly(edition: Edition, zone: str, at: date, policy: str) -> Choice | None:
    """A marginal factor of the user's own; the library ships none."""
    try:
        return choose(edition, MARGINAL, zone, at, policy)
    except FactorMissing:
        return None


def marginal_groups(tables: Tables, rows: nw.LazyFrame) -> list[dict[str, Any]]:
    """Marginal CO2e per group of `joulebook.account.pricing.GROUP`.

    Args:
        tables: where the usage lives.
        rows: usage after `joulebook.account.pricing.joined`, whose places have a marginal intensity.
    """
    arguments = {name: nw.col(name) for name in ("facility_energy_kwh", MARGINAL)}
    priced = rows.with_columns(co2e_operational_marginal_g(**arguments).alias(METRIC))
    return tables.rows(cube(in_grains(priced, METRICS), metrics=METRICS))
