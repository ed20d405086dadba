"""`joulebook audit`: does the book still say what it said?"""

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.main import open_book
from joulebook.faces.text import _


@click.command("audit", help=_("Check files, hashes, factors, and that every posting replays from its rows."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool) -> int:
    """Audit the book."""
    book = open_book(ctx)
    findings = list(book.audit())
    counts = book.counts()
    if is_json:
        show.emit("audit", counts=counts, findings=[show.finding_json(finding) for finding in findings])
    else:
        show.show_findings(findings)
        click.echo(
            _(
                "{usage} rows of usage, {postings} postings, {resolutions} sets of factors checked: {faults} faults"
            ).format(
                usage=f"{counts['usage']:,}",
                postings=f"{counts['posting']:,}",
                resolutions=f"{counts['resolution']:,}",
                faults=len(findings),
            )
        )
    return 1 if findings else 0
