"""Run by test_crash: one of several writers. Usage: ``python crowd.py ROOT BOOK WRITER COMMITS``; prints rows added."""

import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from tests.store.rows import usage_row

from joulebook.store.store import Store

store = Store(Path(sys.argv[2]), threads=1)
mine, commits = int(sys.argv[3]), int(sys.argv[4])
added = 0
for number in range(commits):
    rows = [usage_row(1000 * mine + number)]
    if number % 5 == 0:
        rows.append(usage_row(number))
    added += store.append_rows("usage", rows, unique="usage_key", info={}).added
print(added)
