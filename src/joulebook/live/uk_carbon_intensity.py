"""UK Carbon Intensity: half-hours of Great Britain, or of one of its 17 regions.

Interface (https://carbon-intensity.github.io/api-definitions): ``/intensity/{from}/{to}`` and
``/regional/intensity/{from}/{to}/regionid/{id}``, at most 14 days per question, without a key. National half-hours have
a forecast and later an actual value; regions have a forecast only. Method: CO2 of generation alone, with imports and
with losses up to the user (NESO and University of Oxford, 2024).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from joulebook.live.answer import bad_value, items, json_object, number
from joulebook.live.ask import Ask, Meaning, Point, instant
from joulebook.live.client import Client
from joulebook.terms.finding import Finding

DAYS = 13
"""One less than allowed, since the half-hour before the start comes along."""

HALF_HOUR = timedelta(minutes=30)
NATIONAL = "GB"


class UkCarbonIntensity:
    """Average intensity of generation, consumption end."""

    name = "uk-carbon-intensity"
    url = "https://api.carbonintensity.org.uk"
    keys: Mapping[str, tuple[str, ...]] = {}

    def meaning(self, ask: Ask) -> Meaning:  # noqa: ARG002  (the form of every source)
        """Average, direct, at the consumer's end of the grid."""
        words = {"signal": "average", "stage": "direct", "method": "location", "grain": "hour"}
        return Meaning(
            "intensity_g_per_kwh", "g/kWh", "live-uk-carbon-intensity", {**words, "delivery": "consumption-end"}
        )

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:  # noqa: ARG002
        """Ask for every piece; without a key."""
        for start, end in ask.windows(DAYS):
            span = f"{_text(start)}/{_text(end)}"
            if ask.zone == NATIONAL:
                yield from self.parse(client.get(f"/intensity/{span}"))
            else:
                yield from self.parse(client.get(f"/regional/intensity/{span}/regionid/{ask.zone}"), "data")

    def parse(self, body: bytes, *inner: str) -> Iterator[Point | Finding]:
        """The points of one answer; a region's list lies one step deeper."""
        for position, entry in enumerate(items(self.name, json_object(self.name, body), "data", *inner)):
            try:
                point = _point(entry, position)
            except (ValueError, KeyError, TypeError, AttributeError):
                yield bad_value(self.name, position)
                continue
            if point is not None:
                yield point


def _point(entry: dict[str, Any], position: int) -> Point | None:
    told = entry["intensity"]
    actual, forecast = number(told.get("actual")), number(told.get("forecast"))
    value = forecast if actual is None else actual
    if value is None:
        return None
    start = instant(entry["from"])
    word = "forecast" if actual is None else "actual"
    cell = f"data[{position}].intensity.{word}"
    return Point(start, start + HALF_HOUR, value, cell, is_final=actual is not None)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"
