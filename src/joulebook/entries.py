"""What an import brings beside usage: other meters' energy and others' statements, into their tables.

A reading that went on after it was booked (a run that was still running, a record that is written over) is booked by
what it grew: the same ``reading_key``, and more energy. Nothing is booked twice, and nothing is lost.
"""

import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import narwhals as nw

from joulebook.account.measured import pieces_of, reading_resolution
from joulebook.account.resolution import Resolution
from joulebook.corrections import CORRECTION, CORRECTION_KEY, corrected
from joulebook.estimate.meters import rated
from joulebook.factors.edition import Edition
from joulebook.ingest.imported import Imported, refused_rows, sifted
from joulebook.ingest.reader import Entry
from joulebook.terms.energy import Energy
from joulebook.terms.finding import Finding
from joulebook.terms.tables import table
from joulebook.terms.usage import usage_key

PARQUET = b"PAR1"

TOLERANCE = 1e-6
"""Part of a reading by which it must have grown to be booked again; less is rounding."""


if TYPE_CHECKING:
    from joulebook.store.store import Store


class Shelves(Protocol):
    """The part of the store that takes rows."""

    def append_rows(
        self, table: str, rows: Iterable[Mapping[str, object]], *, unique: str | None, info: Mapping[str, str]
    ) -> Any:  # noqa: ANN401  (what the store's own class offers: added, already, refused, findings)
        """Append rows whose key is new."""
        ...

    def rows(self, frame: nw.LazyFrame) -> list[dict[str, Any]]:
        """The rows of a table."""
        ...

    def table(self, name: str) -> nw.LazyFrame:
        """A table by name."""
        ...


def take(
    store: Shelves,
    edition: Edition,
    read: Callable[[], Iterator[Entry | Finding]],
    tables: Sequence[str],
    source: str,
    *,
    add_overlaps: bool = False,
) -> Imported:
    """Book the rows of a file that are new, table by table; the file is read once for each table.

    Args:
        store: the book's tables.
        edition: factors, for the accuracy of meters.
        read: reads the file from its beginning.
        tables: which tables its rows go into.
        source: who gave the rows.
        add_overlaps: of usage, sums and requests of the same time are different uses.
    """
    findings: list[Finding] = []
    resolutions: dict[str, Resolution] = {}
    added = already = refused = 0
    seen: set[str] = set()
    for number, kind in enumerate(tables):
        if kind == CORRECTION and CORRECTION not in seen:
            continue
        rows = _of(kind, sifted(read(), findings if number == 0 else []), seen)
        if kind == "energy":
            rows = _grown(store, _resolved((cast("Energy", row) for row in rows), edition, resolutions))
        elif kind == CORRECTION:
            rows = corrected(store, rows, source, findings)
        name = "usage" if kind == CORRECTION else kind
        how = {"unique": table(name).unique, "info": {"import": source}}
        if kind == "usage":
            how["add_overlaps"] = add_overlaps
        took = store.append_rows(name, rows, **how)
        added, already, refused = added + took.added, already + took.already, refused + took.refused
        findings.extend(took.findings)
    kept = ({"resolution_id": key, "resolution_json": one.to_json()} for key, one in resolutions.items())
    store.append_rows("resolution", kept, unique="resolution_id", info={"import": source})
    return Imported(added, already, refused + refused_rows(findings), tuple(findings))


@contextmanager
def as_text(store: "Store", path: Path) -> Generator[Path]:
    """A file as its reader can read it: Parquet as text in a folder of its own, everything else as it is."""
    try:
        with path.open("rb") as stream:
            is_parquet = stream.read(len(PARQUET)) == PARQUET
    except OSError:
        is_parquet = False  # the reader says what is wrong
    if not is_parquet:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="joulebook-") as folder:
        yield store.parquet_as_text(path, Path(folder))


def _of(kind: str, rows: Iterable[Entry], seen: set[str]) -> Iterator[Mapping[str, object]]:
    """The rows of one kind, by their key; a correction is a row of usage with a key of its own, noted in ``seen``."""
    unique = CORRECTION_KEY if kind == CORRECTION else table(kind).unique
    for row in rows:
        if CORRECTION_KEY in row:
            seen.add(CORRECTION)
        if unique in row and (kind != "usage" or CORRECTION_KEY not in row):
            yield cast("Mapping[str, object]", row)


def _resolved(rows: Iterable[Energy], edition: Edition, resolutions: dict[str, Resolution]) -> Iterator[Energy]:
    """The rows with their meters' accuracy; the factors behind them go into ``resolutions``."""
    for row in rows:
        known, accuracy = rated(row, edition)
        resolution = reading_resolution(known, accuracy)
        key = resolution.resolution_id
        resolutions[key] = resolution
        yield {**known, "resolution_id": key}


def _grown(store: Shelves, rows: Iterable[Energy]) -> Iterator[Mapping[str, object]]:
    """The rows; of those that are booked already only what they grew."""
    booked: dict[str, float] | None = None
    for row in rows:
        if booked is None:
            booked = _booked(store, row["source"])
        before = booked.get(row["reading_key"] or "", 0.0)
        now = row["it_energy_kwh"]
        if before == 0:
            yield from _by_day(row)
        elif now <= before * (1 + TOLERANCE):
            yield row  # its key is known, so it is counted and left out
        else:
            grown = _part(row, (now - before) / now)
            yield from _by_day({**grown, "energy_key": usage_key([row["energy_key"], f"{before:.9e}"])})


def _by_day(row: Energy) -> Iterator[Energy]:
    """A row cut at midnight UTC, for a posting speaks of one day; the energy is spread evenly over the time."""
    pieces = pieces_of(row["started_at"], (row["ended_at"] - row["started_at"]).total_seconds())
    for number, (start, end, part) in enumerate(pieces):
        key = usage_key([row["energy_key"], f"{start:%Y-%m-%d}"]) if number else row["energy_key"]
        yield {**_part(row, part), "energy_key": key, "started_at": start, "ended_at": end}


def _part(row: Energy, part: float) -> Energy:
    amounts = {name: row[name] * part for name in ("it_energy_kwh", "it_energy_low_kwh", "it_energy_high_kwh")}
    return {**row, **amounts}


def _booked(store: Shelves, source: str) -> dict[str, float]:
    """Energy of every reading of a source that is in the book [kWh]."""
    frame = store.table("energy").filter(nw.col("source") == source)
    sums = frame.group_by("reading_key").agg(nw.col("it_energy_kwh").sum())
    return {row["reading_key"]: row["it_energy_kwh"] for row in store.rows(sums) if row["reading_key"]}
