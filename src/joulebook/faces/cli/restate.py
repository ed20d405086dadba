"""`joulebook restate`: say it again with today's factors; what was said stays in the book."""

import click

from joulebook.faces.cli.main import open_book
from joulebook.faces.text import _


@click.command("restate", help=_("Reverse what stands and post it again with the factors in use now."))
@click.option("--cause", required=True, help=_("Why: it is kept with every posting."))
@click.pass_context
def command(ctx: click.Context, *, cause: str) -> int:
    """Restate the book."""
    book = open_book(ctx)
    count = book.restate(cause)
    click.echo(
        _("{count} postings reversed and posted again under edition {edition}").format(
            count=f"{count:,}", edition=book.edition.edition_id
        )
    )
    return 0
