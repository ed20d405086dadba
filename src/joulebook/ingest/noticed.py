"""A file that a reader makes nothing of is told: it is of another format, or holds no use."""

from collections.abc import Iterator
from pathlib import Path

from joulebook.ingest.reader import HEAD_BYTES, Entry, ReadOptions, open_input, read_path, reader
from joulebook.terms.finding import Finding

SURE = 0.5
"""From here on a file is of the format."""


def read_noticed(name: str, path: Path, options: ReadOptions) -> Iterator[Entry | Finding]:
    """As `joulebook.ingest.reader.read_path`, and a finding where nothing came of the file.

    A file of another format is an error, with what the format looks like; one of the format without any use a warning.

    Raises:
        InputMissing, InputBroken, UnknownName, UsageError: as `joulebook.ingest.reader.read_path`.
    """
    has_any = False
    for row in read_path(name, path, options):
        has_any = True
        yield row
    if not has_any:
        one = reader(name)
        with open_input(path) as stream:
            is_of_format = one.detect(stream.read(HEAD_BYTES), path.name) >= SURE
        facts = {"format": name, "expected": one.signs}
        rule = "no-use-in-it" if is_of_format else "wrong-file"
        yield Finding(options.file, None, rule, facts, is_error=not is_of_format)
