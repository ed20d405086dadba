"""eco2AI's emission.csv: one energy for the whole machine, and its carbon beside ours.

GPUs are looked at now and then, processors are their design power times their use, memory is 3 W per 8 GB; a row has
only the sum, so it cannot be taken apart and is estimated. A row of a training epoch is that epoch alone. The country
has two letters, which name no grid of ours: say the place with --region.

Checked against: a file that eco2AI 0.3.12 wrote.
Source: eco2AI documentation, README, "Output" (columns, also in its old spelling ``kWTh``).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount
from joulebook.ingest.energy import NODE, EnergyMaker
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

ENERGY = ("power_consumption(kWh)", "power_consumption(kWTh)")
REQUIRED = ("start_time", "duration(s)")
CARBON = "CO2_emissions(kg)"
NO_PROJECT = "Default project name"


class Eco2Ai:
    """Runs that eco2AI tracked."""

    name = "eco2ai"
    signs = translatable("the columns start_time, duration(s) and power_consumption(kWh) of eco2AI")
    tables = ("energy", "statement")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        header = set(csv_header(head))
        return 0.98 if set(REQUIRED) <= header and set(ENERGY) & header else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row and one statement per run or epoch; a row that was written again holds with its last form."""
        maker = EnergyMaker(self.name, options)
        sheet = Sheet(stream, options)
        yield from sheet.faults
        energy = next((column for column in ENERGY if column in sheet.header), None)
        missing = [column for column in REQUIRED if column not in sheet.header] + ([] if energy else [ENERGY[0]])
        if sheet.header:
            yield from (Finding(options.file, 1, "missing-column", {"column": column}) for column in missing)
        if missing or energy is None:
            return
        last: dict[tuple[str, ...], tuple[int, Mapping[str, str]]] = {}
        for item in sheet.named():
            if isinstance(item, Finding):
                yield item
            else:
                last[tuple(item[1].get(name, "") for name in ("id", "epoch", "start_time"))] = item
        for line, cells in last.values():
            yield from _rows(maker, line, cells, energy)
        yield from maker.warnings()


def _rows(maker: EnergyMaker, line: int, cells: Mapping[str, str], energy: str) -> Iterator[Entry | Finding]:
    column = "start_time"
    try:
        started = maker.at(cells[column], line, column)
        column = "duration(s)"
        ended = started + timedelta(seconds=amount(cells[column]))
        column = CARBON
        stated_g = convert(amount(cells[column]), "kg", "g") if cells.get(column) else None
        column = energy
        kwh = amount(cells[energy])
    except CellFaultError as fault:
        yield maker.finding(line, fault.rule, column)
        return
    except OverflowError:
        yield maker.finding(line, "bad-number", column)
        return
    epoch = cells.get("epoch", "N/A").partition(",")[0]
    run = (cells.get("id") or "eco2ai") + ("" if epoch == "N/A" else f"/{epoch}") + f"@{cells['start_time']}"
    project = cells.get("project_name")
    shared = {"run": run, "project": None if project == NO_PROJECT else project}
    method = {"method": "polling.eco2ai", "tier": Tier.ESTIMATED}
    yield maker.row({**shared, **NODE, **method, "started_at": started, "ended_at": ended}, kwh, "kWh", line)
    told = {"stated_by": "eco2ai", "period_start": started, "period_end": ended, "basis": cells.get("region/country")}
    figures = {"stated_energy_kwh": kwh, "stated_co2e_location_g": stated_g}
    yield maker.statement({**shared, **told}, figures, line)
