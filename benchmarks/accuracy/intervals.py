"""80 % intervals whose width was set by other families (split conformal, families counting evenly)."""

import numpy as np
from benchmarks.accuracy.rows import Rows
from scipy.stats import norm, t

RECURRENT = 1.5
"""Log spread of models with recurrent layers over that of mixtures: one family only, so nothing held out can set it;
assumed wider than anything measured."""


def is_recurrent(rows: Rows) -> np.ndarray:
    """Which rows have layers with a recurrent state."""
    return np.array([facts["state_elements"] > 0 for facts in rows.architecture])


def spread_scale(rows: Rows, error: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, float]:
    """How much wider each row's interval is than that of a dense transformer, learnt from the rows in `known`.

    Returns:
        the scale of every row; the ratio of mixtures of experts to dense transformers.
    """
    recurrent, mixture = is_recurrent(rows), rows.total > rows.active
    size = [np.quantile(np.abs(error[known & group]), 0.8) for group in (mixture, ~mixture & ~recurrent)]
    ratio = max(1.0, float(size[0] / size[1]))
    return np.where(recurrent, ratio * RECURRENT, np.where(mixture, ratio, 1.0)), ratio


def weighted_quantile(values: np.ndarray, weights: np.ndarray, level: float) -> float:
    """Quantile of weighted values."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(np.interp(level, (cumulative - weights[order] / 2) / cumulative[-1], values[order]))


def ends(error: np.ndarray, scale: np.ndarray, family: np.ndarray) -> tuple[float, float]:
    """Ends of scaled log errors, families weighing as the square root of their rows.

    The 10th and 90th percentile, widened as Student's t is over the normal because the families are few.
    """
    names, place, counts = np.unique(family, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[place])
    scaled = error / scale
    few = float(t.ppf(0.9, len(names) - 1) / norm.ppf(0.9))
    below, above = (weighted_quantile(scaled, weights, level) for level in (0.1, 0.9))
    return min(0.0, few * below), max(0.0, few * above)


def conformal(rows: Rows, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high of each row [J], the width set by the other families' held-out errors."""
    error = np.log(rows.measured / predicted)
    low, high = np.empty(len(rows)), np.empty(len(rows))
    for family in np.unique(rows.family):
        test = rows.family == family
        scale, _ratio = spread_scale(rows, error, ~test)
        below, above = ends(error[~test], scale[~test], rows.family[~test])
        low[test] = predicted[test] * np.exp(below * scale[test])
        high[test] = predicted[test] * np.exp(above * scale[test])
    return low, high


def chance_of_worst(rows: Rows, predicted: np.ndarray, goal: float = 0.65, draws: int = 2000) -> tuple[float, float]:
    """How often the worst family would miss a goal if the 80 % interval were exactly right.

    Each draw gives every model of a family a common error and every row its own, with the spreads of the held-out
    errors; the interval holds 80 % of all draws.

    Returns:
        share of draws whose worst family has less than `goal` of its rows inside; median share of the worst family.
    """
    error = np.log(rows.measured / predicted)
    names, place, counts = np.unique(rows.family, return_inverse=True, return_counts=True)
    means = np.array([error[place == number].mean() for number in range(len(names))])
    within = float(np.std(error - means[place]))
    between = float(np.sqrt(max(0.0, np.var(means) - within**2 / np.mean(counts))))
    half = norm.ppf(0.9) * np.hypot(within, between)
    chance = np.random.default_rng(20261122)
    drawn = chance.normal(0, between, (draws, len(names)))[:, place] + chance.normal(0, within, (draws, len(place)))
    inside = np.abs(drawn) <= half
    shares = np.stack([inside[:, place == number].mean(1) for number in range(len(names))], axis=1).min(1)
    return float((shares < goal).mean()), float(np.median(shares))
