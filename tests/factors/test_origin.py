"""Shipped figures are those of their origin, cell by cell; where published packages disagree, the range says so."""

import ast
import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from joulebook.factors.choose import choose
from joulebook.factors.read import read_edition
from joulebook.terms.columns import columns

GOOGLE_YEARS = range(2019, 2025)
DISAGREE = 1.3
NOT_SHIPPED = "electricitymaps_2024_lifecycle_g"
"""Its licence lets nobody restate it, so a range may not be drawn from it."""


def google_rows(folder: Path) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Year, region and cells of Google's yearly tables."""
    for year in GOOGLE_YEARS:
        with (folder / "cloud" / f"gcp_region_carbon_{year}.csv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                yield year, row["Google Cloud Region"], row


def test_no_column_of_googles_regions_is_shifted(shared_data: Path):
    """Each region's carbon-free share and grid intensity of each year stand where Google's own table has them.

    A published collection of such tables had 38 of 41 rows shifted by a column.
    """
    edition = read_edition()
    checked = 0
    for year, region, row in google_rows(shared_data):
        for quantity, name in (
            ("cfe_ratio", "Google CFE"),
            ("intensity_g_per_kwh", "Grid carbon intensity (gCO2eq / kWh)"),
        ):
            cell = next((text for head, text in row.items() if head and head.startswith(name)), "")
            if not cell.replace(".", "", 1).isdigit() or not float(cell):
                continue  # empty, or the zero that stands for "not published" in 2021
            shipped = [
                one.value
                for one in edition.factors_for(quantity, f"gcp:{region}")
                if one.valid_from == date(year, 1, 1) and one.source == "gcp-region-carbon"
            ]
            assert shipped == [pytest.approx(float(cell))], (year, region, name)
            checked += 1
    assert checked > 300


def test_every_figure_of_a_company_is_its_origins(shared_data: Path):
    """Each published figure stands to the last digit, with the day it was published, in the order of the origin."""
    per_unit = {
        "tCO2e": 1e6, "MtCO2e": 1e12, "MWh": 1e3, "ML": 1e6, "m3": 1e3, "MUSD": 1e6, "gCO2e/USD GMS": 1, "L/kWh": 1,
        "US gal": 3.785411784,
    }  # fmt: skip
    shipped = [row for row in read_edition().factors if row.kind == "company"]
    with (shared_data / "corporate" / "bigtech_published_series.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(shipped) == len(rows) == 282
    for row, factor in zip(rows, shipped, strict=True):
        told = float(row["value"]) * per_unit[row["unit"]]
        closeness = 1e-12 if row["unit"] != "US gal" else 1e-6
        assert factor.value == pytest.approx(told, rel=closeness), (factor.line, row["metric"])
        assert str(factor.known_from).startswith(row["published_on"]), factor.line
        if len(row["published_on"]) < len("2022-03-31"):  # only the month is told: not known before its last day
            assert (factor.known_from + timedelta(days=1)).day == 1, factor.line


def test_every_place_of_ember_is_its_origins(shared_data: Path):
    """Each country's latest intensity is the one in Ember's table for that country and year."""
    edition = read_edition()
    with (shared_data / "grid" / "ember_latest.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["iso3"]]
    for row in rows:
        if not float(row["gco2_per_kwh"]):
            continue  # emissions of less than the digits told: estimated in the library
        shipped = [
            one.value
            for one in edition.factors_for("intensity_g_per_kwh", row["iso3"])
            if one.valid_from == date(int(row["year"]), 1, 1) and one.source.startswith("ember")
        ]
        assert pytest.approx(float(row["gco2_per_kwh"])) in shipped, row["iso3"]
    assert len(rows) > 200


def test_grid_factors_that_differ_between_packages_are_inside_the_range(shared_data: Path):
    """Where published packages differ by more than 1.3 times for one country, our range covers all of them."""
    edition = read_edition()
    with (shared_data / "grid" / "factor_conflicts_sample.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    seen = 0
    for row in rows:
        if float(row["max/min"]) <= DISAGREE:
            continue
        values = [_number(cell) for name, cell in row.items() if name not in {"iso3", "max/min", NOT_SHIPPED}]
        found = choose(edition, "intensity_g_per_kwh", row["iso3"], date(2024, 7, 1))
        assert found.factor.low <= min(values), row["iso3"]
        assert found.factor.high >= max(values), row["iso3"]
        seen += 1
    assert seen >= 5


def _number(cell: str) -> float:
    """A cell is a number, or a tuple of number, year and source in any order."""
    content = ast.literal_eval(cell)
    parts = content if isinstance(content, tuple) else (content,)
    return next(float(part) for part in parts if isinstance(part, float | int) and not 1990 <= part <= 2030)


def test_no_column_is_defined_twice():
    """The dictionary has each name once: a second entry would silently win."""
    text = (Path(__file__).parents[2] / "src" / "joulebook" / "terms" / "columns.yaml").read_text(encoding="utf-8")
    names = [line.rstrip(":") for line in text.splitlines() if line.endswith(":") and not line.startswith((" ", "#"))]
    assert len(names) == len(set(names))
    assert set(names) <= set(columns())
