"""Whatever is appended comes back, once."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.rows import stored_row

from joulebook.store.store import Store
from joulebook.terms.usage import USAGE_COLUMNS, usage_key

few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["", "\\N", "NULL", '"'])
)
whole = st.none() | st.integers(-(2**63), 2**63 - 1)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
times = st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001

rows = st.fixed_dictionaries(
    {"usage_key": st.integers(0, 30).map(lambda n: usage_key([str(n)]))},
    optional={
        "model": texts,
        "team": texts,
        "image_count": whole,
        "audio_s": numbers,
        "started_at": times,
        "is_synthetic": st.none() | st.booleans(),
    },
)


def first_of_each(batches: list[list[dict]]) -> list[dict]:
    """What a table must hold: the first row of every key, by key."""
    seen: dict[str, dict] = {}
    for row in (row for batch in batches for row in batch):
        seen.setdefault(row["usage_key"], row)
    return [stored_row(seen[key], USAGE_COLUMNS) for key in sorted(seen)]


def held(store: Store) -> list[dict]:
    """What a table holds, by key."""
    return store.table("usage").sort("usage_key").collect("polars").rows(named=True)


@few
@given(st.lists(st.lists(rows, max_size=12), max_size=4))
def test_appends_in_any_split_give_the_first_row_of_every_key(batches: list[list[dict]]) -> None:
    """Any rows in any number of appends, repeated whole, leave exactly the first row of each key, value for value."""
    folder = Path(tempfile.mkdtemp())
    try:
        store = Store(folder, threads=1)
        added = [store.append_rows("usage", batch, unique="usage_key", info={}) for batch in batches]
        expected = first_of_each(batches)
        assert held(store) == expected
        assert sum(one.added for one in added) == len(expected)
        assert sum(one.added + one.already for one in added) == sum(map(len, batches))
        again = [store.append_rows("usage", batch, unique="usage_key", info={}) for batch in batches]
        assert sum(one.added for one in again) == 0
        assert held(store) == expected
        assert list(store.verify()) == []
    finally:
        shutil.rmtree(folder)


@few
@given(st.lists(st.lists(rows, max_size=12), max_size=4))
def test_records_put_one_by_one_end_as_imported_ones(batches: list[list[dict]]) -> None:
    """Putting and sealing gives the same table as appending."""
    folder = Path(tempfile.mkdtemp())
    try:
        store = Store(folder, threads=1)
        for batch in batches:
            store.put("usage", batch, unique="usage_key")
            store.seal("usage", unique="usage_key", info={})
        assert held(store) == first_of_each(batches)
        store.close()
    finally:
        shutil.rmtree(folder)
