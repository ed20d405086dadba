"""Text files as they come: byte order marks, UTF-16, CRLF, cut-off last lines, bytes that are no text."""

import codecs
import io
import json
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast, get_args

import msgspec

from joulebook.errors import UnknownName, translatable
from joulebook.terms.finding import Finding

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARK_BYTES = 4
ENDS = (b"\n", b"\r")


class Lines:
    """The lines of one text file with their numbers.

    Bytes that are no text are kept as lone surrogates, so that the rest of the line can be read; where such a cell is
    wanted it is refused as no text.

    Args:
        stream: the file.
        file: its name, for findings.
        encoding: None = by byte order mark, else UTF-8.

    Raises:
        UnknownName: there is no such encoding.
    """

    def __init__(self, stream: BinaryIO, file: str, encoding: str | None = None) -> None:
        self.file = file
        buffered = stream if hasattr(stream, "peek") else io.BufferedReader(cast("io.RawIOBase", stream))
        head = cast("io.BufferedReader", buffered).peek(_MARK_BYTES)
        self.encoding = encoding or next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
        try:
            is_utf8 = codecs.lookup(self.encoding).name.startswith("utf-8")
        except LookupError:
            raise UnknownName(
                kind=translatable("encoding"), name=self.encoding, nearest="utf-8, utf-16, cp949"
            ) from None
        self._errors = "surrogateescape" if is_utf8 else "replace"
        self.stream = cast("BinaryIO", buffered)
        self._last = "\n"

    def __iter__(self) -> Iterator[str]:
        """The lines with their ends; leaves the stream open."""
        text = io.TextIOWrapper(self.stream, encoding=self.encoding, errors=self._errors, newline="")
        try:
            for line in text:
                self._last = line
                yield line
        finally:
            if not self.stream.closed:
                text.detach()

    @property
    def is_cut_off(self) -> bool:
        """Whether the line that was read last has no end: only the last line of a file can lack it."""
        return not self._last.endswith(("\n", "\r"))


_strict_json = msgspec.json.Decoder().decode
JSON_FAULTS = (msgspec.MsgspecError, ValueError, RecursionError)


def json_value(text: bytes | str) -> object:
    """The value of a JSON text, as `json.loads` gives it, in a third of the time.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    try:
        return _strict_json(text)
    except JSON_FAULTS:
        return json.loads(text)  # more lenient: half characters, NaN, a byte order mark


def loaded(text: bytes | str) -> object:
    """The value of a JSON text; None where it is none (or null)."""
    try:
        return json_value(text)
    except (ValueError, RecursionError):
        return None


def shaped(shape: object) -> Callable[[bytes], object]:
    """As `loaded`, for objects of which only some names are read: what else they hold is never taken apart.

    Args:
        shape: a `TypedDict` or a `msgspec.Struct` of these names, or None for all; an object that does not fit it is
            read whole, and where it is to be a `msgspec.Struct`, what does not fit is left out.
    """
    if shape is None:
        return loaded
    decode = msgspec.json.Decoder(cast("type", shape)).decode

    def load(text: bytes) -> object:
        try:
            return decode(text)
        except JSON_FAULTS:
            return taken(shape, loaded(text))

    return load


def taken(shape: object, value: object) -> object:
    """What `shaped` makes of a value: the names of a `msgspec.Struct` that an object has, else the value itself."""
    inner = _inner(shape)
    if inner is None or not isinstance(value, dict):
        return value
    cells = {}
    for field in msgspec.structs.fields(inner):
        if field.encode_name in value:
            cell = taken(field.type, value[field.encode_name])
            cells[field.name] = None if _inner(field.type) and not isinstance(cell, msgspec.Struct) else cell
    return inner(**cells)


def _inner(kind: object) -> type[msgspec.Struct] | None:
    """The `msgspec.Struct` that a type is, or may be."""
    kinds = (kind, *get_args(kind))
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, msgspec.Struct)), None)


def json_records(lines: Lines) -> Iterator[tuple[int, dict[str, object] | Finding]]:
    """The object of each line with its number, or what is wrong with the line. Blank lines are passed over."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json_value(line)
        except (ValueError, RecursionError):
            rule = "not-json" if line.endswith(("\n", "\r")) else "truncated"
            yield number, Finding(lines.file, number, rule)
            continue
        if isinstance(record, dict):
            yield number, record
        else:
            yield number, Finding(lines.file, number, "not-an-object")


def dig(record: object, path: str) -> object:
    """The value at a path with dots; None where it is absent. A name that has dots itself is found whole.

    >>> dig({"usage": {"prompt_tokens": 5}}, "usage.prompt_tokens")
    5
    """
    if not isinstance(record, dict):
        return None
    if path in record:
        return record[path]
    name, dot, rest = path.partition(".")
    return dig(record.get(name), rest) if dot else None
