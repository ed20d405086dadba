"""Where coding agents keep their logs: found without settings, account or network."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

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
                for found in _walk(str(base / folder), is_flat=folder == FLAT):
                    if isinstance(found, Finding):
                        yield found
                    elif _is_named(found, len(str(base)) + 1, place.names) and _is_new(found, seen):
                        yield LogFile(place.reader, Path(found))


def _is_named(path: str, base: int, names: tuple[str, ...]) -> bool:
    """Whether one of the patterns fits a file, whose path below its agent's home begins at ``base``."""
    below, name = path[base:].replace(os.sep, "/"), os.path.basename(path)  # noqa: PTH119  (thousands of files)
    return any(fnmatch(below if "/" in pattern else name, pattern) for pattern in names)


def _bases(place: LogPlace, home: Path, environment: Mapping[str, str]) -> list[Path]:
    named = environment.get(place.variable or "", "")
    if named:
        return [Path(part.strip()) for part in named.split(",") if part.strip()]
    homes = [home / base for base in place.homes]
    moved = environment.get(place.xdg[0]) if place.xdg else None
    return [Path(moved) / place.xdg[1], *homes[1:]] if moved and place.xdg else homes


def _walk(folder: str, *, is_flat: bool) -> Iterator[str | Finding]:
    """Files below a folder in the order of their names; linked folders are followed, each once."""
    refused: list[Finding] = []
    entered: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            facts = {"reason": error.strerror or type(error).__name__}
            refused.append(Finding(str(error.filename), None, "unreadable", facts))

    for root, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        start = root.rstrip(os.sep) + os.sep
        folders[:] = [] if is_flat else sorted(name for name in folders if _is_new(start + name, entered))
        for name in sorted(names):
            yield start + name
    yield from refused


def _is_new(path: str, seen: set[tuple[int, int]]) -> bool:
    """Whether a file or folder was not met before, by its identity on the disk; what is gone is not new."""
    try:
        status = os.stat(path)  # noqa: PTH116  (thousands of files)
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    is_new = identity not in seen
    seen.add(identity)
    return is_new
