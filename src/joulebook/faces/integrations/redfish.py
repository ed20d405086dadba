"""A server's own meter through its management controller (BMC), by Redfish.

Source: DMTF DSP0266 (Redfish), schema Power, ``PowerControl[0].PowerConsumedWatts``. The controller is asked once per
sample; its power is that of the whole server at its inputs.
"""

import json
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Sequence

from joulebook.errors import translatable
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.terms.tier import Tier

TIMEOUT_S = 3.0
MILLI = 1e-3
"""Watts are kept as whole milliwatts."""

Fetch = Callable[[str], object]
"""Address -> JSON."""


class RedfishReader:
    """Power of one chassis; give it as ``joulebook.measure(readers=[...])``.

    Args:
        address: such as ``https://bmc.example/redfish/v1/Chassis/1/Power``.
        user: name for the controller; None asks without.
        password: its password; never kept in a journal.
        context: how certificates are checked; the system's way by default.
        fetch: asks the controller; for tests.
    """

    name = "redfish"

    def __init__(
        self,
        address: str,
        user: str | None = None,
        password: str = "",
        context: ssl.SSLContext | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self._address = address
        self._headers = {"Accept": "application/json"}
        if user is not None:
            self._headers["Authorization"] = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
        self._context = context
        self._fetch = fetch or self._get

    def _get(self, address: str) -> object:
        request = urllib.request.Request(address, headers=self._headers)  # noqa: S310  (the user's own address)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._context) as answer:  # noqa: S310
            return json.load(answer)

    def open(self) -> Opened:
        """Offer the whole server where the controller answers."""
        if self.read() == [None]:
            return Opened((), (self._absent(),))
        return Opened(
            [
                Channel(
                    self._address,
                    "server",
                    "node",
                    Kind.AVERAGE,
                    MILLI,
                    "redfish.power",
                    Tier.DERIVED,
                    contains=("gpu", "cpu", "memory"),
                    label="server",
                )
            ]
        )

    def read(self) -> Sequence[int | None]:
        """Power now [mW]."""
        try:
            document = self._fetch(self._address)
        except (OSError, ValueError):
            return [None]
        try:
            watts = document["PowerControl"][0]["PowerConsumedWatts"]  # ty: ignore[not-subscriptable]
            return [round(watts / MILLI)]
        except (KeyError, IndexError, TypeError):
            return [None]

    def close(self) -> None:
        """Nothing is kept open."""

    def _absent(self) -> Absence:
        return Absence(
            "node",
            translatable("The management controller at {address} does not tell its power."),
            translatable("check address, user and password; some controllers need a licence for it"),
            {"address": self._address},
            reader="redfish",
        )
