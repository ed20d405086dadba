"""Each key once: leave out rows of a draft whose key is known already."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.errors import BadValue, translatable
from joulebook.store.schema import identifier, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COMPRESSION = "COMPRESSION zstd, COMPRESSION_LEVEL 1"
"""Level 1 writes keys faster than Snappy and as small as the levels above."""

SMALL_GROUPS = ", ROW_GROUP_SIZE 40960"
"""For what comes row by row: a few months of logs are two groups then, which two processors write and read at once."""


def files(paths: Sequence[Path]) -> str:
    """A list of files as SQL."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"


def copy_to_parquet(engine: "DuckDBPyConnection", query: str, path: Path, more: str = "") -> int:
    """Write the result of a query as one Parquet file, in its order; return the number of rows."""
    copied = engine.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, {COMPRESSION}{more})")
    return copied.fetchall()[0][0]


def known_rows(engine: "DuckDBPyConnection", draft: Path, unique: str, others: Sequence[Path], *, within: bool) -> int:
    """Fill the temporary table ``known`` with the row numbers of a draft whose key came earlier; return how many.

    Args:
        engine: where the temporary table is made.
        draft: a Parquet file.
        unique: the key column.
        others: Parquet files whose keys are taken.
        within: also look for keys that came earlier in the draft itself.

    Raises:
        BadValue: a row has no key.
    """
    key = identifier(unique)
    here = f"read_parquet({literal(str(draft))}, file_row_number = true)"
    there = f"read_parquet({files(others)})"
    is_repeated = within and _may_be_repeated(engine, here, unique)
    is_taken = bool(others) and _may_be_taken(engine, here, there, unique)
    if not (is_repeated or is_taken):
        return 0
    engine.execute("CREATE OR REPLACE TEMP TABLE known (file_row_number BIGINT)")
    if is_repeated:
        twice = f"SELECT {key} FROM {here} GROUP BY {key} HAVING count(*) > 1"
        engine.execute(
            f"INSERT INTO known SELECT file_row_number FROM {here} WHERE {key} IN ({twice}) "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file_row_number) > 1"
        )
    if is_taken:
        taken = f"SELECT {key} FROM {there} WHERE {key} IN (SELECT {key} FROM {here})"
        engine.execute(
            f"INSERT INTO known SELECT file_row_number FROM {here} WHERE {key} IN ({taken}) "
            "AND file_row_number NOT IN (FROM known)"
        )
    return engine.execute("SELECT count(*) FROM known").fetchall()[0][0]


def _may_be_repeated(engine: "DuckDBPyConnection", here: str, unique: str) -> bool:
    """Whether a key came earlier in the draft; hashes of the keys are grouped, for they are a third as large."""
    key = identifier(unique)
    empty, suspects = engine.execute(
        f"SELECT coalesce(sum(empty), 0), count(*) FILTER (rows > 1) FROM (SELECT hash({key}) AS hashed, "
        f"count(*) FILTER ({key} IS NULL) AS empty, count(*) AS rows FROM {here} GROUP BY hashed)"
    ).fetchall()[0]
    if empty:
        raise BadValue(value=None, expected=unique, next_step=translatable("give every row its key."))
    return suspects > 0


def _may_be_taken(engine: "DuckDBPyConnection", here: str, there: str, unique: str) -> bool:
    """Whether a key stands in other files; only 64 bits of it are compared, for numbers are read much faster."""
    if unique != "usage_key":
        return True
    return engine.execute(f"SELECT count(*) FROM {there} SEMI JOIN {here} USING (key_a, key_b)").fetchall()[0][0] > 0


def leave_out(
    engine: "DuckDBPyConnection", draft: Path, unique: str, others: Sequence[Path], *, within: bool
) -> tuple[Path, int]:
    """Leave out the rows of a draft whose key is known; return the file to go on with and how many were left out.

    Args:
        engine: that does it.
        draft: a Parquet file; stays as it is.
        unique: the key column.
        others: Parquet files whose keys are taken.
        within: also keep only the first of equal keys in the draft itself.
    """
    known = known_rows(engine, draft, unique, others, within=within)
    if not known:
        return draft, 0
    rest = draft.with_name(f"rest-{uuid.uuid4().hex}.parquet")
    numbered = f"read_parquet({literal(str(draft))}, file_row_number = true)"
    copy_to_parquet(
        engine,
        f"SELECT * EXCLUDE (file_row_number) FROM {numbered} WHERE file_row_number NOT IN (FROM known)",
        rest,
    )
    return rest, known
