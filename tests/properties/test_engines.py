"""Every engine gives the same bits: the same sums, so the same hash, on DuckDB, Polars and PySpark."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import pytest

from joulebook.account import pricing
from joulebook.account.resolver import Resolver, shares
from joulebook.book import Book
from joulebook.terms.columns import columns
from joulebook.terms.usage import USAGE_COLUMNS

Rows = list[dict[str, Any]]


def small_tables(book: Book) -> dict[str, Rows]:
    """The resolved factors of the sample."""
    usage = pricing.keyed(book.store.table("usage"))
    resolver = Resolver(book.edition, book.policy)

    def distinct(names: tuple[str, ...]) -> Rows:
        return book.store.rows(usage.select(*names).unique())

    return {
        "models": resolver.models(distinct(pricing.MODEL_KEY)),
        "places": resolver.places(distinct(pricing.PLACE_KEY)),
        "shares": shares(row["request_count"] for row in distinct(pricing.SHARE_KEY)),
    }


def naive(rows: Rows) -> Rows:
    """Rows with instants as tables show them: UTC without a zone."""
    return [{name: _naive(value) for name, value in row.items()} for row in rows]


def _naive(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def result_hash(groups: Rows) -> str:
    """Hash of the sums, in an order of their own."""
    names = [*pricing.GROUP, *(f"{name}_q" for name in pricing.PRICED), "row_count", "request_count", "key_a", "key_b"]
    rows = sorted(json.dumps([str(_naive(row[name])) for name in names]) for row in groups)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def cube_of(usage: nw.LazyFrame, tables: dict[str, nw.LazyFrame], *, for_sums: bool = False) -> nw.LazyFrame:
    """The pipeline from usage to sums, whatever the engine."""
    return pricing.cube(pricing.in_grains(pricing.price(pricing.keyed(usage), **tables, for_sums=for_sums)))


@pytest.fixture(scope="module")
def expected(sample_book: Book) -> str:
    """The hash of the embedded engine."""
    tables = {name: sample_book.store.small_table(name, rows) for name, rows in small_tables(sample_book).items()}
    return result_hash(sample_book.store.rows(cube_of(sample_book.store.table("usage"), tables)))


def test_carrying_less_gives_the_same_hash(sample_book: Book, expected: str):
    """What carries only the columns that sums read, or knows how many requests a row is, sums to the same numbers."""
    usage, tables = pricing.keyed(sample_book.store.table("usage")), small_tables(sample_book)
    counts = {row["request_count"] for row in tables["shares"]}
    for asked in (None, counts, {*counts, 7}):
        found = pricing.joined(
            sample_book.store, usage, tables["models"], tables["places"], counts=asked, for_sums=True
        )
        assert result_hash(sample_book.store.rows(pricing.cube(pricing.in_grains(found)))) == expected


def test_rows_that_are_one_request_need_no_shares(tmp_path: Path):
    """Rows that are one request, or do not say, are priced alike with and without a table of shares."""
    book = Book(tmp_path / "book")
    row = {"source": "made-up", "provider": "openai", "model": "gpt-5.4", "tier": "measured", "is_synthetic": False}
    row |= {"started_at": datetime(2026, 11, 2, tzinfo=UTC), "uncached_input_tokens": 900, "visible_output_tokens": 70}
    rows = [{**row, "usage_key": f"{number:032x}", "request_count": 1} for number in range(5)]
    book.import_rows([*rows, {**row, "usage_key": f"{9:032x}"}], "test")
    usage = pricing.keyed(book.store.table("usage"))
    tables = small_tables(book)
    sums = [
        book.store.rows(
            pricing.cube(
                pricing.in_grains(pricing.joined(book.store, usage, tables["models"], tables["places"], counts=counts))
            )
        )
        for counts in (None, (1,), (None, 1), (1, 2))
    ]
    assert len({result_hash(groups) for groups in sums}) == 1
    assert sums[0][0]["row_count"] == 6


def _typed(name: str) -> str:
    return columns()[name].type if name in columns() else "string"


def test_polars_gives_the_same_hash(sample_book: Book, expected: str):
    """Polars sums to the same whole numbers as DuckDB."""
    polars = pytest.importorskip("polars")
    types = {
        "float64": polars.Float64,
        "int64": polars.Int64,
        "string": polars.String,
        "timestamp": polars.Datetime("us"),
    }

    def table(rows: Rows) -> nw.LazyFrame:
        return nw.from_native(polars.LazyFrame(naive(rows), schema={name: types[_typed(name)] for name in rows[0]}))

    files = sample_book.store.segments("usage")
    usage = (
        polars.scan_parquet(files)
        .select(USAGE_COLUMNS)
        .with_columns(polars.col("started_at").dt.replace_time_zone(None))
    )
    tables = {name: table(rows) for name, rows in small_tables(sample_book).items()}
    for for_sums in (False, True):
        groups = cube_of(nw.from_native(usage), tables, for_sums=for_sums).collect("polars").rows(named=True)
        assert result_hash(groups) == expected


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A local Spark with two threads."""
    pyspark_sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed; Spark needs it")
    settings = {
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
    }
    builder = pyspark_sql.SparkSession.builder.master("local[2]").appName("joulebook-tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.mark.filterwarnings("default")  # the JVM bridge leaves sockets to the collector
def test_spark_gives_the_same_hash(sample_book: Book, expected: str, spark: Any):
    """Spark sums to the same whole numbers as DuckDB."""
    sql_types = {"float64": "double", "int64": "bigint", "string": "string", "timestamp": "timestamp_ntz"}

    def table(rows: Rows) -> nw.LazyFrame:
        schema = ", ".join(f"{name} {sql_types[_typed(name)]}" for name in rows[0])
        return nw.from_native(spark.createDataFrame([tuple(row.values()) for row in naive(rows)], schema))

    files = [str(path) for path in sample_book.store.segments("usage")]
    usage = spark.read.parquet(*files).selectExpr(
        *(f"cast({name} as timestamp_ntz) as {name}" if name == "started_at" else name for name in USAGE_COLUMNS)
    )
    tables = {name: table(rows) for name, rows in small_tables(sample_book).items()}
    for for_sums in (False, True):
        found = cube_of(nw.from_native(usage), tables, for_sums=for_sums)
        assert result_hash([row.asDict() for row in found.to_native().collect()]) == expected
