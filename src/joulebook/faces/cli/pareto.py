"""`joulebook pareto`: what a better result costs."""

from collections.abc import Sequence

import click

from joulebook.errors import UsageError, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.journals import every_run, journals_of
from joulebook.faces.cli.main import open_book
from joulebook.faces.cli.plot import scatter
from joulebook.faces.text import _
from joulebook.reduce.pareto import Frontier, Trial, frontier
from joulebook.runs import account_run
from joulebook.terms.display import in_digits, range_in, range_text, unit_for
from joulebook.terms.units import convert

LOWER_IS_BETTER = ("loss", "error", "perplexity", "wer", "mae", "mse", "rmse", "fid")
"""Words of a metric's name that mean: less is better. ``--higher`` and ``--lower`` say it for certain."""


@click.command("pareto", help=_("The frontier of a result against energy, and what the search cost."))
@click.option("--metric", required=True, help=_("Name of the result, such as accuracy."))
@click.option("--project", help=_("Only runs of this project."))
@click.option("--higher/--lower", "is_higher_better", default=None, help=_("Which way is better; default by the name."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context, *, metric: str, project: str | None, is_higher_better: bool | None, is_json: bool
) -> int:
    """Print and draw the frontier."""
    edition = open_book(ctx).edition
    trials, seen = [], set()
    for summary in every_run(journals_of(ctx), quiet=ctx.obj["quiet"]):
        seen |= set(summary.metrics)
        energy = account_run(summary, edition, policy=ctx.obj["policy"]).it_energy_kwh
        if metric in summary.metrics and energy is not None and project in {None, summary.project}:
            trials.append(Trial(summary.run, summary.name, energy, summary.metrics[metric]))
    if not trials:
        raise UsageError(
            what=translatable("No run reports this metric."),
            next_step=translatable('report one with m.metric("accuracy", value), or see `joulebook runs`.'),
        )
    if is_higher_better is None:
        is_higher_better = not any(word in metric.lower() for word in LOWER_IS_BETTER)
    found = frontier(trials, is_higher_better=is_higher_better)
    if is_json:
        _print_json(metric, found, is_higher_better=is_higher_better)
    else:
        _print(metric, found)
    return 0


def _print_json(metric: str, found: Frontier, *, is_higher_better: bool) -> None:
    def plain(trials: Sequence[Trial]) -> list[dict[str, object]]:
        return [
            {"run": one.run, "name": one.label, metric: one.result, "energy_kwh": one.energy_kwh._asdict()}
            for one in trials
        ]

    show.emit(
        "pareto",
        metric=metric,
        is_higher_better=is_higher_better,
        frontier=plain(found.trials),
        beaten=plain(found.beaten),
        search_kwh=found.search_kwh._asdict(),
        last_gain_kwh=found.last_gain_kwh,
        last_gain=found.last_gain,
    )


def _print(metric: str, found: Frontier) -> None:
    unit = unit_for(max(one.energy_kwh.mid for one in (*found.trials, *found.beaten)), "kWh")
    show.heading(_("{metric} against energy ({unit})").format(metric=metric, unit=unit))
    points = [(convert(one.energy_kwh.mid, "kWh", unit), one.result, False) for one in found.beaten]
    points += [(convert(one.energy_kwh.mid, "kWh", unit), one.result, True) for one in found.trials]
    click.echo(scatter(points))
    click.echo()
    rows = []
    for group, sign in ((found.trials, "●"), (found.beaten, "·")):
        for one in group:
            low, mid, high = range_in(one.energy_kwh, "kWh", unit)
            rows.append([f"{sign} {one.label}", one.run, in_digits(one.result, 5), mid, f"{low}–{high}"])
    show.table([_("name"), _("run"), metric, unit, _("range")], rows, right=(2, 3, 4))
    click.echo()
    click.echo(_("● on the frontier: no run is better for less energy"))
    click.echo(
        _("whole search: {energy} in {count} runs").format(
            energy=range_text(found.search_kwh, "kWh"), count=len(found.trials) + len(found.beaten)
        )
    )
    if found.last_gain_kwh is not None and found.last_gain is not None:
        chosen = unit_for(found.last_gain_kwh, "kWh")
        more, _mid, _high = range_in(found.search_kwh._replace(low=found.last_gain_kwh), "kWh", chosen)
        click.echo(
            _("last gain: {gain} of {metric} for {energy} more").format(
                gain=in_digits(found.last_gain), metric=metric, energy=f"{more} {chosen}"
            )
        )
