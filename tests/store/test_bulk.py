"""Parquet files of usage through the engine."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from tests.store.rows import stored_row

from joulebook.errors import InputUnreadable, UnknownName
from joulebook.ingest.mapping import FieldMapping
from joulebook.ingest.rows import RowMaker
from joulebook.store.store import Appended, Store
from joulebook.terms.finding import Finding
from joulebook.terms.usage import USAGE_COLUMNS

START = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
COLUMNS = {"started_at": "time", "uncached_input_tokens": "in", "visible_output_tokens": "out"}


def book(tmp_path: Path, frame: pl.DataFrame, mapping: FieldMapping) -> tuple[Store, Appended]:
    """A store with the rows of a frame, and what the import said."""
    path = tmp_path / "usage.parquet"
    frame.write_parquet(path)
    store = Store(tmp_path / "book")
    return store, store.append_parquet("usage", path, mapping, unique="usage_key", info={"file": "usage.parquet"})


def rows_of(store: Store) -> list[dict]:
    """The rows of the usage table, by key."""
    rows = store.table("usage").collect("polars").iter_rows(named=True)
    return sorted(rows, key=lambda row: row["usage_key"])


def parsed(frame: pl.DataFrame, mapping: FieldMapping) -> tuple[list[dict], list[Finding]]:
    """What the row by row parse makes of the same records: rows by key, and findings."""
    maker = RowMaker(mapping, "usage.parquet")
    records = frame.select(mapping.columns.values()).iter_rows()
    texts = ([cell.isoformat() if isinstance(cell, datetime) else cell for cell in cells] for cells in records)
    made = [maker.make(cells, n) for n, cells in enumerate(texts, 1)]
    rows = [stored_row(dict(row), USAGE_COLUMNS) for row in made if not isinstance(row, Finding)]
    return sorted(rows, key=lambda row: row["usage_key"]), [row for row in made if isinstance(row, Finding)]


def told(findings: object) -> list[tuple]:
    """Line, rule and column of findings that refuse a row."""
    return [(f.line, f.rule, f.facts["column"]) for f in findings if f.is_error]


def test_good_rows_are_those_of_the_parse(tmp_path: Path) -> None:
    """Rows, keys and check numbers are the same as those of the row by row parse, whatever is mapped or constant."""
    chance = random.Random(7)
    size = 3000
    frame = pl.DataFrame(
        {
            "time": [START + timedelta(microseconds=chance.randrange(10**12)) for _ in range(size)],
            "end": [START + timedelta(days=30, seconds=n) if n % 3 else None for n in range(size)],
            "in": [chance.randrange(5000) for _ in range(size)],
            "cached": [chance.choice([None, 0, 17]) for _ in range(size)],
            "out": [chance.randrange(900) for _ in range(size)],
            "model": [chance.choice(["gpt-4o", " gpt-4o ", "줄 북", "", None, "a'b"]) for _ in range(size)],
            "who": [chance.choice(["ann", "bo", None]) for _ in range(size)],
            "price": [chance.choice([1e-7, 0.1, -2.5, 1e17, None]) for _ in range(size)],
            "n": [chance.choice([None, 2]) for _ in range(size)],
        },
    )
    names = {"ended_at": "end", "cache_read_tokens": "cached", "model": "model", "user_id": "who", "cost_usd": "price"}
    columns = {"input_tokens": "in", "request_count": "n", **names}
    columns |= {"started_at": "time", "visible_output_tokens": "out"}
    frame = frame.with_columns(pl.col("in") + 20)
    constants = {"model": "default", "provider": "azure", "is_synthetic": "true"}
    mapping = FieldMapping(columns, "parquet:test", constants=constants, tier="derived").checked()
    store, done = book(tmp_path, frame, mapping)
    expected, findings = parsed(frame, mapping)
    assert findings == []
    assert (done.added, done.already, done.refused, done.findings) == (size, 0, 0, ())
    assert rows_of(store) == expected


@pytest.mark.parametrize("by_id", [True, False])
def test_equal_rows_are_told_apart_as_the_parse_does(tmp_path: Path, by_id: bool) -> None:
    """Equal rows without ids are numbered; of equal ids the first is booked and a differing one is a finding."""
    frame = pl.DataFrame(
        {
            "time": [START] * 5 + [START + timedelta(seconds=1)],
            "in": [1, 1, 1, 2, 1, 1],
            "out": [5] * 6,
            "id": ["a", "a", "b", "a", "c", "d"],
        }
    )
    columns = COLUMNS | ({"request_id": "id"} if by_id else {})
    store, done = book(tmp_path, frame, FieldMapping(columns, "p"))
    expected, findings = parsed(frame, FieldMapping(columns, "p"))
    assert told(done.findings) == told(findings)
    unique = list({row["usage_key"]: row for row in expected}.values())
    assert rows_of(store) == unique
    assert (done.added, done.already, done.refused) == ((4, 1, 1) if by_id else (6, 0, 0))


def test_faulty_rows_are_told_and_the_others_booked(tmp_path: Path) -> None:
    """Each fault becomes a finding with record number, rule and column, as in the row by row parse; good rows go on."""
    good = {"time": "2026-02-01T00:00:00Z", "in": "10", "out": "3.0", "model": "m", "end": None, "audio": "1.5"}
    wrong = [
        {},
        {"in": "-1"},
        {"in": "ten"},
        {"in": "1.5"},
        {"in": "nan"},
        {"in": "9223372036854775808"},
        {"in": "true"},
        {"out": "inf"},
        {"time": "yesterday"},
        {"time": "2026-02-30T00:00:00Z"},
        {"time": None},
        {"time": ""},
        {"time": "1969-12-31T00:00:00Z"},
        {"model": "x" * 513},
        {"model": "two\nlines"},
        {"model": "zero\u200bwidth"},
        {"audio": "-0.1"},
        {"audio": "loud"},
        {"end": "2026-01-31T00:00:00Z"},
        {"in": None, "out": None, "audio": None},
        {"in": "", "out": "4", "model": ""},
        {"in": " 12 ", "out": "1e3"},
    ]
    frame = pl.DataFrame([good | row for row in wrong])
    columns = COLUMNS | {"model": "model", "ended_at": "end", "audio_s": "audio"}
    store, done = book(tmp_path, frame, FieldMapping(columns, "p"))
    expected, findings = parsed(frame, FieldMapping(columns, "p"))
    assert told(done.findings) == told(findings)
    assert rows_of(store) == expected
    assert (done.added, done.refused) == (3, len(wrong) - 3)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pl.Int64, [1760000000, 1760000000123, 1760000000123456, 1760000000123456789, None]),
        (pl.Int64, [17, -1, 1 << 62, 0, None]),
        (pl.Float64, [1760000000.25, 1760000000123.0, float("nan"), float("inf"), None]),
        (pl.String, ["1760000000", "1760000000.5", "1760000000123", "x", ""]),
        (pl.String, ["2026-02-01 00:00:00.1234567", "2026-02-01T09:00:00+09:00", "2026-02-01", "2026-02-01 10:00 UTC"]),
        (pl.String, ["2026-02-01T00:00:00.5Z", "2026-02-01T00:00:00-0330", "2026-02-01T00:00:00-08", "2026-13-01"]),
        (pl.Date, [START.date(), None]),
        (pl.Boolean, [True, None]),
    ],
)
@pytest.mark.parametrize("zone", [None, "Asia/Seoul", "-03:30", "UTC"])
def test_times_of_any_form_are_read_as_the_parse_does(
    tmp_path: Path, kind: pl.DataType, values: list, zone: str | None
) -> None:
    """Numbers since 1970 in any grain, ISO texts with and without zone, and dates become the parse's instants."""
    frame = pl.DataFrame({"time": pl.Series(values, dtype=kind), "in": range(len(values)), "out": [1] * len(values)})
    mapping = FieldMapping(COLUMNS, "p", timezone=zone)
    store, done = book(tmp_path, frame, mapping)
    if kind is pl.Date:  # the row by row parse meets dates as texts
        frame = frame.with_columns(pl.col("time").cast(pl.String))
    expected, findings = parsed(frame, mapping)
    assert told(done.findings) == told(findings)
    assert rows_of(store) == expected


def test_one_bare_time_among_many_is_told_where_it_stands(tmp_path: Path) -> None:
    """The first time without a zone among thousands of texts is told with its record."""
    times = [f"2026-11-22T09:00:00{'' if n in {7000, 8000} else 'Z'}" for n in range(9000)]
    frame = pl.DataFrame({"time": times, "in": range(9000), "out": [1] * 9000})
    _store, done = book(tmp_path, frame, FieldMapping(COLUMNS, "p"))
    assert [(f.rule, f.line) for f in done.findings] == [("no-timezone", 7001)]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Asia/Seoul"])
def test_timestamps_of_any_grain_are_the_same_instant(tmp_path: Path, unit: str, zone: str | None) -> None:
    """Timestamps in ms, us or ns, with or without a zone, become UTC microseconds, cut off and never rounded."""
    nanos = 1_760_000_000_123_456_789
    frame = pl.DataFrame({"time": [nanos], "in": [1], "out": [1]}).with_columns(
        pl.from_epoch("time", "ns").cast(pl.Datetime(unit, zone))
    )
    store, done = book(tmp_path, frame, FieldMapping(COLUMNS, "p"))
    [row] = rows_of(store)
    expected = datetime.fromtimestamp(1_760_000_000, UTC) + timedelta(microseconds=123000 if unit == "ms" else 123456)
    assert row["started_at"].replace(tzinfo=UTC) == expected
    assert [f.rule for f in done.findings] == ([] if zone else ["no-timezone"])


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([1, 2, None, 300], dtype=pl.UInt32),
        pl.Series([1, (1 << 64) - 1, None, 3], dtype=pl.UInt64),
        pl.Series([1.0, 2.5, float("nan"), -3.0], dtype=pl.Float32),
        pl.Series([Decimal("1.00"), Decimal("2.50"), None, Decimal("-1.00")], dtype=pl.Decimal(10, 2)),
        pl.Series([True, False, None, True]),
    ],
)
def test_counts_of_any_type_are_read_as_the_parse_does(tmp_path: Path, values: pl.Series) -> None:
    """Whole numbers of any width, whole floats and decimals are counts; what is not whole is a finding."""
    size = len(values)
    frame = pl.DataFrame({"time": [START] * size, "in": values, "out": [1] * size})
    store, done = book(tmp_path, frame, FieldMapping(COLUMNS, "p"))
    if values.dtype == pl.Decimal:
        frame = frame.with_columns(pl.col("in").cast(pl.Float64))
    expected, findings = parsed(frame, FieldMapping(COLUMNS, "p"))
    assert told(done.findings) == told(findings)
    assert rows_of(store) == expected


def test_the_same_file_again_adds_nothing(tmp_path: Path) -> None:
    """A second import of a file books nothing, makes no version, and a longer file brings only what is new."""
    frame = pl.DataFrame({"time": [START] * 1000, "in": [n // 2 for n in range(1000)], "out": [1] * 1000})
    store, done = book(tmp_path, frame, FieldMapping(COLUMNS, "p"))
    _, again = book(tmp_path, frame, FieldMapping(COLUMNS, "p"))
    longer = pl.concat([frame, frame.head(10)])
    _, more = book(tmp_path, longer, FieldMapping(COLUMNS, "p"))
    assert (done.added, again.added, again.already, again.version) == (1000, 0, 1000, 0)
    assert (more.added, more.already) == (10, 1000)
    assert len(rows_of(store)) == 1010


def test_many_findings_of_a_kind_are_told_as_a_number(tmp_path: Path) -> None:
    """The first hundred faults of a kind are told one by one, the rest as one number."""
    frame = pl.DataFrame({"time": [START] * 1000, "in": [-1] * 1000, "out": [1] * 1000})
    store, done = book(tmp_path, frame, FieldMapping(COLUMNS, "p"))
    assert (done.version, done.refused, store.version("usage")) == (-1, 1000, -1)
    negative = [finding for finding in done.findings if finding.rule == "negative"]
    assert [finding.line for finding in negative] == list(range(1, 101))
    assert done.findings[-1].facts == {"count": 900, "rule": "negative"}


def test_nested_columns_are_reached_with_dots(tmp_path: Path) -> None:
    """A dot leads into a struct, and a column with a dot in its name is found first."""
    frame = pl.DataFrame({"time": [START], "usage": [{"tokens": {"in": 5}}], "a.b": [7]})
    columns = {
        "started_at": "time",
        "uncached_input_tokens": "usage.tokens.in",
        "visible_output_tokens": "a.b",
    }
    store, _ = book(tmp_path, frame, FieldMapping(columns, "p"))
    [row] = rows_of(store)
    assert (row["uncached_input_tokens"], row["visible_output_tokens"]) == (5, 7)


def test_missing_columns_and_other_files_are_told(tmp_path: Path) -> None:
    """A mapped column that is not there is a finding, a file that is no Parquet an error, and nothing is booked."""
    frame = pl.DataFrame({"time": [START], "in": [1]})
    store, done = book(tmp_path, frame, FieldMapping(COLUMNS | {"model": "usage.model"}, "p"))
    assert [(f.rule, f.facts["column"]) for f in done.findings] == [
        ("missing-column", "out"),
        ("missing-column", "usage.model"),
    ]
    assert store.version("usage") == -1
    other = tmp_path / "no.parquet"
    other.write_text("time,in,out\n", encoding="utf-8")
    for path in (other, tmp_path / "absent.parquet"):
        with pytest.raises(InputUnreadable, match=path.name):
            store.append_parquet("usage", path, FieldMapping(COLUMNS, "p"), unique="usage_key", info={})
    with pytest.raises(UnknownName, match="Mars"):
        book(
            tmp_path, frame.with_columns(out=1, time=pl.lit("2026-01-01")), FieldMapping(COLUMNS, "p", timezone="Mars")
        )
