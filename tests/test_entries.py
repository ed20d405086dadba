"""Other meters' records in the book: their energy with its range, and what they state beside it."""

import csv
from pathlib import Path

import duckdb
import pytest

from joulebook.book import Book
from joulebook.ingest.reader import ReadOptions

RECORDINGS = Path(__file__).parent / "ingest" / "recordings" / "meters"


def energy_of(book):
    """Energy by run and component [kWh]."""
    found = {}
    for row in book.store.rows(book.store.table("energy")):
        key = (row["run"], row["component"])
        found[key] = found.get(key, 0) + row["it_energy_kwh"]
    return found


def test_energy_and_statements_are_kept_apart(tmp_path):
    """A run's energy goes into the energy table with its meter's accuracy, its carbon into the statements only."""
    book = Book(tmp_path / "book")
    result = book.import_file("codecarbon", RECORDINGS / "codecarbon.csv", ReadOptions())
    assert (result.added, result.already, result.refused) == (15, 0, 0)
    rows = {(row["run"], row["component"]): row for row in book.store.rows(book.store.table("energy"))}
    gpu, cpu = rows["run-a", "gpu"], rows["run-a", "cpu"]
    assert gpu["it_energy_low_kwh"] / gpu["it_energy_kwh"] == pytest.approx(0.95)
    assert cpu["it_energy_high_kwh"] / cpu["it_energy_kwh"] == pytest.approx(2.0)
    assert (gpu["tier"], cpu["tier"]) == ("measured", "estimated")
    assert all(row["factor_ids"] for row in rows.values())
    statements = book.store.rows(book.store.table("statement"))
    assert sum(row["stated_co2e_location_g"] for row in statements) == pytest.approx(1072.308)


@pytest.mark.parametrize("power", ["", "?"])
def test_a_processor_without_its_power_is_not_called_measured(tmp_path, power):
    """Where an old record does not tell the processor's power, constant mode and a meter cannot be told apart."""
    rows = list(csv.DictReader((RECORDINGS / "codecarbon.csv").read_text(encoding="utf-8").splitlines()))
    old = {**rows[0], "codecarbon_version": "2.3.4", "cpu_power": power}
    path = tmp_path / "emissions.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(old))
        writer.writeheader()
        writer.writerow(old)
    book = Book(tmp_path / "book")
    book.import_file("codecarbon", path, ReadOptions())
    tiers = {row["component"]: row["tier"] for row in book.store.rows(book.store.table("energy"))}
    assert tiers["cpu"] == "estimated"


def test_the_same_file_twice_books_nothing(tmp_path):
    """Importing a file again, or a copy of it, adds nothing."""
    book = Book(tmp_path / "book")
    book.import_file("codecarbon", RECORDINGS / "codecarbon.csv", ReadOptions())
    result = book.import_file("codecarbon", RECORDINGS / "codecarbon.csv", ReadOptions(file="copy"))
    assert (result.added, result.already) == (0, 15)


def test_a_run_that_went_on_is_booked_by_what_it_grew(tmp_path):
    """A row that was written over with more energy adds the difference, once; the whole is the later figure."""
    header, half, whole = (RECORDINGS / "codecarbon.csv").read_text(encoding="utf-8").splitlines()[:3]
    path = tmp_path / "emissions.csv"
    book = Book(tmp_path / "book")
    for row in (half, whole.replace(",3600.0,", ",3600.4,"), whole.replace(",3600.0,", ",3600.4,")):
        path.write_text(f"{header}\n{row}\n", encoding="utf-8")
        book.import_file("codecarbon", path, ReadOptions())
    assert energy_of(book)["run-a", "gpu"] == pytest.approx(0.3)
    assert energy_of(book)["run-a", "cpu"] == pytest.approx(0.1125)


def test_other_meters_energy_is_in_the_report(tmp_path):
    """What another meter recorded is posted as measured energy, by run, with its range; the book replays."""
    book = Book(tmp_path / "book")
    book.import_file("codecarbon", RECORDINGS / "codecarbon.csv", ReadOptions())
    booked = energy_of(book)
    whole = book.report(())[0]
    assert whole.amounts["it_energy_kwh"].range.mid == pytest.approx(sum(booked.values()))
    assert whole.amounts["it_energy_kwh"].range.low < whole.amounts["it_energy_kwh"].range.mid
    assert {line.keys["source"] for line in book.report(("source",))} == {"codecarbon"}
    runs = {line.keys["run"]: line.amounts["it_energy_kwh"].range.mid for line in book.report(("run",))}
    assert runs["run-a"] == pytest.approx(sum(kwh for (run, _part), kwh in booked.items() if run == "run-a"))
    assert book.booked_runs() == set()
    assert list(book.audit()) == []


def test_a_run_over_midnight_is_cut_by_days(tmp_path):
    """A run's energy is spread over its days, in the sum the whole; importing it again adds nothing."""
    header, row = (RECORDINGS / "codecarbon.csv").read_text(encoding="utf-8").splitlines()[:2]
    path = tmp_path / "emissions.csv"
    path.write_text(f"{header}\n{row.replace('2024-05-01T10:30:00', '2024-05-02T00:10:00')}\n", encoding="utf-8")
    book = Book(tmp_path / "book")
    book.import_file("codecarbon", path, ReadOptions())
    rows = [row for row in book.store.rows(book.store.table("energy")) if row["component"] == "gpu"]
    assert sorted(round(row["it_energy_kwh"], 9) for row in rows) == [0.05, 0.1]
    assert len({row["started_at"].date() for row in rows}) == len(rows)
    assert book.import_file("codecarbon", path, ReadOptions()).added == 0


def test_measured_energy_is_priced_from_its_boundary(tmp_path):
    """What another meter read stands in the report as IT energy, with the building and the grid added to it."""
    book = Book(tmp_path / "book")
    book.import_file("slurm", RECORDINGS / "sacct.txt", ReadOptions(constants={"region": "KOR"}))
    total = next(line for line in book.report(["source"]) if line.keys["source"] == "slurm")
    assert total.amounts["it_energy_kwh"].range.mid >= 1.3666
    assert total.amounts["facility_energy_kwh"].range.mid > total.amounts["it_energy_kwh"].range.mid
    assert [finding for finding in book.audit() if finding.is_error] == []


def test_parquet_exports_are_read_like_text(tmp_path):
    """Exports that come as Parquet, flat or nested, give the same rows as their text."""
    engine = duckdb.connect()
    for reader, name, rows in (("aws-carbon", "aws-carbon.csv", 3), ("google-carbon", "google-carbon.jsonl", 1)):
        path = tmp_path / f"{reader}.parquet"
        engine.execute(f"COPY (FROM '{RECORDINGS / name}') TO '{path}' (FORMAT parquet)")
        from_parquet, from_text = Book(tmp_path / reader), Book(tmp_path / f"{reader}-text")
        assert from_parquet.import_file(reader, path, ReadOptions()).added == rows
        from_text.import_file(reader, RECORDINGS / name, ReadOptions())
        stated = [
            sorted(
                (row["service"], row["stated_co2e_market_g"], row["period_end"])
                for row in book.store.rows(book.store.table("statement"))
            )
            for book in (from_parquet, from_text)
        ]
        assert stated[0] == stated[1]


def hours_of(book):
    """Device hours of the whole book [h]."""
    return sum(row["device_hours"] or 0 for row in book.store.rows(book.store.table("usage")))


def test_a_correction_restates_the_line_it_corrects(tmp_path):
    """Use that is taken back is booked beside what it corrects, in a later bill as in the same one, and only once."""
    header, *lines = (RECORDINGS / "focus-1.2.csv").read_text(encoding="utf-8").splitlines()
    may, june = tmp_path / "may.csv", tmp_path / "june.csv"
    may.write_text("\n".join([header, lines[0], *lines[2:]]) + "\n", encoding="utf-8")
    june.write_text(f"{header}\n{lines[1]}\n", encoding="utf-8")
    book = Book(tmp_path / "book")
    early = book.import_file("focus", june, ReadOptions())
    assert (early.added, [row.rule for row in early.findings if row.is_error]) == (0, ["correction-unpaired"])
    book.import_file("focus", may, ReadOptions())
    assert hours_of(book) == 2
    assert book.import_file("focus", june, ReadOptions()).added == 1
    assert hours_of(book) == 1
    again = book.import_file("focus", june, ReadOptions())
    assert (again.added, again.already) == (0, 1)
    whole = Book(tmp_path / "whole")
    whole.import_file("focus", RECORDINGS / "focus-1.2.csv", ReadOptions())
    assert hours_of(whole) == 1
    assert [finding for finding in whole.audit() if finding.is_error] == []
