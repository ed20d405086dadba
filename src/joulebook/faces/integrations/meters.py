"""Meters behind a network or another program, by the name that ``joulebook run --meter`` takes."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from joulebook.measure.discover import Maker
from joulebook.measure.reading import Reader

SOCKET = "JOULEBOOK_ZEUSD"
"""Environment variable that names the socket of zeusd; its usual place without."""


def _redfish() -> Reader:
    from joulebook.faces.integrations.redfish import RedfishReader  # noqa: PLC0415  (loads the network)

    return RedfishReader.from_environment()


def _zeusd() -> Reader:
    from joulebook.faces.integrations.zeusd import ZeusdReader  # noqa: PLC0415  (loads the network)

    return ZeusdReader(Path(os.environ[SOCKET])) if os.environ.get(SOCKET) else ZeusdReader()


METERS: Mapping[str, Maker] = MappingProxyType({"redfish": _redfish, "zeusd": _zeusd})
"""Name -> makes its reader."""
