"""Several processes that read at once: the same answers in the same order, whatever becomes of a process."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from scanned import scanned

from joulebook.errors import UnknownName
from joulebook.ingest import beside as beside_module
from joulebook.ingest import reading
from joulebook.ingest.beside import Beside
from joulebook.ingest.home import LogFile
from joulebook.ingest.scan import LogScan
from joulebook.ingest.task import Task, read_task
from joulebook.terms.blocks import table_types
from joulebook.terms.usage import USAGE_COLUMNS

RECORDINGS = Path(__file__).parent / "recordings"
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def task(agent):
    """The reading of one recording."""
    return Task([LogFile(agent, str(RECORDINGS / f"{agent}.jsonl"))], NOW, table_types(USAGE_COLUMNS))


def children():
    """Processes that this one has started and that still run."""
    return [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def home(tmp_path):
    """A home with logs of several agents, in several files, one of them broken."""
    places = {
        "claude-code.jsonl": (".claude/projects/-w/a.jsonl", ".claude/projects/-w/b.jsonl"),
        "codex.jsonl": (".codex/sessions/2026/11/11/rollout-1.jsonl",),
        "qwen-code.jsonl": (".qwen/projects/-w/chats/q.jsonl",),
        "gemini-cli.json": (".gemini/tmp/ab/chats/session-1.json",),
        "opencode.json": (".local/share/opencode/storage/message/s/m.json",),
    }
    for name, targets in places.items():
        for target in targets:
            path = tmp_path / target
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(RECORDINGS / name, path)
    (tmp_path / ".claude/projects/-w/c.jsonl").write_text('{"usage"\n')
    return tmp_path


def test_several_processes_read_the_same(home, monkeypatch):
    """Logs read by several processes give the rows and findings that one process gives, in the same order."""
    alone = scanned(LogScan(home, {}, NOW))
    monkeypatch.setattr(reading, "BESIDE_BYTES", 0)
    monkeypatch.setattr(reading, "processors", lambda: 2)
    monkeypatch.setattr(reading, "TASK_FILES", 1)
    assert scanned(LogScan(home, {}, NOW)) == alone
    assert len(alone) > 10
    assert children() == []


def test_progress_ends_at_all_bytes(home):
    """What is told of the progress grows and ends at the size of all files."""
    told = []
    scanned(LogScan(home, {}, NOW, done=lambda read, whole: told.append((read, whole))))
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    assert told == sorted(told)
    assert told[-1] == (size, size)


def test_a_killed_process_is_replaced(tmp_path):
    """Where a process dies, its task is done here, and nothing is lost or doubled."""
    tasks = [task("claude-code")] * 6
    beside = Beside(read_task, tasks, processes=2)
    for helper in children():
        helper.kill()
    assert list(beside) == [read_task(task) for task in tasks]
    assert children() == []


@pytest.mark.parametrize("ahead", [1, 32])
def test_answers_that_are_not_taken_bound_what_is_read(ahead, monkeypatch):
    """However many answers may wait to be taken, all come, in the order of the tasks."""
    monkeypatch.setattr(beside_module, "AHEAD", ahead)
    tasks = [task(agent) for agent in ("codex", "claude-code", "qwen-code") * 4]
    assert list(Beside(read_task, tasks, processes=2)) == [read_task(task) for task in tasks]
    assert children() == []


def test_no_process_outlives_a_reader_that_stops():
    """A reader that stops early leaves no process behind."""
    tasks = [task("claude-code")] * 6
    answers = iter(Beside(read_task, tasks, processes=2))
    next(answers)
    assert len(children()) == 2
    answers.close()
    assert children() == []


def test_what_fails_fails_here():
    """An error of ours in a process is raised in the one that asked."""
    with pytest.raises(UnknownName):
        list(Beside(read_task, [task("no-such-reader")], processes=1))
    assert children() == []


def test_where_no_process_can_be_started(monkeypatch):
    """Without a second process everything is read here."""
    monkeypatch.setattr("sys.executable", os.devnull)
    tasks = [task("codex")] * 3
    assert list(Beside(read_task, tasks, processes=2)) == [read_task(task) for task in tasks]
