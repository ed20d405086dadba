"""Numbers are data: the formulas hold none."""

import ast
from pathlib import Path

import pytest

import joulebook

SOURCE = Path(joulebook.__file__).parent
PURE = sorted(path for folder in ("account", "estimate", "reduce") for path in (SOURCE / folder).rglob("*.py"))
ALLOWED = {0, 1}


def literals(text: str) -> list[tuple[int, object]]:
    """Numbers in a source text, with their lines, but for 0, 1 and -1."""
    found = []
    for node in ast.walk(ast.parse(text)):
        is_number = isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex)
        if is_number and not isinstance(node.value, bool) and node.value not in ALLOWED:
            found.append((node.lineno, node.value))
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_number_of_the_world_stands_in_a_formula(path: Path):
    """Formulas, estimates and plans hold no numeric literal except 0, 1 and -1."""
    kept = [(line, value) for line, value in literals(path.read_text(encoding="utf-8")) if not is_count(path, line)]
    assert not kept


def is_count(path: Path, line: int) -> bool:
    """Whether a literal only says how many digits or letters of a text are kept."""
    text = path.read_text(encoding="utf-8").splitlines()[line - 1]
    return text.startswith(("ID_DIGITS = ", "DIGITS = "))


def test_a_planted_number_is_seen():
    """The check finds a constant in a formula."""
    assert literals("def f(x):\n    return x * 0.429\n") == [(2, 0.429)]
