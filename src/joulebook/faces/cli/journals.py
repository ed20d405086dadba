"""Where the journals of runs are, what they hold, and taking up into the book what is not there yet."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joulebook.errors import InputUnreadable
from joulebook.faces.cli import show
from joulebook.faces.cli.main import default_book_path, open_book
from joulebook.faces.text import _, error_text
from joulebook.measure.identity import FOLDER_VARIABLE

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.measure.summary import RunSummary
    from joulebook.runs import RunAccount


def journals_of(ctx: click.Context) -> Path:
    """Folder of the journals: named by the environment, else beside the book that the options name."""
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    return (ctx.obj["book_path"] or default_book_path()) / "journals"


def every_run(folder: Path, *, quiet: bool = False) -> Iterator["RunSummary"]:
    """All runs that can be read; one that cannot is told on stderr, and the others go on."""
    from joulebook.measure.journal import journal_files  # noqa: PLC0415  (only where there may be a run)
    from joulebook.measure.replay import read_run  # noqa: PLC0415  (only where there may be a run)

    names = dict.fromkeys(path.parent for path in journal_files(folder))
    with show.counting(_("runs read:"), quiet=quiet) as tell:
        for count, run in enumerate(names, start=1):
            tell(count)
            try:
                yield read_run(run)
            except InputUnreadable as error:
                show.note(error_text(error))


def take_up(
    book: "Book", folder: Path, faults: list[InputUnreadable], *, quiet: bool = False
) -> Iterator["RunAccount"]:
    """Book every run that has ended and is not in the book yet, and give it; cut-off ones are closed before.

    A run that still goes on, here or on another host, waits; one that asked to stay out of the book stays out.

    Args:
        book: the book.
        folder: folder of the journals.
        faults: takes what is wrong with runs that cannot be read.
        quiet: True shows no progress.
    """
    if not folder.is_dir():
        return
    from joulebook.measure.recover import close_cut_off  # noqa: PLC0415  (only where there may be a run)
    from joulebook.measure.replay import read_run  # noqa: PLC0415  (only where there may be a run)
    from joulebook.runs import account_run, book_run, unbooked  # noqa: PLC0415  (only where there may be a run)

    close_cut_off(folder)
    waiting = list(unbooked(folder, book.booked_runs()))
    with show.counting(_("runs read:"), quiet=quiet) as tell:
        for count, run in enumerate(waiting, start=1):
            tell(count)
            try:
                summary = read_run(run)
            except InputUnreadable as error:
                faults.append(error)
                continue
            if summary.is_booked and not summary.is_running:
                account = account_run(summary, book.edition, policy=book.policy)
                book_run(book.store, account)
                yield account


def book_with_runs(ctx: click.Context) -> "Book":
    """The book that the options name, with every run that has ended in it."""
    book = open_book(ctx)
    faults: list[InputUnreadable] = []
    for _account in take_up(book, journals_of(ctx), faults, quiet=ctx.obj["quiet"]):
        continue
    if faults:
        show.note(_("{count} runs cannot be read. Next: joulebook recover tells which.").format(count=len(faults)))
    return book
