"""Killed writers, many writers, full disks."""

import resource
import subprocess
import sys
from pathlib import Path

import narwhals as nw
import pytest
from tests.store.rows import usage_row

from joulebook.errors import StoreUnwritable
from joulebook.store.store import Store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run(script: str, *arguments: object) -> subprocess.Popen:
    """A script of this folder as a process of its own."""
    command = [sys.executable, str(HERE / script), str(ROOT), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_appends_lose_and_double_nothing(tmp_path: Path) -> None:
    """Appends killed at twenty points and more, and repeated, give exactly the rows of clean ones; the log verifies."""
    book = tmp_path / "book"
    process = run("killed.py", book, 30)
    died = int(process.communicate()[0])
    assert process.returncode == 0
    assert died >= 20
    store = Store(book)
    rows = store.rows(store.table("usage").select("usage_key", "uncached_input_tokens"))
    assert len(rows) == len({row["usage_key"] for row in rows}) == 30_000
    assert sorted(row["uncached_input_tokens"] for row in rows) == [100 + number for number in range(30_000)]
    assert [finding for finding in store.verify() if finding.is_error] == []


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """Four processes append fifty times each, own rows and common ones: none is lost, each common one is there once."""
    book = tmp_path / "book"
    writers = [run("crowd.py", book, number, 50) for number in range(1, 5)]
    added = [int(writer.communicate()[0]) for writer in writers]
    store = Store(book)
    keys = [row["usage_key"] for row in store.rows(store.table("usage").select("usage_key"))]
    assert len(keys) == len(set(keys)) == sum(added) == 10 + 4 * 50
    assert store.version("usage") == 4 * 50 - 1
    assert list(store.verify()) == []


@pytest.fixture
def little_room() -> object:
    """Files of this process can only grow to 64 KiB, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("little_room")
def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    """When there is no room, rows and computed tables are refused with the reason, and the book stays as it was."""
    store = Store(tmp_path / "book")
    store.append_rows("usage", [usage_row(1)], unique="usage_key", info={})
    with pytest.raises(StoreUnwritable, match="large"):
        store.append_rows("usage", (usage_row(n) for n in range(20_000)), unique="usage_key", info={})
    wide = store.small_table("wide", [{"model": str(n) * 50, "row_count": n} for n in range(300)])
    frame = wide.join(store.small_table("many", [{"team": str(n)} for n in range(300)]), how="cross")
    frame = frame.with_columns(posting_id=nw.concat_str("model", "team"))
    with pytest.raises(StoreUnwritable, match="posting"):
        store.append_table("posting", frame, info={})
    with pytest.raises(StoreUnwritable, match="full"):
        store.put("usage", [usage_row(n) for n in range(2000)], unique="usage_key")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with pytest.raises(StoreUnwritable, match="large"):
        store.append_rows("usage", [usage_row(2)], unique="usage_key", info={})
    assert (store.version("usage"), store.version("posting"), store.hot.waiting("usage")) == (0, -1, 0)
    assert list(store.verify()) == []


def test_a_place_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    """A file where the book's folder should be gives a clear error, for reading rows too."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder", encoding="utf-8")
    store = Store(blocked / "book")
    with pytest.raises(StoreUnwritable, match="Next: make room"):
        store.append_rows("usage", [usage_row(1)], unique="usage_key", info={})
    assert store.version("usage") == -1
