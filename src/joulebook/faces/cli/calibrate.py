"""`joulebook calibrate`: measured energy of a deployment shifts the estimates of its model."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import InputUnreadable, UsageError
from joulebook.faces.cli import show
from joulebook.faces.cli.estimate import PRECISIONS
from joulebook.faces.cli.factors import day_of, edition_of
from joulebook.faces.text import _
from joulebook.terms.display import in_digits
from joulebook.terms.units import convert

if TYPE_CHECKING:
    from joulebook.account.calibration import Calibrated

TOKENS = ("input", "cached", "output", "reasoning")
BOUNDARIES = ("gpu", "node", "node+idle", "facility")


@click.command("calibrate", help=_("Shift a model's estimates to measured energy, and narrow their range."))
@click.option("--model", required=True, help=_("Name of the model."))
@click.option("--provider", help=_("Who hosts it: openai, azure, aws, own, ..."))
@click.option("--energy-wh", type=click.FloatRange(0, min_open=True), help=_("Measured energy of all requests, Wh."))
@click.option("--boundary", type=click.Choice(BOUNDARIES), default="gpu", help=_("What the meter saw."))
@click.option(
    "--meter-error",
    type=click.FloatRange(0, 1, max_open=True),
    help=_("Error of the meter, 0.05 for 5 %; default that of NVML for gpu, else that of an unknown meter."),
)
@click.option("--input", "fresh", type=click.IntRange(0), default=0, help=_("Input tokens computed afresh, in all."))
@click.option("--cached", type=click.IntRange(0), default=0, help=_("Input tokens read from a cache, in all."))
@click.option("--output", type=click.IntRange(0), default=0, help=_("Output tokens, in all."))
@click.option("--reasoning", type=click.IntRange(0), default=0, help=_("Output tokens of hidden reasoning, in all."))
@click.option("--requests", type=click.IntRange(1), default=1, help=_("Requests that were measured."))
@click.option(
    "--points",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=_("CSV with energy_wh, requests, input, cached, output, reasoning: one measurement per line."),
)
@click.option("--gpu", help=_("Accelerator: h100, a100-sxm-80gb, b200, l40s, ..."))
@click.option("--gpus", type=click.FloatRange(1), help=_("Accelerators that share one copy of the weights."))
@click.option("--batch", type=click.FloatRange(1), help=_("Requests decoded together."))
@click.option("--precision", type=click.Choice(PRECISIONS), help=_("Precision of the weights."))
@click.option("--date", "moment", type=click.DateTime(("%Y-%m-%d",)), help=_("Day of the measurement; default today."))
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help=_("Folder of your factors to write to."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, **options: Any) -> int:  # noqa: ANN401  (Click's options)
    """Print the calibration and, with --save, keep it as a factor."""
    from joulebook.account.calibration import calibrate_model  # noqa: PLC0415
    from joulebook.estimate.deployment import Deployment  # noqa: PLC0415

    points = _points(options)
    if not all(sum(point[name] for name in TOKENS) > 0 for point in points):
        raise UsageError(what=_("A measured point has no tokens."), next_step=_("give --input and --output tokens."))
    day = day_of(options["moment"] or datetime.now(UTC))
    found = calibrate_model(
        edition_of(ctx),
        ctx.obj["policy"],
        (options["provider"], options["model"]),
        points,
        day,
        boundary=options["boundary"],
        meter_error_ratio=options["meter_error"],
        deployment=Deployment(*(options[name] for name in ("gpu", "gpus", "batch", "precision"))),
    )
    saved = _save(options["save"], found, points) if options["save"] else None
    if options["is_json"]:
        show.emit("calibrate", **_json(found, saved))
    else:
        _print(found, saved)
    return 0


def _points(options: Mapping[str, Any]) -> list[dict[str, float]]:
    """Measurements from the options or from a file.

    Raises:
        UsageError: no energy and no file, or no tokens.
        InputUnreadable: a line of the file cannot be read.
    """
    if options["points"] is not None:
        return _read(options["points"])
    if options["energy_wh"] is None:
        raise UsageError(what=_("No energy was given."), next_step=_("give --energy-wh, or --points FILE."))
    names = dict(zip(TOKENS, ("fresh", "cached", "output", "reasoning"), strict=True))
    point = {name: float(options[option]) for name, option in names.items()}
    return [point | {"energy_wh": options["energy_wh"], "requests": float(options["requests"])}]


def _read(path: Path) -> list[dict[str, float]]:
    import csv  # noqa: PLC0415

    points = []
    with path.open(newline="", encoding="utf-8-sig") as stream:
        for line, row in enumerate(csv.DictReader(stream), start=2):
            try:
                point = {name: float(row.get(name) or 0) for name in TOKENS}
                point |= {"energy_wh": float(row["energy_wh"]), "requests": float(row.get("requests") or 1)}
            except (KeyError, ValueError) as wrong:
                raise InputUnreadable(
                    file=f"{path}:{line}",
                    what=_("This line has no number for {name}.").format(name=wrong),
                    next_step=_("give energy_wh and token counts in every line."),
                ) from wrong
            points.append(point)
    return points


def _save(folder: Path, found: "Calibrated", points: Sequence[Mapping[str, float]]) -> Path:
    """Write the factor and, where it is not there yet, its source."""
    import yaml  # noqa: PLC0415

    cell = f"{len(points)} measured points, boundary {found.boundary}"
    path = folder / "serving" / f"calibration-{found.model.replace('/', '-')}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(found.factor_file(cell), sort_keys=False, allow_unicode=True), encoding="utf-8")
    source = folder / "sources" / "own-measurement.yaml"
    if not source.exists():
        source.parent.mkdir(exist_ok=True)
        source.write_text(yaml.safe_dump(found.source(), sort_keys=False), encoding="utf-8")
    return path


def _print(found: "Calibrated", saved: Path | None) -> None:
    low, mid, high = (in_digits(end) for end in found.calibration.ratio)
    show.heading(_("Calibration of {model}").format(model=found.model))
    rows = [
        [str(place), in_digits(convert(point.measured_kwh.mid, "kWh", "Wh")), in_digits(ratio)]
        for place, (point, ratio) in enumerate(zip(found.points, found.calibration.point_ratios, strict=True), start=1)
    ]
    show.table([_("point"), _("accelerators, Wh"), _("measured / estimated")], rows, right=(1, 2))
    click.echo(_("The estimate becomes {mid} times what it was; 80 % range {low} to {high}.").format(
        low=low, mid=mid, high=high
    ))  # fmt: skip
    if "batch_requests" not in found.known:
        show.note(
            _(
                "Nobody said how it runs, so input and output shift alike. "
                "Next: --gpu, --gpus, --batch and --precision as measured."
            )
        )
    if saved is None:
        show.note(_("Nothing was kept. Next: --save FOLDER, then joulebook --factors FOLDER ..."))
    else:
        show.note(_("Kept in {path}. Next: joulebook --factors {folder} estimate ...").format(
            path=saved, folder=saved.parents[1]
        ))  # fmt: skip


def _json(found: "Calibrated", saved: Path | None) -> dict[str, Any]:
    ratio = found.calibration.ratio
    return {
        "model": found.model,
        "ratio": {"low": ratio.low, "mid": ratio.mid, "high": ratio.high},
        "points": [
            {"measured_kwh": point.measured_kwh.mid, "estimated_kwh": point.estimated_kwh, "ratio": one}
            for point, one in zip(found.points, found.calibration.point_ratios, strict=True)
        ],
        "boundary": found.boundary,
        "deployment": dict(found.known),
        "saved": str(saved) if saved else None,
    }
