"""`joulebook audit`: does the book still say what it said?"""

from collections.abc import Iterator

import click

from joulebook.errors import StoreDamaged
from joulebook.faces.cli import show
from joulebook.faces.cli.journals import book_with_runs
from joulebook.faces.text import _
from joulebook.terms.finding import Finding


@click.command("audit", help=_("Check files, hashes, factors, and that every posting replays from its rows."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool) -> int:
    """Audit the book."""
    book = book_with_runs(ctx)
    findings = _found(book.audit())
    if not is_json:
        show.show_findings(findings)
    counts = book.counts()
    if is_json:
        show.emit("audit", counts=counts, findings=[show.finding_json(finding) for finding in findings])
    else:
        click.echo(
            _(
                "{usage} rows of usage, {postings} postings, {resolutions} sets of factors checked: {faults} faults"
            ).format(
                usage=f"{counts['usage']:,}",
                postings=f"{counts['posting']:,}",
                resolutions=f"{counts['resolution']:,}",
                faults=sum(finding.is_error for finding in findings),
            )
        )
    return 1 if any(finding.is_error for finding in findings) else 0


def _found(audit: Iterator[Finding]) -> list[Finding]:
    """Every finding; where files are damaged, the findings that name them, for nothing can be replayed from those."""
    findings: list[Finding] = []
    try:
        for finding in audit:
            findings.append(finding)  # noqa: PERF402  (what was found before the damage must stay)
    except StoreDamaged:
        if not findings:
            raise
    return findings
