"""A reader of processor and memory energy through Zeus' daemon, where RAPL itself is closed to users.

Source: ml-energy/zeus, zeusd, "POST /cpu/{id}/get_index_energy" over a Unix socket; counters in microjoules.
"""

import http.client
import json
import socket
from collections.abc import Sequence
from pathlib import Path

from joulebook.errors import translatable
from joulebook.measure.reading import Absence, Channel, Kind, Opened

MICRO = 1e-6
"""The daemon counts microjoules."""

TIMEOUT_S = 2.0

PARTS = (("cpu_energy_uj", "", "cpu"), ("dram_energy_uj", "/dram", "memory"))


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's file."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))


class ZeusdReader:
    """Packages that the daemon reads; give it as ``joulebook.measure(readers=[...])``.

    Args:
        path: the daemon's socket.
    """

    name = "zeusd"

    def __init__(self, path: Path = Path("/var/run/zeusd.sock")) -> None:
        self._path = path
        self._taken: list[tuple[int, str]] = []

    def open(self) -> Opened:
        """Ask for package after package until one is not there."""
        channels = []
        package = 0
        while (found := self._ask(package)) is not None:
            for key, suffix, component in PARTS:
                if found.get(key) is not None:
                    domain = f"package-{package}{suffix}"
                    channels.append(Channel("rapl", domain, component, Kind.COUNTER, MICRO, "rapl.zeusd", label=domain))
                    self._taken.append((package, key))
            package += 1
        return Opened(channels, () if channels else (self._absent(),))

    def _ask(self, package: int) -> dict[str, int] | None:
        connection = _Connection(self._path)
        try:
            body = json.dumps({"cpu": True, "dram": True})
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/cpu/{package}/get_index_energy", body, headers)
            answer = connection.getresponse()
            text = answer.read()
            return json.loads(text) if answer.status == http.client.OK else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def read(self) -> Sequence[int | None]:
        """Counters [uJ]."""
        answers = {package: self._ask(package) or {} for package in dict.fromkeys(one for one, _key in self._taken)}
        return [answers[package].get(key) for package, key in self._taken]

    def close(self) -> None:
        """Nothing is kept open."""
        self._taken = []

    def _absent(self) -> Absence:
        return Absence(
            "cpu",
            translatable("No zeusd answers at {path}."),
            translatable("start zeusd, or give ZeusdReader the path of its socket"),
            {"path": str(self._path)},
            reader="zeusd",
        )
