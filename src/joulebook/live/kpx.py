"""KPX through the public data portal of Korea: generation by source every five minutes.

Interface (https://www.data.go.kr, "한국전력거래소_발전원별 발전량(계통기준)"): ``getPwrAmountByGen`` with one Korean
day in ``baseDate``, pages of ``numOfRows``; ``baseDatetime`` is Korean time (UTC+9), values are MW. The portal's
gateway answers with XML and status 200 where the key is refused or used up.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from joulebook.live.answer import bad_value, json_object, number, row_count, xml_root
from joulebook.live.ask import Ask, Meaning, Point
from joulebook.live.client import Client
from joulebook.live.faults import LiveBusy, LiveFailed, LiveRefused
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

SEOUL = "Asia/Seoul"
PAGE = 300
STEP = timedelta(minutes=5)
PATH = "/B552115/PwrAmountByGen/getPwrAmountByGen"
FUELS: Mapping[str, str] = {
    "fuelPwr1": "hydro", "fuelPwr2": "oil", "fuelPwr3": "coal", "fuelPwr4": "nuclear", "fuelPwr5": "storage",
    "fuelPwr6": "gas", "fuelPwr7": "coal", "fuelPwr8": "other-renewable", "fuelPwr9": "solar",
}  # fmt: skip
"""Their column -> our fuel: 수력, 유류, 유연탄, 원자력, 양수, 가스, 국내탄, 신재생, 태양광."""

REFUSED = ("20", "30", "31", "32", "33")
BUSY = ("21", "22")
GOOD = ("00", "03")
"""Normal, and no data."""


class Kpx:
    """Generation per source [kWh]."""

    name = "kpx"
    url = "https://apis.data.go.kr"
    keys: Mapping[str, tuple[str, ...]] = {"key": ("JOULEBOOK_KPX_KEY", "DATA_GO_KR_KEY")}

    def meaning(self, ask: Ask) -> Meaning:  # noqa: ARG002  (the form of every source)
        """Generation on Korea's grid, without what is used behind the meter."""
        return Meaning("fuel_generation_kwh", "kWh", "live-kpx", {"grain": "hour", "flow": "production"})

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:
        """Ask for every Korean day that the time asked for touches, page by page."""
        seoul = ZoneInfo(SEOUL)
        day, last = ask.start.astimezone(seoul).date(), (ask.end - STEP).astimezone(seoul).date()
        while day <= last:
            page, total = 1, 1
            while (page - 1) * PAGE < total:
                params = {
                    "serviceKey": secrets["key"],
                    "pageNo": str(page),
                    "numOfRows": str(PAGE),
                    "dataType": "JSON",
                    "baseDate": f"{day:%Y%m%d}",
                }
                content = self.content(client.get(PATH, params))
                total = row_count(self.name, content.get("totalCount")) if content else 0
                yield from self.parse(content)
                page += 1
            day += timedelta(days=1)

    def content(self, body: bytes) -> dict[str, Any]:
        """The body of an answer, after its header was found good.

        Raises:
            LiveRefused, LiveBusy, LiveFailed: what the gateway or the service says instead.
        """
        if body.lstrip().startswith(b"<"):
            self._refuse(xml_root(self.name, body).findtext(".//returnReasonCode") or "?")
        answer = json_object(self.name, body).get("response")
        header = answer.get("header") if isinstance(answer, dict) else None
        code = str(header.get("resultCode")) if isinstance(header, dict) else "?"
        if code not in GOOD:
            self._refuse(code)
        content = answer.get("body") if isinstance(answer, dict) else None
        return content if isinstance(content, dict) else {}

    def _refuse(self, code: str) -> None:
        if code in REFUSED:
            raise LiveRefused(source=self.name, status=code)
        if code in BUSY:
            raise LiveBusy(source=self.name, pause="86400")
        raise LiveFailed(source=self.name, status=code)

    def parse(self, content: Mapping[str, Any]) -> Iterator[Point | Finding]:
        """The points of one page: one row may come as an object instead of a list, and none as an empty text."""
        held = content.get("items") or {}
        rows = held.get("item", []) if isinstance(held, dict) else held
        for position, entry in enumerate([rows] if isinstance(rows, dict) else rows):
            try:
                found = list(_points(entry, position))
            except (ValueError, KeyError, TypeError, AttributeError):
                yield bad_value(self.name, position)
                continue
            yield from found


def _points(entry: Mapping[str, Any], position: int) -> Iterator[Point]:
    start = datetime.strptime(str(entry["baseDatetime"]), "%Y%m%d%H%M%S").replace(tzinfo=ZoneInfo(SEOUL))
    start = start.astimezone(ZoneInfo("UTC"))
    for column, fuel in FUELS.items():
        value = number(entry.get(column))
        if value is not None:
            energy = convert(value, "MW", "kW") * (STEP / timedelta(hours=1))
            yield Point(start, start + STEP, energy, f"item[{position}].{column}", fuel, column)
