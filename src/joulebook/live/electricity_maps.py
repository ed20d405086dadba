"""Electricity Maps: hourly intensity of the electricity used in a zone, imports counted.

Interface: ``/v3/carbon-intensity/past-range`` (https://docs.electricitymaps.com), token in the header ``auth-token``,
at most ten days per question at hourly grain. Values carry ``isEstimated``, and change until the zone's data are
complete.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from joulebook.live.answer import bad_value, items, json_object, number
from joulebook.live.ask import HOUR, Ask, Meaning, Point, instant
from joulebook.live.client import Client
from joulebook.terms.finding import Finding

DAYS = 10
STAGES = {"life-cycle": "lifecycle", "direct": "direct"}


class ElectricityMaps:
    """Average intensity, life-cycle unless direct is asked for."""

    name = "electricity-maps"
    url = "https://api.electricitymaps.com"
    keys: Mapping[str, tuple[str, ...]] = {"token": ("JOULEBOOK_ELECTRICITY_MAPS_TOKEN", "ELECTRICITY_MAPS_API_KEY")}

    def meaning(self, ask: Ask) -> Meaning:
        """Average, location-based, of what is used in the zone."""
        stage = ask.stage or "life-cycle"
        words = {"signal": "average", "stage": stage, "method": "location", "grain": "hour", "flow": "consumption"}
        return Meaning("intensity_g_per_kwh", "g/kWh", "live-electricity-maps", words)

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:
        """Ask for every piece of ten days."""
        headers = {"auth-token": secrets["token"]}
        for start, end in ask.windows(DAYS):
            params = {
                "zone": ask.zone,
                "start": _text(start),
                "end": _text(end),
                "emissionFactorType": STAGES[ask.stage or "life-cycle"],
                "temporalGranularity": "hourly",
            }
            yield from self.parse(client.get("/v3/carbon-intensity/past-range", params, headers))

    def parse(self, body: bytes) -> Iterator[Point | Finding]:
        """The points of one answer."""
        for position, entry in enumerate(items(self.name, json_object(self.name, body), "data")):
            try:
                point = _point(entry, position)
            except (ValueError, KeyError, TypeError, AttributeError):
                yield bad_value(self.name, position)
                continue
            if point is not None:
                yield point


def _point(entry: dict[str, Any], position: int) -> Point | None:
    value = number(entry["carbonIntensity"])
    if value is None:
        return None
    start = instant(entry["datetime"])
    is_final = not entry.get("isEstimated", False)
    cell = f"data[{position}].carbonIntensity"
    return Point(start, start + HOUR, value, cell, is_final=is_final, updated=entry.get("updatedAt") or "")


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
