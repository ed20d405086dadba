"""Fit of the positive coefficients in log space: robust, with a weak prior, and weights that count families evenly."""

from dataclasses import dataclass

import numpy as np
from benchmarks.accuracy.rows import TERMS
from scipy.optimize import least_squares

PRIOR = {
    "weight_stream_ratio": 0.8,
    "context_stream_ratio": 1.0,
    "compute_ratio": 1.5,
    "expert_compute_ratio": 3.0,
    "narrow_expert_compute_ratio": 3.0,
    "layer_s": 5e-5,
    "expert_layer_s": 5e-5,
    "link_layer_s": 2e-5,
    "link_ratio": 10.0,
    "sequence_s": 3e-5,
}
"""Orders of magnitude from physics: streams near their limit, arithmetic at half of it, microseconds a kernel."""

PRIOR_SD = 1.5
"""Weak: a factor of 4.5 either way."""

VINTAGE_PRIOR = (np.log(1.4), 0.3)
"""2024 over 2025 at equal configuration, published before this fit."""


SCALE = 0.25
"""Log error beyond which a row counts less: a quarter, about the noise between deployments."""


@dataclass(frozen=True)
class Form:
    """A choice of terms and of weights: ``rows`` (each row alike), ``model`` or ``family`` (each alike)."""

    terms: tuple[str, ...]
    weights: str = "family"

    @property
    def name(self) -> str:
        """Short name."""
        return "+".join(self.terms) + "|" + self.weights

    @property
    def index(self) -> list[int]:
        """Columns of the design."""
        return [TERMS.index(term) for term in self.terms]


@dataclass(frozen=True)
class Fit:
    """Fitted coefficients and log vintage."""

    form: Form
    log_coefficients: np.ndarray
    log_vintage: float

    def predict(self, design: np.ndarray, old: np.ndarray) -> np.ndarray:
        """Energy per output token [J]."""
        return design[:, self.form.index] @ np.exp(self.log_coefficients) * np.exp(self.log_vintage * old)


def row_weights(labels: np.ndarray) -> np.ndarray:
    """Weights with which each label counts as much as the square root of its rows; mean 1."""
    names, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[place])
    return weights / weights.mean() if len(names) else weights


def fit(form: Form, design: np.ndarray, measured: np.ndarray, old: np.ndarray, labels: np.ndarray) -> Fit:
    """Fit one form.

    Args:
        form: terms and weights.
        design: rows x TERMS [J].
        measured: energy per output token [J].
        old: 1 for rows of 2024.
        labels: what the weights count by.
    """
    x = design[:, form.index]
    prior = np.log([PRIOR[term] for term in form.terms])
    root = np.sqrt(row_weights(labels))
    log_y = np.log(measured)

    def residuals(theta: np.ndarray) -> np.ndarray:
        energy = x @ np.exp(theta[:-1])
        difference = (np.log(energy) + theta[-1] * old - log_y) * root
        pull = (theta[:-1] - prior) / PRIOR_SD
        return np.concatenate([_soft(difference), pull, [(theta[-1] - VINTAGE_PRIOR[0]) / VINTAGE_PRIOR[1]]])

    def jacobian(theta: np.ndarray) -> np.ndarray:
        parts = x * np.exp(theta[:-1])
        energy = parts.sum(1)
        difference = (np.log(energy) + theta[-1] * old - log_y) * root
        slope = (_soft_slope(difference) * root)[:, None]
        data = np.hstack([slope * parts / energy[:, None], slope * old[:, None]])
        size = len(theta)
        pull = np.zeros((size, size))
        pull[range(size), range(size)] = 1 / PRIOR_SD
        pull[-1, -1] = 1 / VINTAGE_PRIOR[1]
        return np.vstack([data, pull])

    start = np.append(prior, VINTAGE_PRIOR[0])
    theta = least_squares(residuals, start, jacobian, method="lm", max_nfev=60).x
    return Fit(form, theta[:-1], float(theta[-1]))


def _soft(difference: np.ndarray) -> np.ndarray:
    """Residual whose square is the pseudo-Huber loss, in units of SCALE."""
    z = difference / SCALE
    return np.sign(z) * np.sqrt(2 * (np.sqrt(1 + z * z) - 1))


def _soft_slope(difference: np.ndarray) -> np.ndarray:
    z = difference / SCALE
    outer = np.sqrt(1 + z * z)
    soft = np.sqrt(2 * (outer - 1))
    return np.where(np.abs(z) < 1e-6, 1.0, np.abs(z) / (outer * np.where(soft == 0, 1, soft))) / SCALE
