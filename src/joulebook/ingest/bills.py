"""Cloud bills: FOCUS 1.0 to 1.2, and AWS cost and usage reports (CUR and CUR 2.0).

A line is read by its SKU, unit and description, for most lines name no type of resource. Booked are lines whose use has
a column: hours of machines (``device`` is the instance type, ``device_hours`` the hours of the instance), hours of
virtual processors where the bill gives their number, and tokens of hosted models. Everything else (storage, network,
requests, memory, software, fees, taxes) is counted in the coverage, which is told at the end of every bill.

Not machines although they name one: throughput of a machine's disk ("Mbps per t3a.small instance-hour"), and software
or support by machine-hour. A line that takes use back (a negative quantity) is a finding, for a use cannot be negative.

Sources: FinOps FOCUS specification 1.2 (columns, SkuPriceDetails); AWS, "Cost and Usage Report data dictionary".
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.bill_words import CUR, FOCUS, instance_type, tokens_of
from joulebook.ingest.cells import CellFaultError, hashable, money
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, loaded, rows_of, whole
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES, Usage, usage_key

FIELDS = (
    "request_id",
    "started_at",
    "ended_at",
    "provider",
    "region",
    "project",
    "model",
    "device",
    "device_hours",
    "vcpu_hours",
    *TOKEN_CLASSES,
    "cost_usd",
)
UNKNOWN = ("", "NULL", "null")
HOUR_UNITS = re.compile(r"(hours?|hrs?)\Z", re.IGNORECASE)
NO_MACHINE = re.compile(r"mbps|marketplace|software|extended support|defender|licen[cs]e", re.IGNORECASE)
USED = (None, "Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
"""Kinds of lines that tell a use; the others are taxes, fees, credits, purchases and negations."""

VCPU = re.compile(r"\bvCPU\b")


class Focus:
    """A FOCUS bill as CSV."""

    name = "focus"
    signs = translatable("the columns ChargePeriodStart, BilledCost and ConsumedUnit of FOCUS")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        return 1.0 if {"ChargePeriodStart", "BilledCost", "ConsumedUnit"} <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """Rows of machine-hours and tokens, then the coverage of the bill."""
        return _parse(self.name, stream, options, FOCUS)


class AwsCur:
    """An AWS cost and usage report as CSV, in the names of CUR or CUR 2.0."""

    name = "aws-cur"
    signs = translatable("the columns lineItem/UsageType or line_item_usage_type of an AWS cost and usage report")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        return 1.0 if {"lineItem/UsageType", "line_item_usage_type"} & set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """Rows of machine-hours and tokens, then the coverage of the bill."""
        return _parse(self.name, stream, options, CUR)


@dataclass
class _Coverage:
    """What came of the lines of a bill."""

    cost: float = 0.0
    booked_cost: float = 0.0
    lines: int = 0
    booked_lines: int = 0
    currencies: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)

    def told(self, file: str) -> Finding:
        """The coverage as a finding that refuses nothing; by cost, as the bill states it."""
        ratio = self.booked_cost / self.cost if self.cost > 0 else 0.0
        facts = {
            "ratio": f"{ratio:.1%}",
            "cost": f"{self.cost:,.2f}",
            "currency": "/".join(sorted(self.currencies)) or "?",
            "booked": f"{self.booked_lines:,}",
            "lines": f"{self.lines:,}",
        }
        return Finding(file, None, "bill-coverage", facts, is_error=False)


def _parse(
    name: str, stream: BinaryIO, options: ReadOptions, words: Mapping[str, tuple[str, ...]]
) -> Iterator[Usage | Finding]:
    coverage = _Coverage()
    zoned = options if options.timezone else replace(options, timezone="UTC")
    yield from rows_of(name, zoned, _records(stream, options, words, coverage), FIELDS, tier="derived")
    if coverage.lines:
        yield coverage.told(options.file)


def _records(
    stream: BinaryIO, options: ReadOptions, words: Mapping[str, tuple[str, ...]], coverage: _Coverage
) -> Iterator[Record | Finding]:
    sheet = Sheet(stream, options)
    yield from sheet.faults
    if not sheet.header:
        return
    needed = ("start", "cost", "quantity", "unit")
    missing = [words[name][0] for name in needed if not any(column in sheet.header for column in words[name])]
    yield from (Finding(options.file, 1, "missing-column", {"column": column}) for column in missing)
    if missing:
        return
    for item in sheet.named():
        if isinstance(item, Finding):
            yield item
            continue
        line, cells = item
        told = {ours: _first(cells, theirs) for ours, theirs in words.items()}
        try:
            cost = money(told["cost"] or "0")
            quantity = money(told["quantity"]) if told["quantity"] else None
        except CellFaultError as fault:
            yield Finding(options.file, line, fault.rule, {"column": words["cost"][0]})
            continue
        coverage.lines += 1
        coverage.cost += cost
        coverage.currencies[told["currency"] or "?"] += 1
        used = _use(told, quantity)
        if used is None:
            continue
        if quantity is not None and quantity < 0:
            yield Finding(options.file, line, "negative", {"column": words["quantity"][0]})
            continue
        coverage.booked_lines += 1
        coverage.booked_cost += cost
        yield line, {**used, **_shared(told, cost, coverage.seen)}


def _use(told: Mapping[str, str | None], quantity: float | None) -> dict[str, object] | None:
    """What a line used, in fields of usage; None for what has none."""
    if (
        quantity is None
        or quantity == 0
        or told["kind"] not in (None, "Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
    ):
        return None
    text = " ".join(filter(None, (told["sku"], told["description"])))
    unit = told["unit"] or ""
    tokens = tokens_of(text, unit, quantity)
    if tokens is not None:
        return tokens
    if not HOUR_UNITS.search(unit) or NO_MACHINE.search(text):
        return None
    kept = loaded(told["details"] or "")
    details = kept if isinstance(kept, dict) else {}
    machine = details.get("InstanceType") or told["machine"] or instance_type(text)
    cores = whole(details.get("CoreCount")) or _count(told["vcpus"])
    if machine:
        hours = {"vcpu_hours": cores * quantity} if cores else {}
        return {"device": str(machine), "device_hours": quantity, **hours}
    if VCPU.search(text):
        return {"vcpu_hours": quantity}
    return None


def _shared(told: Mapping[str, str | None], cost: float, seen: Counter[str]) -> dict[str, object]:
    names = ("start", "end", "account", "sku", "description", "resource", "region", "kind", "class", "quantity", "cost")
    identity = usage_key(hashable(told[name] or "" for name in names))
    seen[identity] += 1
    return {
        "request_id": f"{identity}:{seen[identity]}",
        "started_at": told["start"],
        "ended_at": told["end"],
        "provider": provider_name(told["provider"]) or "aws",
        "region": told["region"],
        "project": told["account"],
        "cost_usd": cost if told["currency"] == "USD" else None,
    }


def _first(cells: Mapping[str, str], columns: tuple[str, ...]) -> str | None:
    return next((cells[column] for column in columns if cells.get(column, "") not in UNKNOWN), None)


def _count(cell: str | None) -> int:
    return int(cell) if cell and cell.isdecimal() else 0
