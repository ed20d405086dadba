"""`joulebook demo`: the main job on a made-up day, from records to a page, in under a minute."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

import joulebook
from joulebook.faces.cli import show
from joulebook.faces.cli.explain import print_explanation
from joulebook.faces.cli.main import open_book
from joulebook.faces.cli.report import print_lines, print_whole
from joulebook.faces.text import _

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.measure.span import Span

SAMPLE_FILE = "sample-usage.csv"
EXPLAINED = ("co2e_operational_location_g", "team=search")


@click.command("demo", help=_("Book a made-up day of usage, measure the run, report, explain and write a page."))
@click.option(
    "--page", "page_path", type=click.Path(path_type=Path, dir_okay=False), default="demo-report.html", help="PATH"
)
@click.pass_context
def command(ctx: click.Context, *, page_path: Path) -> int:
    """Run the main job on the sample."""
    book = open_book(ctx)
    book.path.mkdir(parents=True, exist_ok=True)
    with joulebook.measure("demo", project="joulebook", folder=book.path / "runs") as meter:
        code = _main_job(book, page_path)
    _show_measured(book, meter)
    return code


def _main_job(book: "Book", page_path: Path) -> int:
    from joulebook.faces.page.report import write_page  # noqa: PLC0415
    from joulebook.faces.sample import sample_options, write_sample  # noqa: PLC0415

    path = write_sample(book.path / SAMPLE_FILE)
    result = book.import_file("csv", path, sample_options(path))
    show.show_findings(result.findings)
    click.echo(
        _("{file}: {added} rows booked, {already} already there, {refused} refused").format(
            file=path.name, added=f"{result.added:,}", already=f"{result.already:,}", refused=f"{result.refused:,}"
        )
    )
    whole = book.report(())[0]
    print_whole(book, whole)
    for name in ("team", "model"):
        print_lines([name], book.report((name,)))
    metric, target = EXPLAINED
    found = book.explain(metric, target)
    if found is not None:
        print_explanation(found, target, factors=4)
    write_page(page_path, book)
    show.heading(_("Page written: {path}").format(path=page_path))
    show.say(
        _("Try next: joulebook --book {book} explain {target} --metric water").format(book=book.path, target=target)
    )
    return 1 if any(finding.is_error for finding in result.findings) else 0


def _show_measured(book: "Book", meter: "Span") -> None:
    """What this very run used, as far as the machine lets us read it; the rest is estimated from its use."""
    from joulebook.faces.cli.run_show import block  # noqa: PLC0415
    from joulebook.runs import account_run  # noqa: PLC0415

    account = account_run(meter.summary(), book.edition, None, None, policy=book.policy)
    show.heading(_("This run, as far as this machine can be read"))
    click.echo(block(account))
