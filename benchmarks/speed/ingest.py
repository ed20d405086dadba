"""Reading speed: agents' logs against ccusage in the same run, and tables in rows per second against the engine alone.

Usage: python benchmarks/speed/ingest.py [--megabytes 1000] [--rows 1000000] [--ccusage PATH]

The logs are made up (see agent_logs.py). ccusage (npm, 20.0.24) is asked for its daily totals of all agents without
network; joulebook, installed as a wheel, reads, books, prices and reports. Beside the seconds on the wall stand those
of the processors: on a busy machine they are the better measure.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent_logs import MEGABYTE, make_home

MADE = """
    SELECT strftime(make_timestamp(1790000000000000 + i * 137000), '%Y-%m-%dT%H:%M:%S.%fZ') AS started_at,
        ['gpt-5.2', 'claude-sonnet-4-5', 'gemini-2.5-pro'][1 + i % 3] AS model,
        ['openai', 'anthropic', 'google'][1 + i % 3] AS provider,
        CAST(hash(i) % 9000 AS BIGINT) AS uncached_input_tokens,
        CAST(hash(i + 7) % 20000 AS BIGINT) AS cache_read_tokens,
        CAST(hash(i + 9) % 900 AS BIGINT) AS visible_output_tokens,
        ['search', 'shop', 'ads'][1 + (i // 5) % 3] AS team, 'req-' || i || '-' || (hash(i) % 100000) AS request_id
    FROM range({rows}) made(i)
"""


def clocked(work: Callable[[], object]) -> tuple[float, float, object]:
    """Seconds on the wall, seconds of the processors with those of children, and what came out."""

    def used() -> float:
        spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in spent)

    wall, processors = time.perf_counter(), used()
    result = work()
    return time.perf_counter() - wall, used() - processors, result


ROOT = Path(__file__).parents[2]


def installed(folder: Path) -> Path:
    """Where joulebook lies as users have it: a wheel with its library and modules compiled."""
    plain = ["-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run([sys.executable, "-m", "pip", "install", *plain, "--target", str(folder), str(ROOT)], check=True)
    return folder


def ran(command: list[str], home: Path, site: Path) -> str:
    """What a command prints, in a home."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"HOME": str(home), "PYTHONPATH": str(site)}
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=True).stdout


def logs(home: Path, ccusage: str | None, site: Path) -> None:
    """Scan a home with both."""
    command = [sys.executable, "-m", "joulebook", "--book", str(home / "book"), "scan", "--home", str(home), "--json"]
    assert str(site) in ran([sys.executable, "-c", "import joulebook; print(joulebook.__file__)"], home, site)
    base = (0.0, 0.0)
    if ccusage:
        wall, cpu, out = clocked(lambda: ran([ccusage, "daily", "--offline", "--json"], home, site))
        totals, base = json.loads(str(out))["totals"], (wall, cpu)
        print(f"ccusage: {wall:.2f} s, processors {cpu:.2f} s; output tokens {totals['outputTokens']:,}")
    for name in ("first", "again"):
        wall, cpu, out = clocked(lambda: ran(command, home, site))
        told = json.loads(str(out))
        ratio = f" = {wall / base[0]:.1f}x, {cpu / base[1]:.1f}x" if ccusage else ""
        print(f"joulebook scan, {name}: {wall:.2f} s, processors {cpu:.2f} s{ratio}; {told['added']:,} answers booked")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of the largest process: {peak:,.0f} MiB")


def tables(folder: Path, rows: int) -> None:
    """Import the same rows from CSV and Parquet; the peer reads, hashes and writes them, and checks nothing."""
    import duckdb

    from joulebook.book import Book
    from joulebook.ingest.reader import ReadOptions

    with duckdb.connect() as engine:
        for ending, form in (("csv", "csv, header"), ("parquet", "parquet")):
            engine.execute(f"COPY ({MADE.format(rows=rows)}) TO '{folder / f'made.{ending}'}' (FORMAT {form})")
        by_hand = f"SELECT sha256(request_id) AS k, * FROM '{folder / 'made.csv'}'"
        copy = f"COPY ({by_hand}) TO '{folder / 'by_hand.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        wall, cpu, _ = clocked(lambda: engine.execute(copy).fetchall())
    print(f"engine by hand, CSV: {rows / wall:,.0f} rows/s, processors {cpu:.2f} s")
    assert Book(folder / "none").edition.factors  # now the library is compiled, as a wheel carries it
    for ending in ("csv", "parquet"):
        book, path = Book(folder / f"book-{ending}"), folder / f"made.{ending}"
        post, book.post = book.post, lambda _cause="": 0
        options = ReadOptions(file=path.name)
        alone, cpu, told = clocked(
            lambda book=book, path=path, end=ending, how=options: book.import_file(end, path, how)
        )
        whole, more, _ = clocked(post)
        assert told.added == rows
        print(
            f"{ending}: import {rows / alone:,.0f} rows/s, processors {cpu:.2f} s; with prices and postings "
            f"{rows / (alone + whole):,.0f} rows/s, processors {cpu + more:.2f} s"
        )
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def main() -> None:
    """Make logs and tables, read them with both, print seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ccusage", default=shutil.which("ccusage"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        size = make_home(home, chosen.megabytes)
        print(f"logs: {size / MEGABYTE:,.0f} MB in {sum(path.is_file() for path in home.rglob('*')):,} files")
        logs(
            home, chosen.ccusage, installed(Path(name) / "site")
        )  # first, for what a process has used counts as its children's peak memory
        tables(Path(name), chosen.rows)


if __name__ == "__main__":
    main()
