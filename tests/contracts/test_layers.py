"""Who may import whom: each rule is broken once on purpose, and the check must see it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = {
    "a layer imports one above it": ("account/overhead.py", "import joulebook.ledger"),
    "terms import factors": ("terms/tier.py", "import joulebook.factors.edition"),
    "factors import the account": ("factors/edition.py", "import joulebook.account.overhead"),
    "strangers meet": ("reduce/__init__.py", "import joulebook.disclose"),
    "a reader knows factors": ("ingest/reader.py", "import joulebook.factors.edition"),
    "the meter knows the estimate": ("measure/tally.py", "import joulebook.estimate.tokens"),
    "the store knows the account": ("store/store.py", "import joulebook.account.overhead"),
    "a face opens the store": ("faces/text.py", "import joulebook.store.store"),
    "the ledger opens the store": ("ledger/posting.py", "import joulebook.store.store"),
    "the core uses an engine": ("account/pricing.py", "import duckdb"),
    "the core asks the clock": ("ledger/posting.py", "import time"),
    "the core throws dice": ("account/interval.py", "import random"),
    "the core starts a program": ("estimate/tokens.py", "import subprocess"),
    "the core uses the network": ("factors/choose.py", "import urllib.request"),
    "a live source knows factors": ("live/client.py", "import joulebook.factors.edition"),
    "the meter uses tables": ("measure/tally.py", "import narwhals"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over a copy of the source."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    surroundings = {"PYTHONPATH": str(folder / "src"), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that may be spoilt."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "pyproject.toml", folder)
    left_out = shutil.ignore_patterns("__pycache__", "data", "*.mo")
    shutil.copytree(ROOT / "src", folder / "src", ignore=left_out)
    return folder


def test_the_project_keeps_its_contracts(copy: Path):
    """As it is, nobody imports what it may not."""
    result = lint(copy)
    assert result.returncode == 0, result.stdout[-2000:]


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_violation_is_seen(copy: Path, what: str):
    """An import across the layers fails the check."""
    name, line = PLANTED[what]
    path = copy / "src" / "joulebook" / name
    kept = path.read_text(encoding="utf-8")
    path.write_text(f"{kept}\n{line}\n", encoding="utf-8")
    try:
        result = lint(copy)
    finally:
        path.write_text(kept, encoding="utf-8")
    assert result.returncode == 1, result.stdout[-2000:]
    assert "BROKEN" in result.stdout
