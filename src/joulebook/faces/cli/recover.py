"""`joulebook recover`: close what was cut off, and book what is not in the book yet."""

from typing import TYPE_CHECKING

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.journals import journals_of, take_up
from joulebook.faces.cli.main import open_book
from joulebook.faces.cli.run_show import as_json, block
from joulebook.faces.text import _, error_text
from joulebook.measure.recover import close_cut_off, elsewhere

if TYPE_CHECKING:
    from joulebook.errors import InputUnreadable


@click.command("recover", help=_("Close and book runs that were cut off (kill -9, power cut)."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool) -> int:
    """Close journals whose process is no more."""
    folder = journals_of(ctx)
    closed = close_cut_off(folder)
    others = elsewhere(folder)
    faults: list[InputUnreadable] = []
    accounts = list(take_up(open_book(ctx), folder, faults, quiet=ctx.obj["quiet"]))
    for fault in faults:
        show.note(error_text(fault))
    if is_json:
        show.emit(
            "recover",
            closed=[str(path) for path in closed],
            elsewhere=[str(path) for path in others],
            runs=[as_json(account) for account in accounts],
        )
    for account in accounts:
        if not is_json:
            click.echo(block(account))
    if not is_json and not closed and not accounts:
        click.echo(_("Nothing was cut off."))
    if others:
        show.note(_("{count} journals without an end belong to other hosts; run this there.").format(count=len(others)))
    return 0
