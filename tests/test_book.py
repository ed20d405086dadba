"""The whole way of the data: from a file to figures that add up, replay and survive."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joulebook.book import Book
from joulebook.errors import PolicyDiffers, UnknownName, UsageError
from joulebook.faces.sample import sample_options, write_sample
from joulebook.ingest.reader import ReadOptions
from joulebook.terms.columns import METRICS

NOW = datetime(2026, 11, 3, tzinfo=UTC)


class Clock:
    """A clock that goes on by a minute each time it is asked."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The next minute."""
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A small book that may be written to."""
    path = write_sample(tmp_path / "sample.csv", requests=300)
    made = Book(tmp_path / "book", clock=Clock())
    made.import_file("csv", path, sample_options(path))
    return made


def sums(book: Book, by: tuple[str, ...] = ()) -> dict[str, float]:
    """Mid of every figure, added up over the lines of a report."""
    found: dict[str, float] = {}
    for line in book.report(by):
        for name, amount in line.amounts.items():
            found[name] = found.get(name, 0.0) + amount.range.mid
    return found


@pytest.mark.parametrize(
    "by", [("team",), ("model",), ("day",), ("region", "project"), ("team", "model", "day"), ("zone", "tool", "month")]
)
def test_the_parts_sum_to_the_whole(sample_book: Book, by: tuple[str, ...]):
    """The sum over the lines of any grouping equals the total to 1e-9, for every figure."""
    whole, parts = sums(sample_book), sums(sample_book, by)
    assert whole.keys() == parts.keys()
    for name, amount in whole.items():
        assert parts[name] == pytest.approx(amount, rel=1e-9), name


def test_counts_sum_to_the_whole(sample_book: Book):
    """Every request stands in exactly one line."""
    assert sum(line.request_count for line in sample_book.report(("team", "model"))) == 2_000


def test_ranges_contain_their_middle(sample_book: Book):
    """Low <= mid <= high for every figure of every line, and low is above zero."""
    for line in sample_book.report(("model", "region")):
        for amount in line.amounts.values():
            assert 0 <= amount.range.low <= amount.range.mid <= amount.range.high


def test_a_metric_without_factors_is_absent_not_zero(sample_book: Book):
    """What nothing is known about does not appear in a report as zero."""
    assert "co2e_operational_market_g" not in sample_book.report(())[0].amounts


def test_unknown_places_and_models_are_wide_and_counted(tmp_path: Path):
    """A request that names neither model nor place has a wider range, tier assumed, and a hint."""
    path = tmp_path / "two.csv"
    path.write_text(
        "request_id,started_at,provider,model,region,input_tokens,visible_output_tokens\n"
        "a,2026-11-02T00:00:00Z,azure,gpt-4o,swedencentral,1000,100\n"
        "b,2026-11-02T00:00:00Z,,,,1000,100\n",
        encoding="utf-8",
    )
    book = Book(tmp_path / "book")
    columns = {name: name for name in path.read_text(encoding="utf-8").splitlines()[0].split(",")}
    book.import_file("csv", path, ReadOptions(str(path), mapping=columns))
    known, unknown = book.report(("model",))
    assert (known.unknown_count, unknown.unknown_count) == (0, 1)
    assert (known.tier, unknown.tier) == ("estimated", "assumed")

    def width(line):
        amount = line.amounts["co2e_operational_location_g"].range
        return amount.high / amount.low

    assert width(unknown) > 2 * width(known)
    found = book.explain("co2e_operational_location_g", "model=")
    assert found is not None
    assert found.hints


def test_a_second_import_changes_nothing(book: Book, tmp_path: Path):
    """The same file again, or a copy under another name, books nothing and leaves every figure as it was."""
    before = sums(book)
    copy = shutil.copy(tmp_path / "sample.csv", tmp_path / "copy.csv")
    for path in (tmp_path / "sample.csv", Path(copy)):
        result = book.import_file("csv", path, sample_options(path))
        assert (result.added, result.already) == (0, 300)
    assert sums(book) == before


def test_bad_rows_are_findings_and_the_good_ones_are_booked(tmp_path: Path):
    """A file with faulty rows books the others and says file, line and rule of each fault."""
    path = tmp_path / "usage.csv"
    path.write_text(
        "started_at,model,input_tokens,visible_output_tokens\n"
        "2026-11-02T00:00:00Z,gpt-4o,100,10\n"
        "yesterday,gpt-4o,100,10\n"
        "2026-11-02T00:00:00Z,gpt-4o,-5,10\n"
        "2026-11-02T00:00:01Z,gpt-4o,200,20\n",
        encoding="utf-8",
    )
    book = Book(tmp_path / "book")
    columns = {name: name for name in ("started_at", "model", "input_tokens", "visible_output_tokens")}
    result = book.import_file("csv", path, ReadOptions(str(path), mapping=columns))
    assert (result.added, result.refused) == (2, 2)
    faults = [(finding.line, finding.rule) for finding in result.findings if finding.is_error]
    assert faults == [(3, "bad-timestamp"), (4, "negative")]
    assert all(finding.file == str(path) for finding in result.findings)


def test_the_audit_of_an_untouched_book_is_clean(book: Book):
    """Every posting comes out again from its rows and the factors that were kept, to the last grain."""
    assert list(book.audit()) == []


def test_the_audit_sees_a_changed_segment(book: Book):
    """One changed byte in the book is found."""
    segment = book.store.segments("posting")[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(bytes(content))
    assert any("segment" in finding.rule for finding in Book(book.path).store.verify())


def test_history_replays(book: Book):
    """After a restatement the book still says what it said before, on any earlier date."""
    before, added_up = book.report(("team",)), sums(book)
    when = book.clock()
    assert book.restate("a newer edition of the factors") > 0
    assert book.report(("team",), when) == before
    assert sums(book) == pytest.approx(added_up)
    assert list(book.audit()) == []


def test_a_restatement_with_own_factors_moves_the_figure_by_its_cause(book: Book, tmp_path: Path):
    """With a factor of one's own the figures follow it, and explain says whose factor it is."""
    folder = tmp_path / "own" / "grid"
    folder.mkdir(parents=True)
    (tmp_path / "own" / "sources.yaml").write_text(
        "own-supplier:\n  title: Supplier\n  publisher: Supplier\n  url: https://example.org\n  licence: own\n"
        "  edition: '2026'\n  date_seen: 2026-01-01\n  ships: true\n",
        encoding="utf-8",
    )
    (folder / "sweden.yaml").write_text(
        "kind: grid\nfactors:\n  - subject: SWE\n    values:\n"
        "      - {quantity: intensity_g_per_kwh, unit: g/kWh, basis: {signal: average, stage: direct, method: location,"
        " purpose: inventory}, source: own-supplier, known_from: 2026-01-01, tier: derived, valid_from: 2020-01-01,"
        " value: 1000, low: 990, high: 1010, cell: contract, range_basis: metered}\n",
        encoding="utf-8",
    )
    metric = "co2e_operational_location_g"
    target = "region=swedencentral"
    before = book.explain(metric, target)
    own = Book(book.path, factor_folders=[tmp_path / "own"], clock=book.clock)
    own.restate("supplier's factor")
    after = own.explain(metric, target)
    assert before is not None
    assert after is not None
    energy = next(line for line in own.report(("region",)) if line.keys["region"] == "swedencentral")
    kwh = energy.amounts["facility_energy_kwh"].range.mid
    assert after.amount.range.mid == pytest.approx(1000 * kwh, rel=1e-6)
    assert any("user factor" in used.part.chosen_because for used in after.used)


@pytest.mark.parametrize("metric", ["facility_energy_kwh", "co2e_operational_location_g", "water_offsite_hydro_l"])
@pytest.mark.parametrize("target", ["total", "team=search", "team=platform,model=claude-sonnet-4-5"])
def test_an_explanation_ends_at_the_figure(sample_book: Book, metric: str, target: str):
    """The formulas, run again on what is shown, give the figure of the report, and the terms give its energy."""
    found = sample_book.explain(metric, target)
    assert found is not None
    assert found.steps[-1].value == pytest.approx(found.amount.range.mid, rel=1e-6)
    energy = found.line.amounts["gpu_energy_kwh"].range.mid
    assert sum(term.energy_kwh for term in found.terms) == pytest.approx(energy, rel=1e-6)
    assert all(used.part.source and used.part.cell for used in found.used)
    assert sum(used.variance_ratio for used in found.used) == pytest.approx(1)


def test_one_posting_and_one_record_can_be_explained(sample_book: Book):
    """A posting's id and a record's key lead to their own figures."""
    posting = sample_book.standing_postings()[0]
    found = sample_book.explain("facility_energy_kwh", posting["posting_id"][:12])
    assert found is not None
    assert found.amount.range.mid == pytest.approx(posting["facility_energy_kwh_q"] / 1e12)
    key = sample_book.store.rows(sample_book.store.table("usage"))[0]["usage_key"]
    one = sample_book.explain("facility_energy_kwh", key)
    assert one is not None
    assert one.line.request_count == 1
    assert one.steps[-1].value == pytest.approx(one.amount.range.mid, rel=1e-6)


def test_a_record_is_never_better_known_than_its_posting(sample_book: Book):
    """A single record's figure is an estimate, whatever the tier of its counts; its request id finds it."""
    one = sample_book.explain("facility_energy_kwh", "sample-20261101-000000")
    assert one is not None
    assert one.line.request_count == 1
    assert one.line.tier in {"estimated", "assumed"}


def test_a_policy_the_book_does_not_stand_under_is_refused_until_restated(book: Book):
    """Figures are shown under the policy they were posted under; another one needs a restatement, which then stands."""
    other = Book(book.path, policy="kets", clock=book.clock)
    with pytest.raises(PolicyDiffers, match="restate"):
        other.report()
    other.restate("another policy")
    assert {row["policy"] for row in other.terms()} == {"kets"}
    assert other.report()
    assert Book(book.path, clock=book.clock).policy == "kets"


def test_an_explanation_of_nothing_says_what_to_do(sample_book: Book):
    """A target that does not exist, or a column that does not, is an error that names the next step."""
    with pytest.raises(UsageError, match="Next"):
        sample_book.explain("facility_energy_kwh", "team=nobody")
    with pytest.raises(UnknownName, match="Nearest"):
        sample_book.explain("facility_energy_kwh", "tean=search")
    with pytest.raises(UsageError, match="Next"):
        sample_book.explain("facility_energy_kwh", "no such thing")


def test_parquet_books_the_same_as_csv(book: Book, tmp_path: Path):
    """The same records as Parquet give the same keys, so the same figures, and nothing is booked twice."""
    import duckdb

    target = tmp_path / "sample.parquet"
    duckdb.sql(f"COPY (FROM read_csv('{tmp_path / 'sample.csv'}')) TO '{target}' (FORMAT parquet)")
    other = Book(tmp_path / "other", clock=Clock())
    options = ReadOptions(str(target), "sample", {"is_synthetic": "true"}, dict(sample_options(target).mapping))
    result = other.import_file("parquet", target, options)
    assert result.added == 300
    assert sums(other) == sums(book)


KILLED = """
import sys
from pathlib import Path
from joulebook.book import Book
from joulebook.faces.sample import sample_options
path = Path(sys.argv[1])
print("ready", flush=True)
Book(Path(sys.argv[2])).import_file("csv", path, sample_options(path))
"""


def test_a_killed_import_loses_and_doubles_nothing(tmp_path: Path):
    """After kill -9 at twenty moments of an import, the same import again gives exactly one clean import's total."""
    path = write_sample(tmp_path / "sample.csv", requests=1_500)
    clean = Book(tmp_path / "clean")
    clean.import_file("csv", path, sample_options(path))
    expected = sums(clean)
    folder = tmp_path / "killed"
    survived = 0
    for attempt in range(20):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        _wait_for_progress(folder, process, attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        survived += process.returncode == 0
    again = Book(folder)
    again.import_file("csv", path, sample_options(path))
    assert sums(again) == expected
    assert again.report(())[0].request_count == 1_500
    assert [finding for finding in again.audit() if finding.is_error] == []
    assert survived < 20


def _wait_for_progress(folder: Path, process: subprocess.Popen, attempt: int) -> None:
    """Let an import come to another place each time: by what it has written, then by its processor time."""
    wanted_s = 0.12 * (attempt + 1)
    ticks = os.sysconf("SC_CLK_TCK")
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return
        if (int(fields[11]) + int(fields[12])) / ticks >= wanted_s:
            return


def test_no_content_of_a_row_reaches_the_book(tmp_path: Path):
    """Columns that are not mapped, such as prompts, are nowhere in the book or its findings."""
    path = tmp_path / "usage.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["at", "tokens", "prompt", "answer"])
        writer.writerow(["2026-11-02T00:00:00Z", "10", "my secret question", "my secret answer"])
        writer.writerow(["soon", "10", "my secret question", "my secret answer"])
    book = Book(tmp_path / "book")
    result = book.import_file(
        "csv", path, ReadOptions(str(path), mapping={"started_at": "at", "input_tokens": "tokens"})
    )
    assert "secret" not in json.dumps([(finding.message, dict(finding.facts)) for finding in result.findings])
    kept = b"".join(file.read_bytes() for file in book.path.rglob("*") if file.is_file())
    assert b"secret" not in kept


def test_every_metric_has_a_grain():
    """Each posted metric is a whole number of grains that the dictionary fixes."""
    from joulebook.terms.columns import column

    assert all(column(name).grain for name in METRICS)
