"""perun: the HDF5 file that it keeps of an application, with all its runs.

The file is a tree: application, execution (named by its time), run, host, group of devices, sensor. Booked are the
sensors' own energies: packages of processors and memory from counters, accelerators from their power. Passed over are
what lies around them (sockets, boards, whole systems: sensors of other kinds) and every sum above, for these hold what
perun adds: a fixed power per host, and its PUE. The sum of a run and its carbon are kept as perun's statement.

Runs of one execution follow each other; only its start is told, so each begins where the one before it ended. Times
have no zone. Regions, utilisation, memory in use and bytes sent are not read.

HDF5 needs the package pyfive: ``pip install 'joulebook[perun]'``. It is Python throughout, so that a damaged file is an
error; the library in C that others wrap ends the whole process on some.

Checked against: files written by perun 1.0 (its data model and ``io/hdf5.py``), and one of a machine without counters.
Source: perun documentation, "Data" (node types, metrics, post-processing).
"""

import struct
import warnings
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO

from joulebook.errors import ExtraMissing, InputBroken, translatable
from joulebook.ingest.cells import CellFaultError
from joulebook.ingest.energy import CPU, GPU, MEMORY, EnergyMaker
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.terms.finding import Finding
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    TypeError, ValueError, struct.error,
)  # fmt: skip
"""What pyfive raises on a damaged file."""

GROUPS: Mapping[str, Mapping[str, object]] = {
    "cpu": {**CPU, "method": "rapl.perun"},
    "ram": {**MEMORY, "method": "rapl-dram.perun"},
    "gpu": {**GPU, "method": "nvml.perun"},
}
"""Kind of a sensor's device -> component and meter; other kinds lie around these."""

POLLED = {"method": "polling.perun", "tier": Tier.DERIVED}
"""A sensor that gives power, which perun integrates; of a counter it keeps the readings beside (``alt_values``)."""

LONGEST_S = timedelta(days=366).total_seconds()


class Perun:
    """Runs that perun monitored."""

    name = "perun"
    signs = translatable("an HDF5 file with runs, hosts and sensors, as perun writes it")
    tables = ("energy", "statement")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the format of the file, and words of perun in it."""
        if not head.startswith(HDF5_MAGIC):
            return 0.0
        return 0.9 if b"execution_dt" in head or b"perun" in head else 0.3

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per run, host and sensor, and one statement per run.

        Raises:
            ExtraMissing: pyfive is not installed.
            InputBroken: the file is damaged.
        """
        magic = stream.read(len(HDF5_MAGIC))
        stream.seek(0)
        if magic != HDF5_MAGIC:
            yield Finding(options.file, None, "not-this-format" if magic else "empty-file", {"format": self.name})
            return
        try:
            import pyfive  # noqa: PLC0415  (an optional package)
            from pyfive.core import InvalidHDF5File  # noqa: PLC0415  (likewise)
        except ModuleNotFoundError as error:
            raise ExtraMissing(format=self.name, package="pyfive", extra="perun") from error
        maker = EnergyMaker(self.name, options)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # attributes that it cannot read; their value is None
                found = list(_application(maker, pyfive.File(stream)))
        except (*FAULTS, InvalidHDF5File) as error:
            raise InputBroken(file=options.file, reason=type(error).__name__) from error
        yield from found
        yield from maker.warnings()


def _application(maker: EnergyMaker, file: Any) -> Iterator[Entry | Finding]:  # noqa: ANN401  (a group of pyfive)
    """The runs of every execution of the application in the file."""
    for name in file:
        for started, execution in _children(file[name]):
            try:
                began = maker.at(_text(execution, "execution_dt") or started, None, "execution_dt")
                for number, run in sorted(_children(execution), key=lambda one: (len(one[0]), one[0])):
                    seconds = _metric(run, "RUNTIME")
                    if seconds is None or not 0 <= seconds <= LONGEST_S:
                        yield maker.finding(None, "missing-value" if seconds is None else "bad-number", "RUNTIME")
                        break  # those that follow begin when it ended
                    lasted = timedelta(seconds=seconds)
                    told = {"run": f"{name}@{started}/{number}", "started_at": began, "ended_at": began + lasted}
                    yield from _run(maker, execution, run, told)
                    began += lasted
            except CellFaultError as fault:
                yield maker.finding(None, fault.rule, "execution_dt")


def _run(maker: EnergyMaker, execution: Any, run: Any, told: dict[str, Any]) -> Iterator[Entry | Finding]:  # noqa: ANN401
    """The sensors of one run, and what perun states of it."""
    for host, node in _children(run):
        for _kind, group in _children(node):
            for sensor, device in _children(group):
                part, joules = GROUPS.get(_text(device, "device_type") or ""), _metric(device, "ENERGY")
                if part is None or joules is None:
                    continue
                how = {} if "alt_values" in device["raw_data"] else POLLED
                model = _text(device, "name") or _text(device, "brand_raw")
                named = {"host": host, "device": f"{sensor} {model}" if model else sensor}
                yield maker.row({**told, **part, **how, **named}, joules, "J", None)
    stated = _metric(run, "ENERGY")
    if stated is not None:
        pue, intensity = (_text(execution, f"post-processing.{word}") for word in ("pue", "emissions_factor"))
        period = {"run": told["run"], "period_start": told["started_at"], "period_end": told["ended_at"]}
        basis = f"PUE {pue or '?'}, {intensity or '?'} g/kWh"
        figures = {"stated_energy_kwh": convert(stated, "J", "kWh"), "stated_co2e_location_g": _metric(run, "CO2")}
        yield maker.statement({"stated_by": "perun", **period, "basis": basis}, figures, None)


def _children(node: Any) -> list[tuple[str, Any]]:  # noqa: ANN401  (a group of pyfive)
    """The nodes below a node of the tree, by name."""
    below = node["nodes"]
    return [(str(name), below[name]) for name in below]


def _text(node: Any, name: str) -> str | None:  # noqa: ANN401  (a group of pyfive)
    """An attribute as text; None where there is none."""
    found = node.attrs.get(name)
    return found.decode(errors="replace") if isinstance(found, bytes) else None if found is None else str(found)


def _metric(node: Any, name: str) -> float | None:  # noqa: ANN401  (a group of pyfive)
    """The value of a metric, in its unit; None where there is none."""
    metrics = node["metrics"]
    if name not in metrics or "value" not in metrics[name].attrs:
        return None
    told = metrics[name].attrs
    return float(told["value"]) * float(told.get("mag", 1.0))
