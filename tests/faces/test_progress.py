"""What a person sees while something takes long."""

import itertools
import sys

import pytest

from joulebook.faces import text
from joulebook.faces.cli import show


@pytest.fixture
def terminal(monkeypatch, capsys):
    """A terminal, with a clock that goes on a second each time it is read."""
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _stream: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(show.time, "monotonic", itertools.count().__next__)
    text.choose_language("en")


def test_part_and_time_left(terminal, capsys):
    """After two seconds the part that is done and the time the rest takes are told, and wiped away at the end."""
    with show.underway("Reading:") as tell:
        for done in range(0, 100, 10):
            tell(done, 100)
    told = capsys.readouterr().err
    assert "\rReading: 30% done, about 9 s left" in told
    assert "10%" not in told
    assert told.endswith("\r")


def test_quiet_and_files_get_no_progress(terminal, capsys, monkeypatch):
    """Nothing is told with --quiet, and nothing where nobody looks."""
    with show.underway("Reading:", quiet=True) as tell:
        tell(50, 100)
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _stream: False)
    with show.underway("Reading:") as tell:
        for done in range(10):
            tell(done, 10)
    assert capsys.readouterr().err == ""
