"""Small files of the kernel: one value each, opened once and read again and again."""

import os
from pathlib import Path


def text_of(path: Path) -> str | None:
    """A file's text without white space at its ends; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def number_of(path: Path) -> int | None:
    """A file's whole number; None where there is none."""
    text = text_of(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


class ValueFiles:
    """Files of one whole number each, kept open.

    `read` gives None for a file that cannot be read this time.
    """

    def __init__(self) -> None:
        self._descriptors: list[int] = []

    def add(self, path: Path) -> None:
        """Open one more file.

        Raises:
            OSError: it cannot be opened.
        """
        self._descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    def read(self) -> list[int | None]:
        """The values, in the order of `add`."""
        return [_value(descriptor) for descriptor in self._descriptors]

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors = []


def _value(descriptor: int) -> int | None:
    try:
        return int(os.pread(descriptor, 64, 0))
    except (OSError, ValueError):
        return None
