"""Write fitted numbers into the shipped factor file, each with what leaving one family out makes of it."""

import re

import numpy as np
from benchmarks.accuracy.fit import Form
from benchmarks.accuracy.intervals import ends, spread_scale
from benchmarks.accuracy.rows import SERVING, Rows
from benchmarks.accuracy.splits import family_out, fit_rows

NARROW = "narrow_expert_compute_ratio"
"""What slow 8-bit kernels of experts cost: other engines have none, so its range begins at nothing."""


def fitted_numbers(form: Form, rows: Rows) -> dict[str, tuple[float, float, float]]:
    """Quantity -> value, and its lowest and highest when one family is left out."""
    everything = np.ones(len(rows), bool)
    whole = fit_rows(form, rows, everything)
    parts = [fit_rows(form, rows, rows.family != family) for family in np.unique(rows.family)]
    numbers = {}
    for place, term in enumerate(form.terms):
        values = np.exp([part.log_coefficients[place] for part in parts])
        numbers[term] = (float(np.exp(whole.log_coefficients[place])), float(values.min()), float(values.max()))
    vintages = np.exp([part.log_vintage for part in parts])
    numbers["vintage_ratio"] = (float(np.exp(whole.log_vintage)), float(vintages.min()), float(vintages.max()))
    return numbers


def fitted_spread(form: Form, rows: Rows) -> tuple[float, float, float]:
    """Low and high end for dense models, and the log ratio of mixtures of experts to them."""
    predicted = family_out(form, rows)
    error = np.log(rows.measured / predicted)
    scale, ratio = spread_scale(rows, error, np.ones(len(rows), bool))
    below, above = ends(error, scale, rows.family)
    return float(np.exp(below)), float(np.exp(above)), ratio


def write_factors(form: Form, rows: Rows) -> None:
    """Replace value, low, high and cell of the fitted lines of ``text.yaml``; every other line stays."""
    path = SERVING / "text.yaml"
    text = path.read_text(encoding="utf-8")
    for name, (value, low, high) in fitted_numbers(form, rows).items():
        shown = _number(value)
        cell = f"fit to 879 rows; {_number(low)} to {_number(high)} when a family is left out"
        ends_shown = ("0", _number(high)) if name == NARROW else (shown, shown)
        text = _replace(text, name, (shown, *ends_shown), cell)
    below, above, ratio = fitted_spread(form, rows)
    text = _replace(text, "text_estimate_ratio", ("1", _number(below), _number(above)), "errors of held-out families")
    wider = (_number(ratio),) * 3
    text = _replace(text, "mixture_spread_ratio", wider, "80th percentile of held-out errors, mixtures over dense")
    widest = (_number(ratio * 1.5),) * 3
    text = _replace(text, "recurrent_spread_ratio", widest, "half as wide again as mixtures; one family measured")
    path.write_text(text, encoding="utf-8")


def _number(value: float) -> str:
    """Three digits; YAML reads an exponent only with a point and a sign."""
    shown = f"{value:.3g}"
    return shown if "e" not in shown or "." in shown else shown.replace("e", ".0e")


def _replace(text: str, name: str, values: tuple[str, str, str], cell: str) -> str:
    pattern = rf"(quantity: {name},(?: unit: \S+,)?) value: \S+, low: \S+, high: \S+?,([^\n]*?) ?cell: \"[^\"]*\""
    value, low, high = values
    replaced, count = re.subn(pattern, rf'\1 value: {value}, low: {low}, high: {high},\2 cell: "{cell}"', text, count=1)
    if count != 1:
        msg = f"text.yaml has no line for {name}"
        raise ValueError(msg)
    return replaced
