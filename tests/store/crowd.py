"""Run by test_crash: one of several writers. Usage: ``python crowd.py ROOT BOOK WRITER COMMITS``; prints rows added."""

import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from tests.store.rows import usage_row

from joulebook.store.store import Store

store = Store(Path(sys.argv[2]), threads=1)
mine, commits = int(sys.argv[3]), int(sys.argv[4])
print(
    sum(
        store.append_rows("usage", [usage_row(n), usage_row(1000 * mine + n)], unique="usage_key", info={}).added
        for n in range(commits)
    )
)
