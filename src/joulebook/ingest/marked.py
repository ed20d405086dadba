"""Logs of JSON lines of which few lines are of interest: found by a mark, the others never taken apart."""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from joulebook.ingest.lines import ENDS, loaded, shaped
from joulebook.ingest.records import utf8_lines
from joulebook.terms.finding import Finding

HEAD_BYTES, TAIL_BYTES = 256, 2048
"""Where a second record is looked for in lines that are passed over: a record of interest that broke off before its
mark is shorter than the first, and a whole one shorter than the second."""

STARTS_TRIED = 16
"""Of a line that is no JSON, how many starts of records are tried from its end."""


def marked_lines(
    stream: BinaryIO,
    file: str,
    *marks: bytes,
    begin: bytes,
    shape: object = None,
    content: Callable[[bytes], object] | None = None,
) -> Iterator[tuple[int, Any] | Finding]:
    """The JSON objects of the lines that hold one of the marks; other lines are passed over without being parsed.

    A last line that has no end and is no JSON is told as cut off. A writer that was killed leaves a line without end,
    and the next record in the same line: that is told, and the next record read.

    Args:
        stream: the file.
        file: its name, for findings.
        marks: what every line of interest holds, the most frequent first.
        begin: how records begin; within a text its quotes are escaped, so it stands in none.
        shape: the names that are read, as of `joulebook.ingest.lines.shaped`; of a `TypedDict` or None the objects are
            dicts.
        content: tells of a line by its beginning whether it is never of interest, whatever it holds.
    """
    number, line, told = 0, b"\n", -1
    mark, others = marks[0], marks[1:]
    load = shaped(shape)
    for number, line in enumerate(utf8_lines(stream, file), start=1):
        is_known = content is not None and bool(content(line))
        record = None
        if not is_known and (line.rfind(mark) >= 0 or (others and any(other in line for other in others))):
            record = load(line)
            if isinstance(record, OBJECTS):
                yield number, record
                continue
        elif not _may_be_torn(line, begin, is_known=is_known):
            continue
        second = _second(line, begin, load) if record is None else None
        if second is not None:
            told = number
            yield Finding(file, number, "torn-line", is_error=not is_known)
            yield number, second
        elif line.endswith(ENDS):
            yield Finding(file, number, "not-json" if record is None else "not-an-object")
    if told != number and not line.endswith(ENDS) and line.strip() and loaded(line) is None:
        yield Finding(file, number, "truncated")


OBJECTS = (dict, msgspec.Struct)


def _may_be_torn(line: bytes, begin: bytes, *, is_known: bool) -> bool:
    """Whether a line that is passed over has a second record, and is no JSON."""
    after = line.find(begin, -TAIL_BYTES)
    if after == 0:
        after = line.find(begin, 1)  # a short line begins with it
    elif after < 0 and not is_known:
        after = line.find(begin, 1, HEAD_BYTES)
    return after >= 0 and loaded(line) is None


def _second(line: bytes, begin: bytes, load: Callable[[bytes], object]) -> object:
    """The record behind one that breaks off in the same line; None where no whole one ends the line."""
    at, found = len(line), None
    for _ in range(STARTS_TRIED):
        at = line.rfind(begin, 1, at)
        if at < 0:
            break
        record = load(line[at:])
        if isinstance(record, OBJECTS):
            found = record  # an earlier start holds the later ones
    return found
