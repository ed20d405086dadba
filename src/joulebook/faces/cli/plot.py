"""A scatter plot in letters."""

from collections.abc import Sequence

from joulebook.terms.display import in_digits

COLUMNS, ROWS, MARGIN = 64, 14, 10


def scatter(points: Sequence[tuple[float, float, bool]]) -> str:
    """Points (x, y, is marked) as text of at most 80 columns; marked ones are ``●``, the others ``·``."""
    xs, ys = [x for x, _y, _m in points], [y for _x, y, _m in points]
    cells = [[" "] * COLUMNS for _row in range(ROWS)]
    for x, y, is_marked in points:
        row = ROWS - 1 - _place(y, min(ys), max(ys), ROWS)
        cells[row][_place(x, min(xs), max(xs), COLUMNS)] = "●" if is_marked else "·"
    labels = {0: in_digits(max(ys), 4), ROWS - 1: in_digits(min(ys), 4)}
    lines = [f"{labels.get(row, ''):>{MARGIN}} │{''.join(line)}".rstrip() for row, line in enumerate(cells)]
    axis = " " * MARGIN + " └" + "─" * COLUMNS
    left, right = in_digits(min(xs)), in_digits(max(xs))
    ends = " " * (MARGIN + 2) + left + right.rjust(COLUMNS - len(left))
    return "\n".join([*lines, axis, ends])


def _place(value: float, low: float, high: float, count: int) -> int:
    if high == low:
        return count // 2
    return min(count - 1, int((value - low) / (high - low) * count))
