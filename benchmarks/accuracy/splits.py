"""Predictions on rows whose family, or family and accelerator, or year the fit has not seen."""

from itertools import combinations, product

import numpy as np
from benchmarks.accuracy.fit import Fit, Form, fit
from benchmarks.accuracy.rows import TERMS, Rows

ALWAYS = ("weight_stream_ratio", "context_stream_ratio", "compute_ratio", "expert_compute_ratio", "layer_s")
OPTIONAL = ("narrow_expert_compute_ratio", "expert_layer_s", "link_layer_s", "link_ratio", "sequence_s")
FORMS = tuple(
    Form(tuple(term for term in TERMS if term in ALWAYS + more), weights)
    for count in range(len(OPTIONAL) + 1)
    for more in combinations(OPTIONAL, count)
    for weights in ("rows", "model")
)
"""Every form that nested cross-validation may choose."""

CHOSEN = Form(TERMS, "model")
"""The form that ships; `nested` shows what the choice costs."""


def fit_rows(form: Form, rows: Rows, mask: np.ndarray, design: np.ndarray | None = None) -> Fit:
    """Fit a form to the rows of a mask."""
    labels = {"rows": np.arange(len(rows)), "model": rows.model}[form.weights]
    table = rows.design if design is None else design
    return fit(form, table[mask], rows.measured[mask], rows.old[mask], labels[mask])


def family_out(form: Form, rows: Rows, among: np.ndarray | None = None) -> np.ndarray:
    """Prediction of each row by a fit without its family [J]; NaN outside `among`."""
    among = np.ones(len(rows), bool) if among is None else among
    predicted = np.full(len(rows), np.nan)
    for family in np.unique(rows.family[among]):
        test = among & (rows.family == family)
        predicted[test] = fit_rows(form, rows, among & ~test).predict(rows.design[test], rows.old[test])
    return predicted


def plain_family_out(form: Form, rows: Rows) -> np.ndarray:
    """As `family_out`, but of the held-out model only the parameter counts are known."""
    predicted = np.empty(len(rows))
    for family in np.unique(rows.family):
        test = rows.family == family
        predicted[test] = fit_rows(form, rows, ~test).predict(rows.plain[test], rows.old[test])
    return predicted


def family_and_gpu_out(form: Form, rows: Rows) -> np.ndarray:
    """Prediction of each row by a fit that has seen neither its family nor its accelerator generation."""
    predicted = np.empty(len(rows))
    for family, gpu in product(np.unique(rows.family), np.unique(rows.gpu)):
        test = (rows.family == family) & (rows.gpu == gpu)
        if test.any():
            seen = (rows.family != family) & (rows.gpu != gpu)
            predicted[test] = fit_rows(form, rows, seen).predict(rows.design[test], rows.old[test])
    return predicted


def later_year(form: Form, rows: Rows) -> np.ndarray:
    """Rows of 2025 by a fit to 2024; the vintage comes from the published prior alone. NaN for 2024."""
    old = rows.old == 1
    predicted = np.full(len(rows), np.nan)
    predicted[~old] = fit_rows(form, rows, old).predict(rows.design[~old], rows.old[~old])
    return predicted


def nested(rows: Rows) -> tuple[np.ndarray, dict[str, str]]:
    """For each family, the form is chosen by leave-family-out among the others only, then tested on it.

    Returns:
        predictions [J], and the chosen form per held-out family.
    """
    predicted, chosen = np.empty(len(rows)), {}
    for family in np.unique(rows.family):
        test = rows.family == family
        losses = [_loss(family_out(form, rows, ~test)[~test], rows.measured[~test]) for form in FORMS]
        best = FORMS[int(np.argmin(losses))]
        predicted[test] = fit_rows(best, rows, ~test).predict(rows.design[test], rows.old[test])
        chosen[str(family)] = best.name
    return predicted, chosen


def _loss(predicted: np.ndarray, measured: np.ndarray) -> float:
    """Mean absolute log error, a single row counting at most as much as a factor of 4.5."""
    return float(np.minimum(np.abs(np.log(predicted / measured)), 1.5).mean())


def one_point(rows: Rows, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each deployment shifted by its one measured point nearest the middle of its batches.

    Returns:
        predictions of the other rows [J]; NaN for the measured points and for deployments with a single row.
        and the same with every other row in turn as the measured point: log errors of all ordered pairs.
    """
    key = np.array([f"{m}|{g}|{c}|{t}" for m, g, c, t in zip(rows.model, rows.gpu, rows.count, rows.task, strict=True)])
    error = np.log(rows.measured / predicted)
    shifted, pairs = np.full(len(rows), np.nan), []
    for deployment in np.unique(key):
        places = np.flatnonzero(key == deployment)
        places = places[np.argsort(rows.batch[places])]
        middle = places[len(places) // 2]
        others = places[places != middle]
        shifted[others] = predicted[others] * np.exp(error[middle])
        pairs += [error[b] - error[a] for a in places for b in places if a != b]
    return shifted, np.array(pairs)
