"""From a Parquet file of usage to booked footprints with ranges: rows per second and peak memory, beside a peer.

    python benchmarks/speed/booking.py [--rows 10000000] [--keep]

Makes a file of made-up requests (equal for equal sizes), books it in a process of its own, reports it, and prices
single requests with EcoLogits' `llm_impacts` in the same run. With --keep the result is added to benchmarks/RESULTS.md.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "RESULTS.md"
PEER_REQUESTS = 300

BOOK = """
import sys, time
from pathlib import Path
from joulebook.book import Book
from joulebook.ingest.reader import ReadOptions
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
started = time.perf_counter()
book = Book(folder, memory_limit="600MB")
result = book.import_file("parquet", source, ReadOptions(str(source)))
booked = time.perf_counter()
lines = book.report(("team", "model", "day"))
print(result.added, booked - started, time.perf_counter() - booked, len(lines))
"""

MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "claude-haiku-4-5", "gemini-2.5-pro", "gemini-2.5-flash")
REGIONS = ("eastus", "swedencentral", "koreacentral", "westeurope")


def write_usage(path: Path, rows: int) -> None:
    """Write made-up requests over a week, their tokens drawn from the row number."""
    import duckdb

    listed = ", ".join(f"'{name}'" for name in MODELS)
    places = ", ".join(f"'{name}'" for name in REGIONS)
    duckdb.sql(
        f"""
        COPY (
            SELECT 'r' || i AS request_id,
                TIMESTAMP '2026-10-05 00:00:00' + to_microseconds((i * (604800000000 / {rows}))::BIGINT) AS started_at,
                'azure' AS provider,
                [{listed}][1 + (hash(i, 1) % {len(MODELS)})::INT] AS model,
                [{places}][1 + (hash(i, 2) % {len(REGIONS)})::INT] AS region,
                'team-' || hash(i, 3) % 8 AS team,
                (10 + hash(i, 4) % 4000)::BIGINT AS uncached_input_tokens,
                (hash(i, 5) % 8000)::BIGINT AS cache_read_tokens,
                0::BIGINT AS cache_write_tokens,
                (1 + hash(i, 6) % 900)::BIGINT AS visible_output_tokens,
                (hash(i, 7) % 300)::BIGINT AS reasoning_output_tokens
            FROM range({rows}) AS r(i)
        ) TO '{path}' (FORMAT parquet)
        """
    )


def book_it(path: Path, folder: Path) -> dict[str, float]:
    """Book the file in a process of its own; rows, seconds and peak memory of that process."""
    result = subprocess.run([sys.executable, "-c", BOOK, str(path), str(folder)], capture_output=True, check=True)
    rows, seconds, report_seconds, lines = result.stdout.split()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "rows": int(rows),
        "book_s": float(seconds),
        "report_s": float(report_seconds),
        "lines": int(lines),
        "peak_mib": peak,
    }


def peer_rate() -> float:
    """Requests per second that EcoLogits' `llm_impacts` prices, one by one as it is used."""
    from ecologits.tracers.utils import llm_impacts

    def price(tokens: int) -> object:
        return llm_impacts(
            provider="openai",
            model_name="gpt-4o",
            output_token_count=tokens,
            request_latency=2.0,
            electricity_mix_zone="WOR",
        )

    price(100)
    started = time.perf_counter()
    for count in range(PEER_REQUESTS):
        price(100 + count)
    return PEER_REQUESTS / (time.perf_counter() - started)


def main() -> None:
    """Run both and print, or keep, the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--keep", action="store_true", help="add the result to benchmarks/RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "usage.parquet"
        write_usage(path, options.rows)
        ours = book_it(path, Path(name) / "book")
    peer = peer_rate()
    rate = ours["rows"] / ours["book_s"]
    text = (
        f"\n## Booking usage from Parquet, {datetime.now(UTC):%Y-%m-%d}\n\n"
        f"`python benchmarks/speed/booking.py --rows {options.rows}` · {platform.machine()}, {os.cpu_count()} cores\n\n"
        "| | value |\n|---|---|\n"
        f"| rows booked, with keys, footprints and ranges | {ours['rows']:,} |\n"
        f"| time | {ours['book_s']:.1f} s |\n"
        f"| rows per second | {rate:,.0f} |\n"
        f"| peak memory of the process | {ours['peak_mib']:,.0f} MiB |\n"
        f"| report by team, model, day ({ours['lines']} lines) | {ours['report_s']:.2f} s |\n"
        f"| EcoLogits `llm_impacts`, requests per second in the same run | {peer:,.0f} |\n"
        f"| ratio | {rate / peer:,.0f} |\n"
    )
    print(text)
    if options.keep:
        with RESULTS.open("a", encoding="utf-8") as stream:
            stream.write(text)


if __name__ == "__main__":
    main()
