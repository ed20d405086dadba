"""What a user has settled once: `joulebook.toml`, ``[tool.joulebook]`` of a `pyproject.toml`, the user's own file.

Flags win over the environment, the environment over the project's file, that over the user's own file. Standard library
only, and nothing is parsed where there is no file, so that the meter may look here, too.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joulebook.errors import ConfigBroken, ConfigFault, translatable

VARIABLE = "JOULEBOOK_CONFIG"
"""A file to read instead of all others; empty: none is read."""

FILE = "joulebook.toml"
PROJECT_FILE = "pyproject.toml"
SECTION = b"[tool.joulebook"
TOP = ""
"""The table of what stands above all tables."""

PLACE = "place"
"""The table that says where this machine stands."""


class Config:
    """What the files say.

    Attributes:
        tables: table -> name -> (value, file); `TOP` holds what stands above all tables. Names have ``_`` for ``-``.
        files: those that were read, the first wins.
    """

    __slots__ = ("files", "tables")

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, tuple[Any, Path]]] = {}
        self.files: list[Path] = []

    def add(self, content: Mapping[str, Any], file: Path) -> None:
        """Take what a file says and no file before it has said.

        Raises:
            ConfigFault: it has tables within tables.
        """
        self.files.append(file)
        for name, value in content.items():
            table, inner = (name, value) if isinstance(value, dict) else (TOP, {name: value})
            kept = self.tables.setdefault(table, {})
            for key, word in inner.items():
                if isinstance(word, dict):
                    raise ConfigFault(
                        file=file,
                        what=translatable("A table stands within a table."),
                        next_step=translatable("write one level of tables, such as [run]."),
                    )
                kept.setdefault(key.replace("-", "_"), (word, file))

    def text(self, table: str, name: str) -> str | None:
        """A text, or None where it is not said.

        Raises:
            ConfigFault: it is said, but no text.
        """
        if name not in self.tables.get(table, {}):
            return None
        value, file = self.tables[table][name]
        if not isinstance(value, str):
            raise ConfigFault(
                file=file,
                what=translatable("A value is no text."),
                next_step=translatable('write it in quotation marks, such as region = "KOR".'),
            )
        return value

    def book(self) -> Path | None:
        """Folder of the book; relative to the file that names it."""
        told = self.text(TOP, "book")
        return from_file(told, self.tables[TOP]["book"][1]) if told else None


def from_file(path: str, file: Path) -> Path:
    """A path that a file names: relative to the file, and ``~`` is the home."""
    return file.parent / Path(path).expanduser()


def read_config(start: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """What the files say that hold here.

    Args:
        start: the folder from which the project's file is looked for, upwards; by default the one we are in.
        environment: where `VARIABLE` and the home of settings are looked up; the process's own by default.

    Raises:
        ConfigFault: a file cannot be read, is no TOML, or has tables within tables.
    """
    config = Config()
    for file in config_files(start, os.environ if environment is None else environment):
        content = _parsed(file)
        config.add(content.get("tool", {}).get("joulebook", {}) if file.name == PROJECT_FILE else content, file)
    return config


def config_files(start: Path | None, environment: Mapping[str, str]) -> Iterator[Path]:
    """The files that hold, the first wins.

    Raises:
        ConfigBroken: the one that the environment names does not exist, or one cannot be read.
    """
    named = environment.get(VARIABLE)
    if named is not None:
        if named and not _is_there(Path(named)):
            raise ConfigBroken(file=named, detail=os.strerror(errno.ENOENT))
        if named:
            yield Path(named)
        return
    project = _project_file(start or _here())
    if project is not None:
        yield project
    own = user_file(environment)
    if _is_there(own):
        yield own


def user_file(environment: Mapping[str, str]) -> Path:
    """The user's own file, under the XDG config home, whether or not it exists."""
    return Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "joulebook" / "config.toml"


def _here() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # the folder is gone, and with it what was settled there
        return None


def _project_file(start: Path | None) -> Path | None:
    """The nearest file of a project, upwards."""
    for folder in (start, *start.parents) if start is not None else ():
        if _is_there(folder / FILE):
            return folder / FILE
        shared = folder / PROJECT_FILE
        if _is_there(shared) and SECTION in _content(shared):
            return shared
    return None


def _is_there(file: Path) -> bool:
    try:
        return file.is_file()
    except PermissionError:  # its folder is not ours to look into, so it is another's
        return False


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigBroken(file=file, detail=error.strerror or str(error)) from None


def _parsed(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  (only where there is a file)

    try:
        return tomllib.loads(_content(file).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigBroken(file=file, detail=str(error)) from None
