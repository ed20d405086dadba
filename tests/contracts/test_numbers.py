"""Numbers are data: the formulas hold none, and the rest of the core none that is a fact about the world."""

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


CORE = sorted(
    path for folder in ("disclose", "factors", "ledger", "live", "terms") for path in (SOURCE / folder).rglob("*.py")
)
NAMED = {
    "factors/check.py:SPREAD": "rule of the check",
    "factors/choose.py:DAYS_PER_YEAR": "time",
    "factors/compare.py:DAYS_PER_YEAR": "time",
    "factors/compiled.py:KEPT": "files",
    "factors/edition.py:ID_DIGITS": "text",
    "factors/model.py:HOPS": "length of a chain",
    "ledger/coverage.py:NAMES_TOLD": "text",
    "ledger/posting.py:ID_DIGITS": "text",
    "ledger/selection.py:SHORTEST_ID": "text",
    "terms/blocks.py:INT64_LIMIT": "files",
    "disclose/equivalents.py:LEAST": "text",
    "disclose/equivalents.py:PLAUSIBLE": "rule of the check",
    "disclose/expression.py:DEEPEST": "limit of a reader",
    "disclose/expression.py:LONGEST": "limit of a reader",
    "disclose/reasons.py:DIGITS": "text",
    "disclose/verdict.py:EXACT": "rule of the check",
    "disclose/verdict.py:ROUNDED": "rule of the check",
    "disclose/verdict.py:SPREAD": "rule of the check",
    "live/cache.py:HASH_DIGITS": "text",
    "live/client.py:LONGEST_WAIT_S": "patience",
    "live/client.py:MOST_BYTES": "limit of a reader",
    "live/client.py:TIMEOUT_S": "patience",
    "live/client.py:TRIES": "patience",
    "live/eia.py:DAYS": "pages of a service",
    "live/eia.py:PAGE": "pages of a service",
    "live/electricity_maps.py:DAYS": "pages of a service",
    "live/entsoe.py:BAD_REQUEST": "protocol",
    "live/entsoe.py:STEPS": "time",
    "live/hours.py:LARGEST_LACK": "rule of the check",
    "live/hours.py:LEAST_COVERED": "rule of the check",
    "live/kpx.py:PAGE": "pages of a service",
    "live/kpx.py:STEP": "time",
    "live/uk_carbon_intensity.py:DAYS": "pages of a service",
    "live/uk_carbon_intensity.py:HALF_HOUR": "time",
    "live/watttime.py:DAYS": "pages of a service",
    "terms/display.py:DIGITS": "text",
    "terms/display.py:THOUSANDS": "text",
    "terms/range.py:Z90": "mathematics: the normal distribution at 0.9",
    "terms/rounding.py:HALF": "mathematics",
    "terms/units.py:_TO_CANONICAL": "units by definition",
    "terms/usage.py:KEY_DIGITS": "text",
}
"""Constants that are no fact about the world, with what they are."""

LOOSE = {
    ("factors/hourly.py", 24): "hours of a day",
    ("factors/model.py", 0.5): "nearness of names",
    ("live/sources.py", 0.3): "nearness of names",
    ("live/entsoe.py", 90): "pages of a service",
    ("disclose/check.py", 1e-9): "rounding",
    ("disclose/check.py", 0.5): "rounding",
    ("disclose/recompute.py", 0.5): "mathematics: a square root",
    ("disclose/reasons.py", 100): "percent",
}
"""Numbers in the middle of a line that are no fact about the world, with what they are."""

COUNTED = {2, 3}
"""Pairs and a handful of names: counts, nowhere a fact."""


def named(tree: ast.Module) -> dict[int, str]:
    """Node -> name of the constant it belongs to, for constants of a module."""
    found = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id.isupper():
            found |= {id(part): target.id for part in ast.walk(node)}
    return found


def positions(tree: ast.Module) -> set[int]:
    """Numbers that say a place in a text or list, or the base of an integer."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            found |= {id(part) for part in ast.walk(node.slice)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int":
            found |= {id(part) for part in node.args[1:]}
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_number_of_the_world_stands_in_the_core(path: Path):
    """Every other number of the core is a named constant or a count that this test knows to be no fact of the world."""
    file = path.relative_to(SOURCE).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names, places = named(tree), positions(tree)
    strange = []
    for node in ast.walk(tree):
        is_number = isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex)
        if not is_number or isinstance(node.value, bool) or node.value in ALLOWED | COUNTED or id(node) in places:
            continue
        if f"{file}:{names.get(id(node))}" not in NAMED and (file, node.value) not in LOOSE:
            strange.append((node.lineno, node.value))
    assert not strange


def test_no_exception_is_left_over():
    """Each constant the test lets through still stands in its file."""
    for entry in NAMED:
        file, _colon, name = entry.partition(":")
        assert name in named(ast.parse((SOURCE / file).read_text(encoding="utf-8"))).values(), entry
    for file, value in LOOSE:
        assert value in [found for _line, found in literals((SOURCE / file).read_text(encoding="utf-8"))], (file, value)
