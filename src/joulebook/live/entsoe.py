"""ENTSO-E Transparency Platform: generation by type of a bidding zone, from which the intensity follows.

Interface (https://transparency.entsoe.eu, "Restful API guide"): document A75, actual generation per type (at most a
year per question), or A73, per unit (at most a day), process type A16 (realised), XML. A curve of type A03 leaves out
points that equal the one before; one of type A01 does not, so that what is missing is a gap. A series with an
``outBiddingZone_Domain`` is what storage took in and is left out. Reason 999 says that there is nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from joulebook.errors import translatable
from joulebook.live.answer import bad_value, number, xml_root
from joulebook.live.ask import Ask, Meaning, Point, instant
from joulebook.live.client import Client
from joulebook.live.faults import LiveFailed, LiveUnreadable
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

FUELS: Mapping[str, str] = {
    "B01": "biomass", "B02": "lignite", "B03": "coal-gas", "B04": "gas", "B05": "coal", "B06": "oil",
    "B07": "oil-shale", "B08": "peat", "B09": "geothermal", "B10": "storage", "B11": "hydro", "B12": "hydro",
    "B13": "marine", "B14": "nuclear", "B15": "other-renewable", "B16": "solar", "B17": "waste",
    "B18": "wind-offshore", "B19": "wind-onshore", "B20": "other", "B25": "storage",
}  # fmt: skip
"""Their type -> our fuel."""

STEPS = {"PT15M": timedelta(minutes=15), "PT30M": timedelta(minutes=30), "PT60M": timedelta(hours=1)}
NOTHING = "999"
BAD_REQUEST = 400


class Entsoe:
    """Generation per type [kWh]."""

    name = "entsoe"
    url = "https://web-api.tp.entsoe.eu"
    keys: Mapping[str, tuple[str, ...]] = {"token": ("JOULEBOOK_ENTSOE_TOKEN", "ENTSOE_API_KEY")}
    document = "A75"
    days = 90

    def meaning(self, ask: Ask) -> Meaning:  # noqa: ARG002  (the form of every source)
        """Generation in the zone, without imports."""
        return Meaning("fuel_generation_kwh", "kWh", "live-entsoe", {"grain": "hour", "flow": "production"})

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:
        """Ask for every piece."""
        for start, end in ask.windows(self.days):
            params = {
                "securityToken": secrets["token"],
                "documentType": self.document,
                "processType": "A16",
                "in_Domain": ask.code or ask.zone,
                "periodStart": f"{start:%Y%m%d%H%M}",
                "periodEnd": f"{end:%Y%m%d%H%M}",
            }
            yield from self.parse(client.get("/api", params, also=(BAD_REQUEST,)))

    def parse(self, body: bytes) -> Iterator[Point | Finding]:
        """The points of one document.

        Raises:
            LiveFailed: the platform refuses the question and says why.
            LiveUnreadable: it is another document.
        """
        root = xml_root(self.name, body)
        if root.tag == "Acknowledgement_MarketDocument":
            code = root.findtext("Reason/code") or "?"
            if code != NOTHING:
                raise LiveFailed(source=self.name, status=f"reason {code}")
            return
        if root.tag != "GL_MarketDocument":
            raise LiveUnreadable(source=self.name, reason=translatable("another document"))
        updated = root.findtext("createdDateTime") or ""
        for position, series in enumerate(root.findall("TimeSeries")):
            if series.find("outBiddingZone_Domain.mRID") is not None:
                continue
            try:
                found = list(_curve(series))
            except (ValueError, KeyError, TypeError):
                yield bad_value(self.name, position)
                continue
            kind = series.findtext("MktPSRType/psrType") or "?"
            unit = series.findtext("MktPSRType/PowerSystemResources/mRID") or ""
            cell = f"{root.findtext('type')} {kind} {unit}".rstrip()
            for start, end, value in found:
                yield Point(start, end, value, cell, FUELS.get(kind, "other"), f"{kind} {unit}", updated=updated)


class EntsoeUnits(Entsoe):
    """Generation per unit, added up by type: for zones that publish no aggregate."""

    name = "entsoe-units"
    document = "A73"
    days = 1


def _curve(series: ET.Element) -> Iterator[tuple[datetime, datetime, float]]:
    """Start, end and energy [kWh] of every step of a series."""
    is_filled = series.findtext("curveType") == "A03"
    for period in series.findall("Period"):
        start = instant(period.findtext("timeInterval/start") or "")
        end = instant(period.findtext("timeInterval/end") or "")
        step = STEPS[period.findtext("resolution") or ""]
        told = {}
        for point in period.findall("Point"):
            value = number(point.findtext("quantity"))
            if value is not None:
                told[int(point.findtext("position") or "")] = value
        last: float | None = None
        for position in range(1, (end - start) // step + 1):
            last = told.get(position, last if is_filled else None)
            if last is not None:
                at = start + (position - 1) * step
                hours = step / timedelta(hours=1)
                yield at, at + step, convert(last, "MW", "kW") * hours
