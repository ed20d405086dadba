"""A Parquet file as text, for formats whose readers know lines: exports of bills and statements come as either."""

from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.store.bulk import parquet_columns
from joulebook.store.connection import engine_reading
from joulebook.store.schema import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NESTED = "STRUCT"
"""A column of this type needs JSON; without one the file is written as CSV."""


def parquet_as_text(engine: "DuckDBPyConnection", path: Path, folder: Path) -> Path:
    """The same rows as CSV, or as JSON lines where columns are nested; times are in UTC.

    Args:
        engine: reads and writes it, without holding it in memory.
        path: the Parquet file.
        folder: where the text goes.

    Raises:
        InputMissing: the file cannot be opened.
        InputNotParquet: it is no Parquet file.
    """
    parquet_columns(engine, path)
    source = f"read_parquet({literal(str(path))})"
    types = [row[1] for row in engine.execute(f"DESCRIBE FROM {source}").fetchall()]
    is_nested = any(kind.startswith(NESTED) for kind in types)
    text = folder / ("rows.jsonl" if is_nested else "rows.csv")
    how = "FORMAT json" if is_nested else "FORMAT csv, HEADER"
    with engine_reading(path):
        engine.execute(f"COPY (FROM {source}) TO {literal(str(text))} ({how})")
    return text
