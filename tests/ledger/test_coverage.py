"""How well the energy of a book is known, and the warnings of an import."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from joulebook.book import Book
from joulebook.faces.cli.main import run_command
from joulebook.ingest.imported import Imported
from joulebook.ingest.mapping import same_names
from joulebook.ingest.reader import ReadOptions

NOW = datetime(2026, 11, 3, tzinfo=UTC)
AT = "2026-11-02T01:00:00Z"
TEXT = {"model": "gpt-4o", "uncached_input_tokens": 1000, "visible_output_tokens": 100}
KNOWN = {"provider": "azure", "region": "swedencentral", **TEXT}


def imported(folder: Path, *rows: dict[str, object]) -> tuple[Book, Imported]:
    """A book of some rows and what its import said."""
    path = folder / "usage.csv"
    names = ["request_id", "started_at", *dict.fromkeys(name for row in rows for name in row)]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, dict.fromkeys(names))
        writer.writeheader()
        writer.writerows({"request_id": f"r{n}", "started_at": AT, **row} for n, row in enumerate(rows))
    book = Book(folder / "book", clock=lambda: NOW)
    return book, book.import_file("csv", path, ReadOptions(str(path), mapping=same_names(dict.fromkeys(names))))


def rules(found: Imported) -> dict[str, dict[str, object]]:
    """The warnings about names, dates and energy, by rule."""
    told = {"unknown-model", "unknown-region", "unknown-device", "future-date", "no-energy"}
    assert not any(finding.is_error for finding in found.findings)
    return {finding.rule: dict(finding.facts) for finding in found.findings if finding.rule in told}


def test_the_parts_of_the_coverage_are_the_whole(tmp_path: Path):
    """Rows, cost and kWh of the four ways add up to those of the book; unknown energy has no kWh, which is not zero."""
    book, found = imported(
        tmp_path,
        {**KNOWN, "cost_usd": 1},
        {**KNOWN, "model": "nobody-knows-this", "cost_usd": 2},
        {"provider": "azure", "model": "gpt-4o", "uncached_input_tokens": 7, "cost_usd": 3},
        {"metered_energy_kwh": 2, "boundary": "node", "region": "KOR", "cost_usd": 4},
    )
    by_way = {one.known.name: one for one in found.coverage}
    assert {name: (one.row_count, one.cost_usd) for name, one in by_way.items()} == {
        "MEASURED": (1, 4),
        "ESTIMATED": (1, 1),
        "RANGE": (1, 2),
        "UNKNOWN": (1, 3),
    }
    assert by_way["UNKNOWN"].energy_kwh is None
    assert sum(one.row_ratio for one in found.coverage) == pytest.approx(1)
    assert sum(one.cost_ratio or 0 for one in found.coverage) == pytest.approx(1)
    assert sum(one.energy_ratio or 0 for one in found.coverage) == pytest.approx(1)
    (line,) = book.report(())
    assert line.coverage == found.coverage
    whole = line.amounts["facility_energy_kwh"].range.mid
    assert sum(one.energy_kwh or 0 for one in found.coverage) == pytest.approx(whole, rel=1e-9)


def test_unknown_names_are_told_once_with_the_nearest(tmp_path: Path):
    """Each unknown name is one warning with the number of its rows and known names that are near."""
    rows = [{**KNOWN, "model": "gpt-4oo"}] * 3 + [{**KNOWN, "region": "swedencentrall"}] * 2
    rows.append({"provider": "aws", "region": "us-east-1", "device": "m9i.large", "device_hours": 1})
    _book, found = imported(tmp_path, *rows)
    told = rules(found)
    assert (told["unknown-model"]["name"], told["unknown-model"]["count"]) == ("gpt-4oo", "3")
    assert "gpt-4o" in str(told["unknown-model"]["nearest"])
    assert (told["unknown-region"]["name"], told["unknown-region"]["count"]) == ("swedencentrall", "2")
    assert "swedencentral" in str(told["unknown-region"]["nearest"])
    assert told["unknown-device"]["name"] == "m9i.large"
    assert "m8i" in str(told["unknown-device"]["nearest"])


def test_known_rows_are_not_warned_of(tmp_path: Path):
    """Known names, past dates and whole rows give no warning, and all of them are estimated."""
    _book, found = imported(tmp_path, KNOWN, KNOWN)
    assert rules(found) == {}
    assert [(one.known.name, one.row_ratio, one.energy_ratio) for one in found.coverage] == [("ESTIMATED", 1, 1)]


def test_future_dates_and_rows_without_energy_are_told(tmp_path: Path):
    """A row of tomorrow is booked with a warning, and one without energy names the column that would price it."""
    _book, found = imported(
        tmp_path,
        {**KNOWN, "started_at": "2027-01-01T00:00:00Z"},
        {"model": "gpt-4o", "uncached_input_tokens": 5, "provider": "azure", "region": "swedencentral"},
    )
    assert found.added == 2
    told = rules(found)
    assert told["future-date"]["count"] == "1"
    assert "output_tokens" in str(told["no-energy"]["column"])


def test_unknown_models_and_places_are_told_apart(tmp_path: Path):
    """A row without place is not counted as one without model, and each has its own next step."""
    book, _found = imported(tmp_path, TEXT, {**KNOWN, "model": "nobody-knows-this"}, KNOWN, {"vcpu_hours": 3})
    (line,) = book.report(())
    assert dict(line.unknown) == {"model": 1, "place": 2}
    assert line.unknown_count == 3


@pytest.mark.parametrize(
    ("reader", "name", "kwh"),
    [
        ("focus", "focus_1.0_sample.csv", (0.7, 3.5)),
        ("aws-cur", "aws_cur_anonymous_focus_converters.csv", (0.01, 0.5)),
    ],
)
def test_published_bills_are_booked_with_their_coverage(tmp_path: Path, shared_data, capsys, reader, name, kwh):
    """The two published bills are booked end to end, replay, and print how much of them has an energy."""
    path = shared_data / "billing" / name
    place = ["--lang", "en", "--book", str(tmp_path / "book")]
    run_command([*place, "import", reader, str(path)])
    printed = capsys.readouterr()
    assert "How well the energy is known" in printed.out
    assert "of kWh" in printed.out
    table = printed.out.partition("How well")[2]
    assert all(len(line) <= 80 for line in table.splitlines())
    book = Book(tmp_path / "book")
    (line,) = book.report(())
    assert kwh[0] < line.amounts["facility_energy_kwh"].range.mid < kwh[1]
    assert line.unpriced_count == 0
    assert {one.known.name for one in line.coverage} <= {"ESTIMATED", "RANGE"}
    assert list(book.audit()) == []
