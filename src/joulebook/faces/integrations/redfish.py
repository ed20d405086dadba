"""A server's own meter through its management controller (BMC), by Redfish; only when asked for by name.

Sources: DMTF DSP0266 (Redfish) and its schemas Power (``PowerControl[0].PowerConsumedWatts``) and EnvironmentMetrics
(``PowerWatts.Reading``). The controller is asked every few seconds in a thread of its own, so that nothing waits for
the network; its power is that of the whole server at its inputs.
"""

import json
import os
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from joulebook.errors import UsageError, translatable
from joulebook.measure.polled import EVERY_S, Polled
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.terms.tier import Tier

ADDRESS, USER, PASSWORD = "JOULEBOOK_REDFISH", "JOULEBOOK_REDFISH_USER", "JOULEBOOK_REDFISH_PASSWORD"
"""Environment variables that name the controller for ``joulebook run --meter redfish``."""

TIMEOUT_S = 3.0
MILLI = 1e-3
"""Watts are kept as whole milliwatts."""

POWER_RESOURCES = ("Power", "EnvironmentMetrics")
"""Links of a chassis to what tells its power, in the order in which they are tried."""

Fetch = Callable[[str], object]
"""Address -> JSON."""


class RedfishReader:
    """Power of one server; ``joulebook run --meter redfish``, or ``joulebook.measure(readers=[...])``.

    Args:
        address: the controller, such as ``https://bmc.example``, whose first chassis with a power is read; or the
            resource itself, such as ``https://bmc.example/redfish/v1/Chassis/1/Power``.
        user: name for the controller; None asks without.
        password: its password; never kept in a journal.
        context: how certificates are checked; the system's way by default.
        fetch: asks the controller; for tests.
        every_s: seconds between two questions.
    """

    name = "redfish"

    def __init__(
        self,
        address: str,
        user: str | None = None,
        password: str = "",
        context: ssl.SSLContext | None = None,
        fetch: Fetch | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        self._address = address
        self._headers = {"Accept": "application/json"}
        if user is not None:
            self._headers["Authorization"] = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
        self._context = context
        self._fetch = fetch or self._get
        self._resource = address
        self._polled = Polled(self._ask, every_s)

    @classmethod
    def from_environment(cls) -> "RedfishReader":
        """The controller that the environment names.

        Raises:
            UsageError: it names none.
        """
        if not os.environ.get(ADDRESS):
            raise UsageError(
                what=translatable("The meter redfish needs the address of a management controller."),
                next_step=translatable(
                    "set JOULEBOOK_REDFISH=https://ADDRESS, JOULEBOOK_REDFISH_USER and JOULEBOOK_REDFISH_PASSWORD."
                ),
            )
        return cls(os.environ[ADDRESS], os.environ.get(USER) or None, os.environ.get(PASSWORD, ""))

    def _get(self, address: str) -> object:
        request = urllib.request.Request(address, headers=self._headers)  # noqa: S310  (the user's own address)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._context) as answer:  # noqa: S310
            return json.load(answer)

    def open(self) -> Opened:
        """Offer the whole server where the controller answers."""
        if urlsplit(self._address).path in {"", "/"}:
            self._resource = next(self._resources(), self._address)
        if self._polled.start() is None:
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

    def _resources(self) -> Iterator[str]:
        """Addresses of what tells a power, over all chassis of the controller."""
        chassis = self._document(urljoin(self._address, "/redfish/v1/Chassis"))
        for member in _value(chassis, "Members") or ():
            one = self._document(urljoin(self._address, str(_value(member, "@odata.id"))))
            for name in POWER_RESOURCES:
                link = _value(one, name, "@odata.id")
                resource = urljoin(self._address, link) if isinstance(link, str) else ""
                if resource and milliwatts_of(self._document(resource)) is not None:
                    yield resource

    def _document(self, address: str) -> object:
        try:
            return self._fetch(address)
        except (OSError, ValueError):
            return None

    def _ask(self) -> int | None:
        return milliwatts_of(self._document(self._resource))

    def read(self) -> Sequence[int | None]:
        """Power by the last answer [mW]."""
        return [self._polled.value()]

    def close(self) -> None:
        """Ask no more."""
        self._polled.stop()

    def _absent(self) -> Absence:
        return Absence(
            "node",
            translatable("The management controller at {address} does not tell its power."),
            translatable("check address, user and password; some controllers need a licence for it"),
            {"address": self._address},
            reader="redfish",
        )


def milliwatts_of(document: object) -> int | None:
    """Power in a Power or EnvironmentMetrics resource [mW]; None where it tells none."""
    controls = _value(document, "PowerControl")
    watts = _value(controls[0], "PowerConsumedWatts") if isinstance(controls, list) and controls else None
    if watts is None:
        watts = _value(document, "PowerWatts", "Reading")
    return round(watts / MILLI) if isinstance(watts, int | float) and watts > 0 else None


def _value(document: object, *names: str) -> Any:  # noqa: ANN401  (whatever the controller says)
    """What stands under some names in a document; None where it is not there."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document
