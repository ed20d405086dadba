"""WattTime: marginal intensity every five minutes, for decisions and never for an inventory.

Interface, version 3 (https://docs.watttime.org): ``/login`` with name and password gives a token that holds for half an
hour; ``/v3/historical`` with ``signal_type=co2_moer`` gives at most 32 days per question, in pounds of CO2 per MWh.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from joulebook.errors import translatable
from joulebook.live.answer import bad_value, items, json_object, number
from joulebook.live.ask import Ask, Meaning, Point, instant
from joulebook.live.client import Client
from joulebook.live.faults import LiveRefused, LiveUnreadable
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

DAYS = 32
SIGNAL = "co2_moer"
UNITS = {"lbs_co2_per_mwh": "lb/MWh"}


class WattTime:
    """Marginal operating emissions rate."""

    name = "watttime"
    url = "https://api.watttime.org"
    keys: Mapping[str, tuple[str, ...]] = {
        "user": ("JOULEBOOK_WATTTIME_USER", "WATTTIME_USER"),
        "password": ("JOULEBOOK_WATTTIME_PASSWORD", "WATTTIME_PASSWORD"),
    }

    def meaning(self, ask: Ask) -> Meaning:  # noqa: ARG002  (the form of every source)
        """Marginal, direct: CO2 of the plants that answer to one more kWh."""
        words = {"signal": "marginal", "stage": "direct", "method": "location", "grain": "hour"}
        return Meaning("marginal_intensity_g_per_kwh", "g/kWh", "live-watttime", words)

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:
        """Log in, ask for every piece of 32 days, and log in again once where the token has run out."""
        token = self._token(client, secrets)
        for start, end in ask.windows(DAYS):
            params = {"region": ask.zone, "signal_type": SIGNAL, "start": start.isoformat(), "end": end.isoformat()}
            try:
                body = client.get("/v3/historical", params, {"Authorization": f"Bearer {token}"})
            except LiveRefused:
                token = self._token(client, secrets)
                body = client.get("/v3/historical", params, {"Authorization": f"Bearer {token}"})
            yield from self.parse(body)

    def _token(self, client: Client, secrets: Mapping[str, str]) -> str:
        pair = b64encode(f"{secrets['user']}:{secrets['password']}".encode()).decode()
        token = json_object(self.name, client.get("/login", None, {"Authorization": f"Basic {pair}"})).get("token")
        if not isinstance(token, str) or not token:
            raise LiveUnreadable(source=self.name, reason=translatable("no token"))
        return token

    def _period_s(self, meta: Mapping[str, Any]) -> float:
        """How long one point lasts [s]; an answer that does not tell is not taken for five minutes."""
        try:
            period_s = number(meta.get("data_point_period_seconds"))
        except ValueError:
            period_s = None
        if period_s is None or period_s <= 0:
            raise LiveUnreadable(source=self.name, reason=translatable("no length of a point"))
        return period_s

    def parse(self, body: bytes) -> Iterator[Point | Finding]:
        """The points of one answer.

        Raises:
            LiveUnreadable: the unit is not the one that is documented, or the length of a point is not told.
        """
        whole = json_object(self.name, body)
        told = whole.get("meta")
        meta: dict[str, Any] = told if isinstance(told, dict) else {}
        if meta.get("units") not in UNITS or meta.get("signal_type", SIGNAL) != SIGNAL:
            raise LiveUnreadable(source=self.name, reason=translatable("another unit or signal than asked for"))
        step = timedelta(seconds=self._period_s(meta))
        for position, entry in enumerate(items(self.name, whole, "data")):
            try:
                point = _point(entry, position, step, UNITS[meta["units"]])
            except (ValueError, KeyError, TypeError, AttributeError):
                yield bad_value(self.name, position)
                continue
            if point is not None:
                yield point


def _point(entry: dict[str, Any], position: int, step: timedelta, unit: str) -> Point | None:
    value = number(entry["value"])
    if value is None:
        return None
    start = instant(entry["point_time"])
    grams = convert(value, unit, "g/kWh")
    return Point(start, start + step, grams, f"data[{position}].value", updated=entry.get("last_updated") or "")
