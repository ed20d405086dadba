"""`joulebook runs`: the runs that were measured."""

from collections.abc import Mapping
from typing import Any

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.journals import every_run, journals_of
from joulebook.faces.cli.main import open_book
from joulebook.faces.cli.run_show import as_json
from joulebook.faces.text import _
from joulebook.runs import RunAccount, account_run
from joulebook.terms.display import in_digits, range_text

RESULT = 5
"""Place of the results in a line."""

NAME_WIDTH, RESULT_WIDTH = 12, 10
"""Columns that names may take before results must give way, and columns that results have in any case."""


@click.command("runs", help=_("List the runs that were measured, the newest last."))
@click.option("--project", help=_("Only runs of this project."))
@click.option("--limit", default=20, show_default=True, help=_("How many at most; 0 lists all."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, project: str | None, limit: int, is_json: bool) -> int:
    """List runs."""
    edition = open_book(ctx).edition
    summaries = [one for one in every_run(journals_of(ctx), quiet=ctx.obj["quiet"]) if project in {None, one.project}]
    newest = sorted(summaries, key=lambda one: one.started_at)[-limit if limit else 0 :]
    accounts = [account_run(one, edition, policy=ctx.obj["policy"]) for one in newest]
    if is_json:
        show.emit("runs", runs=[as_json(account) for account in accounts])
        return 0
    if not accounts:
        show.note(_("There are no runs yet. Next: joulebook run -- COMMAND"))
        return 0
    headers = [_("name"), _("run"), _("started (UTC)"), _("time"), _("energy, IT"), _("result"), _("status")]
    rows = [_cells(account) for account in accounts]
    taken = [max(map(show.width_of, column)) for column in zip(headers, *rows, strict=True)]
    spare = show.WIDTH - min(taken[0], NAME_WIDTH) - sum(taken[1:]) - 2 * (len(taken) - 1) + taken[RESULT]
    for account, cells in zip(accounts, rows, strict=True):
        cells[RESULT] = _results(account.summary.metrics, max(spare, RESULT_WIDTH))
    show.table(headers, rows, right=(3, 4))
    return 0


def _cells(account: RunAccount) -> list[str]:
    summary: Any = account.summary
    energy = account.it_energy_kwh
    return [
        summary.name,
        summary.run,
        summary.started_at.strftime("%m-%d %H:%M"),
        f"{in_digits(summary.duration_s)} s",
        _("unknown") if energy is None else range_text(energy, "kWh").partition(" (")[0],
        "",
        summary.status,
    ]


def _results(metrics: Mapping[str, float], width: int) -> str:
    """The first results, as many as fit, and how many more there are."""
    texts = [f"{name} {in_digits(value, 4)}" for name, value in metrics.items()]
    for shown in range(len(texts), 0, -1):
        left = f" (+{len(texts) - shown})" if shown < len(texts) else ""
        text = ", ".join(texts[:shown]) + left
        if show.width_of(text) <= width:
            return text
    return show.fitted(texts[0], width - show.width_of(left)) + left if texts else "–"
