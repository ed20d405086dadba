"""Text tables through the engine: the same rows, keys and findings as the row by row parse, or left to it."""

import gzip
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.rows import stored_row

from joulebook.ingest import plain
from joulebook.ingest.imported import refused_rows, sifted
from joulebook.ingest.plain import plain_table
from joulebook.ingest.reader import ReadOptions, read_path
from joulebook.store.connection import connect, unordered
from joulebook.store.schema import shown
from joulebook.store.store import Store
from joulebook.store.text import write_text
from joulebook.terms.usage import USAGE_COLUMNS

HEADER = "started_at,model,uncached_input_tokens,visible_output_tokens,request_id"
NO_ID = "started_at,model,uncached_input_tokens,visible_output_tokens"
TIMES = (
    "2026-11-22T09:00:00Z",
    "2026-11-22 09:00:01",
    "2026-11-22T09:00:00.123456+09:00",
    "1790000000",
    "soon",
    "",
    "2026-11-22T09:00:00 Z",
    "2026-11-22T09:00:00z",
    "2026-11-22 09:00 +0900",
)
MODELS = (
    "gpt-5",
    '"gpt, 5"',
    '"say ""hi"""',
    " gpt ",
    '"two\nlines"',
    'half"way',
    '"open',
    "a" * 600,
    "줄북",
    '""',
    "'",
)
COUNTS = (
    "1",
    "12.0",
    "-3",
    "many",
    "",
    " 7 ",
    "1e3",
    "99999999999999999999",
    '"5"',
    "+4",
    "0x1",
    "٣",
    "1_000",
    "１２",
    " 8.0",
)
IDS = ("a", "b", "c", "msg_0123456789abcdefghijk", '"d"', "", "x y")


@pytest.fixture(autouse=True)
def _small_files_too(monkeypatch):
    monkeypatch.setattr(plain, "PLAIN_BYTES", 0)


def options(path: Path, **more: object) -> ReadOptions:
    """Options for a file."""
    return ReadOptions(file=path.name, **more)


@pytest.fixture(scope="module", name="engine")
def _engine(tmp_path_factory):
    """One engine for all tables."""
    with connect(tmp_path_factory.mktemp("spill")) as engine:
        yield engine


def by_rows(path: Path, **more: object) -> tuple[list[dict], Counter, int]:
    """Rows by key, findings and refused rows of the row by row parse."""
    kept, findings = {}, []
    for one in sifted(read_path("csv", path, options(path, **more)), findings):
        kept.setdefault(one["usage_key"], stored_row(dict(one), USAGE_COLUMNS))
    found = sorted(kept.values(), key=lambda row: row["usage_key"])
    return found, Counter(map(str, findings)), refused_rows(findings)


def by_engine(engine, path: Path, **more: object) -> tuple[list[dict], Counter, int] | None:
    """The same of the engine; None where the table is left to the parse."""
    text = plain_table("csv", path, options(path, **more))
    draft = path.with_suffix(".parquet")
    with unordered(engine):
        bulk = text and write_text(engine, text, draft)
    if not bulk:
        return None
    rows = engine.execute(f"SELECT {shown(USAGE_COLUMNS)} FROM '{draft}' ORDER BY usage_key").fetchall()
    found = [stored_row(dict(zip(USAGE_COLUMNS, row, strict=True)), USAGE_COLUMNS) for row in rows]
    assert len(found) == bulk.rows
    return found, Counter(map(str, bulk.findings)), bulk.refused


def table(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    """A table as bytes."""
    return (end.join((header, *lines)) + end).encode()


row = st.tuples(*(st.sampled_from(cells) for cells in (TIMES, MODELS, COUNTS, COUNTS, IDS)))
good = st.tuples(
    *(st.sampled_from(cells[:n]) for cells, n in ((TIMES, 4), (MODELS, 4), (COUNTS, 2), (COUNTS, 2), (IDS, 4)))
)
tables = st.tuples(
    st.sampled_from((HEADER, NO_ID)),
    st.lists(st.one_of(good, good, good, row), max_size=8),
    st.sampled_from(("\n", "\n", "\r\n")),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(("", ",", "\n", '"', "x", "\r", " "))), max_size=1),
    st.booleans(),
)


def made(given_table) -> bytes:
    """Bytes of a generated table, perhaps with one damage, perhaps without its last line end."""
    header, rows, end, damages, is_cut = given_table
    width = header.count(",") + 1
    text = end.join([header, *(",".join(cells[:width]) for cells in rows)]) + end
    for place, piece in damages:
        at = min(place, len(text))
        text = text[:at] + piece + text[at + (not piece) :]
    return text.removesuffix(end if is_cut else "").encode()


def check_same(engine, content: bytes, folder: Path, **more: object) -> bool:
    """Whether the engine read a table; it must have given what the parse gives."""
    path = folder / "usage.csv"
    path.write_bytes(content)
    try:
        expected = by_rows(path, **more)
    except ValueError:  # no mapping: the parse says so, and the engine is not asked
        assert plain_table("csv", path, options(path, **more)) is None
        return False
    found = by_engine(engine, path, **more)
    assert found is None or found == expected
    return found is not None


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=tables.map(made))
def test_same_as_the_parse(content, engine, tmp_path_factory):
    """Whatever stands in a table, the engine gives the rows, findings and counts of the parse, or leaves it alone."""
    check_same(engine, content, tmp_path_factory.mktemp("one"))


@pytest.mark.nightly
def test_same_as_the_parse_two_thousand_times(engine, tmp_path_factory):
    """The same over two thousand tables."""
    read = []

    @settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
    @given(content=tables.map(made))
    def holds(content):
        read.append(check_same(engine, content, tmp_path_factory.mktemp("one")))

    holds()
    assert sum(read) > 500


GOOD = "2026-11-22T09:00:00Z,gpt-5,1,2,a"


@pytest.mark.parametrize(
    ("content", "is_read"),
    [
        (table(GOOD), True),
        (b"\xef\xbb\xbf" + table(GOOD), True),
        (table(GOOD, end="\r\n"), True),
        (table('2026-11-22T09:00:00Z,"gpt, 5",1,2,a'), True),
        (table(GOOD, "2026-11-22T09:00:00Z,gpt-5,1,2"), True),
        (table(GOOD)[:-3], True),
        (table(GOOD, "never,gpt-5,1,2,b", GOOD), True),
        (table(GOOD, GOOD.replace(",1,", ",9,")), True),
        (table(GOOD, GOOD.replace("00Z", "00"), GOOD.replace(",1,", ",1.0,")), True),
        (table(GOOD, "never,gpt-5,1,2,b", "2026-11-22T09:00:00,gpt-5,1,2,c", GOOD), True),
        (table(GOOD[:-2], GOOD[:-2], GOOD[:-2], header=NO_ID), True),
        (table(GOOD).replace(b",", b";"), True),
        (table(GOOD, "2026-11-22T09:00:00,gpt-5,1,2,b"), True),
        (table(GOOD).decode().encode("utf-16"), False),
        (table(GOOD, "2026-11-22T09:00:00Z,\xe9,1,2,b").decode().encode("latin-1"), False),
        (table(GOOD, "", GOOD), False),
        (table(GOOD, 'x, "y",1,2,b'), False),
        (table(GOOD, '2026-11-22T09:00:00Z,"say ""hi""" ,1,2,b'), False),
        (table(GOOD, '2026-11-22T09:00:00Z,"",1,2,"""b""" ')[:-1], False),
        (table('2026-11-22T09:00:00Z,"say ""hi"" to",1,2,b'), True),
        (table(GOOD) + b"\x00\n", False),
        (table(GOOD).replace(b"\n", b"\r"), False),
        (b"", False),
    ],
)
def test_which_tables_the_engine_reads(content, is_read, engine, tmp_path):
    """Plain tables are read by the engine, and those that engines read otherwise are left to the parse."""
    assert check_same(engine, content, tmp_path) is is_read


def test_packed_tables_and_zones(engine, tmp_path):
    """A gzipped table, and times in a zone that the user names, give what the parse gives."""
    content = gzip.compress(table(GOOD, "2026-11-22T09:00:00,gpt-5,1,2,b"))
    assert check_same(engine, content, tmp_path, timezone="Asia/Seoul")


def test_many_faults_are_told_as_a_number(engine, tmp_path):
    """A fault in every other row is told a hundred times and then counted, and no row is lost from the count."""
    lines = [f"{'never' if n % 2 else '2026-11-22T09:00:00Z'},gpt-5,1,2,id{n}" for n in range(600)]
    path = tmp_path / "usage.csv"
    path.write_bytes(table(*lines, "1,2"))
    rows, findings, refused = by_engine(engine, path)
    assert (len(rows), refused) == (300, 301)
    assert sum(findings.values()) == 100 + 1 + 1 + 1  # and the warning on caches


@pytest.mark.parametrize("timezone", [None, "UTC"])
def test_one_bare_time_among_many_is_told_where_it_stands(engine, tmp_path, timezone):
    """One time without a zone among thousands is told with its line, unless the user named the zone."""
    lines = [f"2026-11-22T09:00:00{'' if n == 7000 else 'Z'},gpt-5,1,2,id{n}" for n in range(9000)]
    path = tmp_path / "usage.csv"
    path.write_bytes(table(*lines))
    rows, findings, refused = by_engine(engine, path, timezone=timezone)
    told = [text for text in findings if "no-timezone" in text]
    assert (len(rows), refused, len(told)) == (9000, 0, 0 if timezone else 1)
    assert timezone or "line=7002" in told[0]


def test_both_ways_book_once(tmp_path):
    """A table that was booked row by row books nothing again through the engine, whatever form its ids have."""
    lines = [f"2026-11-22T09:00:00Z,gpt-5,{n},2,{name}" for n, name in enumerate(("a", "msg_0123456789abcdefghijk"))]
    path = tmp_path / "usage.csv"
    path.write_bytes(table(*lines))
    store = Store(tmp_path / "book")
    rows = read_path("csv", path, options(path))
    assert store.append_rows("usage", sifted(rows, []), unique="usage_key", info={}).added == 2
    again = store.append_text(plain_table("csv", path, options(path)), unique="usage_key", info={})
    assert (again.added, again.already) == (0, 2)


@pytest.mark.parametrize("cell", ['x"y', '"x" ', '"say ""hi""" '])
def test_odd_quotes_are_found_wherever_the_blocks_end(cell, monkeypatch):
    """A quote in the middle of a cell, or white space after it, is found whichever bytes are read together."""
    content = table(GOOD, f"2026-11-22T09:00:00Z,{cell},1,2,b", GOOD)
    for size in range(1, len(content)):
        monkeypatch.setattr(plain, "BLOCK_BYTES", size)
        assert plain.surveyed(io.BytesIO(content), ",") is None
