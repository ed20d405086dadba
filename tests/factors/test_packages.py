"""Factors as an installed package: really built and installed, chosen before the shipped ones, named, checked."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from joulebook.errors import FactorAmbiguous, UnknownName
from joulebook.factors import packages
from joulebook.factors.check import check
from joulebook.factors.choose import choose
from joulebook.factors.faults import FactorFault
from joulebook.factors.packages import FactorPackage, factor_packages
from joulebook.factors.read import read_edition, read_with_faults

AT = date(2026, 6, 1)
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-factors"
version = "1.0"

[project.entry-points."joulebook.factors"]
acme = "acme_factors"
"""
SOURCES = """
{source}:
  title: Yearly statement
  publisher: Facility management
  url: "-"
  licence: own data
  edition: "2026"
  date_seen: 2027-01-15
  ships: false
"""
SITE = """
kind: site
factors:
  - subject: aws:us-east-1
    values:
      - {{quantity: pue_ratio, unit: "1", value: {pue}, low: {pue}, high: {pue}, valid_from: 2026-01-01,
         known_from: 2027-01-15, tier: measured, source: {source}, cell: "page 2"}}
"""


def factor_folder(folder: Path, pue: float, source: str = "acme-meters") -> Path:
    """A folder with one PUE of a region that the library knows, too."""
    folder.mkdir(parents=True)
    (folder / "sources.yaml").write_text(SOURCES.format(source=source), encoding="utf-8")
    (folder / "site.yaml").write_text(SITE.format(pue=pue, source=source), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place where a package of factors is really installed, apart from everything else."""
    project, target = tmp_path_factory.mktemp("acme"), tmp_path_factory.mktemp("target")
    (project / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    module = factor_folder(project / "src" / "acme_factors", 1.07)
    (module / "__init__.py").write_text('raise RuntimeError("a factor package is read, never run")\n', encoding="utf-8")
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-build-isolation"]
    subprocess.run([*command, "--python", sys.executable, "--target", str(target), str(project)], check=True)
    return target


def joulebook(installed: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command where the package is installed."""
    path = os.pathsep.join([str(installed), *sys.path])
    here = {**os.environ, "PYTHONPATH": path, "LANGUAGE": "en"}
    command = [sys.executable, "-m", "joulebook", *words]
    return subprocess.run(command, env=here, capture_output=True, text=True, check=False)


def test_an_installed_package_answers_and_is_named(installed: Path) -> None:
    """After installing, the PUE of the package is chosen without any option, and says where it comes from."""
    found = joulebook(installed, "factors", "show", "aws:us-east-1", "--quantity", "pue_ratio", "--at", "2026-06-01")
    assert found.returncode == 0, found.stderr
    assert "1.07" in found.stdout
    assert "factor of an installed package" in found.stdout
    assert "acme" in found.stdout


def test_a_folder_wins_over_a_package(installed: Path, tmp_path: Path) -> None:
    """A folder named on the command line stands before an installed package, and no conflict is told."""
    own = factor_folder(tmp_path / "own", 1.21, "own-meters")
    words = ("factors", "show", "aws:us-east-1", "--quantity", "pue_ratio", "--at", "2026-06-01")
    found = joulebook(installed, "--factors", str(own), *words)
    assert "1.21" in found.stdout.split("other values")[0]
    assert "user factor" in found.stdout
    assert joulebook(installed, "factors", "check", str(own)).returncode == 0


def test_two_packages_that_differ_are_named(tmp_path: Path) -> None:
    """Two packages with different values for the same number: an error and a finding that name both."""
    both = [
        FactorPackage(name, factor_folder(tmp_path / name, pue, name)) for name, pue in (("one", 1.1), ("two", 1.2))
    ]
    edition = read_edition(*both)
    with pytest.raises(FactorAmbiguous) as caught:
        choose(edition, "pue_ratio", "aws:us-east-1", AT)
    assert "one" in str(caught.value)
    assert "two" in str(caught.value)
    found = [finding for finding in check(edition) if finding.rule == "factors-conflict"]
    assert len(found) == 1
    assert str(tmp_path / "two") in f"{found[0].file} {found[0].facts['other']}"


def test_two_packages_that_agree_are_no_conflict(tmp_path: Path) -> None:
    """The same number said twice is no conflict."""
    both = [FactorPackage(name, factor_folder(tmp_path / name, 1.1, name)) for name in ("one", "two")]
    edition = read_edition(*both)
    assert choose(edition, "pue_ratio", "aws:us-east-1", AT).factor.value == 1.1
    assert not [finding for finding in check(edition) if finding.rule == "factors-conflict"]


def test_one_source_in_two_packages_is_refused(tmp_path: Path) -> None:
    """Two packages that name their source alike are refused with both files."""
    both = [FactorPackage(name, factor_folder(tmp_path / name, 1.1, "meters")) for name in ("one", "two")]
    faults = read_with_faults(*both).faults
    assert [fault.rule for fault in faults] == ["duplicate-source"]
    with pytest.raises(FactorFault):
        read_edition(*both)


def test_a_package_is_remembered_by_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read from the cache knows the package as what is read from the files does."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = FactorPackage("acme", factor_folder(tmp_path / "acme", 1.07))
    fresh = read_with_faults(package).edition
    from joulebook.factors import compiled

    compiled.save("k", fresh)
    assert compiled.load("k") == fresh


class Point:
    """An entry point."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value


def test_an_entry_point_to_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose module is gone is an error with its name, not a silent absence."""
    monkeypatch.setattr(packages, "entry_points", lambda group: [Point("gone", "no_such_module_at_all")])
    with pytest.raises(UnknownName) as caught:
        factor_packages()
    assert "no_such_module_at_all" in str(caught.value)
