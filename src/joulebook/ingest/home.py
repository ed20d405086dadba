"""Where coding agents keep their logs: found without settings, account or network."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import groupby
from pathlib import Path
from typing import cast

from joulebook.errors import InputUnreadable
from joulebook.ingest.beside import Beside, processors
from joulebook.ingest.reader import ReadOptions, read_path
from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES, Usage


@dataclass(frozen=True, slots=True)
class LogPlace:
    """One agent's folders.

    Attributes:
        reader: the reader of its files.
        variable: environment variable that names its home, several separated by commas; None where there is none.
        homes: its homes below the user's home, where the variable is not set; those of Linux, macOS and Windows.
        folders: folders of a home that hold logs.
        names: patterns of file names; those with a slash are matched with the path below the home.
        xdg: variable that moves the first home's folder, and what follows it there.
    """

    reader: str
    variable: str | None
    homes: tuple[str, ...]
    folders: tuple[str, ...]
    names: tuple[str, ...]
    xdg: tuple[str, str] | None = None


LOG_PLACES = (
    LogPlace("claude-code", "CLAUDE_CONFIG_DIR", (".claude", ".config/claude"), ("projects",), ("*.jsonl",)),
    LogPlace("codex", "CODEX_HOME", (".codex",), ("sessions", "archived_sessions"), ("*.jsonl", "*.jsonl.zst")),
    LogPlace(
        "gemini-cli",
        None,
        (".gemini",),
        ("tmp",),
        ("session-*.json", "session-*.jsonl", "tmp/*/chats/*.jsonl"),
        ("GEMINI_CLI_HOME", ".gemini"),
    ),
    LogPlace("opencode", None, (".local/share/opencode",), (".",), ("opencode*.db",), ("XDG_DATA_HOME", "opencode")),
    LogPlace(
        "opencode", None, (".local/share/opencode",), ("storage/message",), ("*.json",), ("XDG_DATA_HOME", "opencode")
    ),
    LogPlace("copilot-cli", "COPILOT_HOME", (".copilot",), ("session-state",), ("*.jsonl",)),
    LogPlace("qwen-code", "QWEN_RUNTIME_DIR", (".qwen",), ("projects",), ("*.jsonl",), ("QWEN_HOME", ".")),
    LogPlace("goose", "GOOSE_PATH_ROOT", (), ("data/sessions",), ("sessions.db", "*.jsonl")),
    LogPlace(
        "goose",
        None,
        (
            ".local/share/goose",
            "Library/Application Support/Block/goose/data",
            "Library/Application Support/Block.goose",
            "AppData/Roaming/Block/goose/data",
        ),
        ("sessions",),
        ("sessions.db", "*.jsonl"),
        ("XDG_DATA_HOME", "goose"),
    ),
    LogPlace(
        "cursor",
        None,
        (".config/Cursor", "Library/Application Support/Cursor", "AppData/Roaming/Cursor"),
        ("User/globalStorage",),
        ("state.vscdb",),
        ("XDG_CONFIG_HOME", "Cursor"),
    ),
)
"""Sources: the documentation of each agent on its configuration folder and its variable."""

FLAT = "."

BESIDE_BYTES = 64_000_000
"""From here on it is worth to start processes."""

TASK_BYTES = 16_000_000
TASK_FILES = 256
"""What one process reads at a time."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log file and its reader."""

    reader: str
    path: Path


def log_files(home: Path, environment: Mapping[str, str]) -> Iterator[LogFile | Finding]:
    """Log files of all agents, each once, however it is linked; folders that cannot be read are findings.

    Args:
        home: the user's home, or another one.
        environment: variables that move an agent's home; empty for another home than one's own.
    """
    seen: set[tuple[int, int]] = set()
    for place in LOG_PLACES:
        for base in _bases(place, home, environment):
            for folder in place.folders:
                for found in _walk(base / folder, is_flat=folder == FLAT):
                    if isinstance(found, Finding):
                        yield found
                    elif _is_named(found, base, place.names) and _is_new(found, seen):
                        yield LogFile(place.reader, found)


Read = list[tuple[int, "Usage | Finding"]]
"""Rows and findings, each with the number of its file in the task."""


class Reading:
    """Log files being read; large amounts by several processes, which begin at once.

    Args:
        files: the files, those of an agent together.
        done: told the bytes of the files that are read so far, and of all.
    """

    def __init__(self, files: Iterable[LogFile], done: Callable[[int, int], None] | None = None) -> None:
        sized = [(file, _size(file.path)) for file in files]
        self._tasks = list(_tasks(sized))
        self._all = sum(size for _file, size in sized)
        self._read = 0
        self._done = done
        is_much = self._all >= BESIDE_BYTES and processors() > 1
        self._beside = Beside(read_task, [files for files, _size in self._tasks]) if is_much else None

    def __iter__(self) -> Iterator[tuple[Path, Usage | Finding]]:
        """Rows of log files with the file; of an answer that stands in several files of an agent, the fullest one.

        A file that cannot be read is a finding; the others go on. Memory: the rows of one agent at a time.
        """
        answers = iter(self._beside or (read_task(files) for files, _size in self._tasks))
        for _name, group in groupby(self._tasks, key=lambda task: task[0][0].reader):
            rows: dict[str, tuple[Path, Usage]] = {}
            for files, size in group:
                for number, row in next(answers):
                    if isinstance(row, Finding):
                        yield files[number].path, row
                        continue
                    known = rows.get(row["usage_key"])
                    if known is None or _tokens(row) > _tokens(known[1]):
                        rows[row["usage_key"]] = (files[number].path, row)
                self._tell(size)
            yield from rows.values()

    def _tell(self, size: int) -> None:
        self._read += size
        if self._done is not None:
            self._done(self._read, self._all)


def read_task(files: Sequence[LogFile]) -> Read:
    """Rows and findings of some files; a file that cannot be read is a finding."""
    return [(number, row) for number, file in enumerate(files) for row in _rows(file)]


def _tasks(sized: Iterable[tuple[LogFile, int]]) -> Iterator[tuple[list[LogFile], int]]:
    """The files in their order, so many at a time that the answer is worth the way; agents apart."""
    files: list[LogFile] = []
    size = 0
    for file, more in sized:
        if files and (size + more > TASK_BYTES or len(files) >= TASK_FILES or files[-1].reader != file.reader):
            yield files, size
            files, size = [], 0
        files.append(file)
        size += more
    if files:
        yield files, size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will tell why


def _rows(file: LogFile) -> Iterator[Usage | Finding]:
    try:
        found = read_path(file.reader, file.path, ReadOptions(file=str(file.path)))
        yield from cast("Iterator[Usage | Finding]", found)  # agents' logs are usage alone
    except InputUnreadable as error:
        yield Finding(str(file.path), None, "unreadable", {"reason": error.facts.get("reason")})


def _is_named(path: Path, base: Path, names: tuple[str, ...]) -> bool:
    below = path.relative_to(base).as_posix()
    return any(fnmatch(below if "/" in name else path.name, name) for name in names)


def _bases(place: LogPlace, home: Path, environment: Mapping[str, str]) -> list[Path]:
    named = environment.get(place.variable or "", "")
    if named:
        return [Path(part.strip()) for part in named.split(",") if part.strip()]
    homes = [home / base for base in place.homes]
    moved = environment.get(place.xdg[0]) if place.xdg else None
    return [Path(moved) / place.xdg[1], *homes[1:]] if moved and place.xdg else homes


def _walk(folder: Path, *, is_flat: bool) -> Iterator[Path | Finding]:
    """Files below a folder in the order of their names; linked folders are followed, each once."""
    refused: list[Finding] = []
    entered: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            facts = {"reason": error.strerror or type(error).__name__}
            refused.append(Finding(str(error.filename), None, "unreadable", facts))

    for root, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = [] if is_flat else sorted(name for name in folders if _is_new(Path(root, name), entered))
        for name in sorted(names):
            yield Path(root, name)
    yield from refused


def _is_new(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a file or folder was not met before, by its identity on the disk; what is gone is not new."""
    try:
        status = path.stat()
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    is_new = identity not in seen
    seen.add(identity)
    return is_new


def _tokens(row: Usage) -> int:
    return sum(row.get(name) or 0 for name in TOKEN_CLASSES)
