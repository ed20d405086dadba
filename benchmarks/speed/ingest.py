"""Reading speed: agents' logs against ccusage in the same run, and tables in rows per second.

Usage: python benchmarks/speed/ingest.py [--megabytes 1000] [--ccusage PATH]

The logs are made up: sessions of Claude Code whose lines are mostly tool results, each answer written three times while
it streams, a part of the sessions forked. ccusage (npm, 20.0.24) is asked for its daily totals without network.
"""

import argparse
import csv
import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

MEGABYTE = 1_000_000
SESSION_BYTES = 2 * MEGABYTE


def compact(entry: object) -> str:
    """JSON as the tools write it."""
    return json.dumps(entry, separators=(",", ":"))


def claude_session(chance: random.Random, session: str, start: datetime) -> Iterator[str]:
    """Lines of one session, about two megabytes."""
    written, at, number = 0, start, 0
    while written < SESSION_BYTES:
        at += timedelta(seconds=chance.randint(5, 90))
        number += 1
        base = {
            "sessionId": session,
            "cwd": "/home/dev/shop",
            "version": "2.1.0",
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
        }
        filler = "x" * chance.randint(2_000, 30_000)
        lines = [compact({**base, "type": "user", "message": {"role": "user", "content": filler}})]
        output = chance.randint(20, 900)
        for share in (1, output // 2, output):
            usage = {
                "input_tokens": 7,
                "cache_creation_input_tokens": 800,
                "cache_read_input_tokens": 40_000 + number * 500,
                "output_tokens": share,
            }
            message = {"id": f"msg_{session}_{number:06d}_abcdefgh", "model": "claude-sonnet-4-5-20250929"}
            message |= {"content": [{"type": "text", "text": filler[:600]}], "usage": usage}
            entry = {**base, "type": "assistant", "uuid": f"{session}-{number}-{share}", "requestId": f"req_{number}"}
            lines.append(compact({**entry, "message": message}))
        for line in lines:
            written += len(line) + 1
            yield line + "\n"


def make_logs(folder: Path, megabytes: int) -> int:
    """Write logs of about that size; returns their bytes."""
    chance = random.Random(20_24)
    projects = folder / "projects" / "-home-dev-shop"
    projects.mkdir(parents=True)
    size, number = 0, 0
    while size < megabytes * MEGABYTE:
        number += 1
        start = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=number)
        path = projects / f"{number:05d}.jsonl"
        path.write_text("".join(claude_session(chance, f"{number:05d}", start)), encoding="utf-8")
        size += path.stat().st_size
        if number % 10 == 0:
            fork = projects / f"{number:05d}-fork.jsonl"
            shutil.copy(path, fork)
            size += fork.stat().st_size
    return size


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Seconds on the wall of a command, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return time.perf_counter() - began, done.stdout


def table_rates(rows: int = 200_000) -> None:
    """Rows of a CSV table per second, beside what `csv.DictReader` alone takes for the same text."""
    from joulebook.ingest.reader import ReadOptions, reader

    chance = random.Random(20_24)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    times = (start + timedelta(milliseconds=number * 37) for number in range(rows))
    lines += [f"{at:%Y-%m-%d %H:%M:%S.%f}0,{chance.randint(1, 9000)},{chance.randint(1, 900)}" for at in times]
    text = "\n".join(lines) + "\n"
    began = time.perf_counter()
    read = sum(1 for _ in csv.DictReader(io.StringIO(text)))
    plain = time.perf_counter() - began
    began = time.perf_counter()
    booked = sum(1 for _ in reader("azure-llm").parse(io.BytesIO(text.encode()), ReadOptions(timezone="UTC")))
    ours = time.perf_counter() - began
    print(f"table: {booked / ours:,.0f} rows/s checked and keyed; csv.DictReader alone {read / plain:,.0f} rows/s")


def main() -> None:
    """Make logs, read them with both, print seconds and totals."""
    table_rates()
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--ccusage", default=shutil.which("ccusage"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        size = make_logs(home / ".claude", chosen.megabytes)
        environment = {"CLAUDE_CONFIG_DIR": str(home / ".claude"), "HOME": str(home)}
        print(f"logs: {size / MEGABYTE:,.0f} MB in {len(list(home.rglob('*.jsonl')))} files")
        if chosen.ccusage:
            seconds, out = timed([chosen.ccusage, "daily", "--offline", "--json"], environment)
            totals = json.loads(out)["totals"]
            print(f"ccusage: {seconds:.2f} s {totals['inputTokens']} {totals['outputTokens']}")
        code = (
            "import os, sys; from pathlib import Path; from datetime import datetime, UTC;"
            "from joulebook.ingest.scan import LogScan; from joulebook.terms.finding import Finding;"
            "rows = [r for r in LogScan(Path(os.environ['HOME']), os.environ, datetime.now(UTC)).rows()];"
            "print(*(sum(r[n] for r in rows) for n in ('uncached_input_tokens', 'visible_output_tokens')))"
        )
        seconds, out = timed([sys.executable, "-c", code], environment)
        print(f"joulebook, reading: {seconds:.2f} s {out.strip()}")
        command = [
            sys.executable,
            "-m",
            "joulebook",
            "--book",
            str(home / "book"),
            "scan",
            "--home",
            str(home),
            "--json",
        ]
        seconds, _out = timed(command, {"HOME": str(home)})
        print(f"joulebook scan, first: {seconds:.2f} s")
        seconds, _out = timed(command, {"HOME": str(home)})
        print(f"joulebook scan, again: {seconds:.2f} s")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of the largest child: {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
