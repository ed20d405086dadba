"""Where coding agents keep their logs: found without settings, account or network."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from joulebook.terms.finding import Finding


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


JOURNAL = "-wal"
"""Ending of the journal beside a database, where what is new stands first."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log file.

    Attributes:
        reader: name of the reader for it.
        path: where it is; a text, for there are thousands.
        size: of the file, with its journal [bytes].
        changed_ns: when one of them was changed last [ns since 1970].
    """

    reader: str
    path: str
    size: int = field(default=0, compare=False)
    changed_ns: int = field(default=0, compare=False)


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
                for found in _walk(str(base / folder), is_flat=folder == FLAT):
                    if isinstance(found, Finding):
                        yield found
                    elif _is_named(found, len(str(base)) + 1, place.names):
                        status = _new(found.path, seen)
                        if status is not None:
                            yield _log_file(place.reader, found, status)


class _Found(NamedTuple):
    path: str
    name: str
    has_journal: bool


def _log_file(reader: str, found: _Found, status: os.stat_result) -> LogFile:
    known = [status, *([_status(found.path + JOURNAL)] if found.has_journal else [])]
    files = [one for one in known if one is not None and S_ISREG(one.st_mode)]
    size, changed = sum(one.st_size for one in files), max((one.st_mtime_ns for one in files), default=0)
    return LogFile(reader, found.path, size, changed)


def _is_named(found: _Found, base: int, names: tuple[str, ...]) -> bool:
    """Whether one of the patterns fits a file, whose path below its agent's home begins at ``base``."""
    below = found.path[base:].replace(os.sep, "/")
    return any(fnmatch(below if "/" in pattern else found.name, pattern) for pattern in names)


def _bases(place: LogPlace, home: Path, environment: Mapping[str, str]) -> list[Path]:
    named = environment.get(place.variable or "", "")
    if named:
        return [Path(part.strip()) for part in named.split(",") if part.strip()]
    homes = [home / base for base in place.homes]
    moved = environment.get(place.xdg[0]) if place.xdg else None
    return [Path(moved) / place.xdg[1], *homes[1:]] if moved and place.xdg else homes


def _walk(folder: str, *, is_flat: bool) -> Iterator[_Found | Finding]:
    """Files below a folder in the order of their names; linked folders are followed, each once."""
    refused: list[Finding] = []
    entered: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            facts = {"reason": error.strerror or type(error).__name__}
            refused.append(Finding(str(error.filename), None, "unreadable", facts))

    for root, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        start, there = root.rstrip(os.sep) + os.sep, set(names)
        folders[:] = [] if is_flat else sorted(name for name in folders if _new(start + name, entered))
        for name in sorted(names):
            yield _Found(start + name, name, name + JOURNAL in there)
    yield from refused


def _new(path: str, seen: set[tuple[int, int]]) -> os.stat_result | None:
    """What the system says of a file or folder that was not met before, by its identity on the disk, and is there."""
    status = _status(path)
    if status is None or (status.st_dev, status.st_ino) in seen:
        return None
    seen.add((status.st_dev, status.st_ino))
    return status


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116  (thousands of files)
    except OSError:
        return None
