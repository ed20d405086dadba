"""One line of results per split: the same measures everywhere."""

from dataclasses import asdict, dataclass

import numpy as np
from benchmarks.accuracy.rows import Rows


@dataclass(frozen=True)
class Score:
    """How well one model did in one split.

    Attributes:
        split, model: what was held out; what predicted.
        n: rows predicted.
        median_ape: median of |predicted / measured - 1|.
        within_2x: share of rows within a factor of two.
        macro_median_ape, worst_family_median_ape: over the families' medians.
        coverage_80, worst_family_coverage_80: share of rows inside the 80 % interval; None without an interval.
        half_width: median of sqrt(high / low); None without an interval.
    """

    split: str
    model: str
    n: int
    median_ape: float
    within_2x: float
    macro_median_ape: float
    worst_family_median_ape: float
    coverage_80: float | None
    worst_family_coverage_80: float | None
    half_width: float | None

    def as_json(self) -> dict[str, object]:
        """Rounded to four digits, so that machines agree."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def score(
    split: str,
    model: str,
    rows: Rows,
    predicted: np.ndarray,
    interval: tuple[np.ndarray, np.ndarray] | None = None,
) -> Score:
    """Score predictions [J]; NaN predictions are not part of the split."""
    part = ~np.isnan(predicted)
    error = np.abs(predicted[part] / rows.measured[part] - 1)
    near = np.abs(np.log(predicted[part] / rows.measured[part])) <= np.log(2)
    family = rows.family[part]
    medians = [float(np.median(error[family == name])) for name in np.unique(family)]
    covered, worst, width = None, None, None
    if interval is not None:
        low, high = interval[0][part], interval[1][part]
        inside = (rows.measured[part] >= low) & (rows.measured[part] <= high)
        covered = float(inside.mean())
        worst = min(float(inside[family == name].mean()) for name in np.unique(family))
        width = float(np.median(np.sqrt(high / low)))
    return Score(
        split,
        model,
        int(part.sum()),
        float(np.median(error)),
        float(near.mean()),
        float(np.mean(medians)),
        max(medians),
        covered,
        worst,
        width,
    )
