"""Estimates of large operators' services against what operators and others publish, the operator left out in turn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from joulebook.estimate.hosted import UNSEEN
from joulebook.estimate.operators import ONE_POINT, SHARED, OperatorPoint, anchored
from joulebook.estimate.options import single_groups
from joulebook.estimate.published import (
    ANCHOR,
    PublishedPoint,
    compared,
    operator_points,
    published_points,
    request_kwh,
)
from joulebook.estimate.regime import OPERATOR
from joulebook.estimate.scenarios import operator_estimate, ranges_of, serving_choices, shape_of, worked_out
from joulebook.estimate.serving import ServingEstimate
from joulebook.factors.edition import Edition
from joulebook.factors.read import read_edition
from joulebook.terms.range import Z90, Range
from joulebook.terms.units import convert

POLICY = "ghgp-location"
SPLIT = "published by operators, operator held out"
KINDS = {ANCHOR: "operator", "statement": "operator, not as energy", "demonstration": "demonstration", "study": "study"}


@dataclass(frozen=True)
class Line:
    """One published point, energies at the accelerators [Wh].

    Attributes:
        subject: of the point. name: for people. kind: one of `KINDS`. operator: who says it.
        published: with what it leaves open of meter and boundary.
        like_benchmark: the estimate of a service run like the benchmark.
        bottom_up: the estimate of a large operator's service, no published point looked at.
        held_out: the same weighed against the points of all other operators; its range has what the statement leaves
            open of the request.
    """

    subject: str
    name: str
    kind: str
    operator: str
    published: Range
    like_benchmark: float
    bottom_up: Range
    held_out: Range


@cache
def lines() -> tuple[Line, ...]:
    """Every published point of the library."""
    edition = read_edition()
    anchors = operator_points(edition, POLICY).values
    return tuple(
        _line(edition, anchors, kind, point)
        for kind in KINDS
        for point in published_points(edition, POLICY, kind)
    )  # fmt: skip


def _line(edition: Edition, anchors: Sequence[OperatorPoint], kind: str, point: PublishedPoint) -> Line:
    at = point.factor.valid_from
    tokens = {name: value.mid for name, value in point.tokens.items()}
    reference = {
        "reference_input_tokens": tokens["uncached_input_tokens"] + tokens["cache_read_tokens"],
        "reference_output_tokens": tokens["visible_output_tokens"],
    }
    choices = serving_choices(edition, POLICY, at, OPERATOR)
    ranges = ranges_of(choices, reference)
    bottom_up = operator_estimate(edition, POLICY, point.facts, at, ranges, UNSEEN)
    common = {name: choices[name].factor.range for name in (SHARED, ONE_POINT)}
    others = [one for one in anchors if one.operator != point.operator]
    noise = compared(edition, POLICY, point).noise
    alone = anchored(bottom_up, (), common, point.operator, point.facts.model)
    held_out = anchored(bottom_up, others, common, point.operator, point.facts.model)
    groups = single_groups(edition, POLICY, (None, None, None), point.facts, at)
    plain = ranges_of(serving_choices(edition, POLICY, at), reference)
    single = worked_out(shape_of(point.facts), plain, groups, UNSEEN, is_settled=False)
    published = Range(*(convert(end, "kWh", "Wh") for end in point.accelerator_kwh))
    name = edition.names.get(point.factor.subject, {}).get("en", point.factor.subject)
    return Line(
        point.factor.subject,
        name,
        kind,
        point.operator,
        published,
        _wh(single, tokens, 0.0).mid,
        _wh(alone, tokens, noise),
        _wh(held_out, tokens, noise),
    )


def _wh(estimate: ServingEstimate, tokens: Mapping[str, float], noise: float) -> Range:
    middle = convert(request_kwh(estimate.coefficients, tokens), "kWh", "Wh")
    down = math.hypot(math.log(estimate.spread.low), Z90 * noise)
    up = math.hypot(math.log(estimate.spread.high), Z90 * noise)
    return Range(middle * math.exp(-down), middle, middle * math.exp(up))


def operator_scores() -> list[dict[str, object]]:
    """Lines of results: the operators' own energies, then everything that is published."""
    own = [line for line in lines() if line.kind == ANCHOR]
    everything = list(lines())
    return [
        _score("joulebook", own, [line.held_out for line in own]),
        _score("joulebook, no published point", own, [line.bottom_up for line in own]),
        _score("joulebook, as a service run like the benchmark", own, [_exact(line.like_benchmark) for line in own]),
        _score("joulebook, with statements and studies", everything, [line.held_out for line in everything]),
    ]


def _exact(value: float) -> Range:
    return Range(math.nan, value, math.nan)


def _score(model: str, part: Sequence[Line], predicted: Sequence[Range]) -> dict[str, object]:
    published = np.array([line.published.mid for line in part])
    middle = np.array([one.mid for one in predicted])
    error = np.abs(middle / published - 1)
    near = np.abs(np.log(middle / published)) <= np.log(2)
    operators = np.array([line.operator for line in part])
    medians = [float(np.median(error[operators == name])) for name in np.unique(operators)]
    inside = np.array([one.low <= value <= one.high for one, value in zip(predicted, published, strict=True)])
    ranged: dict[str, float | None] = dict.fromkeys(("coverage_80", "worst_family_coverage_80", "half_width"))
    if not any(math.isnan(one.low) for one in predicted):
        ranged["coverage_80"] = float(inside.mean())
        ranged["worst_family_coverage_80"] = min(float(inside[operators == name].mean()) for name in operators)
        ranged["half_width"] = float(np.median([math.sqrt(one.high / one.low) for one in predicted]))
    found: dict[str, object] = {
        "split": SPLIT,
        "model": model,
        "n": len(part),
        "median_ape": float(np.median(error)),
        "within_2x": float(near.mean()),
        "macro_median_ape": float(np.mean(medians)),
        "worst_family_median_ape": max(medians),
        **ranged,
    }
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}


def table() -> str:
    """Every point as a line of a Markdown table."""
    head = "| what is published | kind | published | like the benchmark | large operator | operator held out | |\n"
    rows = [head, "|---|---|--:|--:|--:|--:|--:|\n"]
    for line in lines():
        ratio = line.held_out.mid / line.published.mid
        inside = "in range" if line.held_out.low <= line.published.mid <= line.held_out.high else "**outside**"
        middles = f"{line.like_benchmark:.3g} | {line.bottom_up.mid:.3g}"
        cells = f"{_digits(line.published)} | {middles} | {_digits(line.held_out)}"
        rows.append(f"| {line.name} | {KINDS[line.kind]} | {cells} | x{ratio:.2g}, {inside} |\n")
    return "".join(rows)


def _digits(value: Range) -> str:
    return f"{value.mid:.3g} ({value.low:.2g} to {value.high:.2g})"
