"""Does the book still hold what was written? Every log file chained, every segment present with its hash."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from joulebook.errors import StoreDamaged
from joulebook.store.delta import NO_HASH, SELF_HASH, Commit, DeltaLog, log_name, read_commit, self_hash
from joulebook.store.durable import sha256_of
from joulebook.terms.finding import Finding


def verify_log(log: DeltaLog) -> Iterator[Finding]:
    """What is wrong with one table's files; nothing where all is well or the table does not exist.

    Read afresh from the disk. A change of any byte of a log file or segment is found, and so is a lost file, except
    that the last log files can be taken away whole: what they named then shows as segments that no version names. Keep
    the hash of the last commit (`joulebook.store.delta.Commit.sha256`) elsewhere to prove that nothing was taken away.
    """
    versions = log.listed()
    named: set[str] = set()
    previous: str | None = NO_HASH
    for version in range(max(versions, default=-1) + 1):
        path = log.log / log_name(version)
        if version not in versions:
            yield Finding(str(path), None, "log-missing")
            previous = None
            continue
        content = path.read_bytes()
        told = SELF_HASH.search(content)
        try:
            commit = read_commit(path, version)
        except StoreDamaged:
            commit = None
        if commit is None or told is None or told[1].decode() != self_hash(content):
            yield Finding(str(path), None, "log-changed")
            previous = None  # what follows cannot be blamed
        else:
            if previous not in {None, commit.previous_sha256}:
                yield Finding(str(path), None, "log-unchained")
            previous = hashlib.sha256(content).hexdigest()
        if commit is not None:
            named.update(segment.name for segment in commit.segments)
            yield from _segments(log.folder, commit)
    yield from _strangers(log.folder, named)


def _segments(folder: Path, commit: Commit) -> Iterator[Finding]:
    for segment in commit.segments:
        path = folder / segment.name
        if not path.is_file():
            yield Finding(str(path), None, "segment-missing")
        elif path.stat().st_size != segment.size or sha256_of(path) != segment.sha256:
            yield Finding(str(path), None, "segment-changed")


def _strangers(folder: Path, named: set[str]) -> Iterator[Finding]:
    """Segments that no version names: left from a killed writer, being written right now, or robbed of their log."""
    for path in sorted(folder.glob("*.parquet")):
        if path.name not in named:
            yield Finding(str(path), None, "segment-unnamed", is_error=False)
