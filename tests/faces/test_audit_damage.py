"""`joulebook audit` names damaged files."""

from pathlib import Path

import pytest

from joulebook.faces.cli.main import run_command
from joulebook.faces.text import choose_language


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Path:
    """A book with one row, in English."""
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("JOULEBOOK_BOOK", str(tmp_path / "book"))
    usage = tmp_path / "usage.csv"
    usage.write_text("started_at,model,visible_output_tokens\n2026-11-02T00:00:00Z,gpt-4o,100\n", encoding="utf-8")
    assert run_command(["import", "csv", str(usage)]) == 0
    assert run_command(["audit"]) == 0
    capsys.readouterr()
    yield tmp_path / "book"
    choose_language(None)


@pytest.mark.parametrize(
    ("pattern", "damage", "told"),
    [
        ("usage/*.parquet", lambda content: content[:-9] + b"x" + content[-8:], "changed after it was written"),
        ("usage/*.parquet", lambda content: b"", "changed after it was written"),
        ("usage/_delta_log/*.json", lambda content: content.replace(b"Append", b"append"), "changed after"),
        ("usage/_delta_log/*.json", lambda content: b"{}", "changed after it was written"),
        ("posting/*.parquet", None, "is gone"),
    ],
)
def test_audit_names_the_damaged_file(book: Path, capsys: pytest.CaptureFixture, pattern: str, damage, told) -> None:
    """Whatever file is damaged or lost, the audit names it, says what to do, and ends with 1."""
    [path] = book.glob(pattern)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(path.read_bytes()))
    assert run_command(["audit"]) == 1
    said = capsys.readouterr()
    assert f"{path}: error: " in said.err + said.out
    assert told in said.err + said.out
