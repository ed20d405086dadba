"""Other programs read the book's tables as Delta tables."""

from datetime import date, timedelta
from pathlib import Path

import deltalake
import narwhals as nw
import polars as pl
import pytest
from tests.store.rows import START, usage_row

from joulebook.errors import UnknownName
from joulebook.store.engine import open_rows, open_table
from joulebook.store.schema import DELTA_TYPES
from joulebook.store.store import Store
from joulebook.terms.columns import column
from joulebook.terms.tables import TABLES

VALUES = {"int64": 2**62 + 1, "float64": 1 / 3, "string": "줄북", "bool": True, "date": date(2026, 3, 1)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three commits of usage."""
    store = Store(tmp_path / "book")
    for number in range(3):
        store.append_rows("usage", [usage_row(number), usage_row(10 + number, model=None)], unique=None, info={})
    return store


def value(name: str) -> object:
    """A telling value for a column."""
    kind = column(name).type
    if name == TABLES["usage"].unique:
        return "0123456789abcdef" * 2
    return START if kind == "timestamp" else VALUES[kind]


@pytest.mark.parametrize("name", TABLES)
def test_deltalake_reads_every_table(tmp_path: Path, name: str) -> None:
    """The reference implementation sees the protocol, the types of the dictionary, and the values of every table."""
    columns = TABLES[name].columns
    store = Store(tmp_path / "book")
    row = {column_name: value(column_name) for column_name in columns}
    store.append_rows(name, [row], unique=TABLES[name].unique, info={"why": "줄"})
    peer = deltalake.DeltaTable(str(tmp_path / "book" / name))
    assert (peer.protocol().min_reader_version, peer.protocol().min_writer_version) == (1, 2)
    assert peer.metadata().configuration == {"delta.appendOnly": "true"}
    types = {field.name: field.type.type for field in peer.schema().fields}
    assert types == {column_name: DELTA_TYPES[column(column_name).type] for column_name in columns}
    expected = row | ({"key_a": 0x01234567, "key_b": 0x89ABCDEF} if "key_a" in columns else {})
    assert pl.scan_delta(peer).collect().rows(named=True) == [expected]
    assert peer.history()[0]["joulebook"]["info"] == {"why": "줄"}


def test_deltalake_travels_through_the_same_versions(store: Store) -> None:
    """Each version has the same rows for the reference implementation as for the store."""
    for version in range(3):
        peer = deltalake.DeltaTable(str(store.path / "usage"), version=version)
        assert peer.count() == 2 * (version + 1) == len(store.rows(store.table("usage", version=version)))


def test_deltalake_refuses_to_remove(store: Store) -> None:
    """The table says that it is append-only, and the reference implementation keeps to it."""
    peer = deltalake.DeltaTable(str(store.path / "usage"))
    with pytest.raises(deltalake.exceptions.DeltaError, match="append"):
        peer.delete()


def pipeline(frame: nw.LazyFrame, names: nw.LazyFrame) -> list[tuple]:
    """A small computation of the kind the book does: equality join, filter on time, group, integer sum."""
    after = (START + timedelta(seconds=1)).replace(tzinfo=None)
    grouped = (
        frame.filter(nw.col("started_at") >= after)
        .with_columns(model=nw.col("model").fill_null("?"))
        .join(names, on="model", how="left")
        .group_by("label")
        .agg(tokens=nw.col("uncached_input_tokens").sum(), first=nw.col("started_at").min())
    )
    return sorted(grouped.collect("polars").rows())


@pytest.mark.parametrize("engine", ["duckdb", "polars", pytest.param("pyspark", marks=pytest.mark.nightly)])
def test_every_engine_gives_the_same(store: Store, engine: str) -> None:
    """The same pipeline over the segments gives the same rows on DuckDB, Polars and Spark."""
    names = [{"model": "gpt-4o", "label": "가"}, {"model": "?", "label": "unknown"}]
    types = {"model": "string", "label": "string"}
    expected = pipeline(store.table("usage"), store.small_table("names", names))
    assert expected[0] == ("unknown", 110 + 111 + 112, (START + timedelta(seconds=10)).replace(tzinfo=None))
    got = pipeline(open_table(engine, store.segments("usage")), open_rows(engine, "names", names, types))
    assert got == expected


def test_an_unknown_engine_is_named(store: Store) -> None:
    """A wrong name of an engine is an error that lists the right ones."""
    with pytest.raises(UnknownName, match="polars"):
        open_table("pandas", store.segments("usage"))
    with pytest.raises(UnknownName, match="polars"):
        open_rows("pandas", "x", [{"model": "a"}], {"model": "string"})


@pytest.mark.parametrize("engine", ["duckdb", "polars", pytest.param("pyspark", marks=pytest.mark.nightly)])
def test_small_tables_are_exact_on_every_engine(engine: str) -> None:
    """Values of every type arrive unchanged, and unknown stays unknown."""
    types = {"a": "int64", "b": "float64", "c": "string", "d": "bool", "e": "date", "f": "timestamp"}
    rows = [
        {"a": 2**62 + 1, "b": 0.1 + 0.2, "c": "", "d": False, "e": date(2026, 3, 1), "f": START},
        dict.fromkeys(types),
    ]
    got = open_rows(engine, "exact", rows, types).collect("polars").rows(named=True)
    assert got == [rows[0] | {"f": START.replace(tzinfo=None)}, rows[1]]
