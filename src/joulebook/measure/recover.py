"""Closing what was cut off: journals whose process is no more get the end they could not write."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joulebook.measure.identity import boot_id, host_name, process_start
from joulebook.measure.journal import SUFFIX, JournalWriter, read_journal

OPEN = "open"
"""Folder of marks: one empty file per journal that is being written."""

MARK_SUFFIX = ".open"
"""Ending of a mark's name."""


def mark_open(folder: Path, journal: Path) -> Path:
    """Mark a journal as being written, where the folder may be written; the path of the mark."""
    mark = folder / OPEN / f"{journal.parent.name}@{journal.name}{MARK_SUFFIX}"
    with contextlib.suppress(OSError):  # a journal without a mark is read like any other, only not closed by others
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return mark


def close_cut_off(folder: Path, run: str | None = None) -> list[Path]:
    """Close every journal of this host whose process has ended; which they were.

    Journals of other hosts are left alone: whether their process lives cannot be seen from here.

    Args:
        folder: folder of the journals.
        run: only this run.
    """
    closed = []
    for mark, journal in _marked(folder):
        if run is not None and journal.parent.name != run:
            continue
        begin = _begin(journal)
        if begin is None:
            if not journal.exists():
                mark.unlink(missing_ok=True)
            continue
        if _is_alive(begin):
            continue
        if read_journal(journal).end is None:
            _close(journal)
            closed.append(journal)
        mark.unlink(missing_ok=True)
    return closed


def running(folder: Path) -> list[Path]:
    """Journals that are being written, by a process of this host that lives, or by another host."""
    begins = ((journal, _begin(journal)) for _mark, journal in _marked(folder))
    return [journal for journal, begin in begins if begin is not None and _is_alive(begin)]


def elsewhere(folder: Path) -> list[Path]:
    """Journals without an end that belong to another host."""
    begins = ((journal, _begin(journal)) for _mark, journal in _marked(folder))
    return [journal for journal, begin in begins if begin is not None and begin["host"] != host_name()]


def _marked(folder: Path) -> Iterator[tuple[Path, Path]]:
    try:
        marks = sorted((folder / OPEN).iterdir())
    except OSError:
        return  # no folder, or none that we may read: nothing of ours is open there
    for mark in marks:
        run, _at, name = mark.name.removesuffix(MARK_SUFFIX).rpartition("@")
        if name.endswith(SUFFIX):
            yield mark, folder / run / name


def _begin(journal: Path) -> Mapping[str, Any] | None:
    try:
        with journal.open("rb") as stream:
            record = json.loads(stream.readline())
    except (OSError, ValueError):
        return None
    is_begin = (
        isinstance(record, dict) and record.get("k") == "begin" and {"host", "boot", "pid", "start"} <= set(record)
    )
    return record if is_begin else None


def _is_alive(begin: Mapping[str, Any]) -> bool:
    if begin["host"] != host_name():
        return True  # unknown: leave it alone
    return begin["boot"] == boot_id() and process_start(begin["pid"]) == begin["start"]


def _close(journal: Path) -> None:
    last = max((record for record in read_journal(journal).samples()), key=lambda record: record["t"], default=None)
    writer = JournalWriter(journal)
    with contextlib.closing(writer):
        with journal.open("rb") as stream:
            stream.seek(0, 2)
            size = stream.tell()
            stream.seek(max(0, size - 1))
            is_torn = size > 0 and stream.read(1) != b"\n"
        end = {"k": "end", "status": "cut-off", "code": None, "lost_records": 0}
        if last is not None:
            end |= {"t": last["t"], "w": last["w"]}
        text = json.dumps(end, separators=(",", ":")).encode() + b"\n"
        writer.write_line(b"\n" + text if is_torn else text)
