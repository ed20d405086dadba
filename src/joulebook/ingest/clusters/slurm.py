"""Slurm's accounting: `sacct -P` and `sacct --json`.

A job whose energy Slurm counted becomes measured energy of its nodes. Without an energy plugin Slurm writes nothing or
0: then the energy is unknown, never zero, and what was allotted (processors and accelerators by the hour) becomes usage
that is estimated from. A job counts once: its own figure, else that of its ``extern`` step, else the larger of its
batch step and the sum of its numbered steps; each step measures its whole nodes, so steps are never all added up. A job
with accelerators of several types gives a row for each, the first of them with its processors. A job that never began
used nothing.

Worth knowing: on nodes that jobs share, each job's figure is that of the whole node; and the figure holds what the
plugin reads (processors and memory with RAPL, the server with IPMI), which sacct does not tell. Both widen the range.

Names of users, work directories and commands are not read. Ask for at least JobID, Start, End, ElapsedRaw, State,
AllocTRES, NodeList and ConsumedEnergyRaw.

Sources: Slurm documentation, sacct(1), "Job Accounting Fields" (ConsumedEnergy holds only for exclusive allocations;
a value may have a unit prefix) and "JSON"; slurm.conf(5), AcctGatherEnergyType; TRES.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount
from joulebook.ingest.clusters.slurm_job import Job, energy_of, tres_of
from joulebook.ingest.clusters.slurm_json import jobs_of_json
from joulebook.ingest.energy import NODE, EnergyMaker, opened
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.records import Record, rows_of
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

FIELDS = (
    "request_id", "started_at", "ended_at", "provider", "region", "project", "run",
    "device", "device_hours", "vcpu_hours",
)  # fmt: skip
STEP = re.compile(r"(?P<job>[^.]+)(?:\.(?P<step>.+))?\Z")
BOARD = re.compile(r"gres/gpu(:.+)?\Z")
RUNNING = ("RUNNING", "PENDING", "SUSPENDED", "REQUEUED", "COMPLETING", "CONFIGURING")
NEVER = ("None", "Unknown", "0")
"""Start of a job that was cancelled before it began: it used nothing."""

COLUMNS = ("JobID", "Start", "End")


class Slurm:
    """Jobs of a Slurm cluster."""

    name = "slurm"
    signs = translatable("the columns JobID, Start and End of sacct -P, or the jobs of sacct --json")
    tables = ("usage", "energy")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header, or the names of sacct's JSON."""
        if set(COLUMNS) <= set(csv_header(head)):
            return 0.97
        return 0.9 if head.lstrip().startswith(b"{") and b'"job_id"' in head and b'"tres"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """A row of energy per job that has one, a row of usage per job that has none."""
        maker = EnergyMaker(self.name, options)
        jobs: list[Job] = []
        running = 0
        stream, is_json = opened(stream)
        for item in jobs_of_json(stream, options.file) if is_json else _jobs(stream, options):
            if isinstance(item, Finding):
                yield item
            elif item.cells.get("State", "").split(" ")[0] in RUNNING or item.cells.get("End") in ("Unknown", "0", ""):
                running += 1
            elif item.cells["Start"] not in NEVER:
                jobs.append(item)
        unmetered = [job for job in jobs if job.joules is None]
        for job in jobs:
            if job.joules is not None:
                yield _row(maker, job)
        used = chain.from_iterable(map(_used, unmetered))
        yield from rows_of(self.name, options, used, FIELDS, tier="derived", is_bucket=True)
        if len(unmetered) < len(jobs):
            yield Finding(options.file, None, "whole-nodes", {}, is_error=False)
        for rule, count in (("no-energy-plugin", len(unmetered)), ("still-running", running)):
            if count:
                yield Finding(options.file, None, rule, {"count": count}, is_error=False)
        yield from maker.warnings()


def _jobs(stream: BinaryIO, options: ReadOptions) -> Iterator[Job | Finding]:
    """Jobs of `sacct -P` with the steps that follow each."""
    sheet = Sheet(stream, options, frozenset(COLUMNS))
    yield from sheet.faults
    missing = [column for column in COLUMNS if sheet.header and column not in sheet.header]
    yield from (Finding(options.file, 1, "missing-column", {"column": column}) for column in missing)
    if missing or not sheet.header:
        return
    jobs: dict[tuple[str, str], Job] = {}
    latest: dict[str, Job] = {}
    for item in sheet.named():
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        named = STEP.match(cells["JobID"])
        if named is None:
            yield Finding(options.file, line, "missing-value", {"column": "JobID"})
        elif named["step"] is None:
            latest[named["job"]] = jobs.setdefault((named["job"], cells["Start"]), Job(named["job"], line, cells))
        elif named["job"] in latest:
            latest[named["job"]].steps[named["step"]] = energy_of(cells) or 0.0
    yield from jobs.values()


def _identity(job: Job) -> str:
    cluster = job.cells.get("Cluster") or "slurm"
    return f"{cluster}/{job.name}@{job.cells['Start']}"


def _row(maker: EnergyMaker, job: Job) -> Entry | Finding:
    try:
        started, ended = (maker.at(job.cells[name], job.line, name) for name in ("Start", "End"))
    except CellFaultError as fault:
        return maker.finding(job.line, fault.rule, "Start")
    nodes = job.cells.get("NodeList", "")
    told: dict[str, Any] = {
        **NODE,
        "run": _identity(job),
        "host": nodes if nodes and not set(nodes) & set(",[") else None,
        "project": job.cells.get("Account") or None,
        "started_at": started,
        "ended_at": ended,
        "method": "slurm-plugin.sacct",
    }
    return maker.row(told, job.joules, "J", job.line)


def _used(job: Job) -> Iterator[Record]:
    """What a job without a figure had to itself, for an estimate: a row per type of accelerator."""
    tres = tres_of(job.cells.get("AllocTRES", ""))
    hours = _hours(job.cells)
    boards = {name.partition(":")[2]: _count(cell) for name, cell in tres.items() if BOARD.match(name)}
    typed = sorted(one for one in boards.items() if one[0] and one[1])
    rest = boards.get("", 0) - sum(count for _name, count in typed)
    used: dict[str, object] = {
        "request_id": _identity(job),
        "run": _identity(job),
        "started_at": job.cells["Start"],
        "ended_at": job.cells["End"],
        "provider": "own",
        "project": job.cells.get("Account") or None,
    }
    devices = [*typed, *([("", rest)] if rest > 0 else [])] if hours is not None else []
    threads = _count(tres.get("cpu", ""))
    if hours is not None and threads:
        used["vcpu_hours"] = threads * hours
    if not devices:
        yield job.line, used
    for number, (device, count) in enumerate(devices):
        yield job.line, {**used, "device": device or "gpu", "device_hours": count * (hours or 0)}
        used = {**used, "request_id": f"{_identity(job)}#{number + 1}", "vcpu_hours": None}


def _hours(cells: Mapping[str, str]) -> float | None:
    """How long a job ran [h], by its elapsed seconds or its times."""
    try:
        if cells.get("ElapsedRaw"):
            return convert(amount(cells["ElapsedRaw"]), "s", "h")
        seconds = (datetime.fromisoformat(cells["End"]) - datetime.fromisoformat(cells["Start"])).total_seconds()
        return convert(seconds, "s", "h") if seconds > 0 else None
    except (CellFaultError, ValueError, TypeError):
        return None


def _count(cell: str) -> int:
    return int(cell) if cell.isdecimal() else 0
