"""EIA hourly grid monitor (form EIA-930): generation by energy source of a US balancing authority.

Interface, version 2 (https://www.eia.gov/opendata): ``/v2/electricity/rto/fuel-type-data/data/`` with
``frequency=hourly``, at most 5,000 rows per page. A ``period`` is in UTC and names the *end* of its hour. Values are
MWh, as numbers or texts; a missing one is null.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from joulebook.live.answer import bad_value, items, json_object, number, row_count
from joulebook.live.ask import HOUR, Ask, Meaning, Point
from joulebook.live.client import Client
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

PAGE = 5000
DAYS = 180
PATH = "/v2/electricity/rto/fuel-type-data/data/"
FUELS: Mapping[str, str] = {
    "COL": "coal", "NG": "gas", "OIL": "oil", "NUC": "nuclear", "WAT": "hydro", "SUN": "solar", "WND": "wind-onshore",
    "GEO": "geothermal", "BIO": "biomass", "PS": "storage", "BAT": "storage", "OES": "storage", "UES": "storage",
    "SNB": "solar", "WNB": "wind-onshore", "OTH": "other", "UNK": "other",
}  # fmt: skip
"""Their energy source -> our fuel."""


class Eia:
    """Generation per energy source [kWh]."""

    name = "eia"
    url = "https://api.eia.gov"
    keys: Mapping[str, tuple[str, ...]] = {"key": ("JOULEBOOK_EIA_KEY", "EIA_API_KEY")}

    def meaning(self, ask: Ask) -> Meaning:  # noqa: ARG002  (the form of every source)
        """Generation in the balancing authority, without imports."""
        return Meaning("fuel_generation_kwh", "kWh", "live-eia", {"grain": "hour", "flow": "production"})

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:
        """Ask for every piece, page by page."""
        for start, end in ask.windows(DAYS):
            offset, total = 0, 1
            while offset < total:
                params = {
                    "api_key": secrets["key"],
                    "frequency": "hourly",
                    "data[0]": "value",
                    "facets[respondent][]": ask.zone,
                    "start": f"{start + HOUR:%Y-%m-%dT%H}",
                    "end": f"{end:%Y-%m-%dT%H}",
                    "sort[0][column]": "period",
                    "sort[0][direction]": "asc",
                    "offset": str(offset),
                    "length": str(PAGE),
                }
                body = client.get(PATH, params)
                total = self.total(body)
                found = list(self.parse(body))
                yield from found
                offset += PAGE

    def total(self, body: bytes) -> int:
        """How many rows there are on all pages.

        Raises:
            LiveUnreadable: the answer does not tell; further pages would be missed without a word.
        """
        told = json_object(self.name, body).get("response")
        return row_count(self.name, told.get("total") if isinstance(told, dict) else None)

    def parse(self, body: bytes) -> Iterator[Point | Finding]:
        """The points of one page."""
        for position, entry in enumerate(items(self.name, json_object(self.name, body), "response", "data")):
            try:
                point = _point(entry, position)
            except (ValueError, KeyError, TypeError, AttributeError):
                yield bad_value(self.name, position)
                continue
            if point is not None:
                yield point


def _point(entry: dict[str, Any], position: int) -> Point | None:
    value = number(entry["value"])
    if value is None:
        return None
    end = datetime.strptime(entry["period"], "%Y-%m-%dT%H").replace(tzinfo=UTC)
    fuel = FUELS.get(entry["fueltype"], "other")
    cell = f"response.data[{position}].value, {entry['fueltype']}"
    return Point(end - HOUR, end, convert(value, "MWh", "kWh"), cell, fuel, entry["fueltype"])
