"""Choose a factor for a million (place, hour) pairs: each distinct pair once, against the ladder for every pair.

Run: python benchmarks/speed/choose_places.py
"""

import platform
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import islice, product

from joulebook.factors.choose import choose, choose_each
from joulebook.factors.read import read_edition

PAIRS = 1_000_000
SAMPLE = 20_000
HOURS = 17_544
"""Hours of 2024 and 2025."""
COLUMN = "intensity_g_per_kwh"


def pairs(count: int) -> list[tuple[str | None, datetime]]:
    """Every zone of a cloud region and the unknown one, each hour by hour through two years: as many distinct pairs."""
    edition = read_edition()
    zones: list[str | None] = [*sorted({link.object for link in edition.links if link.relation == "grid_zone"}), None]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=hour) for hour in range(HOURS)]
    return list(islice(product(zones, hours), count))


def main() -> None:
    """Measure both in one run and print one line for RESULTS.md."""
    edition = read_edition()
    hours = pairs(PAIRS)
    choose(edition, COLUMN, "KOR", hours[0][1].date())
    started, used = time.perf_counter(), time.process_time()
    days = ((place, hour.date()) for place, hour in hours)
    total = sum(choice.factor.value for choice in choose_each(edition, COLUMN, days))
    resolved, used = time.perf_counter() - started, time.process_time() - used
    started = time.perf_counter()
    for place, hour in hours[:: PAIRS // SAMPLE]:
        choose(edition, COLUMN, place, hour.date())
    one_by_one = (time.perf_counter() - started) * PAIRS / SAMPLE
    print(
        f"| {datetime.now(UTC).date()} | {platform.machine()}, Python {sys.version.split()[0]} | {PAIRS:,} pairs, "
        f"{len(set(hours)):,} distinct | resolved {resolved:.2f} s, "
        f"{used:.2f} s of the processor | one by one {one_by_one:.1f} s (from {SAMPLE:,}) | "
        f"{one_by_one / resolved:.1f}x | sum {total:.6g} |"
    )


if __name__ == "__main__":
    main()
