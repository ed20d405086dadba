"""`joulebook statusline`: one line for shells and agents' status bars, from what the last scan found.

Standard library only and no look at the book, so that it costs next to nothing at every prompt.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulebook.faces.text import _, choose_language, settled_language
from joulebook.terms.display import range_text
from joulebook.terms.range import Range

if TYPE_CHECKING:
    from joulebook.ledger.balance import Line

FIGURES = {
    "facility_energy_kwh": "kWh",
    "co2e_operational_location_g": "g",
    "water_without_hydro_l": "L",
}
"""What the line shows, with the canonical unit."""

SCHEMA_VERSION = 1


def cache_path() -> Path:
    """Where the last scan's figures are kept: under the XDG cache home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joulebook" / "statusline.json"


def write_cache(today: "Sequence[Line]", period: "Sequence[Line]", now: datetime) -> None:
    """Keep the figures of today and of the whole period that a scan showed."""
    figures = {"today": _figures(today), "period": _figures(period)}
    document = {"schema_version": SCHEMA_VERSION, "written_at": now.isoformat(), **figures}
    path = cache_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(document), encoding="utf-8")
    part.replace(path)


def line(now: datetime) -> str:
    """The line: today's energy, CO2e and water with ranges; the time where the scan was not today; what to do else."""
    try:
        document: Any = json.loads(cache_path().read_text(encoding="utf-8"))
        written = datetime.fromisoformat(document["written_at"])
        told = {name: Range(*document["today"][name]) for name in FIGURES if name in document["today"]}
    except (OSError, ValueError, TypeError, KeyError):
        return _("joulebook: nothing scanned yet (joulebook scan)")
    day = _("today") if written.date() == now.date() else f"{written:%Y-%m-%d}"
    if not told:
        return _("joulebook {day}: nothing used").format(day=day)
    names = {"facility_energy_kwh": "⚡", "co2e_operational_location_g": "CO2e", "water_without_hydro_l": _("water")}
    texts = (f"{names[name]} {range_text(value, FIGURES[name])}" for name, value in told.items())
    return f"joulebook {day}: " + " · ".join(texts)


def main(arguments: Sequence[str]) -> int:
    """Print the line; always 0, for a status bar must not fail."""
    given = arguments[list(arguments).index("--lang") + 1] if "--lang" in arguments[:-1] else None
    choose_language(given or settled_language())
    if "--help" in arguments or "-h" in arguments:
        print(_("joulebook statusline: one line with today's footprint, from the last joulebook scan."))  # noqa: T201
        return 0
    print(line(datetime.now(UTC)))  # noqa: T201  (no Click here: it would cost more than the line)
    return 0


def _figures(lines: "Sequence[Line]") -> dict[str, list[float]]:
    return {name: list(one.amounts[name].range) for one in lines for name in FIGURES if name in one.amounts}
