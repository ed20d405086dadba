"""Strict reading: every fault names file and line and says how to mend it."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from joulebook.errors import FactorFileError
from joulebook.factors import compiled
from joulebook.factors.faults import FAULTS
from joulebook.factors.read import HERE, _fingerprint, read_edition, read_with_faults, ship

SOURCES = """\
report:
  title: A report
  publisher: Someone
  url: https://example.org
  licence: CC BY 4.0
  edition: "2025"
  date_seen: 2026-01-01
  ships: true
"""

GOOD = """\
kind: grid
defaults:
  quantity: intensity_g_per_kwh
  unit: g/kWh
  basis: {signal: average}
  source: report
  known_from: 2025-04-08
  tier: derived
  cell: table 1
factors:
  - subject: NOR
    name: {en: Norway, ko: 노르웨이}
    values:
      - {valid_from: 2023-01-01, valid_to: 2024-01-01, value: 30, low: 25, high: 35}
      - {valid_from: 2024-01-01, value: 28, low: 20, high: 40}
links:
  - {subject: NO, relation: parent, object: NOR, valid_from: 2000-01-01}
"""

FIRST = "{valid_from: 2023-01-01, valid_to: 2024-01-01, value: 30, low: 25, high: 35}"
SECOND_LINE = 15


def folder(tmp_path: Path, text: str, sources: str = SOURCES) -> Path:
    """A library of one file."""
    (tmp_path / "data" / "grid").mkdir(parents=True, exist_ok=True)
    (tmp_path / "data" / "grid" / "places.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "sources.yaml").write_text(sources, encoding="utf-8")
    return tmp_path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """Values take what stands under defaults, links too, and a country code that YAML calls false stays a text."""
    reading = read_with_faults(library=folder(tmp_path, GOOD))
    assert reading.faults == ()
    first, second = reading.edition.factors
    assert (first.subject, first.value, first.valid_to, first.line) == ("NOR", 30.0, date(2024, 1, 1), 14)
    assert (second.valid_to, second.file) == (None, "grid/places.yaml")
    assert reading.edition.links[0].subject == "NO"
    assert reading.edition.names["NOR"]["ko"] == "노르웨이"


CASES = [
    ("duplicate-key", GOOD.replace("  tier: derived", "  tier: derived\n  tier: assumed"), 9),
    ("unknown-key", GOOD.replace("  tier: derived", "  teir: derived"), 8),
    ("bad-date", GOOD.replace("valid_from: 2024-01-01", "valid_from: 2024-13-01"), SECOND_LINE),
    ("bad-date", GOOD.replace("valid_from: 2024-01-01", "valid_from: 2024"), SECOND_LINE),
    ("bad-number", GOOD.replace("value: 28", "value: many"), SECOND_LINE),
    ("bad-number", GOOD.replace("high: 40", "high: .inf"), SECOND_LINE),
    ("bad-bool", GOOD.replace("high: 40", "high: 40, exact: maybe"), SECOND_LINE),
    ("bad-tier", GOOD.replace("tier: derived", "tier: certain"), 14),
    ("missing-key", GOOD.replace("  unit: g/kWh\n", ""), 13),
    ("missing-key", GOOD.replace("  source: report\n", ""), 13),
    ("missing-key", GOOD.replace("  cell: table 1\n", ""), 13),
    ("missing-key", GOOD.replace(", low: 20", ""), SECOND_LINE),
    ("missing-key", GOOD.replace("  - subject: NOR\n    name", "  - name"), 11),
    ("low-above-value", GOOD.replace("low: 20", "low: 29"), SECOND_LINE),
    ("high-below-value", GOOD.replace("high: 40", "high: 27"), SECOND_LINE),
    ("validity-reversed", GOOD.replace("valid_to: 2024-01-01", "valid_to: 2023-01-01"), 14),
    ("overlap", GOOD.replace("valid_from: 2024-01-01", "valid_from: 2023-12-31"), SECOND_LINE),
    ("unknown-quantity", GOOD.replace("quantity: intensity_g_per_kwh", "quantity: intensity"), 14),
    ("wrong-unit", GOOD.replace("unit: g/kWh", "unit: kg/MWh"), 14),
    ("unknown-source", GOOD.replace("source: report", "source: reprot"), 14),
    ("not-yaml", GOOD.replace("factors:", "factors: ["), 11),
    ("not-yaml", GOOD.replace("low: 20", "low: &anchor 20"), SECOND_LINE),
    ("not-yaml", GOOD + "---\nkind: grid\n", 19),
    ("not-a-map", GOOD.replace(FIRST, "30"), 14),
    ("not-a-list", GOOD.replace("factors:\n  - subject: NOR", "factors:\n    subject: NOR"), 10),
    ("not-a-word", GOOD.replace("tier: derived", "tier: [derived]"), 8),
]


@pytest.mark.parametrize(("rule", "text", "line"), CASES, ids=[f"{rule}-{line}" for rule, _text, line in CASES])
def test_each_fault_names_file_and_line(tmp_path: Path, rule: str, text: str, line: int) -> None:
    """A broken rule is refused with the file, the line and the next step."""
    faults = read_with_faults(library=folder(tmp_path, text)).faults
    assert rule in {fault.rule for fault in faults}
    fault = next(fault for fault in faults if fault.rule == rule)
    assert (fault.file, fault.line) == ("grid/places.yaml", line)
    assert str(fault).startswith(f"grid/places.yaml:{line}: ")
    assert "Next: " in str(fault)


def test_every_rule_has_a_case() -> None:
    """No rule of the list goes untested."""
    assert {rule for rule, _text, _line in CASES} | {"duplicate-source", "series-changed"} == set(FAULTS)


def test_all_faults_of_a_file_in_one_run(tmp_path: Path) -> None:
    """Three faults in three lines are all reported, in the order of lines."""
    text = GOOD.replace("low: 25", "low: 31").replace("high: 40", "high: 1").replace("object: NOR, ", "")
    faults = read_with_faults(library=folder(tmp_path, text)).faults
    assert [fault.line for fault in faults] == [14, 15, 17]


def test_a_source_stands_once(tmp_path: Path) -> None:
    """The same source in two files is refused, naming both places."""
    where = folder(tmp_path, GOOD)
    (where / "sources").mkdir()
    (where / "sources" / "more.yaml").write_text(SOURCES, encoding="utf-8")
    (fault,) = read_with_faults(library=where).faults
    assert (fault.rule, fault.file, fault.line) == ("duplicate-source", "sources/more.yaml", 1)


def test_a_broken_user_folder_is_refused_whole(tmp_path: Path) -> None:
    """The error is a FactorFileError that carries every fault; nothing of the folder is used."""
    (tmp_path / "own.yaml").write_text(GOOD.replace("value: 28", "value: x").replace("low: 25", "low: y"), "utf-8")
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    with pytest.raises(FactorFileError, match=r"own\.yaml:14"):
        read_edition(tmp_path)


def test_user_rows_are_marked(tmp_path: Path) -> None:
    """Rows of a user's folder say so and name the whole path."""
    (tmp_path / "own.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    own = [row for row in read_edition(tmp_path).factors if row.is_user]
    assert [row.value for row in own] == [30, 28]
    assert own[0].file == str(tmp_path / "own.yaml")


def test_a_parse_that_was_kept_is_the_same_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cache gives back equals what the files say, row by row, link by link, id by id."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fresh = read_with_faults().edition
    compiled.save("key", fresh)
    kept = compiled.load("key")
    assert kept == fresh
    assert kept is not None
    assert kept.edition_id == fresh.edition_id
    assert [row.factor_id for row in kept.factors] == [row.factor_id for row in fresh.factors]


def test_a_damaged_parse_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept parse whose bytes were changed is as good as absent."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiled.save("key", read_edition())
    path = compiled.folder() / "key.factors.json"
    path.write_bytes(path.read_bytes().replace(b"417.3", b"317.3"))
    assert compiled.load("key") is None


def test_without_a_writable_cache_all_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that cannot be written changes nothing."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    compiled.save("key", read_edition())
    assert compiled.load("key") is None


def test_the_compiled_form_of_the_package_is_the_same_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shipped compiled equals what the files say, and is used where no cache can be written at all."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(compiled, "SHIPPED", tmp_path / "compiled.json")
    assert ship() == tmp_path / "compiled.json"
    key = _fingerprint(HERE)
    assert compiled.load(key) == read_with_faults().edition
    assert compiled.load(key[:-1] + "x") is None, "files that were changed since have another hash"


def test_a_damaged_compiled_form_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed number in the shipped form, and the files are read instead."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(compiled, "SHIPPED", tmp_path / "compiled.json")
    path = ship()
    path.write_bytes(path.read_bytes().replace(b"417.3", b"317.3"))
    assert compiled.load(_fingerprint(HERE)) is None


def test_a_library_may_move(tmp_path: Path) -> None:
    """The hash of the files does not depend on where the library lies, so a wheel can carry its compiled form."""
    shutil.copytree(HERE, tmp_path / "factors", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "terms").mkdir()
    shutil.copy(HERE.parent / "terms" / "columns.yaml", tmp_path / "terms")
    assert _fingerprint(tmp_path / "factors") == _fingerprint(HERE)
    with (tmp_path / "factors" / "data" / "grid" / "korea.yaml").open("a", encoding="utf-8") as file:
        file.write("# one more line\n")
    assert _fingerprint(tmp_path / "factors") != _fingerprint(HERE)
