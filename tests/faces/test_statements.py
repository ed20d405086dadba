"""`joulebook statements`: a table beside our figures, reasons in words, JSON for programs."""

import json
from pathlib import Path

import pytest

from joulebook.faces.cli.main import run_command

RECORDINGS = Path(__file__).parent.parent / "ingest" / "recordings" / "meters"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command on a fresh book; gives its exit code and what it printed."""
    monkeypatch.setenv("JOULEBOOK_BOOK", str(tmp_path / "book"))

    def go(*arguments):
        code = run_command(arguments)
        return code, capsys.readouterr().out

    return go


def test_statements_beside_ours(run):
    """What CodeCarbon and AWS state stands beside ours, with the reasons; our totals do not change."""
    assert run("statements")[1].startswith("No statements")
    run("import", "codecarbon", str(RECORDINGS / "codecarbon.csv"))
    before = json.loads(run("report", "--json")[1])
    run("import", "aws-carbon", str(RECORDINGS / "aws-carbon.csv"))
    assert json.loads(run("report", "--json")[1]) == before
    code, out = run("statements")
    assert code == 0
    assert all(len(text) <= 80 for text in out.splitlines())
    assert "codecarbon" in out
    assert "2 services" in out
    assert "theirs was made for a place the tool takes when it knows none" in out
    found = json.loads(run("statements", "--json")[1])["statements"]
    assert [one["stated_by"] for one in found] == ["codecarbon"] * 4 + ["aws"]
    assert found[0]["ratio"]["mid"] == pytest.approx(0.75, abs=0.05)
