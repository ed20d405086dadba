"""How hourly profiles are made: month by hour of the day from any hourly series of grid intensity.

The series beside the factor files (`hourly-profile.csv`) was computed in this way. Run with the Parquet or CSV file of
an openly licensed series to add a zone, or with ``--check`` to see that the shipped rows follow from their source:

    python benchmarks/series/hourly_profile.py FILE --column ci_avg_g_per_kwh --prefix EIA- --check
    python benchmarks/series/hourly_profile.py FILE --column ci_avg_g_per_kwh --pool EIA-WEST=AZPS,BPAT,CISO --check
"""

import argparse
import csv
import sys
from pathlib import Path

import duckdb

from joulebook.factors.series import FOLDER, HOURLY

QUERY = """
    with hours as (
        select zone, month(ts_utc) as month, hour(ts_utc) as hour_utc, {column} as intensity
        from {table} where {column} is not null
    ), whole as (select zone, avg(intensity) as mean from hours group by zone),
    sorted as (
        select zone, month, hour_utc, avg(intensity) as middle, count(*) as hours,
            list(intensity order by intensity) as ordered from hours group by zone, month, hour_utc
    )
    select zone, month, hour_utc, middle / mean, ordered[1 + cast(round(0.1 * (hours - 1)) as integer)] / mean,
        ordered[1 + cast(round(0.9 * (hours - 1)) as integer)] / mean
    from sorted join whole using (zone) order by zone, month, hour_utc
"""
"""Mean of all hours of a month at one hour of the day, over the mean of all hours; low and high are the hours of
nearest rank to the 10th and 90th percentile."""

POOLED = """
    (select ? as zone, ts_utc, sum({column} * made) / sum(made) as {column} from (
        select *, {made} as made from read_{format}(?) where list_contains(?, zone) and {column} is not null
    ) group by ts_utc)
"""
"""Several zones as one: their intensities weighted by what they generate in the hour."""

DIGITS = 4


def profile(path: Path, column: str) -> dict[tuple[str, int, int], tuple[float, float, float]]:
    """(zone, month, hour in UTC) -> ratio, low and high.

    Args:
        path: Parquet or CSV with the columns ``zone``, ``ts_utc`` and the intensity.
        column: the column of the intensity; its unit does not matter.
    """
    return _rows(f"read_{_kind(path)}(?)", column, [str(path)])


def pooled(path: Path, column: str, name: str, zones: list[str]) -> dict[tuple[str, int, int], tuple[float, ...]]:
    """The profile of several zones as one, weighted by the generation in the columns ``mw_``.

    Args:
        path: Parquet or CSV as for `profile`, with columns of generation.
        column: the column of the intensity.
        name: what the pool is called.
        zones: zones of the file.
    """
    kind = _kind(path)
    columns = duckdb.connect().execute(f"describe select * from read_{kind}(?)", [str(path)]).fetchall()
    made = " + ".join(f"coalesce({row[0]}, 0)" for row in columns if row[0].startswith("mw_"))
    table = POOLED.format(column=column, format=kind, made=made)
    return _rows(table, column, [name, str(path), zones])


def _kind(path: Path) -> str:
    return "parquet" if path.suffix == ".parquet" else "csv_auto"


def _rows(table: str, column: str, given: list[object]) -> dict[tuple[str, int, int], tuple[float, float, float]]:
    rows = duckdb.connect().execute(QUERY.format(column=column, table=table), given).fetchall()
    return {(zone, month, hour): (ratio, low, high) for zone, month, hour, ratio, low, high in rows}


def shipped() -> dict[tuple[str, int, int], tuple[float, float, float]]:
    """The rows beside the factor files."""
    with (FOLDER / f"{HOURLY}.csv").open(encoding="utf-8") as stream:
        return {
            (row["zone"], int(row["month"]), int(row["hour_utc"])): (
                float(row["ratio"]),
                float(row["low"]),
                float(row["high"]),
            )
            for row in csv.DictReader(stream)
        }


def _pool(asked: argparse.Namespace) -> dict[tuple[str, int, int], tuple[float, ...]]:
    name, _equals, zones = asked.pool.partition("=")
    return pooled(asked.file, asked.column, name, zones.split(","))


def main() -> int:
    """Print the profile as CSV, or compare it with what is shipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--column", required=True, help="column of the intensity")
    parser.add_argument("--prefix", default="", help="put before the zone, such as EIA-")
    parser.add_argument("--zones", nargs="*", help="only these zones of the file")
    parser.add_argument("--pool", help="NAME=ZONE,ZONE: these zones as one, weighted by generation")
    parser.add_argument("--check", action="store_true", help="compare with the shipped rows instead of printing")
    asked = parser.parse_args()
    found = (
        _pool(asked)
        if asked.pool
        else {
            (asked.prefix + zone, *rest): row
            for (zone, *rest), row in profile(asked.file, asked.column).items()
            if not asked.zones or zone in asked.zones
        }
    )
    if not asked.check:
        writer = csv.writer(sys.stdout)
        writer.writerow(["zone", "month", "hour_utc", "ratio", "low", "high"])
        writer.writerows([*key, *(f"{number:.{DIGITS}f}" for number in row)] for key, row in found.items())
        return 0
    known = shipped()
    same = [key for key in found if key in known]
    worst = max((abs(a - b) for key in same for a, b in zip(found[key], known[key], strict=True)), default=0.0)
    zones = sorted({zone for zone, *_rest in same})
    print(f"{len(same)} rows of {len(zones)} zones ({', '.join(zones)}); largest difference {worst:.5f}")
    return 0 if same and worst < 10 ** -(DIGITS - 1) else 1


if __name__ == "__main__":
    sys.exit(main())
