"""The same rows give the same energy on every engine."""

import random

import duckdb
import narwhals as nw
import polars as pl
import pytest

from joulebook.estimate.serving import ModelShape, estimate_serving
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh
from joulebook.terms.range import Range
from joulebook.terms.usage import TOKEN_CLASSES

ROWS = 2_000


@pytest.fixture(scope="module")
def rows():
    """Made-up requests and buckets, the same each time."""
    chance = random.Random(7)
    made = []
    for key in range(ROWS):
        requests = chance.choice((1, 1, 1, 7, 1000))
        counts = {name: float(requests * chance.randrange(5000)) for name in TOKEN_CLASSES}
        made.append({"key": key, "request_count": float(requests), "per_request_ratio": 1 / requests, **counts})
    return made


@pytest.fixture(scope="module")
def coefficients(serving):
    """Coefficients of one model."""
    return estimate_serving(ModelShape(Range.exact(70.0), Range.exact(70.0)), serving).coefficients


def priced(frame, coefficients):
    """The energy of each row, by the formula, on any engine."""
    columns = {name: nw.lit(value) for name, value in coefficients.items()}
    columns |= {name: nw.col(name) for name in ("request_count", "per_request_ratio", *TOKEN_CLASSES)}
    return nw.from_native(frame).with_columns(token_energy_kwh(**columns).alias("kwh")).select("key", "kwh")


def on_floats(rows, coefficients):
    """The energy of each row, one after another."""
    assert set(coefficients) == set(COEFFICIENTS)
    names = ("request_count", "per_request_ratio", *TOKEN_CLASSES)
    return [token_energy_kwh(**{name: row[name] for name in names}, **coefficients) for row in rows]


def test_duckdb_and_polars_give_what_floats_give(rows, coefficients):
    """Tables on two engines equal one request after another to 1e-12."""
    expected = on_floats(rows, coefficients)
    frame = pl.DataFrame(rows)
    connection = duckdb.connect()
    table = connection.from_arrow(frame.to_arrow())
    for found in (priced(frame, coefficients).to_native(), priced(table, coefficients).to_native().pl()):
        assert found.sort("key")["kwh"].to_list() == pytest.approx(expected, rel=1e-12)


@pytest.mark.nightly
def test_spark_gives_what_floats_give(rows, coefficients):
    """Spark equals one request after another to 1e-9."""
    sql = pytest.importorskip("pyspark.sql")
    session = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        found = priced(session.createDataFrame(rows), coefficients).to_native().orderBy("key").collect()
    finally:
        session.stop()
    assert [row["kwh"] for row in found] == pytest.approx(on_floats(rows, coefficients), rel=1e-9)
