"""One engine in this process: DuckDB in memory, with a limit, a place to spill, and nothing fetched from anywhere."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.errors import EngineOutOfMemory, RowsUnfit, StoreUnwritable, TableUnreadable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "640MB"
"""Default for the engine; together with Python it keeps a process within 1 GiB, what is larger spills to disk."""


def connect(spill: Path, memory_limit: str | None = None, threads: int | None = None) -> "DuckDBPyConnection":
    """A fresh engine that computes in UTC and spills into a folder.

    Args:
        spill: folder for what does not fit into memory; made when first needed.
        memory_limit: such as "2GB"; `MEMORY_LIMIT` if None.
        threads: number of threads; all processors if None.
    """
    import duckdb  # noqa: PLC0415  (costs 0.2 s; only commands that compute pay)

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit or MEMORY_LIMIT,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "enable_external_access": True,
    }
    if threads is not None:
        settings["threads"] = threads
    engine = duckdb.connect(":memory:", config=settings)
    engine.execute("SET TimeZone = 'UTC'")
    engine.execute("SET enable_progress_bar = false")
    return engine


def _first_line(fault: Exception) -> str:
    """What the engine says, without its excerpts; its kind of error where it says nothing."""
    return next(iter(str(fault).splitlines()), type(fault).__name__)


@contextmanager
def engine_writing(place: Path) -> Generator[None, None, None]:
    """Turn the engine's refusal to write into an error that says what to do.

    Raises:
        StoreUnwritable: no space or no permission.
        EngineOutOfMemory: neither memory nor the spill folder has room.
        BadValue: a value does not fit its column.
    """
    import duckdb  # noqa: PLC0415  (only commands that compute pay)

    try:
        yield
    except duckdb.IOException as fault:
        raise StoreUnwritable(path=str(place), reason=_first_line(fault)) from fault
    except duckdb.OutOfMemoryException as fault:
        raise EngineOutOfMemory(reason=_first_line(fault)) from fault
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as fault:
        raise RowsUnfit(value=place.name, reason=_first_line(fault)) from fault


@contextmanager
def engine_reading(book: Path) -> Generator[None, None, None]:
    """Turn what the engine meets in a damaged segment into an error that says what to do.

    Raises:
        TableUnreadable: a segment is damaged.
        EngineOutOfMemory: neither memory nor the spill folder has room.
    """
    import duckdb  # noqa: PLC0415  (only commands that compute pay)

    try:
        yield
    except (duckdb.Error, UnicodeDecodeError) as fault:
        reason = _first_line(fault)
        if isinstance(fault, duckdb.OutOfMemoryException):
            raise EngineOutOfMemory(reason=reason) from fault
        damage = (
            duckdb.IOException,
            duckdb.InvalidInputException,
            duckdb.SerializationException,
            duckdb.BinderException,  # the name of a column is damaged
            UnicodeDecodeError,
        )
        if isinstance(fault, damage) or type(fault) is duckdb.Error:
            raise TableUnreadable(file=str(book), reason=reason) from fault
        raise


@contextmanager
def unordered(engine: "DuckDBPyConnection") -> Generator[None, None, None]:
    """Let the engine write rows in any order, which takes less memory."""
    engine.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        engine.execute("SET preserve_insertion_order = true")


@contextmanager
def ordered(engine: "DuckDBPyConnection") -> Generator[None, None, None]:
    """Let the engine keep the order of a file, so that its records can be numbered; within `unordered`."""
    engine.execute("SET preserve_insertion_order = true")
    try:
        yield
    finally:
        engine.execute("SET preserve_insertion_order = false")
