"""The guide to factors: its examples are read as they stand."""

import re
from datetime import date
from pathlib import Path

import pytest

from joulebook.factors.choose import choose, resolve_place
from joulebook.factors.read import read_edition

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"```yaml\n# my-factors/(\S+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["factors.md", "factors.ko.md"])
def test_the_example_folder_works(tmp_path: Path, page: str) -> None:
    """The folder of the guide is accepted, its PUE answers as the user's, and its place has a grid."""
    for name, text in EXAMPLE.findall((DOCS / page).read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    edition = read_edition(tmp_path)
    day = date(2026, 6, 1)
    choice = choose(edition, "pue_ratio", "own:daejeon", day)
    assert (choice.factor.value, choice.chosen_because) == (1.21, "user factor")
    assert resolve_place(edition, "own", "daejeon", day).zone == "KOR"


def test_both_languages_name_the_same_commands() -> None:
    """The Korean page has every command of the English one."""
    english, korean = (set(re.findall(r"joulebook factors \S+", (DOCS / page).read_text(encoding="utf-8")))
                       for page in ("factors.md", "factors.ko.md"))  # fmt: skip
    words = {line.split()[2].rstrip("`") for line in english}
    assert words == {line.split()[2].rstrip("`") for line in korean}
