"""Power of accelerators as experiment trackers keep it: W&B and MLflow system metrics.

Both sample every ten seconds or so; their series are integrated, gaps are told and widen the range. W&B writes the
boards a process uses once more (``gpu.process.N``), which are passed over; so are percentages, limits, temperatures,
memory and every other series.

Sources: Weights & Biases, "System metrics reference" (``gpu.{i}.powerWatts``), and its community's answer on
``run.history(stream="events")``; MLflow, "System Metrics" (``gpu_{i}_power_usage_watts``) and REST API
"metrics/get-history"; MLflow's file store (one file per metric: time in ms, value, step).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount, key_text
from joulebook.ingest.energy import CPU, GPU, NODE, EnergyMaker, opened
from joulebook.ingest.lines import Lines
from joulebook.ingest.meters.power import Integral, gap_facts, integrated
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.records import dicts, json_documents, name_of
from joulebook.ingest.table import Sheet
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

WANDB_POWER = re.compile(
    r"(?:system[./])?(?:gpu\.(?P<board>\d+)|(?P<part>cpu|system))\.powerWatts(?:/l:(?P<label>.+))?\Z"
)
WANDB_TIME = "_timestamp"
MLFLOW_POWER = re.compile(r"(?:system/)?(?:(?P<label>.+)/)?gpu_(?P<board>\d+)_power_usage_watts\Z")
MLFLOW_RUN = ("run_id", "run_uuid")
PARTS = {"cpu": CPU, "system": NODE}
UNNAMED = "-"
STORED_FIELDS = 3

Series = dict[tuple[str, str], dict[float, float]]
"""Run and name of a series -> time [s] -> power [W]."""


class WandbSystem:
    """System metrics of a W&B run: the events stream as CSV or JSON lines."""

    name = "wandb-system"
    signs = translatable("a column _timestamp and columns like system.gpu.0.powerWatts of Weights & Biases")
    tables = ("energy",)

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By a power column beside the time."""
        return 0.95 if b".powerWatts" in head and WANDB_TIME.encode() in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per board."""
        maker = EnergyMaker(self.name, options)
        series: Series = defaultdict(dict)
        for line, record in _records(stream, options):
            if isinstance(record, Finding):
                yield record
                continue
            run = name_of(record.get("run_id")) or name_of(record.get("_run")) or UNNAMED
            for name, cell in record.items():
                if cell not in (None, "", "NaN", "nan") and WANDB_POWER.match(name):
                    yield from _sample(maker, series, (run, name), record.get(WANDB_TIME), cell, line)
        yield from _rows(maker, series, WANDB_POWER, "polling.wandb")


class MlflowSystem:
    """System metrics of MLflow runs: a file of the file store, the answer of get-history, or a table of metrics."""

    name = "mlflow-system"
    signs = translatable("a metric gpu_N_power_usage_watts of MLflow with its times")
    tables = ("energy",)

    def detect(self, head: bytes, name: str) -> float:
        """By the metric's name: in the text, or the file's own."""
        if b"_power_usage_watts" in head and (b"timestamp" in head):
            return 0.95
        return 0.9 if MLFLOW_POWER.match(name) and len(head.split(b"\n")[0].split()) == STORED_FIELDS else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per run and board."""
        maker = EnergyMaker(self.name, options)
        series: Series = defaultdict(dict)
        folders = options.file.replace("\\", "/").split("/")
        if MLFLOW_POWER.match(folders[-1]):
            run = folders[folders.index("metrics") - 1] if "metrics" in folders[1:] else UNNAMED
            for number, line in enumerate(Lines(stream, options.file), start=1):
                parts = line.split()
                if len(parts) == STORED_FIELDS:
                    yield from _sample(maker, series, (run, folders[-1]), parts[0], parts[1], number)
                elif parts:
                    yield Finding(options.file, number, "truncated" if not line.endswith("\n") else "bad-row", _LINE)
        else:
            for line, record in _records(stream, options):
                if isinstance(record, Finding):
                    yield record
                    continue
                name = name_of(record.get("key"))
                if name is None or not MLFLOW_POWER.match(name):
                    continue
                run = next((told for told in map(record.get, MLFLOW_RUN) if name_of(told)), UNNAMED)
                yield from _sample(maker, series, (str(run), name), record.get("timestamp"), record.get("value"), line)
        yield from _rows(maker, series, MLFLOW_POWER, "polling.mlflow")


_LINE = {"reason": "time value step"}


def _records(stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int | None, Mapping[str, object] | Finding]]:
    """Records of a CSV or of JSON, whichever it is; the list under ``metrics`` of an answer is taken apart."""
    stream, is_json = opened(stream)
    if is_json:
        for item in json_documents(stream, options.file):
            if isinstance(item, Finding):
                yield item.line, item
                continue
            line, document = item
            if isinstance(document.get("metrics"), list):
                yield from ((line, record) for record in dicts(document["metrics"]))
            else:
                yield line, document
        return
    sheet = Sheet(stream, options)
    yield from ((fault.line, fault) for fault in sheet.faults)
    if sheet.header and not {WANDB_TIME, "timestamp"} & set(sheet.header):
        yield 1, Finding(options.file, 1, "missing-column", {"column": "timestamp"})
    elif sheet.header:
        for item in sheet.named():
            yield (item.line, item) if isinstance(item, Finding) else item


def _sample(
    maker: EnergyMaker, series: Series, key: tuple[str, str], at: object, cell: object, line: int | None
) -> Iterator[Finding]:
    column = "timestamp"
    try:
        moment = maker.at(at, line, column)
        column = key[1]
        series[key][moment.timestamp()] = amount(cell)
    except CellFaultError as fault:
        yield maker.finding(line, fault.rule, column)


def _rows(maker: EnergyMaker, series: Series, pattern: re.Pattern[str], method: str) -> Iterator[Entry | Finding]:
    """One row per series; a run that has no name is known by its first time."""
    first = min((at for samples in series.values() for at in samples), default=0.0)
    found: list[Integral] = []
    for (run, name), samples in sorted(series.items()):
        integral = integrated(samples.items())
        told = pattern.match(name)
        if integral is None or told is None:
            yield Finding(maker.options.file, None, "too-few-samples", {"column": name}, is_error=False)
            continue
        found.append(integral)
        names = told.groupdict()
        started = datetime.fromtimestamp(integral.first_s, tz=UTC)
        yield maker.row(
            {
                **(GPU if names["board"] is not None else PARTS[str(names.get("part"))]),
                "run": run if run != UNNAMED else f"{maker.source}@{key_text(datetime.fromtimestamp(first, tz=UTC))}",
                "device": f"gpu {names['board']}" if names["board"] is not None else None,
                "host": names["label"],
                "started_at": started,
                "ended_at": datetime.fromtimestamp(integral.last_s, tz=UTC),
                "method": method,
                "low_ratio": integral.low_ratio,
                "high_ratio": integral.high_ratio,
                "tier": "derived",
            },
            convert(integral.energy_kwh, "kWh", "J"),
            "J",
            None,
        )
    facts = gap_facts(found)
    if facts:
        yield Finding(maker.options.file, None, "power-gaps", facts, is_error=False)
    yield from maker.warnings()
