"""Rows made a column at a time are the rows that are made one by one, whatever the records say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import RECORDINGS
from scanned import Kept, rows_in, unpacked
from test_fuzz import mutated, mutations

from joulebook.errors import InputUnreadable
from joulebook.ingest import task
from joulebook.ingest.columns import ColumnMaker
from joulebook.ingest.fullest import Fullest
from joulebook.ingest.home import LogFile
from joulebook.ingest.reader import ReadOptions, read_path, reader
from joulebook.ingest.records import TOKEN_FIELDS, mapping_of, rows_of
from joulebook.ingest.task import Batch, Task, read_task
from joulebook.terms.blocks import packed, table_types
from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES, USAGE_COLUMNS

LATER = datetime(2030, 1, 1, tzinfo=UTC)
COUNTS = st.one_of(st.integers(-1, 9), st.integers(2**63 - 2, 2**63), st.sampled_from([None, "5", True, 1.0, "", [1]]))
COSTS = st.one_of(st.floats(), st.integers(0, 3), st.sampled_from([None, "0.5", False, 10**400]))
NAMES = st.sampled_from([None, "gpt-5", " gpt-5", "", " ", "x" * 513, "a\nb", "\ud800", 5, True, {}, "한글"])
TIMES = st.one_of(
    st.builds("{}-10-20T{:02}:37:55.751Z".format, st.sampled_from([1979, 1980, 2026, 2199, 2200]), st.integers(0, 24)),
    st.sampled_from(["2026-10-20T00:37:55.751Z", "2026-10-20T00:37:55+09:00", "2026-10-20T00:37:55.751"]),
    st.sampled_from(["2026-10-20 00:37:55.751Z", "2026-13-20T00:37:55.751Z", "2026-10-20T0:037:55.751Z", None, ""]),
    st.sampled_from([1792456620000, 1792456625.5, "1792456620", True, {}, " 026-10-20T00:37:55.751Z"]),
)
IDS = st.one_of(st.integers(0, 40).map(str), st.sampled_from([None, "", " 1", "msg_" + "0" * 20, 7, "x" * 513]))
CELLS = {
    "request_id": IDS,
    "started_at": TIMES,
    "ended_at": TIMES,
    **dict.fromkeys(("model", "project", "tool", "request_hash", "user_id"), NAMES),
    **dict.fromkeys(("input_tokens", "output_tokens", "request_count", *TOKEN_CLASSES), COUNTS),
    "cost_usd": COSTS,
}
REGULAR = {
    "request_id": st.uuids().map(str),
    "started_at": st.just("2026-10-20T00:37:55.751Z"),
    "uncached_input_tokens": st.integers(0, 9),
}
"""Most records are like this; the odd cells stand in a few."""

records = st.lists(
    st.builds(
        lambda base, odd, left_out: {name: cell for name, cell in {**base, **odd}.items() if name not in left_out},
        st.fixed_dictionaries(REGULAR),
        st.one_of(st.just({}), st.fixed_dictionaries({}, optional=CELLS)),
        st.sets(st.sampled_from(["uncached_input_tokens", "nothing"]), max_size=1),
    ),
    min_size=1,
    max_size=6,
)
READERS = sorted({one.reader for one in RECORDINGS if hasattr(reader(one.reader), "records")})
LOGS = [one for one in RECORDINGS if one.reader in READERS]


def known(row):
    """A row without what is unknown; a finding as it is."""
    return row if isinstance(row, Finding) else {name: value for name, value in row.items() if value is not None}


@given(records)
@settings(max_examples=400)
def test_columns_are_the_rows(told):
    """Where columns are made at all, they are exactly the rows that are made one by one, none of them faulty."""
    columns = ColumnMaker(mapping_of("x", ReadOptions())).make(told)
    rows = [known(row) for row in rows_of("x", ReadOptions(), ((None, record) for record in told))]
    if columns is not None and len(set(columns["usage_key"])) == len(told):
        assert rows_in(columns) == rows


def test_columns_are_made_of_records_without_fault():
    """Of records as agents write them columns are made, so that they are not looked at one by one."""
    told = [
        {
            "request_id": f"r{number}",
            "started_at": "2026-10-20T00:37:55.751Z",
            "ended_at": 1792456700000 + number,
            "model": "m",
            "input_tokens": 5 + number,
            "cache_read_tokens": number,
            "output_tokens": 3 if number % 2 else None,
            "visible_output_tokens": None if number % 2 else 4,
            "cost_usd": number if number % 2 else 0.5,
            "nothing_of_ours": {},
        }
        for number in range(10)
    ]
    columns = ColumnMaker(mapping_of("x", ReadOptions(), (*TOKEN_FIELDS, "ended_at"))).make(told)
    assert columns["uncached_input_tokens"] == [5] * 10
    assert columns["visible_output_tokens"] == [4, 3] * 5
    assert columns["cost_usd"] == [0.5, 1.0, 0.5, 3.0, 0.5, 5.0, 0.5, 7.0, 0.5, 9.0]


def by_reading(agent, paths):
    """Findings and rows of files that are read together."""
    answer = read_task(Task([LogFile(agent, str(path)) for path in paths], LATER, table_types(USAGE_COLUMNS)))
    rows = [row for batch in answer.batches for row in unpacked(batch.block)]
    assert "".join(row["usage_key"] for row in rows) == "".join(batch.keys for batch in answer.batches)
    totals = [sum(row.get(name, 0) for name in TOKEN_CLASSES) for row in rows]
    assert totals == [count for batch in answer.batches for count in batch.tokens]
    return answer.findings, rows


def by_parsing(agent, paths):
    """The same, each file by itself and row by row."""
    found = []
    for path in paths:
        try:
            found += map(known, read_path(agent, path))
        except InputUnreadable as error:
            found.append(Finding(str(path), None, "unreadable", {"reason": error.facts.get("reason")}))
    return [row for row in found if isinstance(row, Finding)], [row for row in found if not isinstance(row, Finding)]


@pytest.mark.parametrize("batch", [1, 2, 3, 2048])
@pytest.mark.parametrize("recording", LOGS, ids=lambda one: one.file)
def test_readers_give_the_same_rows_together(recording, batch, tmp_path, monkeypatch):
    """Files read together give the rows and findings of each file by itself, in batches of any size."""
    monkeypatch.setattr(task, "BATCH_ROWS", batch)
    content = recording.content()
    others = [
        content,
        content.replace(b"2026", b"2O26", 1),
        content.replace(b'":1', b'":-1'),
        b"",
        content * 2,
        content,
    ]
    paths = []
    for number, other in enumerate(others):
        paths.append(tmp_path / f"{number}-{recording.file}")
        paths[-1].write_bytes(other)
    paths.append(tmp_path / "gone.jsonl")
    assert by_reading(recording.reader, paths) == by_parsing(recording.reader, paths)


@pytest.mark.parametrize("recording", LOGS, ids=lambda one: one.file)
def test_damaged_files_give_the_same_rows_together(recording, tmp_path_factory):
    """The same of damaged files."""
    folder = tmp_path_factory.mktemp("damaged")

    @given(mutations, st.sampled_from([2, 2048]))
    @settings(max_examples=40)
    def holds(steps, batch):
        paths = [folder / f"0-{recording.file}", folder / f"1-{recording.file}"]
        paths[0].write_bytes(recording.content())
        paths[1].write_bytes(mutated(recording.content(), steps))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(task, "BATCH_ROWS", batch)
            assert by_reading(recording.reader, paths) == by_parsing(recording.reader, paths)

    holds()


def test_the_fullest_row_counts():
    """Of rows with one key in files of an agent the fullest is kept, the first of equals, and the young ones wait."""
    files = [LogFile("codex", "a"), LogFile("codex", "b")]
    sink = Kept()
    fullest = Fullest(sink)

    def add(keys, tokens, young=None):
        keys = [name * 32 for name in keys]
        block = packed(table_types(USAGE_COLUMNS), {"usage_key": keys, "visible_output_tokens": tokens})
        fullest.add(Batch("".join(keys), tokens, young or {}, block), files)

    add(["a", "b", "c"], [1, 5, 3])
    add(["b", "a", "d", "d"], [4, 2, 1, 2], {2: 0, 3: 1})
    add(["c", "e"], [3, 1], {1: 0})
    assert list(fullest.close_agent()) == ["b", "a"]
    assert sink.is_once
    add(["f", "b"], [1, 9])
    assert list(fullest.close_agent()) == []
    assert [(row["usage_key"][0], row["visible_output_tokens"]) for block in sink.blocks for row in block] == [
        ("b", 5),
        ("c", 3),
        ("a", 2),
        ("f", 1),
        ("b", 9),
    ]
    assert not sink.is_once  # the last "b" is another agent's: the store keeps the first
