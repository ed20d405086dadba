"""CodeCarbon's emissions.csv, taken apart: what it measured, what it assumed, and its carbon beside ours.

One row is one run, written again (with all it used so far) whenever the tracker flushes; the last one holds. Its parts:

- GPU: read from the energy counter; kept as measured.
- CPU: read from RAPL or Power Gadget, or half the chip's design power all the time (constant mode; 42.5 W where even
  that is unknown), or from version 2.8 on perhaps the load times design power. A row does not say which. Constant mode
  is recognised by energy = power x duration; what cannot be told apart is estimated.
- RAM: never measured: 3 W per 8 GB, from version 3 on by module.
- PUE: multiplied into every energy where the tracker was given one; divided out again.
- Place: by the network address; without a network it is Quebec, which is then taken for unknown.
- Carbon and water: never taken over. The carbon is kept as CodeCarbon's own statement, with the factor it implies.

Rows of tasks repeat their run and are passed over. Water, utilisation, positions and versions of Python are not read.

Checked against: a file that CodeCarbon 3.3.2 wrote.
Sources: CodeCarbon documentation, "Output" (columns) and "Methodology" (constants); `EmissionsData` for the columns of
versions 1 to 3.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount
from joulebook.ingest.energy import CPU, GPU, MEMORY, NODE, EnergyMaker
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

DEFAULT_CPU_W = 42.5
"""What CodeCarbon takes for a processor it does not know: half of 85 W."""

RAM_W_PER_GB = 3 / 8
CONSTANT = 0.01
"""How near to a constant a value must be to be taken for it."""

DEFAULT_PLACE = ("CAN", "quebec", "-71.2", "46.8")
"""Country, region, longitude and latitude that CodeCarbon writes when it could not ask where it is."""

LOAD_MODE_SINCE = (2, 8)
"""From this version on a processor without a meter may be estimated from its load."""

REQUIRED = ("timestamp", "duration", "emissions")
ENERGIES = ("gpu_energy", "cpu_energy", "ram_energy")


class CodeCarbon:
    """Runs that CodeCarbon tracked."""

    name = "codecarbon"
    signs = translatable("the columns timestamp, duration, emissions and energy_consumed of CodeCarbon")
    tables = ("energy", "statement")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        return 0.98 if {*REQUIRED, "energy_consumed", "country_name"} <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per run and component, and one statement per run."""
        maker = EnergyMaker(self.name, options)
        sheet = Sheet(stream, options)
        yield from sheet.faults
        missing = [column for column in (*REQUIRED, "energy_consumed") if column not in sheet.header]
        yield from (Finding(options.file, 1, "missing-column", {"column": name}) for name in missing if sheet.header)
        if missing:
            return
        if "task_name" in sheet.header:
            yield Finding(options.file, 1, "parts-passed-over", {})
            return
        runs: dict[str, _Run] = {}
        for item in sheet.named():
            if isinstance(item, Finding):
                yield item
                continue
            run = _read(maker, *item)
            if isinstance(run, Finding):
                yield run
            elif run.name not in runs or runs[run.name].duration_s <= run.duration_s:
                runs[run.name] = run
        for run in runs.values():
            yield from run.rows(maker)
        yield from _together(list(runs.values()), options.file)
        yield from maker.warnings()


class _Run:
    """The last row of a run.

    Args:
        line: where it stands.
        cells: its cells by column.
        ended_at: its time.
        duration_s: how long it ran [s].
    """

    def __init__(self, line: int, cells: Mapping[str, str], ended_at: datetime, duration_s: float) -> None:
        self.line, self.cells, self.duration_s = line, cells, duration_s
        self.ended_at, self.started_at = ended_at, ended_at - timedelta(seconds=duration_s)
        self.name = cells.get("run_id") or f"{cells.get('project_name') or 'codecarbon'}@{cells['timestamp']}"

    def rows(self, maker: EnergyMaker) -> Iterator[Entry | Finding]:
        """Its components, its statement, and what is odd about it."""
        try:
            pue = max(1.0, amount(self.cells.get("pue") or 1))
            parts = [(name, amount(self.cells[name])) for name in ENERGIES if self.cells.get(name)]
            whole, stated_kg = amount(self.cells["energy_consumed"] or 0), amount(self.cells["emissions"] or 0)
        except CellFaultError as fault:
            yield maker.finding(self.line, fault.rule, "energy_consumed")
            return
        if self.is_default_place:
            yield Finding(maker.options.file, self.line, "default-place", {"place": "Quebec"}, is_error=False)
        if not any(energy for _name, energy in parts) and whole:
            told = {**NODE, "method": "codecarbon-total", "tier": Tier.ESTIMATED}
            yield maker.row({**self._shared, **told}, whole / pue, "kWh", self.line)
        for name, energy in parts:
            if energy or self._has(name):
                yield maker.row({**self._shared, **self._part(name, energy, pue)}, energy / pue, "kWh", self.line)
        place = " ".join(filter(None, (self.cells.get("country_iso_code"), self.cells.get("region"))))
        basis = f"{stated_kg / whole if whole else 0:.4g} kg/kWh, {place or '?'}, PUE {pue:g}"
        yield maker.statement(
            {
                "stated_by": "codecarbon",
                "run": self.name,
                "project": self._project,
                "service": self.cells.get("tracking_mode"),
                "period_start": self.started_at,
                "period_end": self.ended_at,
                "basis": f"{basis}, {'default place' if self.is_default_place else 'place as found'}",
            },
            {"stated_energy_kwh": whole, "stated_co2e_location_g": convert(stated_kg, "kg", "g")},
            self.line,
        )

    @property
    def is_default_place(self) -> bool:
        """Whether the place is the one CodeCarbon writes when it knows none."""
        found = tuple(self.cells.get(name, "") for name in ("country_iso_code", "region", "longitude", "latitude"))
        return found == DEFAULT_PLACE or found == (*DEFAULT_PLACE[:2], "", "")

    @property
    def _project(self) -> str | None:
        name = self.cells.get("project_name")
        return name if name != "codecarbon" else None

    @property
    def _shared(self) -> dict[str, object]:
        provider, region = self.cells.get("cloud_provider"), self.cells.get("cloud_region")
        if not provider:
            region = None if self.is_default_place else self.cells.get("country_iso_code")
        return {
            "run": self.name,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "project": self._project,
            "provider": provider or None,
            "region": region or None,
        }

    def _has(self, name: str) -> bool:
        """Whether the machine has the component, so that no energy of it means that it was not read."""
        return name != "gpu_energy" or self.cells.get("gpu_count") not in (None, "", "0", "0.0")

    def _part(self, name: str, energy: float, pue: float) -> dict[str, object]:
        """Component, meter and tier of one energy."""
        if name == "gpu_energy":
            model = self.cells.get("gpu_model") or None
            family = "amdsmi" if model and ("AMD" in model or "Radeon" in model) else "nvml"
            return {**GPU, "device": model, "method": f"{_apple(model) or family}.codecarbon", "tier": Tier.MEASURED}
        if name == "ram_energy":
            size, power = self._number("ram_total_size"), self._number("ram_power")
            by_size = size > 0 and abs(power / size / RAM_W_PER_GB - 1) < CONSTANT
            return {**MEMORY, "method": f"codecarbon-ram-{'size' if by_size else 'modules'}", "tier": Tier.ASSUMED}
        return {**CPU, "device": self.cells.get("cpu_model") or None, **self._processor(energy, pue)}

    def _processor(self, energy: float, pue: float) -> dict[str, object]:
        """How the processor's energy was found: constant mode, a meter, or one of two that cannot be told apart."""
        power = self._number("cpu_power")
        constant = convert(power * self.duration_s * pue, "J", "kWh")
        if constant > 0 and abs(energy / constant - 1) < CONSTANT:
            is_default = abs(power - DEFAULT_CPU_W) < CONSTANT
            return {
                "method": f"codecarbon-cpu-{'default' if is_default else 'tdp'}",
                "tier": Tier.ASSUMED if is_default else Tier.ESTIMATED,
            }
        if power > 0 and self._version < LOAD_MODE_SINCE:
            return {"method": f"{_apple(self.cells.get('cpu_model')) or 'rapl'}.codecarbon", "tier": Tier.MEASURED}
        return {"method": "codecarbon-cpu-unclear", "tier": Tier.ESTIMATED}

    @property
    def _version(self) -> tuple[int, ...]:
        digits = (self.cells.get("codecarbon_version") or "1.0").split(".")[:2]
        return tuple(int(part) if part.isdecimal() else 0 for part in digits)

    def _number(self, name: str) -> float:
        try:
            return amount(self.cells.get(name) or 0)
        except CellFaultError:
            return 0.0


def _apple(model: str | None) -> str | None:
    return "powermetrics" if model and model.startswith("Apple") else None


def _read(maker: EnergyMaker, line: int, cells: Mapping[str, str]) -> _Run | Finding:
    column = "timestamp"
    try:
        ended_at = maker.at(cells["timestamp"], line, column)
        column = "duration"
        return _Run(line, cells, ended_at, amount(cells["duration"]))
    except CellFaultError as fault:
        return maker.finding(line, fault.rule, column)
    except OverflowError:
        return maker.finding(line, "bad-number", column)


def _together(runs: list[_Run], file: str) -> Iterator[Finding]:
    """A warning where runs of like machines overlap: each of several processes then counted the whole machine."""
    by_machine: dict[tuple[str, ...], list[_Run]] = {}
    for run in runs:
        names = ("os", "cpu_model", "gpu_model", "ram_total_size", "longitude", "latitude")
        by_machine.setdefault(tuple(run.cells.get(name, "") for name in names), []).append(run)
    count = 0
    for alike in by_machine.values():
        latest = None
        for run in sorted(alike, key=lambda one: one.started_at):
            count += latest is not None and run.started_at < latest
            latest = run.ended_at if latest is None else max(latest, run.ended_at)
    if count:
        yield Finding(file, None, "machine-counted-twice", {"count": count}, is_error=False)
