"""Bars with their range, as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from joulebook.terms.range import Range

ROW = 30
BAR = 14
LEFT = 190
PLOT = 330
RIGHT = 180
TOP = 8
BOTTOM = 26
LABEL_LETTERS = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, the range it shows, and the text of its value."""

    label: str
    range: Range
    text: str


def bars(found: Sequence[Bar], title: str, unit: str, ticks: Sequence[tuple[float, str]]) -> str:
    """Horizontal bars from zero to mid, with a line from low to high.

    Args:
        found: largest first; ranges in one unit.
        title: for readers who cannot see the picture.
        unit: shown under the axis.
        ticks: position and label of axis marks, in the unit of the ranges.

    Returns:
        an SVG element.
    """
    top = max((bar.range.high for bar in found), default=0.0) or 1.0
    height = TOP + ROW * len(found) + BOTTOM
    parts = [
        f'<svg viewBox="0 0 {LEFT + PLOT + RIGHT} {height}" role="img" aria-label="{escape(title, quote=True)}">',
        f"<title>{escape(title)}</title>",
    ]
    for position, label in ticks:
        if position <= top:
            x = LEFT + PLOT * position / top
            parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{height - BOTTOM}"/>')
            parts.append(f'<text class="tick" x="{x:.1f}" y="{height - BOTTOM + 16}">{escape(label)}</text>')
    parts.append(f'<text class="unit" x="{LEFT + PLOT + 10}" y="{height - BOTTOM + 16}">{escape(unit)}</text>')
    for index, bar in enumerate(found):
        parts.append(_bar(bar, TOP + ROW * index, top))
    return "".join([*parts, "</svg>"])


def nice_ticks(top: float, wanted: int = 4) -> list[float]:
    """Round positions from zero to a top value: steps of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(9.0)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    if top <= 0:
        return [0.0]
    magnitude = 10.0 ** math.floor(math.log10(top / wanted))
    step = next(magnitude * part for part in (1, 2, 5, 10) if magnitude * part * wanted >= top * 0.8)
    return [float(f"{step * number:.12g}") for number in range(int(top / step) + 1)]


def _bar(bar: Bar, y: int, top: float) -> str:
    label = bar.label if len(bar.label) <= LABEL_LETTERS else bar.label[: LABEL_LETTERS - 1] + "…"
    middle = y + ROW / 2
    low, mid, high = (LEFT + PLOT * end / top for end in bar.range)
    return (
        f'<text class="name" x="{LEFT - 10}" y="{middle + 4:.1f}">{escape(label)}</text>'
        f'<rect class="bar" x="{LEFT}" y="{middle - BAR / 2:.1f}" width="{max(mid - LEFT, 1):.1f}" height="{BAR}"/>'
        f'<path class="range" d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 5:.1f}v10'
        f'M{high:.1f} {middle - 5:.1f}v10"/>'
        f'<text class="value" x="{LEFT + PLOT + 10}" y="{middle + 4:.1f}">{escape(bar.text)}</text>'
    )
