"""Export archives: zips, branches, and the lower bound."""

import io
import json
import zipfile

import pytest
from recorded import RECORDINGS

from joulebook.errors import InputBroken
from joulebook.ingest.exports import least_tokens
from joulebook.ingest.reader import ReadOptions, read_path, reader
from joulebook.terms.finding import Finding


def zipped(content, name="conversations.json"):
    """An archive with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", "{}")
        archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "recording", [one for one in RECORDINGS if one.reader.endswith("-export")], ids=lambda r: r.file
)
def test_the_archive_and_the_file_in_it(recording):
    """The zip of a service and the file in it give the same rows."""
    parse = reader(recording.reader).parse
    plain = list(parse(io.BytesIO(recording.content()), recording.read_options()))
    packed = list(parse(io.BytesIO(zipped(recording.content())), recording.read_options()))
    assert plain == packed
    assert packed[-1].rule == "counts-too-low"
    assert all(row["tier"] == "estimated" for row in plain if not isinstance(row, Finding))


def test_archives_that_are_none():
    """An archive without conversations is a finding; a broken one is an error."""
    parse = reader("chatgpt-export").parse
    assert [row.rule for row in parse(io.BytesIO(zipped("[]", "other.json")), ReadOptions())] == ["no-conversations"]
    with pytest.raises(InputBroken):
        list(parse(io.BytesIO(b"PK\x03\x04broken"), ReadOptions()))


def test_the_reference_conversation(shared_data):
    """A conversation with a branch gives one row per answer, each reading what was said before it on its branch."""
    found = list(read_path("chatgpt-export", shared_data / "usage" / "agents" / "chatgpt_conversation_example.json"))
    rows = [row for row in found if not isinstance(row, Finding)]
    first, second = rows
    assert [row["model"] for row in rows] == ["gpt-4", "gpt-4"]
    assert first["uncached_input_tokens"] == least_tokens("Hello! Can you help me with a programming question?")
    asked = least_tokens("How do I write a function in JavaScript?")
    assert second["uncached_input_tokens"] == first["uncached_input_tokens"] + first["visible_output_tokens"] + asked


@pytest.mark.parametrize(
    ("text", "most"),
    [("Hello, world!", 4), ("The quick brown fox jumps over the lazy dog.", 10), ("3.14159", 5), ("don't", 2), ("", 0)],
)
def test_never_more_than_a_tokenizer_finds(text, most):
    """The count is not above what the cl100k tokenizer gives for known texts."""
    assert least_tokens(text) <= most


def test_attached_files_and_shown_reasoning_of_claude():
    """The text of an attached file is read by the answers after it; reasoning that was shown is output of its answer.

    Source: the fields of messages that readers in public repositories expect: attachments with extracted_content,
    content of the types text, thinking, tool_use and tool_result.
    """
    shared = {"created_at": "2025-10-01T10:00:00Z", "sender": "human"}
    asked = {**shared, "uuid": "1", "text": "one two", "attachments": [{"extracted_content": "three four five"}]}
    content = [{"type": "thinking", "thinking": "six seven"}, {"type": "tool_use", "input": {"query": "no text"}}]
    answered = {**shared, "uuid": "2", "sender": "assistant", "text": "", "content": content}
    last = {**answered, "uuid": "3", "content": [{"type": "text", "text": "eight"}]}
    archive = json.dumps([{"uuid": "c", "chat_messages": [asked, answered, last]}]).encode()
    rows = [row for row in reader("claude-export").parse(io.BytesIO(archive), ReadOptions()) if isinstance(row, dict)]
    names = ("uncached_input_tokens", "visible_output_tokens", "reasoning_output_tokens")
    assert [[row.get(name) for name in names] for row in rows] == [[5, 0, 2], [5, 1, None]]
