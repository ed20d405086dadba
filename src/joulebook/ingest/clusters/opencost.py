"""OpenCost and Kubecost allocations: what each workload had of a cluster's processors, memory, accelerators and disks.

Booked are the hours that were allocated (the larger of request and use, as OpenCost counts): one row for processors and
accelerators, one each for stored data and data sent. Memory is not booked by itself, for the processors' energy holds
what servers usually have of it. The entry
``__idle__`` is what nobody asked for: it is booked as a project of that name, so that idle machines are seen. Costs
that are not of machines (load balancers, shared, external) are in ``cost_usd`` only where the whole row is in dollars.
The same hours aggregated in two ways are the same use: import one aggregation.

Sources: OpenCost documentation, "API" (/allocation) and "CSV export"; Kubecost allocation schema.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount, hashable
from joulebook.ingest.energy import opened
from joulebook.ingest.lines import dig
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.records import Record, first_of, json_documents, name_of, rows_of
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert
from joulebook.terms.usage import usage_key

FIELDS = (
    "request_id", "started_at", "ended_at", "provider", "region", "project", "run", "device",
    "device_hours", "vcpu_hours", "storage_gb_hours", "network_gb", "cost_usd",
)  # fmt: skip
HOURS: Mapping[str, tuple[str, str, str]] = {
    "cpuCoreHours": ("vcpu_hours", "1", "1"),
    "gpuHours": ("device_hours", "1", "1"),
    "pvByteHours": ("storage_gb_hours", "B", "GB"),
    "networkTransferBytes": ("network_gb", "B", "GB"),
}
"""Field of an allocation -> our column, its unit, our unit. Bytes received were sent by somebody else."""

AVERAGES: Mapping[str, tuple[str, str, str]] = {
    "CPUCoreAllocationAverage": ("vcpu_hours", "1", "1"),
    "GPUs": ("device_hours", "1", "1"),
    "PVBytes": ("storage_gb_hours", "B", "GB"),
}
"""The same in the daily CSV export, where means stand for the day."""

KINDS = (("device", "device_hours", "vcpu_hours"), ("storage_gb_hours",), ("network_gb",))
CONSUMED = frozenset(name for kind in KINDS for name in kind)
"""What a record consumed, by what is priced together."""

PRODUCTS = ("nvidia_com_gpu_product", "label_nvidia_com_gpu_product", "cloud_google_com_gke_accelerator")
PLACES = ("topology_kubernetes_io_region", "label_topology_kubernetes_io_region")
CSV_NAMES = ("Namespace", "ControllerKind", "ControllerName", "Pod", "Container")


class OpenCost:
    """Allocations of a Kubernetes cluster."""

    name = "opencost"
    signs = translatable("allocations with cpuCoreHours and ramByteHours of OpenCost, or its daily table")
    tables = ("usage",)

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields."""
        if b'"cpuCoreHours"' in head and b'"ramByteHours"' in head:
            return 0.97
        return 0.97 if {"Date", "CPUCoreAllocationAverage"} <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One row per allocation and window."""
        stream, is_json = opened(stream)
        records = _of_json(stream, options.file) if is_json else _of_table(stream, options)
        yield from rows_of(self.name, options, records, FIELDS, tier="derived", is_bucket=True)


def _of_json(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for item in json_documents(stream, file):
        if isinstance(item, Finding):
            yield item
            continue
        line, answer = item
        sets = answer.get("data")
        for window in sets if isinstance(sets, list) else [sets]:
            entries = window.get("allocations", window) if isinstance(window, dict) else {}
            for name, entry in entries.items() if isinstance(entries, dict) else ():
                if isinstance(entry, dict) and first_of(entry, "start", "window.start"):
                    yield from _by_kind(_allocation(file, line, str(name), entry))


def _allocation(file: str, line: int | None, name: str, entry: Mapping[str, Any]) -> Record | Finding:
    start, end = first_of(entry, "window.start", "start"), first_of(entry, "window.end", "end")
    used: dict[str, object] = {}
    field = ""
    try:
        for field, (ours, unit, to) in HOURS.items():
            cell = entry.get(field)
            if cell is not None and amount(cell) > 0:
                used[ours] = convert(amount(cell), unit, to)
    except CellFaultError as fault:
        return Finding(file, line, fault.rule, {"column": field})
    labels = dig(entry, "properties.labels")
    found = labels if isinstance(labels, dict) else {}
    if "device_hours" in used:
        used["device"] = next((found[label] for label in PRODUCTS if name_of(found.get(label))), "gpu")
    cluster = name_of(dig(entry, "properties.cluster"))
    return line, {
        **used,
        "request_id": usage_key(hashable([cluster or "", name, str(start), str(end)])),
        "started_at": start,
        "ended_at": end,
        "region": next((found[label] for label in PLACES if name_of(found.get(label))), None),
        "project": name_of(dig(entry, "properties.namespace")) or name,
        "run": name_of(first_of(entry, "properties.controller", "properties.pod")),
        "cost_usd": entry.get("totalCost"),
    }


def _of_table(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    sheet = Sheet(stream, options)
    yield from sheet.faults
    if "Date" not in sheet.header:
        if sheet.header:
            yield Finding(options.file, 1, "missing-column", {"column": "Date"})
        return
    for item in sheet.named():
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        used: dict[str, object] = {}
        column = "Date"
        try:
            day = datetime.fromisoformat(cells["Date"][: len("2026-01-01")])
            for column, (ours, unit, to) in AVERAGES.items():
                mean = amount(cells[column]) if cells.get(column) else 0.0
                if mean > 0:
                    used[ours] = convert(mean, unit, to) * convert(1, "d", "s") / convert(1, "h", "s")
        except CellFaultError as fault:
            yield Finding(options.file, line, fault.rule, {"column": column})
            continue
        except ValueError:
            yield Finding(options.file, line, "bad-timestamp", {"column": "Date"})
            continue
        told: dict[str, object] = {
            **used,
            **({"device": "gpu"} if "device_hours" in used else {}),
            "request_id": usage_key(hashable([cells["Date"], *(cells.get(name, "") for name in CSV_NAMES)])),
            "started_at": f"{day.isoformat()}+00:00",
            "ended_at": f"{(day + timedelta(days=1)).isoformat()}+00:00",
            "project": cells.get("Namespace") or None,
            "run": cells.get("ControllerName") or cells.get("Pod") or None,
            "cost_usd": cells.get("TotalCost") or None,
        }
        yield from _by_kind((line, told))


def _by_kind(record: Record | Finding) -> Iterator[Record | Finding]:
    """A record's machines, its stored data and its data sent, each as a record of its own; the cost with the first."""
    if isinstance(record, Finding):
        yield record
        return
    line, told = record
    shared = {name: cell for name, cell in told.items() if name not in CONSUMED}
    kinds = [{name: told[name] for name in kind if name in told} for kind in KINDS]
    for number, kind in enumerate([kind for kind in kinds if kind] or [{}]):
        own = {"request_id": f"{told['request_id']}:{number}", "cost_usd": told["cost_usd"] if number == 0 else None}
        yield line, {**shared, **kind, **own}
