"""Recompute every figure of docs/accuracy.md from the frozen rows.

``python -m benchmarks.accuracy.run`` writes ``results.json``, the plots and the tables of ``docs/accuracy.md``.
``--quick`` leaves out the slow splits (nested choice of form and of batches, hosted; 15 minutes) and keeps their last
results.
``--write-factors`` also writes the fitted numbers into the shipped factor file.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmarks.accuracy.factor_file import write_factors
from benchmarks.accuracy.intervals import chance_of_worst, conformal
from benchmarks.accuracy.operators import operator_scores
from benchmarks.accuracy.outside import outside_score
from benchmarks.accuracy.pages import write_pages
from benchmarks.accuracy.peers import ecologits
from benchmarks.accuracy.rows import Rows, read_rows
from benchmarks.accuracy.scores import Score, score
from benchmarks.accuracy.splits import (
    CHOSEN,
    family_and_gpu_out,
    family_out,
    later_year,
    nested,
    one_point,
    plain_family_out,
)
from benchmarks.accuracy.unknown import batches_chosen_inside, hosted_family_out, middle_of_each_model

RESULTS = Path(__file__).parent / "results.json"
WIDTHS = Path(__file__).parent / "results_widths.json"
WIDTH = "half_width"
SLOW = ("family held out, form chosen inside", "hosted, family held out")


def quick_scores(rows: Rows) -> list[Score]:
    """The splits that take seconds."""
    held_out = family_out(CHOSEN, rows)
    plain = plain_family_out(CHOSEN, rows)
    both = family_and_gpu_out(CHOSEN, rows)
    later = later_year(CHOSEN, rows)
    shifted, _pairs = one_point(rows, held_out)
    peer, peer_batch = ecologits(rows), ecologits(rows, rows.batch)
    return [
        score("family held out", "joulebook", rows, held_out, conformal(rows, held_out)),
        score("family held out", "joulebook, architecture unknown", rows, plain, conformal(rows, plain)),
        score("family held out", "EcoLogits 0.11 as shipped", rows, peer),
        score("family held out", "EcoLogits 0.11 with the true batch", rows, peer_batch),
        score("family and GPU generation held out", "joulebook", rows, both, conformal(rows, both)),
        score("fit on 2024, tested on 2025", "joulebook", rows, later),
        score("fit on 2024, tested on 2025", "EcoLogits 0.11 as shipped", rows, np.where(rows.old == 1, np.nan, peer)),
        score("one measured point of the deployment", "joulebook", rows, shifted),
    ]


def slow_scores(rows: Rows) -> list[Score]:
    """The splits that take minutes."""
    inside, chosen = nested(rows)
    for family, form in chosen.items():
        print(f"without {family}: {form}")
    scores = [score(SLOW[0], "joulebook", rows, inside)]
    for name, with_speed, with_architecture in (
        ("joulebook, speed known", True, True),
        ("joulebook, speed known, architecture unknown", True, False),
        ("joulebook, nothing known", False, True),
    ):
        mid, low, high = hosted_family_out(CHOSEN, rows, with_speed=with_speed, with_architecture=with_architecture)
        scores.append(score(SLOW[1], name, rows, mid, (low, high)))
    mid, low, high, chosen_batch = batches_chosen_inside(CHOSEN, rows)
    for family, batch in chosen_batch.items():
        print(f"without {family}: middle batch {batch:g}")
    scores.append(score(SLOW[1], "joulebook, nothing known, batches chosen inside", rows, mid, (low, high)))
    scores.append(score(SLOW[1], "floor: the middle of each model's own rows", rows, middle_of_each_model(rows)))
    return scores


def kept() -> list[dict[str, object]]:
    """The results of the last run, each with the half-width of its ranges."""
    widths = {(line["split"], line["model"]): line[WIDTH] for line in json.loads(WIDTHS.read_text(encoding="utf-8"))}
    lines = json.loads(RESULTS.read_text(encoding="utf-8"))
    return [line | {WIDTH: widths.get((line["split"], line["model"]))} for line in lines]


def keep(results: Sequence[dict[str, object]]) -> None:
    """Write the results, and the half-widths of their ranges beside them."""
    lines = [{name: value for name, value in line.items() if name != WIDTH} for line in results]
    widths = [{name: line[name] for name in ("split", "model", WIDTH)} for line in results]
    for path, content in ((RESULTS, lines), (WIDTHS, widths)):
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Recompute and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write-factors", action="store_true")
    wanted = parser.parse_args()
    rows = read_rows()
    if wanted.write_factors:
        write_factors(CHOSEN, rows)
        rows = read_rows()
    results = [line.as_json() for line in quick_scores(rows)]
    slow = [line for line in kept() if line["split"] in SLOW] if wanted.quick else None
    results += slow or [line.as_json() for line in slow_scores(rows)]
    results += [outside_score(), *operator_scores()]
    keep(results)
    write_pages(rows, family_out(CHOSEN, rows), results)
    for line in results:
        print(line)
    share, worst = chance_of_worst(rows, family_out(CHOSEN, rows))
    print(f"worst of ten families below 65 % by chance: {share:.0%}; median worst {worst:.0%}")


if __name__ == "__main__":
    main()
