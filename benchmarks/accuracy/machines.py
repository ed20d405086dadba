"""How far the model of servers is off, on published SPECpower results that the user brings.

    python benchmarks/accuracy/machines.py RESULTS.csv
    python benchmarks/accuracy/machines.py SPECpower-2026-03-09.csv --generations FOLDER

SPEC's results are not part of joulebook. The file has one row per result with the columns ``cpu`` (a subject such as
``epyc-milan``), ``threads``, and power in watts at the loads that are known: ``p0`` (active idle), ``p10`` ...
``p100``; empty cells are left out. Or it is the table that Cloud Carbon Footprint keeps of them, with the folder of its
lists of processors by generation (repository cloud-carbon-footprint/ccf-coefficients, folder ``data``), of which the
results published in 2018 or later are taken, at rest and at full load. Each server is estimated twice: with the factors
as shipped, and with the medians of the *other* results of its generation in the file (left out itself).
"""

import argparse
import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from joulebook.estimate.machines import MachineUse, component_energy
from joulebook.factors.choose import choose
from joulebook.factors.edition import Edition
from joulebook.factors.read import read_edition

GENERATIONS = {
    "amd-epyc-gen2": "epyc-rome",
    "amd-epyc-gen3": "epyc-milan",
    "amd-epyc-gen4": "epyc-genoa",
    "amd-epyc-gen5": "epyc-turin",
    "intel-skylake": "skylake",
    "intel-cascadelake": "cascade-lake",
    "intel-icelake": "ice-lake",
    "intel-sapphirerapids": "sapphire-rapids",
    "intel-emeraldrapids": "emerald-rapids",
    "intel-graniterapids": "granite-rapids",
}
"""List of processors -> our name of the generation."""

SINCE = 2018
"""Year from which on results are taken."""

LOADS = tuple(range(0, 101, 10))
HOUR_S = 3600.0
TODAY = datetime.now(UTC).date()

Result = tuple[str, float, dict[int, float]]
"""Generation, threads, load in percent -> watts."""


def results(path: Path) -> list[Result]:
    """The rows of a file."""
    found = []
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            watts = {load: float(row[f"p{load}"]) for load in LOADS if row.get(f"p{load}")}
            found.append((row["cpu"], float(row["threads"]), watts))
    return found


def tabulated(path: Path, folder: Path) -> list[Result]:
    """The rows of Cloud Carbon Footprint's table whose processor is in one of its lists."""
    generation = {
        name.strip(): cpu
        for stem, cpu in GENERATIONS.items()
        for name in (folder / f"{stem}.csv").read_text(encoding="utf-8").splitlines()
        if name.strip()
    }
    found = []
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            cpu = generation.get(row["CPU Description"].removeprefix("AMD ").removeprefix("Intel Xeon ").strip())
            if cpu is None or int(row["Published"][-4:]) < SINCE:
                continue
            watts = {0: float(row["avg. watts @ active idle"]), 100: float(row["avg. watts @ 100%"])}
            found.append((cpu, float(row["Total Threads"]), watts))
    return found


def shipped(found: list[Result], edition: Edition) -> Iterator[tuple[int, float, bool]]:
    """Load, relative error and whether the range covers, by the shipped factors."""
    links = {link.object: link.subject for link in edition.links if link.relation == "microarchitecture"}
    for cpu, threads, known in found:
        for load, watts in known.items():
            use = MachineUse(links[f"cpu:{cpu}"], threads, [HOUR_S], [HOUR_S * threads * load / 100], 0.0, {}, TODAY)
            (row,) = component_energy(use, edition)
            low, mid, high = (1000 * end for end in row.energy_kwh)
            yield load, mid / watts - 1, low <= watts <= high


def left_out(found: list[Result], edition: Edition) -> Iterator[tuple[int, float]]:
    """Load and relative error with idle and full power from the other results of the generation."""
    for place, (cpu, threads, known) in enumerate(found):
        others = [
            one for number, one in enumerate(found) if number != place and one[0] == cpu and {0, 100} <= set(one[2])
        ]
        if not others:
            continue
        idle = median(watts[0] / count for _cpu, count, watts in others)
        full = median(watts[100] / count for _cpu, count, watts in others)
        exponent = choose(edition, "load_exponent_ratio", f"cpu:{cpu}", TODAY).factor.value
        for load, watts in known.items():
            rise = (load / 100) ** exponent if load else 0.0
            yield load, threads * (idle + (full - idle) * rise) / watts - 1


def main() -> None:
    """Print median errors and coverage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--generations", type=Path, help="folder of lists of processors, one name a line")
    arguments = parser.parse_args()
    found = tabulated(arguments.results, arguments.generations) if arguments.generations else results(arguments.results)
    edition = read_edition()
    own = list(shipped(found, edition))
    other = list(left_out(found, edition))
    covered = sum(is_covered for _load, _error, is_covered in own) / len(own)
    print(f"{len(found)} servers, {len(own)} points")
    print(f"shipped factors: median error {median(abs(error) for _load, error, _c in own):.1%}, covered {covered:.0%}")
    print(f"server left out: median error {median(abs(error) for _load, error in other):.1%} over {len(other)} points")
    for name, loads in (("idle", {0}), ("10 to 90 %", set(LOADS[1:-1])), ("full", {100})):
        errors = [abs(error) for load, error in other if load in loads]
        if errors:
            print(f"  {name}: {median(errors):.1%} over {len(errors)} points")


if __name__ == "__main__":
    main()
