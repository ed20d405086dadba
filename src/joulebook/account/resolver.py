"""Resolve each model, machine and place of a table once, into the small tables that join to its rows."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from joulebook.account.kinds import BUCKETS, TEXT
from joulebook.account.resolution import Resolution
from joulebook.account.resolve import UNKNOWN, resolve_model_factors, resolve_place_factors
from joulebook.account.units_of_use import NO_COST
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.factors.edition import Edition

if TYPE_CHECKING:
    from datetime import date

    from joulebook.estimate.deployment import Deployment
    from joulebook.factors.hourly import Hours

DEFAULTS: Mapping[str, float | None] = {**NO_COST, **dict.fromkeys(COEFFICIENTS, float(0)), "lowest_rung": 0}
"""What a resolution does not speak about: units that its rows do not have."""


class Resolver:
    """Resolves each model, machine and place once, and gives the small tables that join to usage.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        hours: hourly values that were fetched, where the periods of the keys are hours; None where they are days.

    Attributes:
        served: what records tell of the servers of a provider and model on a day.
    """

    def __init__(self, edition: Edition, policy: str, hours: "Hours | None" = None) -> None:
        self.edition, self.policy, self.hours = edition, policy, hours
        self.served: Mapping[tuple[str, str, date], Deployment] = {}
        self.resolutions: dict[str, Resolution] = {}
        self._days: dict[tuple[str, ...], Resolution] = {}

    def models(self, keys: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One row per key (``provider_key``, ``model_key``, those of `kinds.key_names`, ``day``) with its coefficients.

        Coefficients of units that a key does not have are 0, so that each row is priced by its own unit alone.
        """
        return [{**DEFAULTS, **self._row(key, self._use(key), "model_resolution_id", {})} for key in keys]

    def places(self, keys: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One row per key (``provider_key``, ``region_key``, ``day``) with `PLACE_COLUMNS`, zone and id."""
        rows = []
        for key in keys:
            found = self.place(key)
            rows.append(self._row(key, found, "place_resolution_id", {"zone": found.names["zone"]}))
        return rows

    def place(self, key: Mapping[str, Any]) -> Resolution:
        """The factors of one place in one period."""
        found = self._of_day(resolve_place_factors, key, "region_key")
        if self.hours is not None:
            from joulebook.account.resolve_hour import at_hour  # noqa: PLC0415  (only a policy of hours pays)

            found = at_hour(found, self.edition, self.hours, self.policy, key["day"])
        if not key.get("meter_key"):
            return found
        from joulebook.account.resolve_use import at_the_meter  # noqa: PLC0415  (only metered energy pays)

        return at_the_meter(found)

    def _use(self, key: Mapping[str, Any]) -> Resolution:
        kind, day = key.get("kind_key", TEXT), key["day"].date()
        served = self.served.get((key["provider_key"], key["model_key"], day), UNKNOWN)
        if kind == TEXT:
            return self._of_day(partial(resolve_model_factors, deployment=served), key, "model_key")
        names = sorted(name for name in key if name.endswith("_key") and name != "region_key")
        asked = ("use", day.isoformat(), *(str(key[name]) for name in names))
        if asked not in self._days and kind in BUCKETS:
            from joulebook.account.resolve_bucket import resolve_bucket_factors  # noqa: PLC0415  (only buckets pay)

            self._days[asked] = resolve_bucket_factors(self.edition, self.policy, key, day, served)
        elif asked not in self._days:
            from joulebook.account.resolve_use import resolve_use  # noqa: PLC0415  (only machines and media pay)

            self._days[asked] = resolve_use(self.edition, self.policy, kind, key, day)
        return self._days[asked]

    def _of_day(self, resolve: Callable[..., Resolution], key: Mapping[str, Any], name: str) -> Resolution:
        """What holds for the day of a key, which the hours of a day share."""
        day: date = key["day"].date()
        asked = (name, key["provider_key"], key[name], day.isoformat())
        if asked not in self._days:
            self._days[asked] = resolve(self.edition, self.policy, key["provider_key"], key[name], day)
        return self._days[asked]

    def _row(
        self, key: Mapping[str, Any], found: Resolution, id_name: str, more: Mapping[str, str | None]
    ) -> dict[str, Any]:
        resolution_id = found.resolution_id
        self.resolutions[resolution_id] = found
        return {**key, **found.values, **more, id_name: resolution_id}


def shares(counts: Iterable[int | None]) -> list[dict[str, Any]]:
    """One over each number of requests that a row stands for: the division the big side must not do.

    An unknown number has no share: what a token of such rows takes has no part per request (`kinds.BUCKETS`).
    """
    known = dict.fromkeys(count for count in (1, *counts) if count)
    return [{"request_count": count, "per_request_ratio": 1 / count} for count in known]
