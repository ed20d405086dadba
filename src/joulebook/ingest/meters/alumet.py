"""Alumet's CSV: energy since the reading before, per package, memory and board.

Booked are the counters' own domains, by hour and device: packages and memory of RAPL, boards of NVML. Passed over are
sums of them (``package_total``, ``dram_total``), parts inside a package (``pp0``, ``pp1``), the platform (which holds
the packages), what is attributed to processes, and every metric that is no energy.

Checked against: the header and tests of Alumet's ``plugin-csv``.
Sources: Alumet user book, "Running Alumet agent" (columns, attributes, units in names); its RAPL and NVML plugins.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount, key_text
from joulebook.ingest.energy import CPU, GPU, MEMORY, EnergyMaker
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

COLUMNS = ("metric", "timestamp", "value", "resource_kind", "resource_id", "consumer_kind")
METRIC = re.compile(r"(rapl_consumed_energy|nvml_energy_consumption)(?:_(J|mJ|kJ|mWh|Wh|kWh))?\Z")
UNITS = {"rapl_consumed_energy": "J", "nvml_energy_consumption": "mJ"}
"""Metric -> its unit where the name of the column does not carry it."""

RESOURCES: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("rapl_consumed_energy", "cpu_package"): {**CPU, "method": "rapl.alumet"},
    ("rapl_consumed_energy", "dram"): {**MEMORY, "method": "rapl-dram.alumet"},
    ("nvml_energy_consumption", "gpu"): {**GPU, "method": "nvml.alumet"},
}
DOMAINS = {"cpu_package": ("package", ""), "dram": ("dram", ""), "gpu": ("",)}
HOUR_S = convert(1, "h", "s")

Key = tuple[str, str, str, float]


class Alumet:
    """Energies that an Alumet agent wrote."""

    name = "alumet"
    signs = translatable("the columns metric, timestamp, value, resource_kind and consumer_kind of Alumet")
    tables = ("energy",)

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        return 0.98 if set(COLUMNS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per device and hour."""
        maker = EnergyMaker(self.name, options)
        sheet = Sheet(stream, options)
        yield from sheet.faults
        missing = [column for column in COLUMNS if column not in sheet.header]
        if sheet.header:
            yield from (Finding(options.file, 1, "missing-column", {"column": column}) for column in missing)
        if missing:
            return
        joules: dict[Key, float] = {}
        spans: dict[Key, tuple[float, float]] = {}
        for item in sheet.named():
            if isinstance(item, Finding):
                yield item
            else:
                yield from _add(maker, *item, joules, spans)
        first = min((span[0] for span in spans.values()), default=0.0)
        run = f"alumet@{key_text(datetime.fromtimestamp(first, tz=UTC))}"
        for key, energy in sorted(joules.items()):
            metric, kind, device, _hour = key
            started, ended = (datetime.fromtimestamp(at, tz=UTC) for at in spans[key])
            told = {**RESOURCES[metric, kind], "run": run, "device": f"{kind} {device}".strip(), "is_bucket": True}
            yield maker.row({**told, "started_at": started, "ended_at": ended}, energy, "J", None)
        yield from maker.warnings()


def _add(
    maker: EnergyMaker,
    line: int,
    cells: Mapping[str, str],
    joules: dict[Key, float],
    spans: dict[Key, tuple[float, float]],
) -> Iterator[Finding]:
    """Add one line to the hour of its device."""
    metric, kind = METRIC.match(cells["metric"].strip()), cells["resource_kind"].strip()
    if metric is None or cells["consumer_kind"].strip() not in ("", "local_machine"):
        return
    late = dict(part.partition("=")[::2] for part in cells.get("__late_attributes", "").split(",") if part)
    domain = (cells.get("domain") or late.get("domain") or "").strip().strip('"')
    if (metric[1], kind) not in RESOURCES or domain not in DOMAINS[kind]:
        return
    column = "timestamp"
    try:
        at = maker.at(cells[column].strip(), line, column).timestamp()
        column = "value"
        energy = convert(amount(cells[column].strip()), metric[2] or UNITS[metric[1]], "J")
    except CellFaultError as fault:
        yield maker.finding(line, fault.rule, column)
        return
    key = (metric[1], kind, cells["resource_id"].strip(), at // HOUR_S * HOUR_S)
    joules[key] = joules.get(key, 0.0) + energy
    first, last = spans.get(key, (at, at))
    spans[key] = (min(first, at), max(last, at))
