"""`joulebook runs`: the runs that were measured."""

from typing import Any

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.journals import every_run, journals_of
from joulebook.faces.cli.main import open_book
from joulebook.faces.cli.run_show import as_json
from joulebook.faces.text import _
from joulebook.runs import RunAccount, account_run
from joulebook.terms.display import in_digits, range_text


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
    show.table(headers, [_cells(account) for account in accounts], right=(3, 4))
    return 0


def _cells(account: RunAccount) -> list[str]:
    summary: Any = account.summary
    energy = account.it_energy_kwh
    results = ", ".join(f"{name} {in_digits(value, 4)}" for name, value in summary.metrics.items())
    return [
        summary.name,
        summary.run,
        summary.started_at.strftime("%m-%d %H:%M"),
        f"{in_digits(summary.duration_s)} s",
        _("unknown") if energy is None else range_text(energy, "kWh").partition(" (")[0],
        results or "–",
        summary.status,
    ]
