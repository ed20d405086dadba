"""The hosted regime: of a row only the model and, perhaps, the speed are known."""

from datetime import date

import numpy as np
from benchmarks.accuracy.fit import Fit, Form
from benchmarks.accuracy.rows import Rows, shipped_ranges
from benchmarks.accuracy.splits import fit_rows

from joulebook.estimate.hosted import SCENARIO, Option, Speed, estimate_hosted
from joulebook.estimate.serving import SUBJECTS, ModelShape, reference_kwh
from joulebook.terms.range import Range
from joulebook.terms.units import convert

GROUPS = ("nvidia/", "serving/precision-", "serving/multiple-")
WIDTH = "weight_bytes_per_parameter"
BATCH = "serving/hosted|batch_requests"
MIDDLES = (40.0, 60.0, 80.0, 100.0, 130.0, 170.0, 220.0)
"""Middles of the batches of a hosted service among which nested cross-validation chooses, a third apart."""
SIXTEEN_BITS = 2.0


def options(factors: dict[str, Range]) -> list[list[Option]]:
    """Options of each group, from the shipped factors of a day."""
    found: dict[str, dict[str, float]] = {}
    for key, value in factors.items():
        subject, quantity = key.split("|")
        found.setdefault(subject, {})[quantity] = value.mid
    return [
        [
            Option(subject, facts["scenario_share_ratio"], facts)
            for subject, facts in found.items()
            if subject.startswith(group) and "scenario_share_ratio" in facts
        ]
        for group in GROUPS
    ]


def as_published(groups: list[list[Option]], weight_bytes: float) -> list[list[Option]]:
    """Weights published in less than 16 bits are served so, as the package takes it; others may be served in any."""
    if weight_bytes >= SIXTEEN_BITS:
        return groups
    return [[one for one in group if one.facts.get(WIDTH, weight_bytes) == weight_bytes] for group in groups]


def hosted_family_out(
    form: Form, rows: Rows, *, with_speed: bool, with_architecture: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mid, low and high of each row [J], its family held out and its deployment unknown."""
    result = np.empty((len(rows), 3))
    for family in np.unique(rows.family):
        test = rows.family == family
        fitted = fit_rows(form, rows, ~test)
        result[test] = _hosted(fitted, rows, test, with_speed=with_speed, with_architecture=with_architecture)
    return result[:, 0], result[:, 1], result[:, 2]


def batches_chosen_inside(form: Form, rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """As `hosted_family_out` with nothing known, the middle batch chosen among the other families only.

    Returns:
        mid, low and high of each row [J], and the chosen middle per held-out family.
    """
    result, chosen = np.empty((len(rows), 3)), {}
    for family in np.unique(rows.family):
        test = rows.family == family
        losses = _losses_inside(form, rows, ~test)
        best = MIDDLES[int(np.argmin(losses))]
        result[test] = _hosted(fit_rows(form, rows, ~test), rows, test, middle=best)
        chosen[str(family)] = best
    return result[:, 0], result[:, 1], result[:, 2], chosen


def _losses_inside(form: Form, rows: Rows, among: np.ndarray) -> np.ndarray:
    """For each of `MIDDLES` the mean absolute log error of families held out from the others, families alike."""
    losses = []
    for family in np.unique(rows.family[among]):
        test = among & (rows.family == family)
        fitted = fit_rows(form, rows, among & ~test)
        errors = (np.log(_hosted(fitted, rows, test, middle=one)[:, 0] / rows.measured[test]) for one in MIDDLES)
        losses.append([float(np.abs(error).mean()) for error in errors])
    return np.mean(losses, axis=0)


def _hosted(
    fitted: Fit,
    rows: Rows,
    test: np.ndarray,
    *,
    with_speed: bool = False,
    with_architecture: bool = True,
    middle: float | None = None,
) -> np.ndarray:
    """Mid, low and high [J] of the rows of a mask; the shipped batches, or as wide ones around another middle."""
    days = {0.0: shipped_ranges(date(2025, 6, 1)), 1.0: shipped_ranges(date(2024, 6, 1))}
    coefficients = dict(zip(fitted.form.terms, np.exp(fitted.log_coefficients), strict=True))
    result = []
    for place in np.flatnonzero(test):
        factors = days[rows.old[place]]
        if middle is not None:
            factors = factors | {BATCH: factors[BATCH].scaled(middle / factors[BATCH].mid)}
        values = rows.values[place]
        vintage = float(np.exp(fitted.log_vintage * rows.old[place]))
        fixed = {**coefficients, "vintage_ratio": vintage} | {
            name: values[name] for name in ("reference_input_tokens", "reference_output_tokens")
        }
        serving = {name: factors[f"{subject}|{name}"] for name, subject in SUBJECTS.items()}
        serving |= {name: factors[f"serving/text|{name}"] for name in SCENARIO}
        serving |= {name: Range.exact(value) for name, value in fixed.items()}
        model = ModelShape(
            Range.exact(rows.active[place]),
            Range.exact(rows.total[place]),
            rows.architecture[place] if with_architecture else {},
        )
        speed = Speed(1 / rows.itl[place] if with_speed else None)
        estimate = estimate_hosted(model, serving, as_published(options(factors), values[WIDTH]), speed)
        kwh = reference_kwh(estimate.coefficients, {name: value.mid for name, value in serving.items()})
        mid = convert(kwh, "kWh", "J") / rows.output[place]
        result.append((mid, mid * estimate.spread.low, mid * estimate.spread.high))
    return np.array(result)


def middle_of_each_model(rows: Rows) -> np.ndarray:
    """The median of a model's own rows on its task and in its year [J]: what knowing nothing else can reach at best."""
    key = np.array([f"{m}|{t}|{o}" for m, t, o in zip(rows.model, rows.task, rows.old, strict=True)])
    middle = np.empty(len(rows))
    for name in np.unique(key):
        part = key == name
        middle[part] = np.exp(np.median(np.log(rows.measured[part])))
    return middle
