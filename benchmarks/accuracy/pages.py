"""Plots as small SVG files, and the tables of docs/accuracy.md and docs/accuracy.ko.md."""

import html
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from benchmarks.accuracy import operators, throughput
from benchmarks.accuracy.intervals import conformal
from benchmarks.accuracy.korean import in_korean
from benchmarks.accuracy.rows import ROOT, Rows

DOCS = ROOT / "docs"
START, END = "<!-- results: start -->", "<!-- results: end -->"
POINTS_START, POINTS_END = "<!-- points: start -->", "<!-- points: end -->"
SPEED_START, SPEED_END = "<!-- throughput: start -->", "<!-- throughput: end -->"
SIZE, EDGE = 360, 48
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777", "#ee8866", "#44bb99", "#000000")


def write_pages(rows: Rows, predicted: np.ndarray, results: Sequence[dict[str, object]]) -> None:
    """Write the plots, and the tables in both languages."""
    folder = DOCS / "accuracy"
    folder.mkdir(parents=True, exist_ok=True)
    low, high = conformal(rows, predicted)
    (folder / "predicted.svg").write_text(_scatter(rows, predicted), encoding="utf-8")
    (folder / "coverage.svg").write_text(_coverage(rows, low, high), encoding="utf-8")
    (folder / "batch.svg").write_text(_by_batch(rows, predicted), encoding="utf-8")
    (folder / "operators.svg").write_text(_published(), encoding="utf-8")
    tables = (
        (START, END, _table(results)),
        (POINTS_START, POINTS_END, operators.table()),
        (SPEED_START, SPEED_END, throughput.table(throughput.read_throughput())),
    )
    for page, said in ((DOCS / "accuracy.md", str), (DOCS / "accuracy.ko.md", in_korean)):
        text = page.read_text(encoding="utf-8")
        for start, end, table in tables:
            before, rest = text.split(start)
            after = rest.split(end)[1]
            text = f"{before}{start}\n{said(table)}{end}{after}"
        page.write_text(text, encoding="utf-8")


def _table(results: Sequence[dict[str, object]]) -> str:
    head = "| held out | model | rows | median error | within 2x | family mean | worst family "
    head += "| in range | worst | half-width |\n"
    lines = [head, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n"]
    names = ("median_ape", "within_2x", "macro_median_ape", "worst_family_median_ape", "coverage_80")
    for line in results:
        cells = [_percent(line[name]) for name in (*names, "worst_family_coverage_80")]
        width = line["half_width"]
        cells.append(f"x{width:.2f}" if isinstance(width, float) else "-")
        lines.append(f"| {line['split']} | {line['model']} | {line['n']} | {' | '.join(cells)} |\n")
    return "".join(lines)


def _percent(value: object) -> str:
    return f"{value:.1%}".replace("%", " %") if isinstance(value, float) else "-"


def _frame(title: str, body: str, x_label: str, y_label: str) -> str:
    end = SIZE + EDGE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {end + 130} {end + 8}" font-family="sans-serif" '
        f'font-size="11"><title>{title}</title><rect width="100%" height="100%" fill="#fff"/>'
        f'<rect x="{EDGE}" y="8" width="{SIZE}" height="{SIZE - 8}" fill="none" stroke="#999"/>{body}'
        f'<text x="{EDGE + SIZE / 2}" y="{end - 4}" text-anchor="middle">{x_label}</text>'
        f'<text transform="translate(12 {SIZE / 2}) rotate(-90)" text-anchor="middle">{y_label}</text></svg>\n'
    )


def _scatter(rows: Rows, predicted: np.ndarray) -> str:
    low, high = np.log10(0.02), np.log10(60)

    def place(joules: np.ndarray) -> np.ndarray:
        return (np.log10(joules) - low) / (high - low)

    x, y = EDGE + SIZE * place(rows.measured), SIZE - (SIZE - 8) * place(predicted)
    families = list(np.unique(rows.family))
    dots = [
        f'<circle cx="{a:.0f}" cy="{b:.0f}" r="1.6" fill="{COLOURS[families.index(family)]}"/>'
        for a, b, family in zip(x, y, rows.family, strict=True)
    ]
    shift = np.log10(2) / (high - low)
    height = SIZE - 8
    ends = (
        (0, 0, 1, 1, "#000"),
        (0, shift, 1 - shift, 1, "#bbb"),
        (shift, 0, 1, 1 - shift, "#bbb"),
    )
    lines = [
        f'<line x1="{EDGE + SIZE * x1:.0f}" y1="{SIZE - height * y1:.0f}" x2="{EDGE + SIZE * x2:.0f}" '
        f'y2="{SIZE - height * y2:.0f}" stroke="{colour}"/>'
        for x1, y1, x2, y2, colour in ends
    ]
    return _frame(
        "Predicted against measured energy per output token, family held out",
        "".join(lines) + "".join(dots) + _ticks(place) + _legend(families),
        "measured, J per output token",
        "predicted with the family held out",
    )


def _ticks(place: object) -> str:
    parts = []
    for joules in (0.1, 1.0, 10.0):
        at = float(place(np.array(joules)))  # ty: ignore[call-non-callable]
        parts.append(f'<text x="{EDGE + SIZE * at:.0f}" y="{SIZE + 14}" text-anchor="middle">{joules:g}</text>')
        parts.append(f'<text x="{EDGE - 4}" y="{SIZE - (SIZE - 8) * at + 4:.0f}" text-anchor="end">{joules:g}</text>')
    return "".join(parts)


def _legend(families: Sequence[str]) -> str:
    return "".join(
        f'<circle cx="{EDGE + SIZE + 12}" cy="{20 + 16 * place}" r="4" fill="{COLOURS[place]}"/>'
        f'<text x="{EDGE + SIZE + 22}" y="{24 + 16 * place}">{family}</text>'
        for place, family in enumerate(families)
    )


def _coverage(rows: Rows, low: np.ndarray, high: np.ndarray) -> str:
    inside = (rows.measured >= low) & (rows.measured <= high)
    families = list(np.unique(rows.family))
    step = (SIZE - 20) / len(families)
    bars = []
    for place, family in enumerate(families):
        part = rows.family == family
        share, top = float(inside[part].mean()), 16 + place * step
        bars.append(
            f'<rect x="{EDGE}" y="{top:.0f}" width="{SIZE * share:.0f}" height="{step - 6:.0f}" fill="#4477aa"/>'
            f'<text x="{EDGE + 6}" y="{top + step / 2:.0f}" fill="#fff">{family} {share:.0%} of {part.sum()}</text>'
        )
    bars.append(f'<line x1="{EDGE + 0.8 * SIZE}" y1="8" x2="{EDGE + 0.8 * SIZE}" y2="{SIZE}" stroke="#ee6677"/>')
    title = "Share of rows inside the 80 % range, family held out"
    return _frame(title, "".join(bars), "share inside (line: 80 %)", "family")


def _published() -> str:
    """Published energy, and the estimate with that operator's points left out."""
    low, high = np.log10(0.005), np.log10(20)
    lines = operators.lines()
    step = (SIZE - 20) / len(lines)

    def place(value: float) -> float:
        return EDGE + SIZE * float((np.log10(value) - low) / (high - low))

    parts = []
    for number, line in enumerate(lines):
        top = 28 + number * step
        ends = (place(line.held_out.low), place(line.held_out.high))
        parts.append(
            f'<text x="{EDGE + 4}" y="{top - 8:.0f}" fill="#444">{html.escape(line.name)}</text>'
            f'<line x1="{ends[0]:.0f}" y1="{top:.0f}" x2="{ends[1]:.0f}" y2="{top:.0f}" stroke="#4477aa" '
            f'stroke-width="3"/><circle cx="{place(line.held_out.mid):.0f}" cy="{top:.0f}" r="4" fill="#4477aa"/>'
            f'<circle cx="{place(line.like_benchmark):.0f}" cy="{top:.0f}" r="3" fill="none" stroke="#777"/>'
            f'<rect x="{place(line.published.mid) - 4:.0f}" y="{top - 4:.0f}" width="8" height="8" fill="#ee6677"/>'
        )
    parts += [
        f'<text x="{place(value):.0f}" y="{SIZE + 14}" text-anchor="middle">{value:g}</text>'
        for value in (0.01, 0.1, 1.0, 10.0)
    ]
    keys = (("#ee6677", "published"), ("#4477aa", "estimated, 80 %"), ("#777", "like benchmark"))
    parts += [
        f'<circle cx="{EDGE + SIZE + 12}" cy="{20 + 16 * number}" r="4" fill="{colour}"/>'
        f'<text x="{EDGE + SIZE + 22}" y="{24 + 16 * number}">{text}</text>'
        for number, (colour, text) in enumerate(keys)
    ]
    title = "What operators publish, and estimates without that operator"
    return _frame(title, "".join(parts), "accelerator energy of the request, Wh", "")


def _by_batch(rows: Rows, predicted: np.ndarray) -> str:
    error = np.log(predicted / rows.measured)
    edges = 2.0 ** np.arange(3, 13)
    parts = []
    for place, (start, stop) in enumerate(pairwise(edges)):
        part = (rows.batch >= start * 0.75) & (rows.batch < stop * 0.75)
        low, middle, high = np.clip(np.quantile(error[part], (0.1, 0.5, 0.9)), -1.2, 1.2)
        x = EDGE + SIZE * (place + 0.5) / (len(edges) - 1)
        y = [SIZE / 2 - value / 1.2 * (SIZE / 2 - 12) for value in (low, middle, high)]
        parts.append(
            f'<line x1="{x:.0f}" y1="{y[0]:.0f}" x2="{x:.0f}" y2="{y[2]:.0f}" stroke="#4477aa" stroke-width="3"/>'
            f'<circle cx="{x:.0f}" cy="{y[1]:.0f}" r="4" fill="#ee6677"/>'
            f'<text x="{x:.0f}" y="{SIZE + 14}" text-anchor="middle">{start:.0f}</text>'
        )
    for factor in (0.5, 1.0, 2.0):
        y_at = SIZE / 2 - np.log(factor) / 1.2 * (SIZE / 2 - 12)
        parts.append(
            f'<line x1="{EDGE}" y1="{y_at:.0f}" x2="{EDGE + SIZE}" y2="{y_at:.0f}" stroke="#ccc"/>'
            f'<text x="{EDGE - 4}" y="{y_at + 4:.0f}" text-anchor="end">x{factor:g}</text>'
        )
    title = "Predicted over measured by batch, family held out: median and 80 % of rows"
    return _frame(title, "".join(parts), "requests decoded together", "predicted over measured")
