"""`joulebook recover`: close and book what was cut off."""

import click

from joulebook.errors import InputUnreadable
from joulebook.faces.cli import show
from joulebook.faces.cli.journals import journals_of
from joulebook.faces.cli.main import open_book
from joulebook.faces.cli.run_show import as_json, block
from joulebook.faces.text import _, error_text
from joulebook.measure.recover import close_cut_off, elsewhere
from joulebook.measure.replay import read_run
from joulebook.runs import account_run, book_run


@click.command("recover", help=_("Close and book runs that were cut off (kill -9, power cut)."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool) -> int:
    """Close journals whose process is no more."""
    folder = journals_of(ctx)
    closed = close_cut_off(folder)
    others = elsewhere(folder)
    book = open_book(ctx) if closed else None
    documents = []
    for run in dict.fromkeys(path.parent for path in closed):
        assert book is not None
        try:
            account = account_run(read_run(run), book.edition, policy=ctx.obj["policy"])
        except InputUnreadable as error:
            show.note(error_text(error))
            continue
        book_run(book.store, account)
        documents.append(as_json(account))
        if not is_json:
            click.echo(block(account))
    if is_json:
        show.emit(
            "recover", closed=[str(path) for path in closed], elsewhere=[str(path) for path in others], runs=documents
        )
    elif not closed:
        click.echo(_("Nothing was cut off."))
    if others:
        show.note(_("{count} journals without an end belong to other hosts; run this there.").format(count=len(others)))
    return 0
