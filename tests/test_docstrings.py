"""What docstrings show is what happens."""

import doctest
import importlib
from pathlib import Path

import pytest

import joulebook

ROOT = Path(joulebook.__file__).parent
SHOWN = sorted(path for path in ROOT.rglob("*.py") if "\n    >>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_of_docstrings_hold(path: Path):
    """Every example in a docstring gives what stands below it."""
    name = ".".join(("joulebook", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
