"""Model invocation logs of Amazon Bedrock: as delivered to S3, and as they come out of CloudWatch Logs.

CloudWatch gives an entry as the text of a message: in answers of ``filter-log-events`` and ``get-log-events`` (under
``events``), in subscriptions (``logEvents``), in results of Logs Insights as CSV or JSON (``@message``), and behind a
time in exports to S3. Only counts are taken, and the names they belong to.

Input is without cache. Logs of Claude that leave the counts of the cache out have them in the answer's own ``usage``.

Sources: Amazon Bedrock user guide, "Model invocation logging", and API reference, "TokenUsage"; Amazon CloudWatch Logs
API reference, "FilterLogEvents", "GetQueryResults".

Checked against: logs and queries that public repositories keep, 2025 and 2026.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from joulebook.errors import translatable
from joulebook.ingest.energy import opened
from joulebook.ingest.lines import dig, loaded
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import TOKEN_FIELDS, Record, dicts, json_documents, name_of, rows_of, utf8_lines
from joulebook.ingest.table import Sheet, csv_header
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

if TYPE_CHECKING:
    import io

FIELDS = (*TOKEN_FIELDS, "image_count")
MESSAGE = "@message"
LISTS = ("events", "logEvents")
KIND = "ModelInvocationLog"
HEAD_BYTES = 1 << 16
PROFILE = "application-inference-profile/"
"""A profile of the user's own, whose name tells no model; the answer of some does."""


class BedrockLogs:
    """Model invocation logs of Amazon Bedrock, as delivered to S3 or CloudWatch."""

    name = "bedrock-logs"
    signs = translatable("records of schemaType ModelInvocationLog, as Amazon Bedrock writes them")

    def detect(self, head: bytes, name: str) -> float:  # noqa: ARG002  (the protocol's signature)
        """By the type of its records."""
        return 0.98 if b'ModelInvocationLog"' in head or b'ModelInvocationLog\\"' in head else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per invocation."""
        return rows_of(self.name, options, _records(stream, options), FIELDS)


def _records(stream: BinaryIO, options: ReadOptions) -> Iterator[Record | Finding]:
    for item in _documents(stream, options):
        if isinstance(item, Finding):
            yield item
            continue
        line, document = item
        for entry in _entries(document):
            if entry.get("schemaType") == KIND and not entry.get("errorCode"):
                yield line, _record(entry)


def _documents(stream: BinaryIO, options: ReadOptions) -> Iterator[tuple[int | None, Mapping[str, Any]] | Finding]:
    """The objects of a file of any form, with their line."""
    stream, is_json = opened(stream)
    if is_json:
        yield from json_documents(stream, options.file)
    elif MESSAGE in csv_header(cast("io.BufferedReader", stream).peek(HEAD_BYTES)):
        sheet = Sheet(stream, options)
        yield from sheet.faults
        yield from sheet.named()
    else:
        for number, line in enumerate(utf8_lines(stream, options.file), start=1):
            found = loaded(line[max(line.find(b"{"), 0) :]) if line.strip() else {}
            if isinstance(found, dict):
                yield number, found
            else:
                yield Finding(options.file, number, "not-json" if line.endswith(b"\n") else "truncated")


def _entries(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entries of the log in an object: itself, its message, its events, or the rows of a query's results."""
    events = [event for name in LISTS for event in dicts(document.get(name))]
    results = document.get("results")
    for row in results if isinstance(results, list) else ():
        events += [{MESSAGE: cell.get("value")} for cell in dicts(row) if cell.get("field") == MESSAGE]
    for event in events or [document]:
        message = next((event[name] for name in ("message", MESSAGE) if event.get(name)), event)
        inside = loaded(message) if isinstance(message, str) else message
        if isinstance(inside, dict):
            yield inside


def _record(entry: Mapping[str, Any]) -> dict[str, object]:
    whole = str(entry.get("modelId") or "")
    own = dig(entry, "output.outputBodyJson.model") if PROFILE in whole else None
    model = own if isinstance(own, str) else whole.rpartition("/")[2]
    read = "embedding_tokens" if "embed" in model else "uncached_input_tokens"
    counts: dict[str, object] = {
        read: dig(entry, "input.inputTokenCount"),
        "cache_read_tokens": dig(entry, "input.cacheReadInputTokenCount"),
        "cache_write_tokens": dig(entry, "input.cacheWriteInputTokenCount"),
        "visible_output_tokens": dig(entry, "output.outputTokenCount"),
    }
    if counts["cache_read_tokens"] is None and counts["cache_write_tokens"] is None:
        told = _claude_usage(dig(entry, "output.outputBodyJson"))
        counts["cache_read_tokens"] = told.get("cache_read_input_tokens")
        counts["cache_write_tokens"] = told.get("cache_creation_input_tokens")
    return {
        **counts,
        "image_count": _images(entry),
        "request_id": name_of(entry.get("requestId")),
        "started_at": entry.get("timestamp"),
        "model": name_of(model),
        "provider": "aws",
        "region": name_of(entry.get("inferenceRegion")) or name_of(entry.get("region")),
        "user_id": dig(entry, "identity.arn"),
    }


def _claude_usage(body: object) -> Mapping[str, Any]:
    """What an answer of Claude says of its use: whole, or the start of a streamed one."""
    for piece in dicts(body if isinstance(body, list) else [body]):
        usage = piece.get("usage") or dig(piece, "message.usage")
        if isinstance(usage, dict) and "cache_read_input_tokens" in usage:
            return usage
    return {}


def _images(entry: Mapping[str, Any]) -> int | None:
    """How many images a model made: as many as were answered, or asked for where the answer is kept elsewhere."""
    made = dig(entry, "output.outputBodyJson.images")
    if isinstance(made, list):
        return len(made)
    asked = dig(entry, "input.inputBodyJson.imageGenerationConfig.numberOfImages")
    return asked if isinstance(asked, int) else None
