"""From records that a reader has taken apart to rows: the way of every format that is not a plain table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO

from joulebook.ingest.lines import ENDS, Lines, dig, loaded, shaped
from joulebook.ingest.mapping import FieldMapping
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.rows import RowMaker
from joulebook.terms.finding import Finding
from joulebook.terms.usage import HASHES, TOKEN_CLASSES, Usage

Record = tuple[int | None, Mapping[str, object]]
"""Line (or None) and the fields of one record, named as in `joulebook.ingest.mapping.MAPPABLE`."""

TOKEN_FIELDS = (
    "request_id",
    "started_at",
    "ended_at",
    "model",
    "provider",
    "region",
    "service_tier",
    "project",
    "team",
    "tool",
    "user_id",
    *HASHES,
    "request_count",
    "input_tokens",
    "output_tokens",
    *TOKEN_CLASSES,
    "embedding_tokens",
    "cost_usd",
)
"""Fields of most records of language models."""

JSON_STARTS = (b"{", b"[", b"\xef\xbb\xbf{", b"\xff\xfe", b"\xfe\xff")


def rows_of(
    name: str,
    options: ReadOptions,
    records: Iterable[Record | Finding],
    fields: Sequence[str] = TOKEN_FIELDS,
    tier: str = "measured",
    *,
    is_bucket: bool = False,
) -> Iterator[Usage | Finding]:
    """Checked rows of records, in their order; findings pass through.

    Args:
        name: the reader's name, first part of every key.
        options: what the user said.
        records: line and fields; a field that is absent or None is unknown.
        fields: which fields the records may bring.
        tier: how the counts are known.
        is_bucket: whether a record stands for many requests, so that their number is unknown where it is not told.
    """
    maker = maker_of(name, options, fields, tier, is_bucket=is_bucket)
    make = maker.make_named
    for item in records:
        yield item if isinstance(item, Finding) else make(item[1], item[0])
    yield from maker.warnings()


def maker_of(
    name: str,
    options: ReadOptions,
    fields: Sequence[str] = TOKEN_FIELDS,
    tier: str = "measured",
    *,
    is_bucket: bool = False,
) -> RowMaker:
    """What makes rows of records; arguments as of `rows_of`."""
    return RowMaker(mapping_of(name, options, fields, tier, is_bucket=is_bucket), options.file)


def mapping_of(
    name: str,
    options: ReadOptions,
    fields: Sequence[str] = TOKEN_FIELDS,
    tier: str = "measured",
    *,
    is_bucket: bool = False,
) -> FieldMapping:
    """The mapping of records that name their fields as we do; arguments as of `rows_of`."""
    return FieldMapping(
        columns={field: field for field in fields},
        source_id=options.source_id(name),
        constants=options.constants,
        timezone=options.timezone,
        tier=tier,
        is_bucket=is_bucket,
    )


def utf8_lines(stream: BinaryIO, file: str) -> Iterator[bytes]:
    """The lines of a file as UTF-8, whatever byte order mark it has."""
    lines = Lines(stream, file)
    if lines.encoding == "utf-8":
        return iter(lines.stream)
    return (line.encode("utf-8", errors="surrogateescape") for line in lines)


def utf8_text(stream: BinaryIO, file: str) -> bytes:
    """A whole file as UTF-8, whatever byte order mark it has."""
    lines = Lines(stream, file)
    return lines.stream.read() if lines.encoding == "utf-8" else b"".join(utf8_lines(lines.stream, file))


def whole_json(stream: BinaryIO, file: str, shape: object = None) -> Iterator[object | Finding]:
    """The one value of a JSON file, or what is wrong with it; ``shape`` as in `marked_lines`."""
    text = utf8_text(stream, file).strip()
    value = shaped(shape)(text)
    if not text:
        yield Finding(file, None, "empty-file", is_error=False)
    elif value is None:
        yield Finding(file, None, "broken-json")
    else:
        yield value


def json_documents(stream: BinaryIO, file: str) -> Iterator[tuple[int | None, dict[str, Any]] | Finding]:
    """The objects of a file that is JSON lines, one JSON text, a list, or texts printed one behind the other.

    With their line where the file has several.
    """
    rest: list[bytes] = []
    first = number = 0
    for number, line in enumerate(utf8_lines(stream, file), start=1):
        if _is_torn(rest, line):
            yield Finding(file, first, "broken-json")
            rest = []
        document = None if rest else loaded(line)
        if isinstance(document, dict):
            yield number, document
        elif rest or line.rstrip() == b"{" or (number == 1 and _is_json(line)):
            first = first if rest else number
            rest.append(line)
            document = loaded(b"".join(rest)) if _may_end(rest) else None
            if isinstance(document, dict):
                yield None if first == 1 else first, document
                rest = []
        elif line.strip():
            yield Finding(file, number, "not-json" if line.endswith(ENDS) else "truncated")
    text = loaded(b"".join(rest)) if rest else []
    if text is None:
        yield Finding(file, None if first == 1 else first, "broken-json")
    for document in text if isinstance(text, list) else [text]:
        if isinstance(document, dict):
            yield None, document


def _is_json(line: bytes) -> bool:
    return line.lstrip().startswith((b"{", b"["))


def _is_printed(rest: Sequence[bytes]) -> bool:
    """Whether an object is printed over several lines, those inside it set in: only its own braces stand in front."""
    return bool(rest) and rest[0].rstrip() == b"{" and rest[1:2] != [] and rest[1][:1] in (b" ", b"\t")


def _may_end(rest: Sequence[bytes]) -> bool:
    return _is_printed(rest) and rest[-1].rstrip() == b"}"


def _is_torn(rest: Sequence[bytes], line: bytes) -> bool:
    """Whether the next object begins before the one being read has ended."""
    return line.rstrip() == b"{" and line[:1] == b"{" and _is_printed(rest)


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """The objects in a list, or none where it is no list."""
    yield from (entry for entry in (value if isinstance(value, list) else []) if isinstance(entry, dict))


def first_of(record: object, *paths: str) -> object:
    """The first value that is there, of several names for the same thing; dots lead into nested objects."""
    return next((value for path in paths if (value := dig(record, path)) is not None), None)


def whole(value: object) -> int | None:
    """A count if it is a whole number, else None: for comparing, not for booking."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_odd(counts: Mapping[str, object]) -> bool:
    """Whether a cell among counts is there but no count: such a record is handed on whole, to be refused and told."""
    return any(
        cell is not None and (not isinstance(cell, int) or isinstance(cell, bool) or cell < 0)
        for cell in counts.values()
    )


def name_of(value: object) -> str | None:
    """A text if it is one, else None."""
    return value if isinstance(value, str) and value else None


def folder_name(path: object) -> str | None:
    """The last part of a path of either system: the project's name without what lies above it."""
    return _last_part(path) if isinstance(path, str) else None


@lru_cache
def _last_part(path: str) -> str | None:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or None
