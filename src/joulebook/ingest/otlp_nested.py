"""Spans that say not what they are and repeat the counts of the spans inside them.

A call of a model names its operation or its kind. A span that names neither may be a call by an old convention, or a
run of an agent that tells the sum of its calls, as Pydantic AI wrote until 2025: it is one where a span inside it tells
counts as well. Spans come in any order, so such spans wait for the end of the file.

Checked against: what Pydantic AI 0.4.0 wrote of an agent's run.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from joulebook.ingest.records import Record


class Nested:
    """Which spans tell counts inside others."""

    def __init__(self) -> None:
        self._outer: set[int] = set()
        self._held: list[tuple[int, Record]] = []

    def hold(self, line: int | None, record: Mapping[str, object], span: Mapping[str, Any], *, is_named: bool) -> bool:
        """Take note of a span with counts; whether its record has to wait.

        Args:
            line: where the span stands.
            record: its counts.
            span: as OTLP has it.
            is_named: whether it names its operation or kind.
        """
        trace, own, parent = (span.get(name) for name in ("traceId", "spanId", "parentSpanId"))
        if trace and parent:
            self._outer.add(hash((str(trace), str(parent))))
        if is_named or not trace or not own:
            return False
        self._held.append((hash((str(trace), str(own))), (line, record)))
        return True

    def rest(self) -> Iterator[Record]:
        """The records that waited, but for those that repeat what stands inside them."""
        return (record for own, record in self._held if own not in self._outer)
