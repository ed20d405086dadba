"""Finding logs, what waits, what is new, and the commands scan and statusline."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scanned import scanned

from joulebook.faces.cli.main import run_command
from joulebook.ingest.home import LogFile, log_files
from joulebook.ingest.scan import SETTLING, LogScan
from joulebook.terms.finding import Finding

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def answer(message_id, at, output=50, model="claude-sonnet-4-5"):
    """A line of Claude Code."""
    usage = {
        "input_tokens": 1000,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 3,
        "output_tokens": output,
    }
    message = {"id": message_id, "model": model, "usage": usage}
    entry = {"type": "assistant", "sessionId": "s", "cwd": "/w/shop", "timestamp": at.isoformat(), "message": message}
    return json.dumps(entry) + "\n"


def log(home, *lines, name="a.jsonl"):
    """A log file of Claude Code under a home."""
    path = home / ".claude" / "projects" / "-w-shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))
    return path


def kept(scan):
    """Rows of a pass, without findings."""
    return [row for row in scanned(scan) if not isinstance(row, Finding)]


def test_every_agent_is_found(tmp_path):
    """Logs of all agents are found in their usual folders, and other files there are left alone."""
    places = {
        ".claude/projects/-w/s.jsonl": "claude-code",
        ".config/claude/projects/-w/t.jsonl": "claude-code",
        ".codex/sessions/2026/11/22/rollout-x.jsonl": "codex",
        ".codex/archived_sessions/rollout-y.jsonl": "codex",
        ".gemini/tmp/ab/chats/session-1.json": "gemini-cli",
        ".gemini/tmp/ab/chats/0a1b/subagent.jsonl": "gemini-cli",
        ".copilot/session-state/2.jsonl": "copilot-cli",
        ".local/share/opencode/opencode.db": "opencode",
        ".local/share/opencode/storage/message/ses/msg.json": "opencode",
        ".copilot/session-state/1/events.jsonl": "copilot-cli",
        ".qwen/projects/-w/chats/q.jsonl": "qwen-code",
        ".codex/sessions/2026/11/21/rollout-z.jsonl.zst": "codex",
        ".local/share/goose/sessions/sessions.db": "goose",
        ".local/share/goose/sessions/20250615_150640.jsonl": "goose",
        "AppData/Roaming/Block/goose/data/sessions/sessions.db": "goose",
        ".config/Cursor/User/globalStorage/state.vscdb": "cursor",
        "Library/Application Support/Cursor/User/globalStorage/state.vscdb": "cursor",
        "AppData/Roaming/Cursor/User/globalStorage/state.vscdb": "cursor",
    }
    for name in [
        *places,
        ".claude/settings.json",
        ".local/share/opencode/log/x.db",
        ".gemini/tmp/ab/logs.json",
        ".gemini/tmp/ab/x.jsonl",
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    found = {str(Path(file.path).relative_to(tmp_path)): file.reader for file in log_files(tmp_path, {})}
    assert found == places


def test_variables_move_an_agents_home(tmp_path):
    """A variable that moves an agent's home is followed, several folders apart by commas."""
    for name in ("one", "two"):
        (tmp_path / name / "projects").mkdir(parents=True)
        (tmp_path / name / "projects" / "s.jsonl").write_text("{}")
    environment = {"CLAUDE_CONFIG_DIR": f"{tmp_path / 'one'}, {tmp_path / 'two'}"}
    assert len(list(log_files(tmp_path / "nowhere", environment))) == 2


def test_folders_of_the_desktop_standard(tmp_path):
    """Variables of the desktop standard and of Goose move the folders of agents that follow them."""
    for name in (
        "data/opencode/opencode.db",
        "config/Cursor/User/globalStorage/state.vscdb",
        "g/data/sessions/a.jsonl",
        "gemini/.gemini/tmp/ab/chats/session-1.jsonl",
        "qwen/projects/-w/chats/q.jsonl",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    environment = {name: str(tmp_path / folder) for name, folder in MOVED.items()}
    found = [file.reader for file in log_files(tmp_path / "nowhere", environment) if isinstance(file, LogFile)]
    assert found == ["gemini-cli", "opencode", "qwen-code", "goose", "cursor"]


MOVED = {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "GOOSE_PATH_ROOT": "g"}
MOVED |= {"GEMINI_CLI_HOME": "gemini", "QWEN_HOME": "qwen"}


def test_links_count_once(tmp_path):
    """A linked file, a linked folder and a circle of links give each log once."""
    path = log(tmp_path, answer("msg_1", NOW))
    (path.parent / "b.jsonl").symlink_to(path)
    (path.parent / "round").symlink_to(path.parent)
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "claude").symlink_to(tmp_path / ".claude")
    (path.parent / "gone.jsonl").symlink_to(tmp_path / "gone")
    assert list(log_files(tmp_path, {})) == [LogFile("claude-code", str(path))]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_findings(tmp_path):
    """A log that may not be read is told, and the others are read."""
    log(tmp_path, answer("msg_1", NOW - timedelta(days=1))).chmod(0)
    log(tmp_path, answer("msg_2", NOW - timedelta(days=1)), name="b.jsonl")
    rows = scanned(LogScan(tmp_path, {}, NOW))
    assert [row.rule for row in rows if isinstance(row, Finding)] == ["unreadable"]
    assert len(rows) == 2


def test_young_answers_wait(tmp_path):
    """An answer that may still be streaming is not booked; its file is read again."""
    log(tmp_path, answer("msg_1", NOW - timedelta(days=1)), answer("msg_2", NOW - SETTLING / 2, output=1))
    first = LogScan(tmp_path, {}, NOW)
    assert (len(kept(first)), first.waiting, first.after) == (1, 1, {})
    later = LogScan(tmp_path, {}, NOW + SETTLING, first.after)
    assert (len(kept(later)), later.waiting, len(later.after)) == (2, 0, 1)


def test_unchanged_files_are_not_read_again(tmp_path):
    """A file with the size and time of the last pass is passed over; a grown one is read."""
    path = log(tmp_path, answer("msg_1", NOW - timedelta(days=1)))
    first = LogScan(tmp_path, {}, NOW)
    assert len(kept(first)) == 1
    second = LogScan(tmp_path, {}, NOW, first.after)
    assert (kept(second), second.unchanged) == ([], 1)
    log(tmp_path, path.read_text(), answer("msg_2", NOW - timedelta(days=1)))
    assert len(kept(LogScan(tmp_path, {}, NOW, first.after))) == 2


def test_a_changed_journal_is_read(tmp_path):
    """A database whose journal grew is read again, though the file itself is as before."""
    path = tmp_path / ".local" / "share" / "opencode" / "opencode.db"
    path.parent.mkdir(parents=True)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE message (id text, session_id text, data text)")
    writer.commit()
    first = LogScan(tmp_path, {}, NOW)
    assert kept(first) == []
    status = path.stat()
    message = {
        "role": "assistant",
        "time": {"created": 1762995600000, "completed": 1762995600001},
        "tokens": {"output": 5},
    }
    writer.execute("INSERT INTO message VALUES ('m', 's', ?)", (json.dumps(message),))
    writer.commit()
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert len(kept(LogScan(tmp_path, {}, NOW, first.after))) == 1
    writer.close()


def test_the_fullest_copy_of_an_answer_wins(tmp_path):
    """Of an answer that two logs tell, the one with more tokens is booked, whichever is read first."""
    log(tmp_path, answer("msg_1", NOW - timedelta(days=1), output=1))
    log(tmp_path, answer("msg_1", NOW - timedelta(days=1), output=90), name="b.jsonl")
    assert [row["visible_output_tokens"] for row in kept(LogScan(tmp_path, {}, NOW))] == [90]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with an answer of today and one of long ago, a book and a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JOULEBOOK_BOOK", str(tmp_path / "book"))
    monkeypatch.setenv("LANG", "en")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=1)
    if datetime.now(UTC) - today < SETTLING + timedelta(minutes=1):
        pytest.skip("the day is too young for an answer of today that has settled")
    log(tmp_path, answer("msg_1", today), answer("msg_2", today - timedelta(days=90)))
    return tmp_path


def test_scan_books_and_shows(home, capsys):
    """A scan books what is new, shows the last days as JSON and as tables, and a second one books nothing."""
    assert run_command(["scan", "--home", str(home), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["files"], first["added"], first["total"]["request_count"]) == ({"claude-code": 1}, 2, 1)
    assert first["total"]["figures"]["facility_energy_kwh"]["low"] > 0
    assert first["by_project"][0]["keys"] == {"project": "shop"}
    assert first["equivalents"]
    assert all(one["low"] <= one["mid"] <= one["high"] for one in first["equivalents"])
    assert run_command(["scan", "--home", str(home), "--all", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["added"], again["unchanged_files"], again["total"]["request_count"]) == (0, 1, 2)
    assert run_command(["scan", "--home", str(home)]) == 0
    shown = capsys.readouterr().out
    assert "claude-sonnet-4-5" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())


def test_the_hint_on_unknown_places_can_be_followed(home, capsys):
    """What a scan says to do about unknown places are commands that exist, and that make the place known."""
    assert run_command(["--lang", "en", "scan", "--home", str(home)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    hint = re.search(r"joulebook (--book NAME import claude-code FILE --region USA)\.", shown)
    file = next(home.rglob("*.jsonl"))
    words = hint[1].replace("NAME", str(home / "own")).replace("FILE", str(file)).split()
    assert run_command(["--lang", "en", *words]) == 0
    capsys.readouterr()
    assert run_command(["--lang", "en", "--book", str(home / "own"), "report"]) == 0
    assert "no known place" not in capsys.readouterr().out
    assert "--region at the import" not in shown


def test_scan_of_nothing(tmp_path, monkeypatch, capsys):
    """Where no agent left a log, the command says so and what to do."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run_command(["--lang", "en", "--book", str(tmp_path / "book"), "scan", "--home", str(tmp_path)]) == 0
    assert "--home" in capsys.readouterr().err


def test_statusline(home):
    """The status line tells today's figures after a scan, says what to do before, and loads no Click."""
    command = [sys.executable, "-m", "joulebook", "statusline", "--lang", "en"]
    before = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "joulebook scan" in before.stdout
    assert run_command(["scan", "--home", str(home), "--json"]) == 0
    after = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "joulebook today: ⚡" in after.stdout
    assert "CO2e" in after.stdout
    code = "import sys, joulebook.faces.cli.statusline as s; s.main([]); sys.exit('click' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_refused_answers_can_be_added_afterwards(home, tmp_path, capsys):
    """Answers that a report may hold are refused and told; a scan that is told to add them reads them again."""
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    result = {"model": "claude-sonnet-4-5", "uncached_input_tokens": 5000, "output_tokens": 100}
    bucket = {"starting_at": day.isoformat(), "ending_at": (day + timedelta(days=1)).isoformat(), "results": [result]}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"data": [bucket]}))
    log(home, answer(f"msg_{'x' * 24}", day))
    assert run_command(["import", "anthropic-usage", str(report)]) == 0
    assert run_command(["scan", "--home", str(home), "--json"]) == 1
    capsys.readouterr()
    assert run_command(["scan", "--home", str(home), "--add-overlaps", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 1
