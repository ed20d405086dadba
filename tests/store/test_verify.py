"""What was changed afterwards is found."""

import json
import os
from pathlib import Path

import pytest
from tests.store.rows import usage_row

from joulebook.errors import StoreDamaged
from joulebook.store.delta import self_hash
from joulebook.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with three commits of usage and one of energy."""
    store = Store(tmp_path / "book")
    for number in range(3):
        store.append_rows("usage", [usage_row(number)], unique="usage_key", info={"why": "test"})
    store.append_rows("energy", [{"energy_key": "e", "it_energy_kwh": 1.5}], unique="energy_key", info={})
    return store


def rules(store: Store) -> list[tuple[str, str]]:
    """Rule and file name of every finding."""
    return [(finding.rule, Path(finding.file).name) for finding in store.verify()]


def test_an_untouched_book_verifies(store: Store, tmp_path: Path) -> None:
    """Nothing is found in a book as written, nor in one that does not exist."""
    assert rules(store) == []
    assert rules(Store(tmp_path / "nowhere")) == []


@pytest.mark.parametrize("version", [0, 1, 2])
def test_any_changed_byte_of_a_log_file_is_found(store: Store, version: int) -> None:
    """Changing any single byte of any log file, the last one too, is found and blamed on that file."""
    path = store.path / "usage" / "_delta_log" / f"{version:020d}.json"
    content = path.read_bytes()
    for place in range(0, len(content), 11):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert ("log-changed", path.name) in rules(store), place
    path.write_bytes(content)
    assert rules(store) == []


def test_any_changed_byte_of_a_segment_is_found(store: Store) -> None:
    """Changing any single byte of a segment is found and blamed on that segment."""
    path = store.segments("usage")[1]
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 128]) + content[place + 1 :])
        assert rules(store) == [("segment-changed", path.name)], place


def test_a_log_file_rewritten_with_a_matching_hash_breaks_the_chain(store: Store) -> None:
    """Who changes a log file and its own hash breaks the chain at the next one."""
    log = store.path / "usage" / "_delta_log"
    path = log / f"{1:020d}.json"
    content = path.read_bytes().replace(b'"why":"test"', b'"why":"lies"')
    old = json.loads(content.splitlines()[0])["commitInfo"]["joulebook"]["commit_sha256"]
    path.write_bytes(content.replace(old.encode(), self_hash(content).encode()))
    assert rules(store) == [("log-unchained", f"{2:020d}.json")]


def test_lost_files_are_found(store: Store) -> None:
    """A log file or segment that is gone is found; taking the last log file away leaves a segment without a name."""
    log = store.path / "usage" / "_delta_log"
    first, _, last = store.segments("usage")
    (log / f"{2:020d}.json").unlink()
    assert rules(store) == [("segment-unnamed", last.name)]
    (log / f"{0:020d}.json").unlink()
    first.unlink()
    assert rules(store)[0] == ("log-missing", f"{0:020d}.json")
    assert {rule for rule, _ in rules(store)} == {"log-missing", "segment-unnamed"}


def test_orphans_are_ignored_and_tidied_up_when_old(store: Store) -> None:
    """A segment no version names is not read; the next append removes it when it is a day old, and only then."""
    orphan = store.path / "usage" / "part-orphan.parquet"
    draft = store.path / ".drafts" / "left.json"
    for path in (orphan, draft):
        path.write_bytes(b"half a file")
    assert len(store.rows(store.table("usage"))) == 3
    Store(store.path).append_rows("usage", [usage_row(7)], unique="usage_key", info={})
    assert orphan.exists()
    assert draft.exists()
    for path in (orphan, draft, *store.segments("usage")):
        os.utime(path, (1.0, 1.0))
    Store(store.path).append_rows("usage", [usage_row(8)], unique="usage_key", info={})
    assert not orphan.exists()
    assert not draft.exists()
    assert len(store.rows(store.table("usage"))) == 5
    assert rules(store) == []


def test_a_damaged_segment_is_an_error_of_the_store_or_still_read(store: Store) -> None:
    """Whatever byte of a segment is changed, reading gives rows or an error that leads to the audit, nothing else."""
    path = store.segments("usage")[0]
    content = path.read_bytes()
    told = []
    for place in range(0, len(content), 61):
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        fresh = Store(store.path, threads=1)
        try:
            fresh.rows(fresh.table("usage"))
        except StoreDamaged as fault:
            told.append(str(fault))
        fresh.close()
    assert len(told) > 5
    assert all("audit" in text for text in told)
