"""Files as other systems write them: marks, encodings, line ends, packed, linked, growing, shut away."""

import codecs
import gzip
import io
import os
from datetime import UTC, datetime

import pytest
from recorded import RECORDINGS
from scanned import scanned

from joulebook.errors import InputMissing
from joulebook.ingest import scan as scan_module
from joulebook.ingest import task as task_module
from joulebook.ingest.home import LogFile
from joulebook.ingest.reader import read_path, reader
from joulebook.ingest.scan import LogScan
from joulebook.terms.blocks import table_types
from joulebook.terms.finding import Finding
from joulebook.terms.usage import USAGE_COLUMNS

TEXTS = [one for one in RECORDINGS if one.file.endswith((".json", ".jsonl", ".csv"))]
LINES = [one for one in TEXTS if one.file.endswith(".jsonl")]
NOW = datetime(2027, 1, 1, tzinfo=UTC)
LOGS = {
    "claude-code.jsonl": ".claude/projects/-w/{}.jsonl",
    "codex.jsonl": ".codex/sessions/2026/11/11/rollout-{}.jsonl",
    "qwen-code.jsonl": ".qwen/projects/-w/chats/{}.jsonl",
    "copilot-cli.jsonl": ".copilot/session-state/{}/events.jsonl",
    "gemini-cli.jsonl": ".gemini/tmp/ab/chats/session-{}.jsonl",
}

every_text = pytest.mark.parametrize("recording", TEXTS, ids=lambda one: one.file)
every_log = pytest.mark.parametrize("name", LOGS)


def parsed(recording, content):
    """Rows and findings of some bytes."""
    return list(reader(recording.reader).parse(io.BytesIO(content), recording.read_options()))


def content_of(name):
    """The bytes of a recording."""
    return next(one for one in RECORDINGS if one.file == name).content()


def log(home, name, session="s"):
    """A recording as a log in a home."""
    path = home / LOGS[name].format(session)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content_of(name))
    return path


def keys_of(home):
    """Keys of the rows of a scan, sorted, and its findings."""
    found = scanned(LogScan(home, {}, NOW))
    return sorted(row["usage_key"] for row in found if not isinstance(row, Finding)), [
        row for row in found if isinstance(row, Finding)
    ]


@every_text
@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_marked_encodings(recording, mark):
    """A byte order mark, of UTF-8 or UTF-16, changes no row and no finding."""
    content = recording.content()
    assert parsed(recording, content.decode().encode(mark)) == parsed(recording, content)


@every_text
def test_line_ends_of_windows(recording):
    """CRLF line ends change no row and no finding."""
    content = recording.content()
    assert parsed(recording, content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) == parsed(recording, content)


@every_text
def test_packed(recording, tmp_path):
    """A gzipped file is read as the file itself; broken off, it gives one clear error."""
    path = tmp_path / recording.file
    path.write_bytes(gzip.compress(recording.content()))
    assert list(read_path(recording.reader, path, recording.read_options())) == parsed(recording, recording.content())


@pytest.mark.parametrize("recording", LINES, ids=lambda one: one.file)
def test_cut_off_last_line(recording):
    """A last line that is cut off is told, and costs no other row."""
    content = recording.content().rstrip()
    whole, cut = parsed(recording, content), parsed(recording, content + b'\n{"usage": {"tokens')
    assert [row for row in cut if not isinstance(row, Finding)] == [
        row for row in whole if not isinstance(row, Finding)
    ]
    assert {row.rule for row in cut if isinstance(row, Finding)} >= {"truncated"}


@every_log
def test_copies_and_links_are_counted_once(name, tmp_path):
    """A log that is there as a copy, a hard link and a symbolic link is counted once."""
    path = log(tmp_path, name)
    once = keys_of(tmp_path)
    log(tmp_path, name, "copy")
    for session, link in (("hard", os.link), ("soft", os.symlink)):
        target = tmp_path / LOGS[name].format(session)
        target.parent.mkdir(parents=True, exist_ok=True)
        link(path, target)
    assert keys_of(tmp_path) == once
    assert once[0]


@every_log
def test_what_may_not_be_read_is_told(name, tmp_path, monkeypatch):
    """A log that may not be read is a finding that names it; the others are booked."""
    path, shut = log(tmp_path, name), tmp_path / "shut.jsonl"
    read = task_module.from_path

    def refuse(parse, file, options):
        if file == shut:
            raise InputMissing(file=str(file), reason="Permission denied")
        return read(parse, file, options)

    monkeypatch.setattr(task_module, "from_path", refuse)
    agent = next(one.reader for one in RECORDINGS if one.file == name)
    found = task_module.read_task(
        task_module.Task([LogFile(agent, str(shut)), LogFile(agent, str(path))], NOW, table_types(USAGE_COLUMNS))
    )
    assert found.findings == [Finding(str(shut), None, "unreadable", {"reason": "Permission denied"})]
    assert found.batches


@every_log
def test_growing_while_it_is_read(name, tmp_path):
    """A log read while it grows gives rows of the whole log only, and the next reading gives all of them."""
    path = log(tmp_path, name)
    whole = {row["usage_key"]: row for row in read_path(next(o.reader for o in RECORDINGS if o.file == name), path)}
    content = content_of(name)
    half = content.index(b"\n", len(content) // 2) + 20
    path.write_bytes(content[:half])
    rows = read_path(next(o.reader for o in RECORDINGS if o.file == name), path)
    first = next(rows, None)
    with path.open("ab") as stream:
        stream.write(content[half:])
    early = [row for row in (first, *rows) if row is not None and not isinstance(row, Finding)]
    assert {row["usage_key"] for row in early} <= set(whole)
    assert keys_of(tmp_path)[0] == sorted(whole)


def test_a_mark_inside_is_no_mark():
    """A byte order mark at the start of a later line, as joined files have it, costs that line and no other."""
    content = content_of("claude-code.jsonl")
    joined = content + codecs.BOM_UTF8 + content
    recording = next(one for one in RECORDINGS if one.file == "claude-code.jsonl")
    keys = {row["usage_key"] for row in parsed(recording, joined) if not isinstance(row, Finding)}
    assert keys == {row["usage_key"] for row in parsed(recording, content)}


def test_a_log_that_goes_away(tmp_path, monkeypatch):
    """A log that is deleted between finding and reading it is told, and the pass goes on."""
    path = log(tmp_path, "codex.jsonl")
    kept = keys_of(tmp_path)[0]
    gone = log(tmp_path, "claude-code.jsonl")
    find = scan_module.log_files

    def find_then_lose(*given):
        for found in find(*given):
            if found.path == str(gone):
                gone.unlink()
            yield found

    monkeypatch.setattr(scan_module, "log_files", find_then_lose)
    keys, findings = keys_of(tmp_path)
    assert keys == kept
    assert [(row.file, row.rule) for row in findings] == [(str(gone), "unreadable")]
    assert path.exists()
