"""GitHub Copilot CLI: ``session-state/*/events.jsonl`` under its home, in older versions ``session-state/*.jsonl``.

Counts come when a session ends (``session.shutdown``), per model and for the session so far: a resumed session ends
again with larger counts, of which only the growth is new; where any count is smaller, counting began anew. Input
contains what was read from and written to the cache, output contains reasoning.

A session that did not end (a crash, or one still open) has no counts, which is told. The files are no documented
interface: checked against the fields that readers of other projects find in files of 2026 (``modelMetrics``, ``usage``,
``requests``).
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from joulebook.errors import translatable
from joulebook.ingest.identity import use_hash
from joulebook.ingest.lines import dig
from joulebook.ingest.marked import marked_lines
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, folder_name, is_odd, name_of, rows_of, whole
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

USED = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
"""Counts in the order of `joulebook.ingest.identity.use_hash`, the same for the agent's telemetry."""

BEGIN = b'{"type":"'

COUNTS = {
    "input_tokens": "usage.inputTokens",
    "cache_read_tokens": "usage.cacheReadTokens",
    "cache_write_tokens": "usage.cacheWriteTokens",
    "output_tokens": "usage.outputTokens",
    "reasoning_output_tokens": "usage.reasoningTokens",
    "request_count": "requests.count",
}
"""Our word -> where it stands in the metrics of a model."""


class CopilotCli:
    """Reader of the events of one session."""

    name = "copilot-cli"
    signs = translatable("events session.start and session.shutdown, as GitHub Copilot CLI writes them")

    def detect(self, head: bytes, name: str) -> float:
        """By the first event."""
        if b'"session.start"' in head or b'"session.shutdown"' in head:
            return 0.95 if b"copilot" in head or b'"modelMetrics"' in head else 0.7
        return 0.3 if name == "events.jsonl" else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per model and end of the session."""
        return rows_of(self.name, options, self.records(stream, options))

    def records(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
        """The records behind the rows."""
        return _records(stream, options.file)


def _records(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    before: dict[str, dict[str, int]] = {}
    project: str | None = None
    session: object = None
    began: object = None
    is_open = False
    for item in marked_lines(stream, file, b'"session.start"', b'"session.resume"', b'"session.shutdown"', begin=BEGIN):
        if isinstance(item, Finding):
            yield item
            continue
        line, event = item
        metrics = dig(event, "data.modelMetrics")
        if event.get("type") in ("session.start", "session.resume"):
            began, is_open = event.get("timestamp"), True
            project = folder_name(dig(event, "data.context.cwd")) or project
            session = dig(event, "data.sessionId") or session
        elif event.get("type") == "session.shutdown" and isinstance(metrics, dict):
            for model, metric in metrics.items():
                told = {ours: dig(metric, path) for ours, path in COUNTS.items()}
                now = {ours: number for ours, cell in told.items() if (number := whole(cell)) is not None}
                used: Mapping[str, object] = told if is_odd(told) else _growth(now, before.get(model))
                before[model] = now
                if used.get("input_tokens") or used.get("output_tokens"):
                    yield (
                        line,
                        {
                            **used,
                            "request_count": used.get("request_count") or None,
                            "request_id": f"{event.get('id') or event.get('timestamp')}:{model}",
                            "started_at": began or event.get("timestamp"),
                            "ended_at": event.get("timestamp"),
                            "use_hash": use_hash(CopilotCli.name, session, model, (used.get(name) for name in USED)),
                            "model": name_of(model),
                            "project": project,
                            "tool": CopilotCli.name,
                        },
                    )
            began, is_open = None, False
    if is_open:
        yield Finding(file, None, "session-open", {}, is_error=False)


def _growth(now: Mapping[str, int], before: Mapping[str, int] | None) -> dict[str, int]:
    if before is None or any(now.get(name, 0) < count for name, count in before.items()):
        return dict(now)
    return {name: count - before.get(name, 0) for name, count in now.items()}
