"""Apple silicon, from a file that ``powermetrics`` writes.

Only root may run powermetrics, and the meter starts no program, so the user starts it beside the run:
``sudo powermetrics --samplers cpu_power,gpu_power -i 1000 -f plist -o FILE`` and names the file in
``JOULEBOOK_POWERMETRICS``. Each property list it appends holds the energy since the one before; their sum is a
counter. Source: powermetrics(1): the values are estimates of the system, hence tier derived.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from joulebook.errors import translatable
from joulebook.measure.reading import Absence, Channel, Kind, Opened
from joulebook.terms.tier import Tier

VARIABLE = "JOULEBOOK_POWERMETRICS"
"""Environment variable that names the file."""

PARTS = {"cpu_energy": ("cpu", "cpu"), "gpu_energy": ("gpu", "gpu"), "ane_energy": ("ane", "gpu")}
"""Key of the property list -> domain, component; the neural engine counts as an accelerator."""

MILLI = 1e-3
"""The energies are in millijoules."""


class AppleReader:
    """Sums what powermetrics has written.

    Args:
        path: its file; looked up in the environment by default.
        platform: name of the system, as `sys.platform`.
    """

    name = "apple"

    def __init__(self, path: Path | None = None, platform: str = sys.platform) -> None:
        named = os.environ.get(VARIABLE)
        self._path = path or (Path(named) if named else None)
        self._platform = platform
        self._offset = 0
        self._sums = dict.fromkeys(PARTS, 0)

    def open(self) -> Opened:
        """Offer the three parts of the chip where there is a file; say how to make one on a Mac without."""
        if self._path is None or not self._path.is_file():
            self._path = None
            return Opened((), (_absent(),)) if self._platform == "darwin" else Opened()
        self._advance(self._path)
        return Opened(
            [
                Channel("apple", domain, component, Kind.COUNTER, MILLI, "apple.powermetrics", Tier.DERIVED, label=key)
                for key, (domain, component) in PARTS.items()
            ]
        )

    def read(self) -> Sequence[int | None]:
        """Energy so far [mJ] of processor, GPU and neural engine; nothing where there is no file."""
        if self._path is None:
            return []
        try:
            self._advance(self._path)
        except OSError:
            return [None] * len(PARTS)
        return list(self._sums.values())

    def _advance(self, path: Path) -> None:
        with path.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read()
        for document in data.split(b"\0"):
            end = document.rfind(b"</plist>")
            if end < 0:
                break  # still being written
            self._add(document.strip(b"\0\n \t"))
            self._offset += len(document) + 1

    def _add(self, document: bytes) -> None:
        import plistlib  # noqa: PLC0415  (only where there is such a file)

        try:
            found = plistlib.loads(document).get("processor", {})
        except (plistlib.InvalidFileException, ValueError, AttributeError):
            return
        for key in PARTS:
            self._sums[key] += round(found.get(key, 0))

    def close(self) -> None:
        """Nothing is kept open."""


def _absent() -> Absence:
    return Absence(
        "cpu",
        translatable("On a Mac only powermetrics, run by root, tells the energy of the chip."),
        translatable(
            "run: sudo powermetrics --samplers cpu_power,gpu_power -i 1000 -f plist -o /tmp/power.plist, and set "
            "JOULEBOOK_POWERMETRICS=/tmp/power.plist"
        ),
        reader="apple",
    )
