"""Records that come one by one."""

import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
from tests.store.rows import START, stored_row, usage_row

from joulebook.errors import BadValue, StoreDamaged, StoreUnwritable, UnknownName
from joulebook.store.hot import Hot
from joulebook.store.store import Store
from joulebook.terms.usage import USAGE_COLUMNS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "book")


def seal(store: Store) -> list[int]:
    """Rows that each commit of a sealing added."""
    return [done.added for done in store.seal("usage", unique="usage_key", info={"why": "seal"})]


def test_records_are_kept_once_and_sealed_once(store: Store) -> None:
    """A record that comes again, before or after sealing, is not new; sealing twice adds nothing."""
    rows = [usage_row(n) for n in range(5)]
    assert store.put("usage", rows, unique="usage_key") == 5
    assert store.put("usage", [*rows, usage_row(5)], unique="usage_key") == 1
    assert store.hot.waiting("usage") == 6
    assert seal(store) == [6]
    assert (seal(store), store.hot.waiting("usage"), store.version("usage")) == ([], 0, 0)
    assert store.put("usage", rows, unique="usage_key") == 0
    assert seal(store) == []
    assert len(store.rows(store.table("usage"))) == 6


def test_sealed_values_are_exact(store: Store) -> None:
    """Every value comes out of the table as it was put, unknown stays unknown."""
    early = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=START.tzinfo)
    rows = [
        usage_row(1, model="", team='줄 "북"\n\x00', audio_s=1 / 3, image_count=2**63 - 1),
        usage_row(2, model=None, started_at=early, ended_at=START, is_synthetic=False),
    ]
    store.put("usage", rows, unique="usage_key")
    seal(store)
    got = store.table("usage").sort("uncached_input_tokens").collect("polars").rows(named=True)
    assert got == [stored_row(row, USAGE_COLUMNS) for row in rows]


def test_a_record_already_in_the_table_is_not_doubled_by_sealing(store: Store) -> None:
    """A record that was imported from a file and also arrived by itself is booked once."""
    store.append_rows("usage", [usage_row(1)], unique="usage_key", info={})
    store.put("usage", [usage_row(1), usage_row(2)], unique="usage_key")
    assert seal(store) == [1]
    assert len(store.rows(store.table("usage"))) == 2


def test_bad_records_are_refused_whole(store: Store) -> None:
    """One wrong value refuses the call: nothing of it is kept."""
    with pytest.raises(BadValue, match="request_count"):
        store.put("usage", [usage_row(1), usage_row(2, request_count="x")], unique="usage_key")
    with pytest.raises(BadValue, match="usage_key"):
        store.put("usage", [usage_row(3, usage_key=None)], unique="usage_key")
    with pytest.raises(BadValue):
        store.put("usage", [usage_row(3, started_at=date(2026, 1, 1))], unique="usage_key")
    with pytest.raises(UnknownName, match="prompt"):
        store.put("usage", [usage_row(3, prompt="x")], unique="usage_key")
    assert store.hot.waiting("usage") == 0


CRASH = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from joulebook.store.store import Store
from tests.store.rows import usage_row
store = Store(Path(sys.argv[2]))
store.put("usage", [usage_row(n) for n in range(10)], unique="usage_key")
def append(rows):
    if sys.argv[3] == "before":
        os._exit(9)
    done = store.append_rows("usage", rows, unique="usage_key", info={})
    if sys.argv[3] == "after":
        os._exit(9)
    return done
store.hot.seal("usage", append)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_while_sealing_loses_and_doubles_nothing(store: Store, moment: str) -> None:
    """A process that dies just before or just after the commit leaves a book that the next sealing makes whole."""
    root = Path(__file__).parents[2]
    child = subprocess.run([sys.executable, "-c", CRASH, str(root), str(store.path), moment], check=False, cwd=root)
    assert child.returncode == 9
    assert seal(store) == ([10] if moment == "before" else [0])
    assert (store.version("usage"), store.hot.waiting("usage")) == (0, 0)
    assert len(store.rows(store.table("usage"))) == 10
    assert store.put("usage", [usage_row(3)], unique="usage_key") == 0
    assert list(store.verify()) == []


WRITER = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from joulebook.store.hot import Hot
from tests.store.rows import usage_row
hot = Hot(Path(sys.argv[2]) / "hot.sqlite")
mine = int(sys.argv[3])
pairs = ([usage_row(n), usage_row(1000 * mine + n)] for n in range(50))
print(json.dumps(sum(hot.put("usage", pair, unique="usage_key") for pair in pairs)))
"""


def test_many_processes_put_at_once(store: Store) -> None:
    """Four processes that put own and common records at the same time lose none and keep the common ones once."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITER, str(root), str(store.path)]
    writers = [subprocess.Popen([*command, str(n)], cwd=root, stdout=subprocess.PIPE) for n in range(1, 5)]
    counts = [json.loads(writer.communicate()[0]) for writer in writers]
    assert sum(counts) == 50 + 4 * 50
    assert seal(store) == [250]


def test_what_is_put_is_on_the_disk(store: Store) -> None:
    """The file is in WAL mode and every transaction is forced to the disk."""
    store.put("usage", [usage_row(1)], unique="usage_key")
    connection = store.hot._connection()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()
    assert store.hot.waiting("usage") == 1


def test_an_unusable_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    """A place that cannot be written and a file that is no database are told apart."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder", encoding="utf-8")
    with pytest.raises(StoreUnwritable, match="file"):
        Hot(blocked / "hot.sqlite").put("usage", [usage_row(1)], unique="usage_key")
    other = tmp_path / "hot.sqlite"
    other.write_bytes(b"this is no database, but long enough to be read as one" * 100)
    with pytest.raises(StoreDamaged, match=r"hot\.sqlite"):
        Hot(other).put("usage", [usage_row(1)], unique="usage_key")
