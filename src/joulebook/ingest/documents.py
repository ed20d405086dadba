"""Records of services that export the same as JSON, as JSON lines or as a table."""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

from joulebook.ingest.energy import opened
from joulebook.ingest.lines import loaded
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import dicts, json_documents
from joulebook.ingest.table import Sheet
from joulebook.terms.finding import Finding

WHOLE = re.compile(r"\d{1,18}\Z")
NAIVE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?\Z")


def documents(
    stream: BinaryIO, options: ReadOptions, needed: tuple[str, ...]
) -> Iterator[tuple[int | None, dict[str, Any]] | Finding]:
    """Records by their names, whatever form the file has; pages of an API (``data``) are taken apart.

    Cells of a table become what they would be in JSON: nothing, whole numbers, objects; all else stays text.

    Args:
        stream: the file.
        options: its name and encoding.
        needed: columns that a table of this format has.
    """
    stream, is_json = opened(stream)
    if is_json:
        for item in json_documents(stream, options.file):
            if isinstance(item, Finding):
                yield item
                continue
            line, page = item
            inside = page.get("data")
            pages = dicts(inside) if isinstance(inside, list) else [inside if isinstance(inside, dict) else page]
            yield from ((line, record) for record in pages)
        return
    sheet = Sheet(stream, options, frozenset(needed))
    yield from sheet.faults
    missing = [name for name in needed if sheet.header and name not in sheet.header]
    yield from (Finding(options.file, 1, "missing-column", {"column": name}) for name in missing)
    if missing or not sheet.header:
        return
    for row in sheet.named():
        if isinstance(row, Finding):
            yield row
        else:
            line, cells = row
            yield line, {name: _value(cell) for name, cell in cells.items() if cell not in ("", "NULL", "\\N")}


def _value(cell: str) -> object:
    """A cell as JSON has it; maps in the words of ClickHouse, and objects in those of Python, have single quotes."""
    if WHOLE.match(cell):
        return int(cell)
    if cell[:1] not in ("{", "["):
        return cell
    found = loaded(cell)
    return _literal(cell) if found is None else found


def _literal(cell: str) -> object:
    """A value in Python's words; the text itself where it is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.literal_eval(cell)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return cell


def in_utc(time: object) -> object:
    """A time that a service writes in UTC without saying so; all else as it is."""
    return f"{time}+00:00" if isinstance(time, str) and NAIVE.match(time) else time
