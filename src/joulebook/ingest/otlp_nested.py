"""Spans that repeat the counts of other spans.

A span that names neither operation nor kind may be a call by an old convention, or a run of an agent that tells the sum
of its calls, as Pydantic AI wrote until 2025: it is one where a span inside it tells counts as well. Spans come in any
order, so such spans wait for the end of the file.

Where a framework and the supplier's package are both instrumented, one call is told twice with the same counts: by the
package, and by the framework around it, as the span's parent or, with LangChain, without a link. The one around it is
passed over; it ends last, so it comes last.

Checked against: what Pydantic AI 0.4.0, and OpenInference's instrumentations of LangChain, OpenAI and Anthropic
together, wrote. Source: Phoenix, issue 5590 and pull request 15913 (LlamaIndex and OpenAI, "leaf LLM spans").
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from joulebook.ingest.records import Record, name_of, whole

OUTPUT = "output_tokens"
LATEST, ALIKE = 1000, 50
"""Counts, and calls with the same counts, among which the one is sought that a framework tells again."""


class Origin(NamedTuple):
    """Where a span comes from: the instrumentation's name, the service's, and whether it names its operation."""

    scope: str
    service: str
    is_named: bool


class _Call(NamedTuple):
    scope: str
    start: int
    end: int

    def tells(self, other: "_Call") -> bool:
        """Whether this is the call of the other, with the same counts, as another instrumentation tells it."""
        is_around = self.start <= other.start and other.end <= self.end
        is_of_other = self.scope != other.scope and "" not in (self.scope, other.scope)
        return is_around and is_of_other


class Nested:
    """Which spans tell counts inside others."""

    def __init__(self) -> None:
        self._outer: set[int] = set()
        self._told: set[int] = set()
        self._latest: dict[object, deque[_Call]] = {}
        self._held: list[tuple[int, Record]] = []

    def hold(self, line: int | None, record: Mapping[str, object], span: Mapping[str, Any], origin: Origin) -> bool:
        """Take note of a span with counts; whether its record has to wait, or repeats another.

        Args:
            line: where the span stands.
            record: its counts.
            span: as OTLP has it.
            origin: where it comes from.
        """
        trace, own, parent = (name_of(span.get(name)) for name in ("traceId", "spanId", "parentSpanId"))
        taken = whole(record.get("input_tokens"))
        counts = (whole(record.get("uncached_input_tokens")) if taken is None else taken, whole(record.get(OUTPUT)))
        is_told = None not in counts and hash((trace, own, counts)) in self._told
        if trace and parent:
            self._outer.add(hash((trace, parent)))
            self._told.add(hash((trace, parent, counts)))
        if is_told or self._is_known(record, counts, origin):
            return True
        if origin.is_named or not trace or not own:
            return False
        self._held.append((hash((trace, own)), (line, record)))
        return True

    def _is_known(self, record: Mapping[str, object], counts: tuple[object, object], origin: Origin) -> bool:
        """Whether another instrumentation has told this call; takes note of it where none has."""
        start, end = (str(record.get(name)) for name in ("started_at", "ended_at"))
        if None in counts or not (start.isdecimal() and end.isdecimal()):
            return False
        call = _Call(origin.scope, int(start), int(end))
        key = (origin.service, counts)
        alike = self._latest.pop(key, None) or deque[_Call](maxlen=ALIKE)
        self._latest[key] = alike
        if len(self._latest) > LATEST:
            del self._latest[next(iter(self._latest))]
        found = next((one for one in alike if call.tells(one)), None)
        if found is None:
            alike.append(call)
        else:
            alike.remove(found)
        return found is not None

    def rest(self) -> Iterator[Record]:
        """The records that waited, but for those that repeat what stands inside them."""
        return (record for own, record in self._held if own not in self._outer)
