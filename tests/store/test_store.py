"""Append, read back, look back."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest
from tests.store.rows import START, stored_row, usage_row

from joulebook.errors import BadValue, StoreConflict, StoreDamaged, UnknownName
from joulebook.store.commit import Terms
from joulebook.store.spool import Spool
from joulebook.store.store import Store
from joulebook.terms.blocks import packed
from joulebook.terms.tables import TABLES
from joulebook.terms.usage import USAGE_COLUMNS, usage_key


def rows_of(frame: nw.LazyFrame, key: str = "usage_key") -> list[dict]:
    """The rows of a table, by key."""
    return sorted(frame.collect("polars").iter_rows(named=True), key=lambda row: row[key])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "book")


@pytest.mark.parametrize("name", TABLES)
def test_absent_table_is_empty_with_its_columns(store: Store, name: str) -> None:
    """A table nobody wrote has no rows, the dictionary's columns, and version -1; reading makes no folder."""
    frame = store.table(name)
    assert tuple(frame.collect_schema().names()) == TABLES[name].columns
    assert len(frame.collect("polars")) == 0
    assert store.version(name) == -1
    assert store.history(name) == []
    assert not store.path.exists()


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    """Every value comes back exactly, unknown stays unknown, and the keys' check numbers are filled in."""
    rows = [usage_row(n) for n in range(5000)]
    rows[3]["model"] = ""
    rows[4] = usage_row(4, model=None, team='줄 "북"\n\\N,\x00', ended_at=START, audio_s=1 / 3, device_hours=0.0)
    done = store.append_rows("usage", iter(rows), unique="usage_key", info={"why": "test"})
    assert (done.version, done.added, done.already) == (0, 5000, 0)
    expected = sorted((stored_row(row, USAGE_COLUMNS) for row in rows), key=lambda row: row["usage_key"])
    assert rows_of(store.table("usage")) == expected


def test_every_row_is_what_the_table_has(store: Store) -> None:
    """All rows at once are the rows of the table in their order, times with their zone, of every commit."""
    assert store.every_row("usage") == []
    for number in range(3):
        store.append_rows("usage", [usage_row(number, audio_s=1 / 3)], unique="usage_key", info={})
        assert store.every_row("usage") == store.rows(store.table("usage"))
    assert len(store.every_row("usage")) == 3
    assert all(row["started_at"].tzinfo is not None for row in store.every_row("usage"))


def test_rows_keep_their_order(store: Store) -> None:
    """Within a commit the rows lie in the order of the input."""
    store.append_rows("usage", (usage_row(n) for n in range(7000)), unique="usage_key", info={})
    got = store.table("usage").collect("polars")["uncached_input_tokens"].to_list()
    assert got == [100 + n for n in range(7000)]


def test_same_rows_again_add_nothing(store: Store) -> None:
    """Rows whose key is in the table are counted, not added, and no version is made where none is new."""
    first = store.append_rows("usage", [usage_row(n) for n in range(10)], unique="usage_key", info={})
    again = store.append_rows("usage", [usage_row(n) for n in range(10)], unique="usage_key", info={})
    more = store.append_rows("usage", [usage_row(n) for n in range(5, 15)], unique="usage_key", info={})
    assert (first.added, again.added, more.added) == (10, 0, 5)
    assert (again.version, again.already, more.version, more.already) == (0, 10, 1, 5)
    assert [row["uncached_input_tokens"] for row in rows_of(store.table("usage"), "started_at")] == list(
        range(100, 115)
    )


def test_first_of_equal_keys_in_one_input_stays(store: Store) -> None:
    """Of rows with one key in the same input the first is booked."""
    rows = [usage_row(1, model="first"), usage_row(2), usage_row(1, model="second"), usage_row(1, model="third")]
    done = store.append_rows("usage", rows, unique="usage_key", info={})
    assert (done.added, done.already) == (2, 2)
    assert {row["model"] for row in rows_of(store.table("usage"))} == {"first", "gpt-4o"}


def test_no_rows_no_commit(store: Store) -> None:
    """An input without rows leaves no version behind."""
    assert store.append_rows("usage", [], unique="usage_key", info={}).version == -1
    assert store.version("usage") == -1


def test_rows_taken_back_are_not_appended(store: Store) -> None:
    """Rows that are taken back from blocks that are written already are not there, and all others are, in order."""
    left_out = {0: [0, 9], 2: [1], 3: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}

    def fill(spool: Spool) -> None:
        with spool.filling():
            for block in range(5):
                rows = [usage_row(10 * block + row) for row in range(10)]
                spool.put(packed(spool.columns, {name: [row[name] for row in rows] for name in rows[0]}), 10)
                for early in range(0, block, 2):
                    spool.leave_out(early, left_out.pop(early, ()))
            spool.leave_out(3, left_out.pop(3))

    done = store.append_filled("usage", fill, Terms("usage_key", {}))
    got = store.table("usage").collect("polars")["uncached_input_tokens"].to_list()
    assert got == [100 + n for n in range(50) if n not in {0, 9, 21, *range(30, 40)}]
    assert done.added == len(got)


def test_where_all_rows_are_taken_back(store: Store) -> None:
    """Where every row is taken back no commit is made."""

    def fill(spool: Spool) -> None:
        with spool.filling():
            spool.put(packed(spool.columns, {"usage_key": [usage_row(1)["usage_key"]]}), 1)
            spool.leave_out(0, [0])

    assert store.append_filled("usage", fill, Terms("usage_key", {})).version == -1


def test_a_failing_input_adds_nothing(store: Store) -> None:
    """An input that breaks off, or has a value of the wrong type, adds none of its rows and leaves no file."""

    def broken() -> Iterator[dict]:
        yield from (usage_row(n) for n in range(3000))
        raise OSError(5, "the input is gone")

    with pytest.raises(OSError, match="the input is gone"):
        store.append_rows("usage", broken(), unique="usage_key", info={})
    with pytest.raises(BadValue, match="request_count"):
        store.append_rows("usage", [usage_row(1), usage_row(2, request_count="2")], unique="usage_key", info={})
    assert store.version("usage") == -1
    assert [path for path in store.path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("model", 5),
        ("model", b"gpt"),
        ("model", "\ud800"),
        ("request_count", 1.0),
        ("request_count", True),
        ("request_count", 1 << 63),
        ("audio_s", float("nan")),
        ("audio_s", float("inf")),
        ("audio_s", "1.0"),
        ("audio_s", True),
        ("is_synthetic", 1),
        ("started_at", START.replace(tzinfo=None)),
        ("started_at", "2026-03-01T00:00:00Z"),
        ("started_at", date(2026, 3, 1)),
    ],
)
def test_wrong_types_are_refused_by_name_without_their_content(store: Store, column: str, value: object) -> None:
    """A value that does not fit its column is an error that names the column and not the value."""
    with pytest.raises(BadValue, match=column) as caught:
        store.append_rows("usage", [usage_row(1), usage_row(2, **{column: value})], unique="usage_key", info={})
    assert repr(value) not in str(caught.value)
    assert store.version("usage") == -1


def test_unknown_column_and_missing_key_are_refused(store: Store) -> None:
    """A key of a row that is no column, and a row without identity, are errors."""
    with pytest.raises(UnknownName, match="prompt"):
        store.append_rows("usage", [usage_row(1, prompt="x")], unique="usage_key", info={})
    with pytest.raises(BadValue, match="usage_key"):
        store.append_rows("usage", [usage_row(1, usage_key=None)], unique="usage_key", info={})
    with pytest.raises(BadValue):
        store.append_rows("usage", [usage_row(1, usage_key="not hex")], unique="usage_key", info={})
    with pytest.raises(UnknownName):
        store.table("usages")


def test_times_of_any_zone_become_utc(store: Store) -> None:
    """A time with another zone is stored as the same instant, to the microsecond, before 1970 too."""
    seoul = timezone(timedelta(hours=9))
    times = [datetime(2026, 1, 1, 9, 0, 0, 1, tzinfo=seoul), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]
    store.append_rows(
        "usage", [usage_row(n, started_at=time) for n, time in enumerate(times)], unique="usage_key", info={}
    )
    got = {row["started_at"] for row in rows_of(store.table("usage"))}
    assert got == {datetime(2026, 1, 1, 0, 0, 0, 1), datetime(1969, 12, 31, 23, 59, 59, 999999)}  # noqa: DTZ001


def test_time_travel_and_history(store: Store) -> None:
    """Each version shows the table as it was, and the history tells who wrote what."""
    for number in range(3):
        store.append_rows("usage", [usage_row(number)], unique="usage_key", info={"why": f"commit {number}"})
    assert [len(rows_of(store.table("usage", version=v))) for v in (-1, 0, 1, 2)] == [0, 1, 2, 3]
    assert [(c.version, c.rows, c.info["why"]) for c in store.history("usage")] == [
        (n, 1, f"commit {n}") for n in range(3)
    ]
    with pytest.raises(BadValue, match=r"usage 0\.\.2"):
        store.table("usage", version=3)


def test_another_store_sees_new_commits(store: Store) -> None:
    """A store that has read the log before sees what another wrote since."""
    other = Store(store.path)
    for number in range(3):
        store.append_rows("usage", [usage_row(number)], unique="usage_key", info={})
        assert len(rows_of(other.table("usage"))) == number + 1


def test_computed_tables_are_appended(store: Store) -> None:
    """A table the engine computed is appended with its types, wide sums included; missing columns are unknown."""
    store.append_rows("usage", [usage_row(n) for n in range(100)], unique="usage_key", info={})
    frame = (
        store.table("usage")
        .group_by("model")
        .agg(row_count=nw.col("uncached_input_tokens").sum(), posted_at=nw.col("started_at").max())
        .with_columns(posting_id=nw.lit("p1"))
    )
    done = store.append_table("posting", frame, info={}, unique="posting_id")
    assert (done.version, done.added) == (0, 1)
    [row] = rows_of(store.table("posting"), "posting_id")
    assert (row["row_count"], row["model"], row["team"]) == (sum(range(100, 200)), "gpt-4o", None)
    assert row["posted_at"] == (START + timedelta(seconds=99)).replace(tzinfo=None)
    assert store.append_table("posting", frame, info={}, unique="posting_id").already == 1


def test_a_sum_that_overflows_is_an_error(store: Store) -> None:
    """A sum beyond 64 bits is refused, never rounded."""
    store.append_rows("usage", [usage_row(n, image_count=1 << 62) for n in range(4)], unique="usage_key", info={})
    frame = store.table("usage").select(row_count=nw.col("image_count").sum(), posting_id=nw.lit("p"))
    with pytest.raises(BadValue, match="posting"):
        store.append_table("posting", frame, info={})
    assert store.version("posting") == -1


def test_frames_of_other_engines_are_appended(store: Store) -> None:
    """A Polars frame is appended like rows."""
    frame = nw.from_native(pl.LazyFrame({"posting_id": ["a", "b"], "row_count": [1, 2], "cause": [None, ""]}))
    assert store.append_table("posting", frame, info={}, unique="posting_id").added == 2
    assert [row["cause"] for row in rows_of(store.table("posting"), "posting_id")] == [None, ""]


def test_a_table_with_foreign_columns_is_refused(store: Store) -> None:
    """A computed table may only have columns of the table it goes to."""
    frame = store.small_table("x", [{"posting_id": "a", "surprise": 1}])
    with pytest.raises(UnknownName, match="surprise"):
        store.append_table("posting", frame, info={})


def test_small_tables_carry_exact_values(store: Store) -> None:
    """Resolved factors arrive in the engine with their exact values and the dictionary's types."""
    rows = [
        {
            "zone": "KOR",
            "valid_from": date(2026, 1, 1),
            "intensity_g_per_kwh": 415.65,
            "n": 1,
            "ok": True,
            "posted_at": START,
        },
        {"zone": "줄", "valid_from": None, "intensity_g_per_kwh": 0.1 + 0.2, "n": None, "ok": None, "posted_at": None},
    ]
    got = store.small_table("place", rows).collect("polars").rows(named=True)
    rows[0]["posted_at"] = START.replace(tzinfo=None)
    assert got == rows
    assert not store.path.exists()
    empty = store.small_table("none", [], {"zone": "string", "low": "float64"})
    assert empty.collect_schema() == {"zone": nw.String, "low": nw.Float64}
    with pytest.raises(BadValue, match="mystery"):
        store.small_table("x", [{"mystery": None}])


def test_a_missing_or_cut_segment_is_named(store: Store) -> None:
    """A table whose segment is gone or cut is refused with the segment's name, not shown in part."""
    for number in range(2):
        store.append_rows("usage", [usage_row(number)], unique="usage_key", info={})
    first, second = store.segments("usage")
    second.write_bytes(second.read_bytes()[:-1])
    with pytest.raises(StoreDamaged, match=second.name):
        store.table("usage")
    first.unlink()
    with pytest.raises(StoreDamaged, match=first.name):
        store.table("usage")


def test_keys_are_those_of_the_terms(store: Store) -> None:
    """The key a row brings is kept as it is."""
    store.append_rows("usage", [usage_row(7)], unique="usage_key", info={})
    assert [row["usage_key"] for row in rows_of(store.table("usage"))] == [usage_key(["test", "7"])]


def test_an_expected_version_guards_an_append(store: Store) -> None:
    """With an expected version rows are appended only if nobody wrote in between, and the table stays as it was."""
    assert store.append_rows("usage", [usage_row(1)], unique="usage_key", info={}, expected=-1).version == 0
    with pytest.raises(StoreConflict, match="usage"):
        store.append_rows("usage", [usage_row(2)], unique="usage_key", info={}, expected=-1)
    assert store.append_rows("usage", [usage_row(2)], unique="usage_key", info={}, expected=0).version == 1
    assert store.version("usage") == 1


def test_a_span_of_versions_holds_what_came_in_between(store: Store) -> None:
    """`after` leaves out what an earlier version held already."""
    for number in range(4):
        store.append_rows("usage", [usage_row(number)], unique="usage_key", info={})
    got = store.table("usage", after=0, version=2).collect("polars")["uncached_input_tokens"].to_list()
    assert got == [101, 102]
    assert len(rows_of(store.table("usage", after=3, version=3))) == 0


def test_rows_as_python_values_can_be_appended_again(store: Store) -> None:
    """`rows` gives aware times and plain numbers, so that what was read can be written."""
    store.append_rows("usage", [usage_row(1), usage_row(2, ended_at=START)], unique="usage_key", info={})
    rows = store.rows(store.table("usage"))
    assert {row["started_at"] for row in rows} == {START + timedelta(seconds=n) for n in (1, 2)}
    other = Store(store.path.with_name("other"))
    other.append_rows("usage", rows, unique="usage_key", info={})
    assert other.rows(other.table("usage")) == rows
