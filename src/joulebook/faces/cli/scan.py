"""`joulebook scan`: what coding agents on this machine used, from the logs they left on the disk."""

import json
import os
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.coverage import OF_A_SCAN
from joulebook.faces.cli.main import book_folder, open_book
from joulebook.faces.cli.report import line_json, print_lines, print_whole
from joulebook.faces.cli.statusline import FIGURES, main, write_cache
from joulebook.faces.text import _, language
from joulebook.terms.display import in_digits

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.disclose.equivalents import Equivalent
    from joulebook.ingest.imported import Imported
    from joulebook.ingest.scan import LogScan
    from joulebook.ledger.balance import Line, Only

STATE_FILE = "scan.json"
DAYS = 30
IMAGINABLE = 0.01
"""Smaller parts of an everyday thing are not shown: nobody can imagine a millionth of a flight."""

VIEWS = ("tool", "model", "project", "day")


@click.command("scan", help=_("Book and show what coding agents on this machine used."))
@click.option(
    "--home",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=_("Another home to look in; variables that move an agent's folder are then ignored."),
)
@click.option("--days", type=click.IntRange(min=1), default=DAYS, show_default=True, help=_("Days to show."))
@click.option("--all", "is_all", is_flag=True, help=_("Show everything, not only the last days."))
@click.option(
    "--add-overlaps", is_flag=True, help=_("Book sums beside requests of the same time: they are other uses.")
)
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context, *, home: Path | None, days: int, is_all: bool, add_overlaps: bool, is_json: bool
) -> int:
    """Read the logs, book what is new, show the last days."""
    from joulebook.ingest.scan import LogScan  # noqa: PLC0415

    now, state_path = datetime.now(UTC), book_folder(ctx) / STATE_FILE
    scan = LogScan(home or Path.home(), {} if home else os.environ, now)
    with closing(scan):
        is_afresh = add_overlaps or not state_path.exists()
        if is_afresh:
            scan.begin()  # other processes read while this one loads the rest of the program
        book = open_book(ctx)
        book.path.mkdir(parents=True, exist_ok=True)
        if scan.is_beside:
            book.prepare()
        if not is_afresh:
            scan.before = _state(state_path, book)
        with show.underway(_("Reading logs:"), quiet=ctx.obj["quiet"]) as scan.done:
            result = book.import_logs(scan, "scan", add_overlaps=add_overlaps)
    _keep(state_path, {**scan.before, **scan.after})
    from joulebook.ingest.home import LOG_PLACES  # noqa: PLC0415
    from joulebook.ledger.balance import Only  # noqa: PLC0415

    tools = tuple(sorted({place.reader for place in LOG_PLACES}))
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    only = Only(since=None if is_all else today - timedelta(days=days - 1), tools=tools)
    whole = book.report((), only=only)
    write_cache(book.report((), only=Only(since=today, tools=tools)), whole, now)
    (_emit if is_json else _show)(book, scan, result, only, whole)
    return int(any(finding.is_error for finding in result.findings))


@click.command("statusline", help=_("One line with today's footprint, from the last scan."))
def statusline() -> int:
    """Print the line; `joulebook.__main__` does the same without loading Click."""
    return main([])


def _show(book: "Book", scan: "LogScan", result: "Imported", only: "Only", whole: "list[Line]") -> None:
    show.show_findings(result.findings)
    found = ", ".join(f"{name} {count:,}" for name, count in sorted(scan.files.items()))
    if not found:
        show.note(
            _("No logs of coding agents under {home}. Next: give another home with --home.").format(home=scan.home)
        )
        return
    show.note(_("Log files: {found}").format(found=found))
    show.note(
        _("{added} answers booked, {already} told before, {waiting} still being written").format(
            added=f"{result.added:,}", already=f"{result.already:,}", waiting=f"{scan.waiting:,}"
        )
    )
    if not whole:
        show.note(_("Nothing was used in these days. Next: joulebook scan --all."))
        return
    if only.since is not None:
        show.note(_("Since {day} (UTC)").format(day=f"{only.since:%Y-%m-%d}"))
    print_whole(book, whole[0], OF_A_SCAN)
    _show_equivalents(book, whole[0])
    for name in VIEWS:
        print_lines([name], book.report((name,), only=only))


def _equivalents(book: "Book", line: "Line") -> "list[Equivalent]":
    """The energy, CO2e and water of a line in everyday things: of anywhere, and of Korea for those who read Korean."""
    from joulebook.disclose.equivalents import equivalents  # noqa: PLC0415
    from joulebook.disclose.recompute import Given  # noqa: PLC0415

    places = ("KOR", "WORLD") if language() == "ko" else ("WORLD",)
    known = [(line.amounts[name].range, unit) for name, unit in FIGURES.items() if name in line.amounts]
    given = (Given(value, unit) for value, unit in known if value.low > 0)
    return [one for amount in given for one in equivalents(book.edition, amount, places)]


def _show_equivalents(book: "Book", line: "Line") -> None:
    found = [one for one in _equivalents(book, line) if one.count.mid >= IMAGINABLE]
    if found:
        show.heading(_("About as much as"))
        rows = [
            (
                book.edition.names.get(one.subject, {}).get(language(), one.subject),
                in_digits(one.count.mid),
                f"{in_digits(one.count.low)}–{in_digits(one.count.high)}",
            )
            for one in found
        ]
        show.table((_("thing"), _("count"), _("range (80 %)")), rows, right=(1, 2))


def _emit(book: "Book", scan: "LogScan", result: "Imported", only: "Only", whole: "list[Line]") -> None:
    show.emit(
        "scan",
        files=dict(sorted(scan.files.items())),
        unchanged_files=scan.unchanged,
        added=result.added,
        already=result.already,
        waiting=scan.waiting,
        refused=result.refused,
        findings=[show.finding_json(finding) for finding in result.findings],
        since=only.since.isoformat() if only.since else None,
        total=line_json(whole[0]) if whole else None,
        equivalents=[
            {"thing": one.subject, "place": one.place, **one.count._asdict(), "source": one.factor.source}
            for one in (_equivalents(book, whole[0]) if whole else ())
        ],
        **{f"by_{name}": [line_json(line) for line in book.report((name,), only=only)] for name in VIEWS},
    )


def _state(path: Path, book: "Book") -> Mapping[str, list[int]]:
    """What the last scan into this book has read; nothing where the book has no usage yet."""
    if not book.store.history("usage"):
        return {}
    with suppress(OSError, ValueError):
        kept: Any = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(kept, dict):
            return {str(name): value for name, value in kept.items() if isinstance(value, list)}
    return {}


def _keep(path: Path, state: Mapping[str, list[int]]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state), encoding="utf-8")
    part.replace(path)
