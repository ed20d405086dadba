"""`joulebook train-estimate`: a training run in kWh, CO2e and litres, from its devices or its size."""

from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import day_of, edition_of
from joulebook.faces.cli.figure_names import SHORT_NAMES, UPSTREAM_NOTE
from joulebook.faces.text import _
from joulebook.terms.columns import column
from joulebook.terms.display import in_digits, range_in, range_text, unit_for

if TYPE_CHECKING:
    from datetime import datetime

    from joulebook.account.train_estimate import TrainingEstimate
    from joulebook.account.train_inputs import TrainInput
    from joulebook.terms.range import Range

DRIVERS_SHOWN = 5

NAMES = {
    **SHORT_NAMES,
    "device_hours": translatable("device-hours"),
    "node_energy_kwh": translatable("energy, nodes"),
}
"""Names of the figures of a training run."""


@click.command(
    "train-estimate",
    help=_("Energy, CO2e and water of a training run, from hours of devices or from the size of model and data."),
)
@click.option("--device", help=_("Accelerator, such as h100-sxm-80gb."))
@click.option("--count", "device_count", type=float, help=_("Devices side by side."))
@click.option("--hours", "run_h", type=float, help=_("Wall time in hours."))
@click.option("--parameters", type=float, help=_("Active parameters of the model, such as 8e9."))
@click.option("--tokens", type=float, help=_("Tokens of training data, all epochs, such as 15e12."))
@click.option("--provider", help=_("Cloud provider: aws, azure, gcp, ..."))
@click.option("--region", help=_("Region of the provider, a country such as KOR, or a grid zone."))
@click.option("--power", "power_w", type=float, help=_("Measured mean power of one device in watts."))
@click.option("--utilisation", type=float, help=_("Mean over rated power, 0 to 1."))
@click.option("--mfu", "flop_utilisation", type=float, help=_("Share of the device's peak that is reached, 0 to 1."))
@click.option("--pue", type=float, help=_("PUE of the building, 1 or more."))
@click.option("--on", "at", type=click.DateTime(["%Y-%m-%d"]), help=_("Day of the run; today where not given."))
@click.option("--per-answer", help=_("Energy of one answer at the building, such as 0.3Wh: adds the break-even."))
@click.option("--answers-per-day", type=float, help=_("Answers a day: adds the time to break-even."))
@click.option("--lifetime-answers", type=float, help=_("Answers in the model's life: adds training per answer."))
@click.option("--strict", is_flag=True, help=_("Exit with 4 where something is unknown."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context,
    *,
    at: "datetime | None",
    per_answer: str | None,
    answers_per_day: float | None,
    lifetime_answers: float | None,
    strict: bool,
    is_json: bool,
    **given: Any,  # noqa: ANN401  (the options that make a plan)
) -> int:
    """Estimate one training run."""
    from joulebook.account.train_estimate import amortised, estimate_training  # noqa: PLC0415
    from joulebook.account.train_inputs import TrainingPlan  # noqa: PLC0415

    plan = TrainingPlan(at=day_of(at), policy=ctx.obj["policy"], **given)
    found = estimate_training(edition_of(ctx), plan)
    even = _break_even(found, per_answer, answers_per_day)
    carried = {} if lifetime_answers is None else amortised(found, lifetime_answers)
    if is_json:
        per = {metric: value._asdict() for metric, value in carried.items()}
        show.emit("train-estimate", **estimate_json(found), break_even=even_json(even), per_answer=per)
    else:
        print_estimate(found)
        if even is not None:
            _print_even(*even)
        if carried:
            show.heading(_("Training carried by one answer"))
            for metric, value in carried.items():
                click.echo(f"  {_(NAMES[metric])}: {range_text(value, column(metric).unit or '')}")
        _print_inputs(found)
    return 4 if strict and found.is_unknown else 0


def _break_even(
    found: "TrainingEstimate", per_answer: str | None, answers_per_day: float | None
) -> "tuple[Range, Range | None] | None":
    if per_answer is None:
        return None
    from joulebook.account.train_estimate import break_even  # noqa: PLC0415
    from joulebook.disclose.recompute import range_of  # noqa: PLC0415

    per_second = None if answers_per_day is None else range_of(f"{answers_per_day} requests/day", "1/s").mid
    return break_even(found, range_of(per_answer, "kWh"), per_second)


def print_estimate(found: "TrainingEstimate") -> None:
    """The figures with range and boundary."""
    rows = []
    for figure in found.figures:
        unit = column(figure.metric).unit or ""
        shown = unit_for(figure.value.mid, unit)
        low, mid, high = range_in(figure.value, unit, shown)
        name = _(NAMES[figure.metric])
        rows.append([name, low, mid, high, shown, str(figure.boundary)])
    heads = [_("training run"), _("low"), _("mid"), _("high"), _("unit"), _("boundary")]
    show.table(heads, rows, right=(1, 2, 3))
    click.echo(_("tier {tier} · low to high is an 80 % range").format(tier=_(str(found.tier))))
    if all(figure.metric != "co2e_upstream_g" for figure in found.figures):
        click.echo(show.wrapped(_(UPSTREAM_NOTE), ""))


def _print_even(count: "Range", seconds: "Range | None") -> None:
    show.heading(_("Break-even: use takes as much as the training"))
    low, mid, high = (in_digits(each) for each in count)
    click.echo("  " + _("after {mid} answers ({low} to {high})").format(mid=mid, low=low, high=high))
    if seconds is not None:
        low, mid, high = range_in(seconds, "s", "d")
        click.echo("  " + _("that is {mid} days ({low} to {high})").format(mid=mid, low=low, high=high))


def _print_inputs(found: "TrainingEstimate") -> None:
    show.heading(_("Computed from"))
    for name, each in found.inputs.items():
        unit = column(name).unit or ""
        value = range_text(each.value, unit, unit) if unit != "1" else _plain(each.value)
        click.echo(show.wrapped(f"{name} = {value} [{_(each.tier)}] {_source(each)}", "  "))
    drivers = found.drivers("co2e_operational_location_g")[:DRIVERS_SHOWN]
    if drivers:
        show.heading(_("What makes the CO2e uncertain (high over low)"))
        for name, ratio in drivers:
            click.echo(f"  {in_digits(ratio)}×  {name}")
    hints: dict[str, list[str]] = {}
    for name, each in found.inputs.items():
        if each.hint:
            hints.setdefault(_(each.hint).format(nearest=each.nearest), []).append(name)
    if hints:
        show.heading(_("What would make it better"))
        for hint, names in hints.items():
            click.echo(show.wrapped(f"- {', '.join(names)}: {hint}", "  "))


def _plain(value: "Range") -> str:
    low, mid, high = (in_digits(each) for each in value)
    return mid if low == high else f"{mid} ({low}–{high})"


def _source(each: "TrainInput") -> str:
    return _("given") if each.choice is None else each.choice.factor.source


def estimate_json(found: "TrainingEstimate") -> dict[str, Any]:
    """An estimate as JSON."""
    return {
        "tier": str(found.tier),
        "figures": [
            {
                "metric": each.metric,
                "low": each.value.low,
                "mid": each.value.mid,
                "high": each.value.high,
                "unit": column(each.metric).unit,
                "boundary": str(each.boundary),
            }
            for each in found.figures
        ],
        "inputs": [
            {
                "name": name,
                "low": each.value.low,
                "mid": each.value.mid,
                "high": each.value.high,
                "unit": column(name).unit,
                "tier": each.tier,
                "chosen_because": " + ".join(each.because),
                "factor_id": each.choice.factor.factor_id if each.choice else None,
                "source": each.choice.factor.source if each.choice else None,
                "cell": each.choice.factor.cell if each.choice else None,
                "hint": each.hint.format(nearest=each.nearest) if each.hint else None,
            }
            for name, each in found.inputs.items()
        ],
    }


def even_json(even: "tuple[Range, Range | None] | None") -> dict[str, Any] | None:
    """A break-even as JSON."""
    if even is None:
        return None
    count, seconds = even
    return {"answers": count._asdict(), "seconds": seconds._asdict() if seconds else None}
