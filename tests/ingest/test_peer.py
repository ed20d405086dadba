"""ccusage as a peer: the same logs, the same totals, and the differences that are meant.

ccusage 20.0.24 (npm) is installed into a folder of its own; without npm or its registry the test is skipped.

Where ccusage cannot compute a total as we mean it, `DIFFERENCES` says by how much and why, and the test demands exactly
that. A session that names no model is "gpt-5" to ccusage and unknown to us, which changes no total.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from joulebook.ingest.scan import LogScan
from joulebook.terms.finding import Finding

VERSION = "20.0.24"
LOGS = {
    "claude-code.jsonl": ".claude/projects/-home-x-shop/s1.jsonl",
    "codex.jsonl": ".codex/sessions/2026/11/11/rollout-2026-11-11T01-00-00-0197.jsonl",
    "qwen-code.jsonl": ".qwen/projects/-home-x-shop/chats/q1.jsonl",
    "gemini-cli.json": ".gemini/tmp/ab12/chats/session-2026-11-12T01-00-g1.json",
    "opencode.json": ".local/share/opencode/storage/message/ses_1/msg_o1.json",
}

DIFFERENCES = {
    "gemini": {"output": 30},  # thoughts stand beside the output; ccusage has them in its total only
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
        shutil.copy(recordings / name, path)
    agents = shared_data / "usage" / "agents"
    shutil.copytree(agents / "claude_code_home", tmp_path / ".claude", dirs_exist_ok=True)
    shutil.copytree(agents / "codex_home", tmp_path / ".codex", dirs_exist_ok=True)
    return tmp_path


def ours(home):
    """Tokens per agent: input without cache, cache read, cache write, output with reasoning."""
    sums = {}
    for row in LogScan(home, {}, datetime(2027, 1, 1, tzinfo=UTC)).rows():
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


@pytest.mark.nightly
@pytest.mark.parametrize("agent", ["claude", "codex", "gemini", "qwen", "opencode"])
def test_ccusage_agrees(ccusage, home, agent):
    """Input, cache and output of every agent are the same as ccusage 20.0.24 finds, but for the named differences."""
    name = {"claude": "claude-code", "gemini": "gemini-cli", "qwen": "qwen-code"}.get(agent, agent)
    found, more = theirs(ccusage, home, agent), DIFFERENCES.get(agent, {})
    assert {word: count + more.get(word, 0) for word, count in found.items()} == ours(home)[name]
