"""Export archives of chat services: ChatGPT and Claude, as the zip that the service sends or the file in it.

They hold texts and no token counts. The texts are counted as they are read and not kept: words, groups of three digits,
Han and Kana characters. Tokenizers split text at least there (Sennrich et al. 2016, arXiv:1508.07909: subword units
do not cross words), so that the count is a lower bound. What the service adds unseen (instructions, memory, tool
results, hidden reasoning) is not in the archive. So the rows have the tier ``estimated`` and a finding says that the
counts are too low.

An answer reads all that was said before it on its branch; every branch counts, for every answer was computed. Claude's
archive also holds the text of attached files, which is read with the message, and reasoning that the user could see.
Sources: ChatGPT ``conversations.json``: ``mapping`` of nodes with parent and message; Claude ``conversations.json``:
``chat_messages`` in order.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any, BinaryIO

from joulebook.errors import InputBroken, translatable
from joulebook.ingest.lines import dig
from joulebook.ingest.reader import ReadOptions
from joulebook.ingest.records import Record, dicts, name_of, rows_of, whole_json
from joulebook.terms.finding import Finding
from joulebook.terms.usage import Usage

ZIP_MAGIC = b"PK\x03\x04"
MEMBERS = "*conversations*.json"
_PIECE = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]|\d{1,3}|(?:(?![\u3040-\u30ff\u3400-\u9fff])[^\W\d_])+(?:'[^\W\d_]{1,2})?"
)


class ChatGptExport:
    """The archive of ChatGPT."""

    name = "chatgpt-export"
    signs = translatable("conversations with a mapping of messages, as ChatGPT exports them")

    def detect(self, head: bytes, name: str) -> float:
        """By the keys of a conversation; a zip only by its name."""
        if b'"mapping"' in head and b'"create_time"' in head:
            return 0.95
        return 0.3 if head.startswith(ZIP_MAGIC) and name.endswith(".zip") else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer.

        Raises:
            InputBroken: the archive cannot be read.
        """
        return rows_of(self.name, options, _told(_chatgpt(stream, options.file), options.file), tier="estimated")


class ClaudeExport:
    """The archive of Claude."""

    name = "claude-export"
    signs = translatable("conversations with chat_messages, as Claude exports them")

    def detect(self, head: bytes, name: str) -> float:
        """By the keys of a conversation; a zip only by its name."""
        if b'"chat_messages"' in head:
            return 0.95
        return 0.25 if head.startswith(ZIP_MAGIC) and name.endswith(".zip") else 0.0

    def parse(self, stream: BinaryIO, options: ReadOptions) -> Iterator[Usage | Finding]:
        """One row per answer.

        Raises:
            InputBroken: the archive cannot be read.
        """
        return rows_of(self.name, options, _told(_claude(stream, options.file), options.file), tier="estimated")


def least_tokens(text: str) -> int:
    """At least how many tokens a text is.

    >>> least_tokens("It's 2,024 words"), least_tokens("줄북은 장부다"), least_tokens("電力")
    (4, 2, 2)
    """
    return sum(1 for _piece in _PIECE.finditer(text))


def _conversations(stream: BinaryIO, file: str) -> Iterator[dict[str, Any] | Finding]:
    """Conversations of an archive or of the file in it."""
    head = stream.read(len(ZIP_MAGIC))
    stream.seek(0)
    if head != ZIP_MAGIC:
        yield from _listed(stream, file)
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [name for name in archive.namelist() if fnmatch(name, MEMBERS)]
            if not members:
                yield Finding(file, None, "no-conversations")
            for member in members:
                with archive.open(member) as inside:
                    yield from _listed(io.BytesIO(inside.read()), file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputBroken(file=file, reason=type(error).__name__) from error


def _listed(stream: BinaryIO, file: str) -> Iterator[dict[str, Any] | Finding]:
    for document in whole_json(stream, file):
        if isinstance(document, Finding):
            yield document
        else:
            yield from dicts(document if isinstance(document, list) else [document])


def _told(records: Iterator[Record | Finding], file: str) -> Iterator[Record | Finding]:
    """The same records, and at their end what the counts are worth."""
    has_any = False
    for record in records:
        has_any = has_any or not isinstance(record, Finding)
        yield record
    if has_any:
        yield Finding(file, None, "counts-too-low", is_error=False)


def _chatgpt(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for talk in _conversations(stream, file):
        if isinstance(talk, Finding):
            yield talk
            continue
        nodes = talk.get("mapping")
        known = nodes if isinstance(nodes, dict) else {}
        sizes = {name: least_tokens(_parts(dig(node, "message"))) for name, node in known.items()}
        for name, node in known.items():
            message = dig(node, "message")
            if dig(message, "author.role") != "assistant" or not sizes[name]:
                continue
            yield (
                None,
                {
                    "request_id": name_of(dig(message, "id")) or f"{talk.get('id')}:{name}",
                    "started_at": dig(message, "create_time") or talk.get("create_time"),
                    "model": name_of(dig(message, "metadata.model_slug")),
                    "provider": "openai",
                    "tool": "chatgpt",
                    "uncached_input_tokens": sum(sizes[above] for above in _ancestors(name, known)),
                    "visible_output_tokens": sizes[name],
                },
            )


def _ancestors(name: str, nodes: Mapping[str, Any]) -> Iterator[str]:
    """What was said before a message on its branch; a circle of parents ends where it closes."""
    met = {name}
    above = dig(nodes[name], "parent")
    while isinstance(above, str) and above in nodes and above not in met:
        yield above
        met.add(above)
        above = dig(nodes[above], "parent")


def _parts(message: object) -> str:
    parts = dig(message, "content.parts")
    texts = [part for part in (parts if isinstance(parts, list) else []) if isinstance(part, str)]
    said = dig(message, "content.text")
    return "\n".join([*texts, said] if isinstance(said, str) else texts)


def _claude(stream: BinaryIO, file: str) -> Iterator[Record | Finding]:
    for talk in _conversations(stream, file):
        if isinstance(talk, Finding):
            yield talk
            continue
        before = 0
        for message in dicts(talk.get("chat_messages")):
            pieces = _texts(message.get("content"), "text")
            said = message.get("text")
            size = least_tokens("\n".join(pieces) or (said if isinstance(said, str) else ""))
            thought = least_tokens("\n".join(_texts(message.get("content"), "thinking")))
            if message.get("sender") == "assistant" and (size or thought):
                yield (
                    None,
                    {
                        "request_id": name_of(message.get("uuid")),
                        "started_at": message.get("created_at"),
                        "model": name_of(talk.get("model")),
                        "provider": "anthropic",
                        "tool": "claude",
                        "uncached_input_tokens": before,
                        "visible_output_tokens": size,
                        "reasoning_output_tokens": thought or None,
                    },
                )
            before += size + least_tokens("\n".join(_texts(message.get("attachments"), "extracted_content")))


def _texts(pieces: object, name: str) -> list[str]:
    return [text for piece in dicts(pieces) if isinstance(text := piece.get(name), str)]
