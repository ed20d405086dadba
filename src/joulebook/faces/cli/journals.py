"""Where the journals of runs are, and what they hold."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from joulebook.errors import InputUnreadable
from joulebook.faces.cli import show
from joulebook.faces.cli.main import default_book_path
from joulebook.faces.text import _, error_text
from joulebook.measure.identity import FOLDER_VARIABLE
from joulebook.measure.journal import journal_files
from joulebook.measure.replay import read_run
from joulebook.measure.summary import RunSummary


def journals_of(ctx: click.Context) -> Path:
    """Folder of the journals: named by the environment, else beside the book that the options name."""
    if os.environ.get(FOLDER_VARIABLE):
        return Path(os.environ[FOLDER_VARIABLE])
    return (ctx.obj["book_path"] or default_book_path()) / "journals"


def every_run(folder: Path, *, quiet: bool = False) -> Iterator[RunSummary]:
    """All runs that can be read; one that cannot is told on stderr, and the others go on."""
    names = dict.fromkeys(path.parent for path in journal_files(folder))
    with show.counting(_("runs read:"), quiet=quiet) as tell:
        for count, run in enumerate(names, start=1):
            tell(count)
            try:
                yield read_run(run)
            except InputUnreadable as error:
                show.note(error_text(error))
