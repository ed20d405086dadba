"""How fast a book's tables are written and read, each beside a peer in the same run.

Run: ``python benchmarks/speed/store.py [ROWS]`` with the project's development packages; ROWS (10 million) is the size
of the bulk import. Every part runs in a process of its own, so that its peak memory is its own. The peers do less: none
forces anything to the disk, looks for keys that are known, or chains hashes.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROWS = 10_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def usage_rows(start: int, count: int) -> Iterator[dict[str, object]]:
    """Rows of usage as a reader makes them."""
    from joulebook.terms.usage import usage_key

    for number in range(start, start + count):
        yield {
            "usage_key": usage_key(["bench", str(number)]),
            "source": "bench",
            "provider": "azure",
            "model": ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4")[number % 3],
            "region": "koreacentral",
            "started_at": START + timedelta(microseconds=number * 7919),
            "team": f"team-{number % 20}",
            "is_synthetic": True,
            "request_count": 1,
            "uncached_input_tokens": number % 5000,
            "visible_output_tokens": number % 900,
            "tier": "measured",
        }


def clock(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of a piece of work."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def one_row(folder: Path, _: int) -> dict[str, float]:
    """One row per commit, 50 commits: ours against deltalake."""
    import deltalake
    import polars as pl

    from joulebook.store.store import Store

    store = Store(folder / "book")
    singles = [list(usage_rows(number, 1)) for number in range(50)]
    clock(lambda: store.append_rows("usage", usage_rows(-1, 1), unique="usage_key", info={}))
    ours = [clock(lambda r=r: store.append_rows("usage", r, unique="usage_key", info={}))[0] for r in singles]
    tables = [pl.DataFrame(rows).to_arrow() for rows in singles]
    peer = [clock(lambda t=t: deltalake.write_deltalake(folder / "peer", t, mode="append"))[0] for t in tables]
    return {"ours_ms": median(ours) * 1e3, "peer_ms": median(peer) * 1e3}


def python_rows(folder: Path, _: int) -> dict[str, float]:
    """Two hundred thousand rows from Python: ours against a Polars frame written as Parquet."""
    import polars as pl

    from joulebook.store.store import Store

    rows = list(usage_rows(0, 200_000))
    store = Store(folder / "book")
    ours = clock(lambda: store.append_rows("usage", rows, unique="usage_key", info={}))
    peer = clock(lambda: pl.DataFrame(rows).write_parquet(folder / "peer.parquet"))
    return {"rows": len(rows), "ours_s": ours[0], "ours_cpu_s": ours[1], "peer_s": peer[0], "peer_cpu_s": peer[1]}


def make_file(folder: Path, rows: int) -> Path:
    """A Parquet file of requests, made in another process to keep this one's memory clean."""
    path = folder / "requests.parquet"
    pick = "list_extract({}, CAST(1 + hash(range + {}) % {} AS BIGINT))"
    query = (
        "SELECT make_timestamptz(1760000000000000 + range * 7919) AS time, CAST(hash(range) % 5000 AS INT) AS input, "
        "CAST(hash(range + 1) % 900 AS INT) AS output, "
        f"{pick.format(['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4'], 2, 3)} AS model, "
        f"{pick.format(['eastus', 'koreacentral', 'swedencentral'], 3, 3)} AS region, "
        f"'team-' || hash(range + 4) % 20 AS team FROM range({rows})"
    )
    code = f"import duckdb; duckdb.execute({f'COPY ({query}) TO {str(path)!r} (FORMAT parquet)'!r})"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)  # it shows a progress bar
    return path


def bulk(folder: Path, rows: int) -> dict[str, float]:
    """A Parquet file: checked, keyed, made unique, committed."""
    from joulebook.ingest.mapping import FieldMapping
    from joulebook.store.store import Store

    path = make_file(folder, rows)
    names = {"started_at": "time", "uncached_input_tokens": "input", "visible_output_tokens": "output"}
    mapping = FieldMapping(names | {"model": "model", "region": "region", "team": "team"}, "parquet:bench")
    store = Store(folder / "book")
    ours = clock(lambda: store.append_parquet("usage", path, mapping, unique="usage_key", info={}))
    size = sum(segment.stat().st_size for segment in store.segments("usage"))
    return {"rows": rows, "ours_s": ours[0], "ours_cpu_s": ours[1], "bytes_per_row": size / rows}


def bulk_peer(folder: Path, rows: int) -> dict[str, float]:
    """The least that any import must do, by hand: read the file, hash the content of each row, write the columns."""
    import duckdb

    path = make_file(folder, rows)
    engine = duckdb.connect(config={"memory_limit": "640MB", "temp_directory": str(folder / "spill")})
    engine.execute("SET preserve_insertion_order = false")
    content = "concat_ws(chr(31), 'parquet:bench', CAST(time AS VARCHAR), input, output, model, region, team, '0')"
    query = f"SELECT substr(sha256({content}), 1, 32) AS usage_key, * FROM read_parquet('{path}')"
    target = f"'{folder / 'peer.parquet'}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    peer = clock(lambda: engine.execute(f"COPY ({query}) TO {target}"))
    return {"rows": rows, "peer_s": peer[0], "peer_cpu_s": peer[1]}


def thousand_commits(folder: Path, _: int) -> dict[str, float]:
    """A book of a thousand commits: open it, read its log, sum a column; against deltalake's opening."""
    import deltalake

    from joulebook.store.store import Store

    store = Store(folder / "book")
    for number in range(1000):
        store.append_rows("usage", usage_rows(number, 1), unique=None, info={})
    fresh = Store(folder / "book")
    log = clock(lambda: fresh.log("usage").segments())
    scan = clock(lambda: fresh.rows(fresh.table("usage").select("uncached_input_tokens")))
    peer = clock(lambda: deltalake.DeltaTable(folder / "book" / "usage"))
    return {"log_ms": log[0] * 1e3, "scan_ms": scan[0] * 1e3, "peer_log_ms": peer[0] * 1e3}


def median(values: list[float]) -> float:
    """The middle value."""
    return sorted(values)[len(values) // 2]


PARTS = {part.__name__: part for part in (one_row, python_rows, bulk, bulk_peer, thousand_commits)}


def main() -> None:
    """Run every part in its own process and print what it measured."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    for name in PARTS:
        command = [sys.executable, __file__, "--part", name, str(rows)]
        print(name, json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as place:
            measured = PARTS[sys.argv[2]](Path(place), int(sys.argv[3]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({key: round(value, 3) for key, value in measured.items()} | {"peak_mib": round(peak)}))
    else:
        main()
