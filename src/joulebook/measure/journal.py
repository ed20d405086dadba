"""The journal: one append-only file per process, one write per record, readable whatever ended the process.

A file is JSON lines. Each record is one `write` to a file opened with `O_APPEND`; a process that dies loses at most the
record it was writing. A reader takes every whole line and counts what it could not read. Records, by ``k``:

======== ==============================================================================================
begin    format, run, host, boot id, pid, start of the process, rank, name, project, team, tags, interval
channels the channels, in the order of a sample's values, and the absences
s        a sample: sequence, elapsed ns, wall ns, raw values, utilisation
span     a span begins or ends: id, parent, name, tokens, metrics
note     something the reader of the result must know: a clock that jumped, a device that went away
end      how it ended
======== ==============================================================================================
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FORMAT = 1
"""Version of the journal's form; a reader refuses what it does not know."""

SUFFIX = ".journal"
"""Ending of a journal's file name."""

SYNC_EVERY = 600
"""Records between two fdatasync, which costs as much as a minute of samples. A power cut loses at most so many; as a
rule only what the kernel had not written by itself (Linux: 30 s, vm.dirty_expire_centisecs)."""


class JournalWriter:
    """Appends records to one file.

    A full disk, a lost mount or a folder that may not be written does not stop the program that is measured: the record
    is dropped, `lost_count` says how many, and writing goes on when there is room again. Counters lose no energy by
    that, only resolution.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lost_count = 0
        self._unsynced = 0
        self._is_torn = False
        self._descriptor = -1
        with contextlib.suppress(OSError):  # nowhere to write: every record counts as lost, and the program goes on
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, record: Mapping[str, Any]) -> bool:
        """Append one record; False where it could not be written."""
        return self.write_line(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")

    def write_line(self, line: bytes) -> bool:
        """Append one record that is a line of JSON already, with its end."""
        whole = b"\n" + line if self._is_torn else line
        try:
            written = os.write(self._descriptor, whole)
        except OSError:
            written = 0
        if written != len(whole):
            self._is_torn = self._is_torn or written > 0
            self.lost_count += 1
            return False
        self._is_torn = False
        self._unsynced += 1
        if self._unsynced == SYNC_EVERY:
            self._unsynced = 0
            with contextlib.suppress(OSError):  # a file system without sync keeps what it keeps
                os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
        return True

    def close(self) -> None:
        """Sync and close the file; a second call does nothing."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):  # what could be written is written
            os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1


class Journal:
    """What a file held.

    Attributes:
        path: the file.
        begin: its first record.
        channels: the record of the channels.
        records: all later records, in order.
        torn_count: lines that could not be read; one at the end is what a killed process leaves.
    """

    __slots__ = ("begin", "channels", "path", "records", "torn_count")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begin: Mapping[str, Any] = {}
        self.channels: Mapping[str, Any] = {}
        self.records: list[Mapping[str, Any]] = []
        self.torn_count = 0

    @property
    def end(self) -> Mapping[str, Any] | None:
        """How it ended, or None where it was cut off or still runs."""
        return next((record for record in reversed(self.records) if record["k"] == "end"), None)

    def samples(self) -> Iterator[Mapping[str, Any]]:
        """The samples, in order."""
        return (record for record in self.records if record["k"] == "s")


def read_journal(path: Path) -> Journal:
    """Read a journal, whole or cut off.

    Raises:
        OSError: the file cannot be opened.
    """
    journal = Journal(path)
    with path.open("rb") as stream:
        for line in stream:
            record = _record(line)
            if record is None:
                journal.torn_count += 1
            elif record["k"] == "begin":
                journal.begin = record
            elif record["k"] == "channels":
                journal.channels = record
            else:
                journal.records.append(record)
    return journal


def _record(line: bytes) -> Mapping[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    if line == b"\n":
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "k" in record else None


def journal_files(folder: Path) -> list[Path]:
    """All journals of a folder, by name."""
    return sorted(folder.glob(f"*/*{SUFFIX}")) if folder.is_dir() else []
