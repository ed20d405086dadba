"""The log of one append-only Delta table: which segments are live at which version.

Source: Delta transaction log protocol, reader version 1, writer version 2, table property ``delta.appendOnly``.
Beyond the protocol every commit carries, under ``commitInfo.joulebook``, the SHA-256 of its segments, of the log file
before it and of itself, so that `joulebook.store.verify` finds any byte that was changed afterwards.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from joulebook.errors import LogBroken, LogMissing, StoreConflict, StoreTooNew
from joulebook.store.durable import make_folder, publish, sync_folder
from joulebook.store.schema import delta_schema

LOG_FOLDER = "_delta_log"
LOG_NAME = re.compile(r"(\d{20})\.json")
NO_HASH = "0" * 64
SELF_HASH = re.compile(rb'"commit_sha256":"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class Segment:
    """One Parquet file of a table: its name in the table's folder, size [bytes], rows and SHA-256."""

    name: str
    size: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a table.

    Attributes:
        version: counted from 0.
        at: when it was written, by the writer's clock (UTC).
        segments: what it added.
        info: what the writer said about it.
        sha256: hash of its log file; note it down elsewhere to prove later that nothing before it was changed.
        previous_sha256: hash of the log file before it; 64 zeros for the first.
        columns: the table's columns since this commit, or None where they stayed.
    """

    version: int
    at: datetime
    segments: tuple[Segment, ...]
    info: Mapping[str, str]
    sha256: str
    previous_sha256: str
    columns: tuple[str, ...] | None

    @property
    def rows(self) -> int:
        """Rows that the commit added."""
        return sum(segment.rows for segment in self.segments)


def log_name(version: int) -> str:
    """File name of a version in the log."""
    return f"{version:020d}.json"


def self_hash(content: bytes) -> str:
    """Hash of a log file with its own hash blanked out."""
    blank = SELF_HASH.sub(b'"commit_sha256":"' + NO_HASH.encode() + b'"', content, count=1)
    return hashlib.sha256(blank).hexdigest()


def read_commit(path: Path, version: int) -> Commit:
    """Read one log file.

    Raises:
        LogMissing: it is gone.
        LogBroken: it is cut off or not ours.
    """
    try:
        content = path.read_bytes()
        actions = [json.loads(line) for line in content.splitlines()]
        told = next(action["commitInfo"] for action in actions if "commitInfo" in action)
        ours = told["joulebook"]
        hashes = ours["segments"]
        segments = tuple(
            Segment(add["path"], add["size"], json.loads(add["stats"])["numRecords"], hashes[add["path"]])
            for add in (action["add"] for action in actions if "add" in action)
        )
        schemas = [json.loads(action["metaData"]["schemaString"]) for action in actions if "metaData" in action]
        return Commit(
            version=version,
            at=datetime.fromtimestamp(told["timestamp"] / 1000, UTC),
            segments=segments,
            info=ours["info"],
            sha256=hashlib.sha256(content).hexdigest(),
            previous_sha256=ours["previous_sha256"],
            columns=tuple(field["name"] for field in schemas[-1]["fields"]) if schemas else None,
        )
    except FileNotFoundError as fault:
        raise LogMissing(file=str(path)) from fault
    except (ValueError, KeyError, TypeError, StopIteration) as fault:
        raise LogBroken(file=str(path)) from fault


class DeltaLog:
    """The log of one table; keeps what it has read, because a log file never changes.

    Args:
        folder: the table's folder.
        drafts: a folder on the same file system for unfinished files.
    """

    def __init__(self, folder: Path, drafts: Path) -> None:
        self.folder = folder
        self.log = folder / LOG_FOLDER
        self._drafts = drafts
        self._commits: list[Commit] = []
        self._last = -1

    def version(self) -> int:
        """The latest version; -1 where the table does not exist.

        Raises:
            LogMissing: a log file in between is gone.
        """
        if self._last < 0:
            versions = self.listed()
            if versions != list(range(len(versions))):
                missing = min(set(range(len(versions))) - set(versions))
                raise LogMissing(file=str(self.log / log_name(missing)))
            self._last = len(versions) - 1
        while (self.log / log_name(self._last + 1)).exists():
            self._last += 1
        return self._last

    def listed(self) -> list[int]:
        """Versions whose log files are there."""
        if not self.log.is_dir():
            return []
        return sorted(int(found[1]) for path in self.log.iterdir() if (found := LOG_NAME.fullmatch(path.name)))

    def commits(self, version: int | None = None) -> list[Commit]:
        """Every commit up to a version, oldest first; up to the latest if None."""
        last = self.version() if version is None else version
        while len(self._commits) <= last:
            number = len(self._commits)
            self._commits.append(read_commit(self.log / log_name(number), number))
        return self._commits[: last + 1]

    def segments(self, version: int | None = None, after: int = -1) -> list[Segment]:
        """The live segments at a version, or those that came after an earlier one."""
        return [segment for commit in self.commits(version)[after + 1 :] for segment in commit.segments]

    def schemas(self, version: int | None = None) -> list[tuple[str, ...]]:
        """Every list of columns the table had up to a version, oldest first."""
        return [commit.columns for commit in self.commits(version) if commit.columns is not None]

    def write(
        self, version: int, segments: Sequence[Segment], columns: tuple[str, ...], info: Mapping[str, str], at: datetime
    ) -> Commit:
        """Write one version: all of it or nothing; the segments must already lie, safe on disk, in the folder.

        Raises:
            StoreConflict: another writer took this version.
            StoreTooNew: the table has columns that this program does not know.
            OSError: the disk refused.
        """
        before = self.commits(version - 1)
        actions = self._schema_actions(before, columns, at)
        actions += [{"add": _add(segment, at)} for segment in segments]
        told = _commit_info(segments, info, at, before[-1].sha256 if before else NO_HASH, created=not before)
        content = _lines([{"commitInfo": told}, *actions])
        content = content.replace(f'"commit_sha256":"{NO_HASH}"'.encode(), _own_hash(content), 1)
        if not self.log.is_dir():
            make_folder(self.log)
        sync_folder(self.folder)
        draft = self._drafts / f"log-{uuid.uuid4().hex}.json"
        draft.write_bytes(content)
        if not publish(draft, self.log / log_name(version)):
            raise StoreConflict(version=version, table=self.folder.name)
        return read_commit(self.log / log_name(version), version)

    def _schema_actions(self, before: Sequence[Commit], columns: tuple[str, ...], at: datetime) -> list[dict]:
        if not before:
            return [
                {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
                {"metaData": _meta_data(uuid.uuid4().hex, self.folder.name, columns, at)},
            ]
        known = [commit.columns for commit in before if commit.columns is not None][-1]
        strange = [name for name in known if name not in columns]
        if strange:
            raise StoreTooNew(table=self.folder.name, columns=", ".join(strange))
        if len(columns) == len(known):
            return []
        added = tuple(name for name in columns if name not in known)
        return [{"metaData": _meta_data(self._table_id(), self.folder.name, (*known, *added), at)}]

    def _table_id(self) -> str:
        for line in (self.log / log_name(0)).read_bytes().splitlines():
            action = json.loads(line)
            if "metaData" in action:
                return action["metaData"]["id"]
        raise LogBroken(file=str(self.log / log_name(0)))


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _meta_data(table_id: str, name: str, columns: tuple[str, ...], at: datetime) -> dict:
    return {
        "id": str(uuid.UUID(table_id)),
        "name": name,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": delta_schema(columns),
        "partitionColumns": [],
        "configuration": {"delta.appendOnly": "true"},
        "createdTime": _millis(at),
    }


def _add(segment: Segment, at: datetime) -> dict:
    return {
        "path": segment.name,
        "partitionValues": {},
        "size": segment.size,
        "modificationTime": _millis(at),
        "dataChange": True,
        "stats": json.dumps({"numRecords": segment.rows}, separators=(",", ":")),
    }


def _commit_info(
    segments: Sequence[Segment], info: Mapping[str, str], at: datetime, previous: str, *, created: bool
) -> dict:
    return {
        "timestamp": _millis(at),
        "operation": "CREATE TABLE AS SELECT" if created else "WRITE",
        "operationParameters": {"mode": "Append"},
        "isBlindAppend": True,
        "engineInfo": "joulebook",
        "joulebook": {
            "commit_sha256": NO_HASH,
            "previous_sha256": previous,
            "segments": {segment.name: segment.sha256 for segment in segments},
            "info": dict(info),
        },
    }


def _lines(actions: Sequence[Mapping[str, object]]) -> bytes:
    return "".join(json.dumps(a, ensure_ascii=False, separators=(",", ":")) + "\n" for a in actions).encode()


def _own_hash(content: bytes) -> bytes:
    return f'"commit_sha256":"{self_hash(content)}"'.encode()
