"""The same pipeline on three engines: how DuckDB, Polars and Spark get the tables of a book.

DuckDB is the engine of the store. Spark takes over where one machine is not enough; Polars checks in the tests that the
results do not depend on the engine. Whichever it is, times are UTC without a zone, in microseconds.
"""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from joulebook.errors import UnknownName, translatable
from joulebook.store.connection import connect
from joulebook.store.once import files
from joulebook.store.schema import identifier
from joulebook.store.small import small_table_sql

if TYPE_CHECKING:
    import narwhals as nw
    from duckdb import DuckDBPyConnection


def open_table(engine: str, parquet_files: Sequence[Path]) -> "nw.LazyFrame":
    """A table made of Parquet files of one schema, such as `joulebook.store.store.Store.segments` gives.

    Args:
        engine: "duckdb", "polars" or "pyspark".
        parquet_files: at least one.

    Raises:
        UnknownName: there is no such engine.
        ModuleNotFoundError: the engine is not installed; `pip install joulebook[polars]` or `joulebook[spark]`.
    """
    import narwhals as nw  # noqa: PLC0415  (only commands that compute pay)

    if engine not in ENGINES:
        raise UnknownName(kind=translatable("engine"), name=engine, nearest=", ".join(ENGINES))
    return nw.from_native(ENGINES[engine]([Path(path) for path in parquet_files]))


def open_rows(engine: str, name: str, rows: Sequence[Mapping[str, object]], types: Mapping[str, str]) -> "nw.LazyFrame":
    """A small table, such as resolved factors, on an engine, with exact values.

    Args:
        engine: "duckdb", "polars" or "pyspark".
        name: says what it is where a query is shown.
        rows: column -> value; times are aware; an absent key is unknown.
        types: column -> type of the dictionary.

    Raises:
        UnknownName: there is no such engine.
        BadValue: a value has not its column's type.
    """
    import narwhals as nw  # noqa: PLC0415  (only commands that compute pay)

    if engine not in ENGINES:
        raise UnknownName(kind=translatable("engine"), name=engine, nearest=", ".join(ENGINES))
    with tempfile.TemporaryDirectory(prefix="joulebook-") as folder:
        relation = _duckdb().sql(small_table_sql(_duckdb(), Path(folder) / "rows.json", name, rows, types))
        if engine == "duckdb":
            return nw.from_native(relation)
        path = Path(folder) / "rows.parquet"
        if engine == "polars":
            relation.write_parquet(str(path))
            return nw.from_native(ENGINES[engine]([path]).collect().lazy())
    schema = ", ".join(f"`{column}` {_SPARK_TYPES[types[column]]}" for column in relation.columns)
    return nw.from_native(spark_session().createDataFrame(relation.fetchall(), schema))


_SPARK_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "int64": "bigint",
        "float64": "double",
        "string": "string",
        "bool": "boolean",
        "date": "date",
        "timestamp": "timestamp_ntz",
    }
)


@cache
def _duckdb() -> "DuckDBPyConnection":
    return connect(Path(tempfile.gettempdir()) / f"joulebook-spill-{os.getpid()}")


def _open_duckdb(paths: Sequence[Path]) -> Any:  # noqa: ANN401  (each engine has its own type)
    source = f"read_parquet({files(paths)})"
    described = _duckdb().execute(f"DESCRIBE FROM {source}").fetchall()
    times = ", ".join(
        f"make_timestamp(epoch_us({identifier(name)})) AS {identifier(name)}"
        for name, kind, *_ in described
        if kind == "TIMESTAMP WITH TIME ZONE"
    )
    return _duckdb().sql(f"SELECT *{f' REPLACE ({times})' if times else ''} FROM {source}")


def _open_polars(paths: Sequence[Path]) -> Any:  # noqa: ANN401  (each engine has its own type)
    import polars as pl  # noqa: PLC0415  (an optional package)

    return pl.scan_parquet([str(path) for path in paths]).with_columns(
        pl.selectors.datetime(time_zone="*").dt.replace_time_zone(None)
    )


def _open_spark(paths: Sequence[Path]) -> Any:  # noqa: ANN401  (each engine has its own type)
    from pyspark.sql import functions  # noqa: PLC0415  (an optional package)

    frame = spark_session().read.parquet(*(str(path) for path in paths))
    times = {name: functions.col(name).cast("timestamp_ntz") for name, kind in frame.dtypes if kind == "timestamp"}
    return frame.withColumns(times) if times else frame


@cache
def spark_session() -> Any:  # noqa: ANN401  (an optional package)
    """The running Spark session, or a small one on this machine: two threads, UTC, ANSI, no web page.

    With an own session set ``spark.sql.session.timeZone`` to UTC and ``spark.sql.ansi.enabled`` to true.
    """
    from pyspark.sql import SparkSession  # noqa: PLC0415  (an optional package)

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    return (
        SparkSession.builder.master("local[2]")
        .appName("joulebook")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )


ENGINES: Mapping[str, Callable[[Sequence[Path]], Any]] = MappingProxyType(
    {"duckdb": _open_duckdb, "polars": _open_polars, "pyspark": _open_spark}
)
