"""Cursor: the usage events that its dashboard exports as CSV, one per request, with the counts its servers took.

The two columns of input stand beside each other in spite of their names: what was written to the cache, and the rest.
``Total Tokens`` is the sum of the four counts; where it is only the sum without the second, the first holds the second.
Events without counts used something nobody tells; those that failed or were stopped used nothing. Costs are words
(Included, Free) or money. ``auto`` names no model.

An event has no id: it is known by time, user, model and counts, and by how many like it came before in the file. What
`joulebook scan` finds on the disk are the same uses without those counts (`joulebook.store.overlap` holds them apart).

Checked against: headers and rows of exports of 2025 and 2026 that public repositories which read them record, with and
without User, Cloud Agent ID, Automation ID, Kind, Max Mode and Requests. Cursor documents no format for it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.documents import documents
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, is_odd, name_of, rows_of
from joulebook.ingest.table import csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

COUNTS = {
    "cache_write_tokens": "Input (w/ Cache Write)",
    "uncached_input_tokens": "Input (w/o Cache Write)",
    "cache_read_tokens": "Cache Read",
    "visible_output_tokens": "Output Tokens",
}
"""Our word -> their column."""

COLUMNS = ("Date", "Model", *COUNTS.values())
TOTAL = "Total Tokens"
WRITTEN, AFRESH, *_REST = COUNTS
FAILED = re.compile(r"error|abort|cancel", re.IGNORECASE)
MONEY = re.compile(r"\$?(\d+(?:\.\d+)?)\Z")
UNNAMED = ("auto", "default")
"""Labels that stand where Cursor chose the model and does not say which."""


class CursorUsage:
    """Reader of the exported events."""

    name = "cursor-usage"
    signs = translatable("the columns Input (w/ Cache Write) and Cache Read of Cursor's usage export")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the header."""
        return 0.97 if set(COLUMNS) <= set(csv_header(head)) else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per event."""
        return rows_of(self.name, options, _events(stream, options))


def _events(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    seen: Counter[str] = Counter()
    silent = 0
    for item in documents(stream, options, COLUMNS):
        if isinstance(item, Finding):
            yield item
            continue
        line, event = item
        counts = {ours: event.get(theirs) for ours, theirs in COUNTS.items()}
        if all(cell is None for cell in counts.values()):
            silent += FAILED.search(str(event.get("Kind"))) is None
            continue
        split = _split(counts, event.get(TOTAL))
        if split is None:
            yield Finding(options.file, line, "counts-disagree", {"column": TOTAL})
            continue
        yield line, _record(event, split, seen)
    if silent:
        yield Finding(options.file, None, "events-without-counts", {"count": silent})


def _split(counts: Mapping[str, Any], total: object) -> dict[str, object] | None:
    """The counts as classes; None where they do not add up to the total."""
    if total is None or is_odd({**counts, TOTAL: total}):
        return dict(counts)  # a cell that is no count is refused when the row is made
    known = {name: cell or 0 for name, cell in counts.items()}
    beside = sum(known.values())
    if total == beside:
        return dict(counts)
    if total == beside - known[AFRESH] and known[WRITTEN] >= known[AFRESH]:
        return {**counts, WRITTEN: known[WRITTEN] - known[AFRESH]}
    return None


def _record(event: Mapping[str, Any], counts: Mapping[str, object], seen: Counter[str]) -> dict[str, object]:
    model, cost = name_of(event.get("Model")), MONEY.match(str(event.get("Cost")))
    names = ("Date", "User", "Cloud Agent ID", "Model", *COUNTS.values())
    identity = "|".join(str(event.get(name) or "") for name in names)
    seen[identity] += 1
    return {
        **counts,
        "request_id": f"{identity}:{seen[identity]}",
        "started_at": event.get("Date"),
        "model": None if model in UNNAMED else model,
        "tool": "cursor",
        "user_id": name_of(event.get("User")),
        "cost_usd": cost[1] if cost else None,
    }
