"""What providers state of their customers' carbon: kept beside our figures, never added to them.

- AWS: the data export CARBON_EMISSIONS (CSV or Parquet), tonnes per month, account, product and region; its versions
  differ in the columns of scopes. Several versions of the model for one month are all kept.
- Google Cloud: the Carbon Footprint export of BigQuery (JSON, JSON lines or CSV), kilograms per month, project, service
  and region. Offsets, which Google no longer fills, are not read.
- Azure: answers of the Carbon Optimization API with months (kilograms). They do not say how Scope 2 is counted; they
  are kept as market-based, and marked so. Answers without a month cannot be placed in time.

Checked against: the columns that public repositories ask of AWS's export and of Google's table, and Azure's monthly
summaries as they keep them, 2025 and 2026.

Sources: AWS, "Carbon emissions table dictionary" (Data Exports); Google Cloud, "Carbon Footprint data schema";
Microsoft, "Use the API to export Carbon optimization in Azure emissions data".
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.cells import CellFaultError, amount
from joulebook.ingest.energy import EnergyMaker, opened
from joulebook.ingest.reader import Entry, ReadOptions
from joulebook.ingest.records import dicts, first_of, json_documents, name_of
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

UNITS = {"mtco2e": "t", "kgco2e": "kg", "gco2e": "g", "tco2e": "t"}
LONGEST_MONTH = timedelta(days=32)

AWS: Mapping[str, tuple[str, ...]] = {
    "stated_co2e_location_g": ("total_lbm_emissions",),
    "stated_co2e_market_g": ("total_mbm_emissions",),
    "stated_co2e_scope1_g": ("total_scope_1_emissions",),
    "stated_co2e_scope2_location_g": ("total_scope_2_lbm_emissions",),
    "stated_co2e_scope2_market_g": ("total_scope_2_mbm_emissions",),
    "stated_co2e_scope3_g": ("total_scope_3_lbm_emissions", "total_scope_3_mbm_emissions"),
}
"""Our column -> first part of theirs, which end in ``_value`` and ``_unit``."""

GOOGLE: Mapping[str, tuple[str, ...]] = {
    "stated_co2e_location_g": (
        "carbon_footprint_total_kgCO2e.location_based", "carbon_footprint_total_kgCO2e_location_based",
    ),
    "stated_co2e_market_g": (
        "carbon_footprint_total_kgCO2e.market_based", "carbon_footprint_total_kgCO2e_market_based",
    ),
    "stated_co2e_scope1_g": ("carbon_footprint_kgCO2e.scope1", "carbon_footprint_kgCO2e_scope1"),
    "stated_co2e_scope2_location_g": (
        "carbon_footprint_kgCO2e.scope2.location_based", "carbon_footprint_kgCO2e_scope2_location_based",
    ),
    "stated_co2e_scope2_market_g": (
        "carbon_footprint_kgCO2e.scope2.market_based", "carbon_footprint_kgCO2e_scope2_market_based",
    ),
    "stated_co2e_scope3_g": ("carbon_footprint_kgCO2e.scope3", "carbon_footprint_kgCO2e_scope3"),
}  # fmt: skip
"""Our column -> theirs, nested (JSON) or flat (CSV)."""


class _Statements(ABC):
    """Statements with one record per month and part of the use."""

    name = ""
    signs = ""
    tables = ("statement",)
    marks: tuple[str, ...] = ()

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the names of its fields, in a header or in JSON."""
        is_json = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
        if is_json:
            return 0.98 if all(f'"{mark.partition(".")[0]}"'.encode() in head for mark in self.marks) else 0.0
        header = {column.replace(".", "_") for column in csv_header(head)}
        return 0.98 if {mark.replace(".", "_") for mark in self.marks} <= header else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Entry | Finding]:
        """One statement per record."""
        maker = EnergyMaker(self.name, options)
        for item in _records(stream, options):
            if isinstance(item, Finding):
                yield item
                continue
            found = self._statement(maker, *item)
            if found is not None:
                yield found

    @abstractmethod
    def _statement(self, maker: EnergyMaker, line: int | None, record: Mapping[str, object]) -> Entry | Finding | None:
        """The statement of one record; None for a record that states nothing."""


class AwsCarbon(_Statements):
    """The data export of AWS's Customer Carbon Footprint Tool."""

    name = "aws-carbon"
    signs = translatable("the columns usage_period_start and total_mbm_emissions_value of AWS carbon emissions")
    marks = ("usage_period_start", "total_mbm_emissions_value")

    def _statement(self, maker: EnergyMaker, line: int | None, record: Mapping[str, object]) -> Entry | Finding | None:
        figures: dict[str, object] = {}
        column = ""
        try:
            for ours, theirs in AWS.items():
                for column in theirs:
                    cell, unit = record.get(f"{column}_value"), str(record.get(f"{column}_unit") or "MTCO2e")
                    if cell not in (None, "") and ours not in figures:
                        figures[ours] = convert(amount(cell), UNITS[unit.lower()], "g")
        except CellFaultError as fault:
            return maker.finding(line, fault.rule, f"{column}_value")
        except KeyError:
            return maker.finding(line, "bad-number", f"{column}_unit")
        told = {
            "stated_by": "aws",
            "provider": "aws",
            "service": name_of(record.get("product_code")),
            "region": name_of(record.get("region_code")) or name_of(record.get("location")),
            "project": name_of(record.get("usage_account_id")),
            "basis": name_of(record.get("model_version")),
        }
        return _placed(maker, line, told, figures, record.get("usage_period_start"), record.get("usage_period_end"))


class GoogleCarbon(_Statements):
    """The Carbon Footprint export of Google Cloud."""

    name = "google-carbon"
    signs = translatable("usage_month and carbon_footprint_total_kgCO2e of Google Cloud's Carbon Footprint")
    marks = ("usage_month", "carbon_footprint_total_kgCO2e.location_based")

    def _statement(self, maker: EnergyMaker, line: int | None, record: Mapping[str, object]) -> Entry | Finding | None:
        figures: dict[str, object] = {}
        ours = ""
        try:
            for ours, theirs in GOOGLE.items():
                cell = first_of(record, *theirs)
                if cell not in (None, ""):
                    figures[ours] = convert(amount(cell), "kg", "g")
        except CellFaultError as fault:
            return maker.finding(line, fault.rule, GOOGLE[ours][0])
        version = first_of(record, "carbon_model_version")
        told = {
            "stated_by": "gcp",
            "provider": "gcp",
            "service": name_of(first_of(record, "service.description", "service_description")),
            "region": name_of(first_of(record, "location.region", "location_region", "location.location")),
            "project": name_of(first_of(record, "project.id", "project_id")),
            "basis": f"v{version}" if version not in (None, "") else None,
        }
        return _placed(maker, line, told, figures, record.get("usage_month"), None)


class AzureCarbon(_Statements):
    """Monthly answers of Azure's Carbon Optimization API."""

    name = "azure-carbon"
    signs = translatable("dataType and latestMonthEmissions of Azure's Carbon Optimization")
    marks = ("dataType", "latestMonthEmissions")

    def _statement(self, maker: EnergyMaker, line: int | None, record: Mapping[str, object]) -> Entry | Finding | None:
        kind = name_of(record.get("dataType"))
        if kind is None:
            return None
        if not name_of(record.get("date")):
            return maker.finding(line, "missing-value", "date")
        try:
            figures = {"stated_co2e_market_g": convert(amount(record.get("latestMonthEmissions")), "kg", "g")}
        except CellFaultError as fault:
            return maker.finding(line, fault.rule, "latestMonthEmissions")
        told = {
            "stated_by": "azure",
            "provider": "azure",
            "service": name_of(record.get("itemName")),
            "project": name_of(record.get("subscriptionId")),
            "basis": "method untold",
        }
        return _placed(maker, line, told, figures, record.get("date"), None)


def _placed(
    maker: EnergyMaker,
    line: int | None,
    told: Mapping[str, object],
    figures: Mapping[str, object],
    start: object,
    end: object,
) -> Entry | Finding | None:
    """A statement in its month; None where it states nothing."""
    if not figures:
        return None
    try:
        begins = maker.at(start, line, "period_start").replace(hour=0, minute=0, second=0, microsecond=0)
        ends = maker.at(end, line, "period_end") if end not in (None, "") else _next_month(begins)
    except CellFaultError as fault:
        return maker.finding(line, fault.rule, "period_start")
    if ends < begins:
        return maker.finding(line, "ends-before-start", "period_end")
    if ends - begins < LONGEST_MONTH and ends != _next_month(begins) and begins.day == 1:
        ends = _next_month(begins)  # exports name the last day or second of the month
    return maker.statement({**told, "period_start": begins, "period_end": ends}, figures, line)


def _next_month(begins: datetime) -> datetime:
    later = begins.replace(day=1) + LONGEST_MONTH
    return datetime(later.year, later.month, 1, tzinfo=UTC)


def _records(stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int | None, Mapping[str, object]] | Finding]:
    """Records of a CSV or of JSON; the list under ``value`` of an answer is taken apart."""
    stream, is_json = opened(stream)
    if not is_json:
        sheet = Sheet(stream, options)
        yield from sheet.faults
        if sheet.header:
            yield from sheet.named()
        return
    for item in json_documents(stream, options.file):
        if isinstance(item, Finding):
            yield item
            continue
        line, document = item
        if isinstance(document.get("value"), list):
            yield from ((line, record) for record in dicts(document["value"]))
        else:
            yield line, document
