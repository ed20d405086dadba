"""The hosted regime: of a row only the model and, perhaps, the speed are known."""

from datetime import date

import numpy as np
from benchmarks.accuracy.fit import Form
from benchmarks.accuracy.rows import Rows, shipped_ranges
from benchmarks.accuracy.splits import fit_rows

from joulebook.estimate.hosted import SCENARIO, Option, Speed, estimate_hosted
from joulebook.estimate.serving import SUBJECTS, ModelShape, reference_kwh
from joulebook.terms.range import Range
from joulebook.terms.units import convert

GROUPS = ("nvidia/", "serving/precision-", "serving/multiple-")
WIDTH = "weight_bytes_per_parameter"
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
    days = {0.0: shipped_ranges(date(2025, 6, 1)), 1.0: shipped_ranges(date(2024, 6, 1))}
    result = np.empty((len(rows), 3))
    for family in np.unique(rows.family):
        test = rows.family == family
        fitted = fit_rows(form, rows, ~test)
        coefficients = dict(zip(form.terms, np.exp(fitted.log_coefficients), strict=True))
        for place in np.flatnonzero(test):
            factors = days[rows.old[place]]
            values = rows.values[place]
            vintage = float(np.exp(fitted.log_vintage * rows.old[place]))
            fixed = {**coefficients, "vintage_ratio": vintage} | {
                name: values[name] for name in ("reference_input_tokens", "reference_output_tokens")
            }
            names = (*((subject, name) for name, subject in SUBJECTS.items()),)
            serving = {name: factors[f"{subject}|{name}"] for subject, name in names}
            serving |= {name: factors[f"serving/text|{name}"] for name in SCENARIO}
            serving |= {name: Range.exact(value) for name, value in fixed.items()}
            model = ModelShape(
                Range.exact(rows.active[place]),
                Range.exact(rows.total[place]),
                rows.architecture[place] if with_architecture else {},
            )
            speed = Speed(1 / rows.itl[place] if with_speed else None)
            groups = as_published(options(factors), values[WIDTH])
            estimate = estimate_hosted(model, serving, groups, speed)
            mids = {name: value.mid for name, value in serving.items()}
            kwh = reference_kwh(estimate.coefficients, mids)
            mid = convert(kwh, "kWh", "J") / rows.output[place]
            result[place] = mid, mid * estimate.spread.low, mid * estimate.spread.high
    return result[:, 0], result[:, 1], result[:, 2]


def middle_of_each_model(rows: Rows) -> np.ndarray:
    """The median of a model's own rows on its task and in its year [J]: what knowing nothing else can reach at best."""
    key = np.array([f"{m}|{t}|{o}" for m, t, o in zip(rows.model, rows.task, rows.old, strict=True)])
    middle = np.empty(len(rows))
    for name in np.unique(key):
        part = key == name
        middle[part] = np.exp(np.median(np.log(rows.measured[part])))
    return middle
