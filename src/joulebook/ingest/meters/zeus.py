"""Zeus: the log file of its monitor, and measurements written as JSON.

The log has one line per window (start, name, seconds, joules per GPU). Windows nest: an epoch lies inside the training.
Only windows that lie in no other are booked, the others are told. A window of zero joules was shorter than the
counter's update: unknown, not nothing. JSON has the fields of a measurement (time, gpu_energy, cpu_energy,
dram_energy); it has no time of day, so ``start_time`` has to stand beside them.

Processor and memory come from RAPL. Names of windows are kept as the run's name.

Checked against: the header that ``ZeusMonitor`` of Zeus 0.16 writes.
Source: Zeus documentation, "Measuring energy" (ZeusMonitor, its ``log_file`` and ``Measurement``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount, key_text, text
from joulebook.ingest.energy import CPU, GPU, MEMORY, EnergyMaker, opened
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.records import json_documents
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding

COLUMNS = ("start_time", "window_name", "elapsed_time")
PART = re.compile(r"(gpu|cpu|dram)(\d+)_energy\Z")
PARTS: Mapping[str, Mapping[str, object]] = {
    "gpu": {**GPU, "method": "nvml.zeus"},
    "cpu": {**CPU, "method": "rapl.zeus"},
    "dram": {**MEMORY, "method": "rapl-dram.zeus"},
}
JSON_PARTS = ("gpu_energy", "cpu_energy", "dram_energy")


@dataclass(frozen=True, slots=True)
class _Window:
    """A window with its energies: part and index -> cell [J]."""

    line: int | None
    name: str
    started_at: datetime
    ended_at: datetime
    energies: Mapping[tuple[str, str], object]


class Zeus:
    """Windows that Zeus measured."""

    name = "zeus"
    signs = translatable("the columns start_time, window_name, elapsed_time and gpu0_energy of Zeus")
    tables = ("energy",)

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header, or the fields of a measurement."""
        if set(COLUMNS) <= set(csv_header(head)):
            return 0.98
        return 0.7 if head.lstrip().startswith(b"{") and b'"gpu_energy"' in head and b'"time"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per outermost window and device."""
        maker = EnergyMaker(self.name, options)
        windows: list[_Window] = []
        for item in _windows(stream, maker):
            if isinstance(item, Finding):
                yield item
            else:
                windows.append(item)
        outermost = list(_outermost(windows))
        for window in outermost:
            for (part, index), cell in window.energies.items():
                yield maker.row(
                    {
                        **PARTS[part],
                        "run": f"{window.name}@{key_text(window.started_at)}",
                        "device": f"{part} {index}",
                        "started_at": window.started_at,
                        "ended_at": window.ended_at,
                    },
                    cell,
                    "J",
                    window.line,
                )
        if len(outermost) < len(windows):
            facts = {"count": len(windows) - len(outermost)}
            yield Finding(options.file, None, "windows-inside", facts, is_error=False)
        yield from maker.warnings()


def _windows(stream: BinaryIO, maker: EnergyMaker) -> Iterator[_Window | Finding]:
    stream, is_json = opened(stream)
    if is_json:
        for item in json_documents(stream, maker.options.file):
            yield item if isinstance(item, Finding) else _from_json(maker, *item)
        return
    sheet = Sheet(stream, maker.options)
    yield from sheet.faults
    missing = [column for column in COLUMNS if sheet.header and column not in sheet.header]
    yield from (Finding(maker.options.file, 1, "missing-column", {"column": column}) for column in missing)
    if missing or not sheet.header:
        return
    parts = {name: found for name in sheet.header if (found := PART.match(name))}
    for item in sheet.named():
        if isinstance(item, Finding):
            yield item
        else:
            line, cells = item
            yield _window(maker, line, cells, {(found[1], found[2]): cells[name] for name, found in parts.items()})


def _from_json(maker: EnergyMaker, line: int | None, record: Mapping[str, object]) -> _Window | Finding:
    energies: dict[tuple[str, str], object] = {}
    for name in JSON_PARTS:
        told = record.get(name)
        if isinstance(told, dict):
            energies |= {(name.removesuffix("_energy"), str(index)): cell for index, cell in told.items()}
    named = {"window_name": record.get("window_name"), "start_time": record.get("start_time")}
    return _window(maker, line, {**named, "elapsed_time": record.get("time")}, energies)


def _window(
    maker: EnergyMaker, line: int | None, cells: Mapping[str, object], energies: Mapping[tuple[str, str], object]
) -> _Window | Finding:
    column = COLUMNS[0]
    if cells[column] in (None, ""):
        return maker.finding(line, "missing-value", column)
    try:
        started_at = maker.at(cells[column], line, column)
        column = COLUMNS[2]
        ended_at = started_at + timedelta(seconds=amount(cells[column]))
        column = COLUMNS[1]
        name = text(cells[column] or "window") or "window"
    except CellFaultError as fault:
        return maker.finding(line, fault.rule, column)
    except OverflowError:
        return maker.finding(line, "bad-number", column)
    return _Window(line, name, started_at, ended_at, energies)


def _outermost(windows: list[_Window]) -> Iterator[_Window]:
    """Windows that begin after every earlier one has ended; the longest first of those that begin together."""
    latest: datetime | None = None
    for window in sorted(windows, key=lambda one: (one.started_at, -one.ended_at.timestamp())):
        if latest is None or window.started_at >= latest:
            latest = window.ended_at
            yield window
