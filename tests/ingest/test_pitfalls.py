"""The known ways to count agents' logs wrongly, each with the test that stands against it."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "agent-logs.md"
ROW = re.compile(r"\| \d+ \|.*\| `(test_\w+)` \|")
FEWEST = 15


def listed():
    """Names of the tests in the page's table."""
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def written():
    """Names of the tests of the readers."""
    return {
        name
        for path in FOLDER.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def test_all_pitfalls_are_listed():
    """The page lists every known pitfall, each once."""
    names = listed()
    assert len(names) >= FEWEST
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", listed())
def test_every_pitfall_has_its_test(name):
    """The test that the page names for a pitfall exists."""
    assert name in written()
