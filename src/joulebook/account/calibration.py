"""From measured energy of a served model to the factor that shifts its estimates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from joulebook.errors import UnknownName, UsageError, translatable
from joulebook.estimate.boundary import LADDER
from joulebook.estimate.calibrate import Calibration, Point, at_the_accelerator, calibrate, factor_file
from joulebook.estimate.deployment import Deployment, calibrated, facts_of, kept_facts, serving_ranges
from joulebook.estimate.scenarios import METHOD_SUBJECT, shape_of
from joulebook.estimate.serving import estimate_serving
from joulebook.estimate.tokens import token_energy_kwh
from joulebook.factors.choose import choose, resolve_model
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.terms.boundary import Boundary
from joulebook.terms.columns import column
from joulebook.terms.range import Range
from joulebook.terms.units import convert

UNDESCRIBED = Deployment()
NVML = "meter:nvml"
"""Subject of the accuracy of what reads accelerators."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration of one model.

    Attributes:
        model: subject of the registry.
        calibration: shift and range.
        points: what was measured and what the uncalibrated estimate says.
        boundary: what the meter saw.
        day: day of the measurement, ISO.
        known: what was given of the deployment, by quantity.
    """

    model: str
    calibration: Calibration
    points: tuple[Point, ...]
    boundary: str
    day: str
    known: Mapping[str, float] = field(default_factory=dict)

    def factor_file(self, cell: str) -> Mapping[str, object]:
        """The factor file that keeps it."""
        known = {name: (value, column(name).unit or "1") for name, value in self.known.items()}
        return factor_file(self.model, self.calibration, self.day, cell, known)

    def source(self) -> Mapping[str, object]:
        """The bibliography entry of that file."""
        return {
            "own-measurement": {
                "title": "Own measurement of a deployment",
                "publisher": "the user of this book",
                "url": "https://localhost/",
                "licence": "own",
                "edition": self.day,
                "date_seen": date.fromisoformat(self.day),
                "ships": False,
            }
        }


def calibrate_model(
    edition: Edition,
    policy: str,
    model: tuple[str | None, str],
    points: Sequence[Mapping[str, float]],
    at: date,
    *,
    boundary: str,
    meter_error_ratio: float | None = None,
    deployment: Deployment = UNDESCRIBED,
) -> Calibrated:
    """Compare measured energy with the estimate of the same requests.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        model: provider (None is unknown) and name.
        points: per measurement ``energy_wh``, ``requests``, ``input``, ``cached``, ``output``, ``reasoning``.
        at: day of the measurement.
        boundary: what the meter saw: gpu, node, node+idle, facility.
        meter_error_ratio: half the width of the meter's range; None takes the library's, of NVML where it saw
            accelerators alone and of an unknown meter elsewhere.
        deployment: what is known of the deployment; without it the shape of a full batch on an H100 is shifted.

    Raises:
        UnknownName: the name is not that of one model of the registry, or there is no such accelerator or precision.
        UsageError: a point has no tokens.
    """
    facts = resolve_model(edition, *model, at)
    if facts.is_unknown or len(facts.candidates) > 1:
        nearest = facts.nearest if facts.is_unknown else ", ".join(facts.candidates)
        raise UnknownName(kind=translatable("model"), name=model[1], nearest=nearest)
    known = facts_of(edition, policy, deployment, at)
    shaped = kept_facts(edition, policy, facts.model, at) | known
    serving = calibrated(serving_ranges(edition, policy, at), Range.exact(1), shaped)
    coefficients = estimate_serving(shape_of(facts), serving).coefficients
    rungs = [rung for rung in LADDER if rung[0].rung <= Boundary(boundary).rung]
    overheads = [choose(edition, name, subject, at, policy).factor.range for _rung, name, subject in rungs]
    error = _meter(edition, policy, boundary, at) if meter_error_ratio is None else _around(meter_error_ratio)
    found = []
    for point in points:
        if point["input"] + point["cached"] + point["output"] + point["reasoning"] <= 0:
            raise UsageError(
                what=translatable("A measured point has no tokens."),
                next_step=translatable("give --input and --output tokens."),
            )
        energy = convert(point["energy_wh"], "Wh", "kWh")
        found.append(Point(at_the_accelerator(error.scaled(energy), overheads), _estimated_kwh(point, coefficients)))
    one_point = choose(edition, "one_point_ratio", METHOD_SUBJECT, at, policy).factor.range
    return Calibrated(facts.model, calibrate(found, one_point), tuple(found), boundary, at.isoformat(), known)


def _meter(edition: Edition, policy: str, boundary: str, at: date) -> Range:
    """True over read energy of the meter that sees a boundary."""
    subject = NVML if boundary == Boundary.GPU else UNKNOWN
    return choose(edition, "meter_error_ratio", subject, at, policy).factor.range


def _around(error_ratio: float) -> Range:
    return Range(1 - error_ratio, 1, 1 + error_ratio)


def _estimated_kwh(point: Mapping[str, float], coefficients: Mapping[str, float]) -> float:
    price = cast("Callable[..., Any]", token_energy_kwh)
    return price(
        request_count=point["requests"],
        per_request_ratio=1 / point["requests"],
        uncached_input_tokens=point["input"],
        cache_read_tokens=point["cached"],
        cache_write_tokens=0.0,
        visible_output_tokens=point["output"],
        reasoning_output_tokens=point["reasoning"],
        **coefficients,
    )
