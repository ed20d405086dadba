"""From what another meter recorded to a checked, keyed row of energy: the only place where such rows are made."""

import codecs
import io
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import BinaryIO, cast

from joulebook.ingest.cells import CellFaultError, amount, hashable, instant, key_text, text, zone_named
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.terms.boundary import Boundary
from joulebook.terms.energy import READING, Energy
from joulebook.terms.finding import Finding
from joulebook.terms.statement import STATED, Statement
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert
from joulebook.terms.usage import usage_key

TEXTS = ("run", "host", "device", "team", "project", "provider", "region")
SILENT = "meter-silent"
GPU = {"component": "gpu", "boundary": Boundary.GPU}
CPU = {"component": "cpu", "boundary": Boundary.NODE}
MEMORY = {"component": "memory", "boundary": Boundary.NODE}
NODE = {"component": "node", "boundary": Boundary.NODE}
"""Components with the boundary a reading of them has."""


class EnergyMaker:
    """Makes the rows of one file.

    Args:
        name: of the reader.
        options: what the user said; its constants fill what a record does not name.
    """

    def __init__(self, name: str, options: ReadOptions) -> None:
        self.options = options
        self.source = options.source_id(name)
        self.zone: tzinfo | None = zone_named(options.timezone)
        self._naive: tuple[str, int | None] | None = None
        self._components: set[str] = set()

    def at(self, cell: object, line: int | None, column: str) -> datetime:
        """A point in time; one without a zone is remembered for the warning at the end.

        Raises:
            CellFaultError: it is none.
        """
        moment, is_known = instant(cell, self.zone)
        if not is_known and self._naive is None:
            self._naive = (column, line)
        return moment

    def row(self, told: Mapping[str, object], energy: object, unit: str, line: int | None) -> Energy | Finding:
        """The row of one component over one span.

        Args:
            told: started_at and ended_at (aware), component, boundary, method, and what is known of `TEXTS`; tier,
                measured where it is absent; low_ratio and high_ratio, what gaps leave open; is_bucket, whether the run
                has more rows of this component, so that the start belongs to the identity; is_whole, whether the
                reading cannot grow any more.
            energy: the cell with the energy [unit].
            unit: of the energy.
            line: where it stands.
        """
        column = f"{told['component']}_energy"
        try:
            kwh = convert(amount(energy), unit, "kWh")
            names = {name: self._name(name, told.get(name)) for name in TEXTS}
        except CellFaultError as fault:
            return self.finding(line, fault.rule, column)
        started, ended = cast("datetime", told["started_at"]), cast("datetime", told["ended_at"])
        if ended < started:
            return self.finding(line, "ends-before-start", "ended_at")
        if kwh == 0:
            return Finding(self.options.file, line, SILENT, {"component": told["component"]}, is_error=False)
        row: dict[str, object] = {
            "source": self.source,
            **names,
            "started_at": started,
            "ended_at": ended,
            "component": told["component"],
            "it_energy_kwh": kwh,
            "it_energy_low_kwh": kwh * float(cast("float", told.get("low_ratio", 1))),
            "it_energy_high_kwh": kwh * float(cast("float", told.get("high_ratio", 1))),
            "tier": str(told.get("tier", Tier.MEASURED)),
            "boundary": str(told["boundary"]),
            "method": told["method"],
        }
        self._components.add(str(told["component"]))
        names = READING if row["run"] and not told.get("is_bucket") else (*READING, "started_at")
        key = usage_key(hashable(key_text(row[name]) for name in names))
        return {"energy_key": key, "reading_key": None if told.get("is_whole") else key, **row}

    def statement(
        self, told: Mapping[str, object], figures: Mapping[str, object], line: int | None
    ) -> Statement | Finding:
        """What the record's author states of the same use; beside our figures, never added to them.

        Args:
            told: period_start and period_end (aware), stated_by, and what is known of the other columns.
            figures: columns of `STATED`, in their units; None or "" is not stated.
            line: where it stands.
        """
        found = {}
        name = ""
        try:
            for name in STATED:
                cell = figures.get(name)
                if cell is not None and cell != "":
                    found[name] = amount(cell)
        except CellFaultError as fault:
            return self.finding(line, fault.rule, name)
        names = ("stated_by", "provider", "service", "region", "project", "run", "period_start", "period_end", "basis")
        row = {"source": self.source, **{name: told[name] for name in names if told.get(name)}, **found}
        key = usage_key(hashable(key_text(row.get(name)) for name in ("source", *names)))
        return {"statement_key": key, **row}

    def finding(self, line: int | None, rule: str, column: str) -> Finding:
        """A finding on one column."""
        return Finding(self.options.file, line, rule, {"column": column})

    def warnings(self) -> list[Finding]:
        """What concerns the file as a whole."""
        found = []
        if self._naive is not None:
            column, line = self._naive
            found.append(Finding(self.options.file, line, "no-timezone", {"column": column}, is_error=False))
        if self._components == {"gpu"}:
            found.append(Finding(self.options.file, None, "only-accelerators", {}, is_error=False))
        return found

    def _name(self, name: str, cell: object) -> str | None:
        told = text(cell) if cell not in (None, "") else None
        told = told or self.options.constants.get(name)
        return provider_name(told) if name == "provider" else told


LOOK_AHEAD = 256


def opened(stream: BinaryIO) -> tuple[BinaryIO, bool]:
    """The stream, able to look ahead, and whether it is JSON: for formats that come as JSON and as a table."""
    ahead = stream if hasattr(stream, "peek") else io.BufferedReader(cast("io.RawIOBase", stream))
    head = cast("io.BufferedReader", ahead).peek(LOOK_AHEAD)[:LOOK_AHEAD]
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = head.decode(encoding, errors="ignore")
    return cast("BinaryIO", ahead), text.lstrip()[:1] in ("{", "[")
