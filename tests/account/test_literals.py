"""Constants of the world are data: the account's code knows no number but 0, 1 and -1."""

import ast
from pathlib import Path

import pytest

import joulebook.account

FILES = sorted(Path(joulebook.account.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_number_but_zero_and_one(file):
    """No numeric literal except 0, 1 and -1 stands in a module of the account."""
    found = [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    ]
    assert [each for each in found if each[1] not in (0, 1)] == []
