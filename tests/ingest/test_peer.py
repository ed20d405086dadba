"""ccusage as a peer: the same logs, the same totals, and the differences that are meant.

ccusage 20.0.24 (npm) is installed into a folder of its own; without npm or its registry the test is skipped. It reads
our recordings, the reference logs, and logs that are generated with the habits of the agents: streamed lines, events
emitted again, forks.

Where ccusage cannot compute a total as we mean it, `DIFFERENCES` says by how much and why, and the test demands exactly
that. A session that names no model is "gpt-5" to ccusage and unknown to us, which changes no total.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scanned import scanned

from joulebook.ingest.scan import LogScan
from joulebook.terms.finding import Finding

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "speed"))
from agent_logs import make_home

VERSION = "20.0.24"
LOGS = {
    "claude-code.jsonl": ".claude/projects/-home-x-shop/s1.jsonl",
    "codex.jsonl": ".codex/sessions/2026/11/11/rollout-2026-11-11T01-00-00-0197.jsonl",
    "qwen-code.jsonl": ".qwen/projects/-home-x-shop/chats/q1.jsonl",
    "gemini-cli.json": ".gemini/tmp/ab12/chats/session-2026-11-12T01-00-g1.json",
    "opencode.json": ".local/share/opencode/storage/message/ses_1/msg_o1.json",
    "copilot-cli.jsonl": ".copilot/session-state/c1/events.jsonl",
    "gemini-cli.jsonl": ".gemini/tmp/ab12/chats/g1/subagent.jsonl",
    "goose-ledger.sql": ".local/share/goose/sessions/sessions.db",
}
GENERATED_MB = 8

DIFFERENCES = {
    "gemini": {"output": 35},  # thoughts stand beside the output; ccusage has them in its total only
    "goose": {"input": -8320, "read": 8320},  # input contains what was cached, which ccusage leaves in it
    "qwen": {"input": -150, "output": 20},  # input contains what was cached, counted twice there; thoughts as above
}
"""What we have more than ccusage."""


@pytest.fixture(scope="module")
def ccusage(tmp_path_factory):
    """The program, installed by npm, or named by the variable CCUSAGE."""
    named = os.environ.get("CCUSAGE")
    if named:
        return Path(named)
    if shutil.which("npm") is None:
        pytest.skip("npm is not here")
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"ccusage@{VERSION}"],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("npm cannot install ccusage here")
    return folder / "node_modules" / ".bin" / "ccusage"


@pytest.fixture
def home(tmp_path, shared_data):
    """A home with the recordings and the reference logs."""
    recordings = Path(__file__).parent / "recordings"
    for name, place in LOGS.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as database:
                database.executescript((recordings / name).read_text())
        else:
            shutil.copy(recordings / name, path)
    agents = shared_data / "usage" / "agents"
    shutil.copytree(agents / "claude_code_home", tmp_path / ".claude", dirs_exist_ok=True)
    shutil.copytree(agents / "codex_home", tmp_path / ".codex", dirs_exist_ok=True)
    return tmp_path


def ours(home):
    """Tokens per agent: input without cache, cache read, cache write, output with reasoning."""
    sums = {}
    for row in scanned(LogScan(home, {}, datetime(2027, 1, 1, tzinfo=UTC))):
        assert not isinstance(row, Finding)
        known = sums.setdefault(row["tool"], Counter())
        known["input"] += row.get("uncached_input_tokens") or 0
        known["read"] += row.get("cache_read_tokens") or 0
        known["write"] += row.get("cache_write_tokens") or 0
        known["output"] += (row.get("visible_output_tokens") or 0) + (row.get("reasoning_output_tokens") or 0)
    return {name: dict(known) for name, known in sums.items()}


def theirs(program, home, agent):
    """The same sums from ccusage."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [program, agent, "daily", "--offline", "--json"], env=environment, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)["totals"]
    words = {
        "input": "inputTokens",
        "read": "cacheReadTokens",
        "write": "cacheCreationTokens",
        "output": "outputTokens",
    }
    return {ours: told.get(word, 0) for ours, word in words.items()}


AGENTS = {"claude": "claude-code", "copilot": "copilot-cli", "gemini": "gemini-cli", "qwen": "qwen-code"}
"""ccusage's word -> ours, where they differ."""


@pytest.mark.parametrize("agent", ["claude", "codex", "copilot", "gemini", "goose", "opencode", "qwen"])
def test_ccusage_agrees(ccusage, home, agent):
    """Input, cache and output of every agent are the same as ccusage 20.0.24 finds, but for the named differences."""
    found, more = theirs(ccusage, home, agent), DIFFERENCES.get(agent, {})
    assert {word: count + more.get(word, 0) for word, count in found.items()} == ours(home)[AGENTS.get(agent, agent)]


def test_ccusage_agrees_on_generated_logs(ccusage, tmp_path):
    """On a generated home of several agents every total is the same, but for the thoughts of Gemini CLI."""
    make_home(tmp_path, GENERATED_MB)
    told = ours(tmp_path)
    for agent in ("claude", "codex", "gemini", "opencode", "qwen"):
        found = theirs(ccusage, tmp_path, agent)
        if agent == "gemini":
            found["output"] += THOUGHTS * len(list_answers(tmp_path))
        assert found == told[AGENTS.get(agent, agent)], agent


THOUGHTS = 30
"""Hidden reasoning of each generated answer of Gemini CLI."""


def list_answers(home):
    """The generated answers of Gemini CLI."""
    chats = (json.loads(path.read_text()) for path in home.glob(".gemini/tmp/*/chats/*.json"))
    return [message for chat in chats for message in chat["messages"]]


def test_forks_count_once(ccusage, home):
    """A forked session of opencode counts once here; ccusage counts the copies too, and nothing else differs."""
    place = home / ".local/share/opencode/storage/message"
    first = place / "ses_1" / "msg_o1.json"
    before = theirs(ccusage, home, "opencode"), ours(home)["opencode"]
    copy = json.loads(first.read_text()) | {"id": "msg_o2", "sessionID": "ses_2"}
    (place / "ses_2").mkdir()
    (place / "ses_2" / "msg_o2.json").write_text(json.dumps(copy))
    after = theirs(ccusage, home, "opencode"), ours(home)["opencode"]
    assert after[1] == before[1]
    assert after[0] == {word: 2 * count for word, count in before[0].items()}
