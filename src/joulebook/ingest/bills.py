"""Cloud bills: FOCUS 1.0 to 1.2, AWS (CUR, CUR 2.0), Azure (EA, MCA), Google Cloud and Oracle.

A line is read by its SKU, unit and description, for most lines name no type of resource; `joulebook.ingest.bill_use`
tells what it used. Everything without a use of ours (requests, software, fees, taxes, addresses) is counted in the
coverage, which is told at the end of every bill.

A line that takes use back (a negative quantity: FOCUS ChargeClass ``Correction``, Oracle ``isCorrection``, adjustments)
is a correction: the book adds it beside the lines of the same machine, place, account and time that it corrects, and
refuses it where there are none, for a use by itself cannot be negative.

Azure's quantities of tokens count by the unit (1K, 1M; `joulebook.ingest.bill_blocks`), its quantities of hours count
hours whatever the block of the price. A line on a hosted model that counts no tokens is told. Dates without a time are
days in UTC.

Sources: FinOps FOCUS specification 1.0 to 1.2 (columns, SkuPriceDetails, ChargeClass); AWS, "Cost and Usage Report data
dictionary"; Azure, "Understand usage details fields"; Google Cloud, "Standard usage cost data"; Oracle, "Cost report
schema".
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import BinaryIO, cast

from joulebook.errors import translatable
from joulebook.ingest.bill_coverage import Coverage
from joulebook.ingest.bill_regions import aws_region, azure_region
from joulebook.ingest.bill_tokens import model_called
from joulebook.ingest.bill_use import in_tokens
from joulebook.ingest.bill_words import AZURE, CUR, FOCUS, GOOGLE, ORACLE, azure_unit, oracle_unit, spelled
from joulebook.ingest.cells import CellFaultError, hashable, money
from joulebook.ingest.energy import opened
from joulebook.ingest.lines import dig
from joulebook.ingest.providers import provider_name
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.records import Record, json_documents, rows_of
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES, usage_key

AMOUNTS = (
    "device_hours", "vcpu_hours", "memory_gb_hours", "storage_gb_hours", "network_gb", *TOKEN_CLASSES,
    "embedding_tokens",
)  # fmt: skip
FIELDS = (
    "request_id", "started_at", "ended_at", "provider", "region", "project", "model", "device", *AMOUNTS, "cost_usd",
)  # fmt: skip
UNKNOWN = ("", "NULL", "null", None)
AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\Z")
DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)\Z")
Words = Mapping[str, tuple[str, ...]]


class _Bill:
    """A bill, read by its words.

    Attributes:
        words: our word -> columns.
        host: who the bill is from, where its lines do not say; empty where nothing says so.
        must: columns that the header of such a bill has, one of each group.
        tables: usage, with corrections after the lines they correct.
    """

    name = ""
    signs = ""
    words: Words = MappingProxyType({})
    host = ""
    must: tuple[frozenset[str], ...] = ()
    tables = ("usage", "correction")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        header = {spelled(column) for column in csv_header(head)}
        return 1.0 if all({spelled(column) for column in group} & header for group in self.must) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """Rows of what was used, corrections among them, then the coverage of the bill."""
        coverage = Coverage()
        zoned = options if options.timezone else replace(options, timezone="UTC")
        records = self._records(stream, options, coverage)
        for row in rows_of(self.name, zoned, records, FIELDS, tier="derived", is_bucket=True):
            yield row
        for row in rows_of(self.name, zoned, coverage.taken_back, FIELDS, tier="derived", is_bucket=True):
            yield row if isinstance(row, Finding) else cast("Entry", _negative(dict(row)))
        yield from coverage.untold_lines(options.file)
        if coverage.lines:
            yield coverage.told(options.file)

    def _records(self, stream: BinaryIO, options: ReadOptions, coverage: "Coverage") -> Iterator[Record | Finding]:
        for item in self._lines(stream, options):
            if isinstance(item, Finding):
                yield item
                continue
            line, told = item
            try:
                cost = money(told["cost"] or "0")
                quantity = money(told["quantity"]) if told["quantity"] else 0.0
            except CellFaultError as fault:
                yield Finding(options.file, line, fault.rule, {"column": self.words["cost"][0]})
                continue
            sized = self._sized(told)
            if sized is not None:
                counted, unit = sized
                told, quantity = {**told, "unit": unit}, counted or 0.0
            used = coverage.use(told, abs(quantity))
            coverage.count(told, cost, line, used, quantity)
            if not used:
                continue
            if "model" in used:
                used["model"] = used["model"] or model_called(told["resource"] or "")
            record = (line, {**used, **_shared(told, cost, coverage.seen, self.host)})
            if quantity > 0:
                yield record
            else:
                coverage.taken_back.append(record)

    def _sized(self, told: Mapping[str, str | None]) -> tuple[float | None, str] | None:  # noqa: ARG002  (FOCUS does)
        """Quantity and unit of a line that says its size elsewhere than in its unit."""
        return None

    def _lines(self, stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int, dict[str, str | None]] | Finding]:
        """Lines of the bill in our words; a bill without a column that every line needs is refused."""
        sheet = Sheet(stream, options)
        yield from sheet.faults
        plan = _columns(self.words, sheet.header)
        missing = [self.words[name][0] for name in ("start", "cost", "quantity", "unit") if not plan[name]]
        if sheet.header:
            yield from (Finding(options.file, 1, "missing-column", {"column": column}) for column in missing)
        if missing:
            return
        for item in sheet.named():
            if isinstance(item, Finding):
                yield item
            else:
                line, cells = item
                yield line, {ours: _first(cells, theirs) for ours, theirs in plan.items()}


class Focus(_Bill):
    """A FOCUS bill as CSV."""

    name = "focus"
    signs = translatable("the columns ChargePeriodStart, BilledCost and ConsumedUnit of FOCUS")
    words = FOCUS
    must = (frozenset({"ChargePeriodStart"}), frozenset({"BilledCost"}), frozenset({"ConsumedUnit"}))

    def _sized(self, told: Mapping[str, str | None]) -> tuple[float | None, str] | None:
        if (told["commitment"] or "").lower() == "unused":  # what nobody used of a commitment has no quantity consumed
            return 0.0, told["unit"] or ""
        return in_tokens(told)


class AwsCur(_Bill):
    """An AWS cost and usage report as CSV, in the names of CUR or CUR 2.0."""

    name = "aws-cur"
    signs = translatable("the columns lineItem/UsageType or line_item_usage_type of an AWS cost and usage report")
    words = CUR
    host = "aws"
    must = (frozenset({"lineItem/UsageType", "line_item_usage_type"}),)


class AzureBill(_Bill):
    """Azure's usage details, actual or amortised cost, of an EA or MCA."""

    name = "azure-bill"
    signs = translatable("the columns MeterCategory, MeterName, UnitOfMeasure and Quantity of Azure usage details")
    words = AZURE
    host = "azure"
    must = (
        frozenset({"MeterCategory", "meterCategory"}),
        frozenset({"MeterName", "meterName"}),
        frozenset(AZURE["unit"]),
        frozenset(AZURE["quantity"]),
    )

    def _sized(self, told: Mapping[str, str | None]) -> tuple[float | None, str] | None:
        return money(told["quantity"] or "0"), azure_unit(told["unit"] or "")


class OracleBill(_Bill):
    """A cost report of Oracle Cloud Infrastructure."""

    name = "oracle-bill"
    signs = translatable("the columns lineItem/intervalUsageStart and cost/myCost of an Oracle cost report")
    words = ORACLE
    host = "oracle"
    must = (frozenset({"lineItem/intervalUsageStart"}), frozenset({"cost/myCost"}))

    def _sized(self, told: Mapping[str, str | None]) -> tuple[float | None, str] | None:
        unit = oracle_unit(told["unit"] or "")
        return None if unit is None else (money(told["quantity"] or "0"), unit)


class GoogleBill(_Bill):
    """Google Cloud's billing export from BigQuery, as JSON, JSON lines or CSV."""

    name = "google-bill"
    signs = translatable("usage_start_time, sku and usage with amount and unit of Google Cloud's billing export")
    words = GOOGLE
    host = "gcp"
    must = (frozenset(GOOGLE["start"]), frozenset(GOOGLE["unit"]), frozenset(GOOGLE["sku"]))

    def detect(self, head: bytes, name: str) -> float:
        """By the header, or the fields of the first record."""
        marks = (b'"usage_start_time"', b'"sku"', b'"usage"')
        return 0.98 if all(mark in head for mark in marks) else super().detect(head, name)

    def _lines(self, stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int, dict[str, str | None]] | Finding]:
        stream, is_json = opened(stream)
        if not is_json:
            yield from super()._lines(stream, options)
            return
        for number, item in enumerate(json_documents(stream, options.file), start=1):
            if isinstance(item, Finding):
                yield item
            else:
                line, record = item
                yield line or number, {ours: _dug(record, theirs) for ours, theirs in self.words.items()}


def _negative(row: dict[str, object]) -> dict[str, object]:
    """A correction: the row of a line that takes back, with negative amounts, under a key of its own kind."""
    amounts = {name: -cast("float", row[name]) for name in AMOUNTS if row.get(name) is not None}
    return {**row, **amounts, "correction_key": row["usage_key"]}


def _shared(told: Mapping[str, str | None], cost: float, seen: Counter[str], host: str) -> dict[str, object]:
    names = ("start", "end", "account", "sku", "description", "resource", "region", "kind", "class", "quantity", "cost")
    identity = usage_key(hashable([told["id"]] if told["id"] else [told[name] or "" for name in names]))
    seen[identity] += 1
    start, end = _day(told["start"], 0), told["end"] or _day(told["start"], 1)
    provider = provider_name(told["provider"]) or host or None
    return {
        "request_id": f"{identity}:{seen[identity]}",
        "started_at": start,
        "ended_at": end if end != start else None,
        "provider": provider,
        "region": _region(provider, told),
        "project": told["account"],
        "cost_usd": cost if told["currency"] == "USD" else None,
    }


def _day(cell: str | None, later: int) -> str | None:
    """A date as the start of that day, or of one some days later; a time as it is."""
    found, american = DAY.match(cell or ""), AMERICAN.match(cell or "")
    if found is None and american is None:
        return cell
    parts = (found[1], found[2], found[3]) if found else (american[3], american[1], american[2]) if american else ()
    try:
        return (date(*(int(part) for part in parts)) + timedelta(days=later)).isoformat() + "T00:00:00"
    except (ValueError, OverflowError, TypeError):
        return cell


def _region(provider: str | None, told: Mapping[str, str | None]) -> str | None:
    if provider == "azure":
        return azure_region(told["region"])
    return told["region"] or (aws_region(told["sku"]) if provider == "aws" else None)


def _columns(words: Words, header: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Our word -> columns of a header, however they are spelled; of several spellings the specified one."""
    known = {spelled(column): column for column in reversed(header)} | {column: column for column in header}
    return {
        ours: tuple(dict.fromkeys(filter(None, (known.get(name) or known.get(spelled(name)) for name in theirs))))
        for ours, theirs in words.items()
    }


def _first(cells: Mapping[str, str], columns: tuple[str, ...]) -> str | None:
    for column in columns:
        if cells[column] not in UNKNOWN:
            return cells[column]
    return None


def _dug(record: Mapping[str, object], paths: tuple[str, ...]) -> str | None:
    """The first value that is there, as text."""
    found = (dig(record, path) for path in paths)
    return next((str(value) for value in found if isinstance(value, (str, int, float)) and value not in UNKNOWN), None)
