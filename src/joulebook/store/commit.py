"""From a finished draft to a committed segment, while others write too."""

import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.errors import StoreConflict
from joulebook.store.connection import engine_writing
from joulebook.store.delta import DeltaLog, Segment
from joulebook.store.durable import make_folder, remove_older, sha256_of, sync_file, writing
from joulebook.store.once import leave_out
from joulebook.store.overlap import Told, leave_out_told

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ATTEMPTS = 1000
"""How often a commit is tried while others write; in each round one writer gets through."""

UNSEEN = -2
"""Before even the version of a table that does not exist, -1."""

ORPHAN_AGE_S = 86_400.0
"""Unfinished files older than this are left from a writer that was killed."""


@dataclass(slots=True)
class Draft:
    """Rows on their way into a table.

    Attributes:
        path: a finished Parquet file in the drafts folder, later in the table's folder.
        rows: how many it holds.
        left_out: how many were left out because their key was known.
        segment: its entry for the log, once it lies in the table's folder.
        told: of usage, what other records of the same uses told already.
    """

    path: Path
    rows: int
    left_out: int = 0
    segment: Segment | None = None
    told: Told = field(default_factory=Told)

    def discard(self) -> None:
        """Remove the file, unless it was placed: then it may be committed; if it is not, it is tidied up later."""
        if self.segment is None:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Terms:
    """How rows may enter a table.

    Attributes:
        unique: the column by which a row is known, or None.
        info: what the commit says about itself.
        expected: the version the table must be at, or None.
        is_once: the draft has each key once already.
        add_overlaps: of usage, sums and requests of the same time are different uses.
    """

    unique: str | None
    info: Mapping[str, str]
    expected: int | None = None
    is_once: bool = False
    add_overlaps: bool = False


def commit_draft(
    engine: "DuckDBPyConnection",
    log: DeltaLog,
    draft: Draft,
    columns: tuple[str, ...],
    how: Terms,
) -> int:
    """Bring a draft into a table in one commit; return the table's version, unchanged where no row was new.

    Whenever another writer took the version, only that writer's segments are searched for our keys, and we try the
    next one. ``draft`` afterwards tells how many rows were added and left out.

    Raises:
        StoreConflict: the table is not at the expected version, or others wrote all the time.
        StoreUnwritable: the disk refused.
    """
    seen = UNSEEN
    for _ in range(ATTEMPTS):
        version = log.version()
        if how.expected not in {None, version}:
            break
        if how.unique is not None:
            _leave_out_known(engine, log, draft, how, (seen, version))
            if draft.rows and "use_hash" in columns:
                _leave_out_told(engine, log, draft, how, (seen, version))
            seen = version
        if not draft.rows:
            return version
        with writing(log.folder):
            segment = draft.segment or _place(log, draft)
            os.utime(draft.path)  # whoever tidies up sees that somebody still wants this file
            try:
                log.write(version + 1, [segment], columns, how.info, datetime.now(UTC))
            except StoreConflict:
                continue
            return version + 1
    raise StoreConflict(version=log.version() + 1, table=log.folder.name)


def _leave_out_known(
    engine: "DuckDBPyConnection", log: DeltaLog, draft: Draft, how: Terms, versions: tuple[int, int]
) -> None:
    assert how.unique is not None
    seen, version = versions
    newer = log.segments(version, after=max(seen, -1))
    first = seen == UNSEEN and not how.is_once
    if not (newer or first) or not draft.rows:
        return
    with engine_writing(log.folder):
        others = [log.folder / segment.name for segment in newer]
        rest, known = leave_out(engine, draft.path, how.unique, others, within=first)
    if known:
        draft.path.unlink()
        draft.path, draft.segment = rest, None
        draft.rows, draft.left_out = draft.rows - known, draft.left_out + known


def _leave_out_told(
    engine: "DuckDBPyConnection", log: DeltaLog, draft: Draft, how: Terms, versions: tuple[int, int]
) -> None:
    seen, version = versions
    newer = log.segments(version, after=max(seen, -1))
    if not newer and seen != UNSEEN:
        return
    others = [log.folder / segment.name for segment in newer]
    with engine_writing(log.folder):
        rest, told = leave_out_told(
            engine, draft.path, others, how.info.get("import", "usage"), add_overlaps=how.add_overlaps
        )
    if rest != draft.path:
        draft.path.unlink()
        draft.path, draft.segment = rest, None
    draft.rows -= told.again + told.covered
    draft.left_out += told.again
    draft.told.covered += told.covered
    draft.told.findings += told.findings


def _place(log: DeltaLog, draft: Draft) -> Segment:
    """Force a draft to the disk and give it its name in the table's folder."""
    make_folder(log.folder)
    sync_file(draft.path)
    target = log.folder / f"part-{uuid.uuid4().hex}.parquet"
    segment = Segment(target.name, draft.path.stat().st_size, draft.rows, sha256_of(draft.path))
    draft.path.rename(target)
    draft.path, draft.segment = target, segment
    return segment


def tidy(log: DeltaLog, drafts: Path) -> list[str]:
    """Remove what killed writers left a day ago or earlier: drafts, and segments that no version names."""
    before = time.time() - ORPHAN_AGE_S
    live = frozenset(segment.name for segment in log.segments())
    with writing(log.folder):
        return remove_older(log.folder, "*.parquet", before, keep=live) + remove_older(drafts, "*", before)
