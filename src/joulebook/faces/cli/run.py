"""`joulebook run`: run a command and say what it used."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joulebook.errors import UsageError, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.child import NOT_EXECUTABLE, NOT_FOUND, Child
from joulebook.faces.cli.main import default_book_path, open_book
from joulebook.faces.cli.place_options import place_options
from joulebook.faces.integrations.meters import METERS
from joulebook.faces.text import _, error_text, own_environment
from joulebook.measure.discover import NAMED, READERS, readers

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.faces.cli.limits import Checked, Limit
    from joulebook.measure.reading import Reader
    from joulebook.measure.session import Session
    from joulebook.measure.summary import RunSummary
    from joulebook.runs import RunAccount

SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}

UNLIMITED_S = 3600.0
"""How often a command without a limit is looked at [s]; its end and signals wake us in any case."""


@click.command("run", context_settings=SETTINGS, help=_("Run a command and say what it used."))
@click.option("--name", help=_("What the run is called."))
@click.option("--project", envvar="JOULEBOOK_PROJECT", help=_("What it is for."))
@click.option("--team", envvar="JOULEBOOK_TEAM", help=_("Who it is for."))
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help=_("More words about it."))
@click.option(
    "--until",
    multiple=True,
    metavar="30min|0.5kWh|200gCO2e",
    help=_("End the command (SIGTERM) after this time, energy (IT) or CO2e (mid value)."),
)
@click.option(
    "--budget",
    "budgets",
    multiple=True,
    metavar="0.5kWh|200gCO2e",
    help=_("Exit with 3 where the run used more energy (IT) or CO2e (mid value)."),
)
@click.option("--interval", "interval_s", default=1.0, show_default=True, help=_("Seconds between samples."))
@click.option(
    "--meter",
    "meters",
    multiple=True,
    metavar="NAME",
    help=_("Read only this meter: {names}. By name alone: {others}. all: the former.").format(
        names=", ".join(READERS), others=", ".join([*NAMED, *METERS])
    ),
)
@place_options
@click.option("--no-book", is_flag=True, help=_("Measure, but book nothing."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON on stderr instead of the table."))
@click.option(
    "--output",
    "output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help=_("Write the result to this file instead of stderr."),
)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    name: str | None,
    project: str | None,
    team: str | None,
    tags: tuple[str, ...],
    until: tuple[str, ...],
    budgets: tuple[str, ...],
    interval_s: float,
    meters: tuple[str, ...],
    provider: str | None,
    region: str | None,
    ask_cloud: bool,
    no_book: bool,
    is_json: bool,
    output: Path | None,
    words: tuple[str, ...],
) -> int:
    """Measure a command; its exit code is ours."""
    from joulebook.faces.cli.limits import UNKNOWN, check, exit_code, read_limit  # noqa: PLC0415  (help stays quick)
    from joulebook.measure.session import Session, Settings  # noqa: PLC0415

    limits = [read_limit(written, "--until") for written in until]
    allowed = [read_limit(written, "--budget") for written in budgets]
    if not interval_s > 0:
        raise UsageError(
            what=translatable("An interval is above zero."), next_step=translatable("give --interval 1, in seconds.")
        )
    if ask_cloud and not region:
        provider, region = _from_cloud(provider)
    settings = Settings(
        name=name or Path(words[0]).name,
        project=project,
        team=team,
        tags=_tags(tags),
        provider=provider,
        region=region,
        interval_s=interval_s,
        meters=meters,
        readers=_readers(meters),
        folder=_folder(ctx),
        is_wrapper=True,
        is_booked=not no_book,
    )
    session = Session(settings)
    code = _measured(ctx, session, words, limits)
    account = _accounted(ctx, _summary(session), is_booked=not no_book)
    if account is None:
        return code or (UNKNOWN if allowed else 0)
    checks = check(allowed, account)
    _tell(account, checks, output, is_json=is_json)
    return code or exit_code(checks)


def _tell(account: "RunAccount", checks: "Sequence[Checked]", output: Path | None, *, is_json: bool) -> None:
    """The last block or the JSON document, on stderr or into a file; budgets that were exceeded on stderr."""
    from joulebook.faces.cli.run_show import block, document  # noqa: PLC0415  (the command starts before)

    text = document(account, [one.as_json() for one in checks]) if is_json else block(account)
    if output is None:
        show.note(text)
    else:
        output.write_text(click.unstyle(text) + "\n", encoding="utf-8")
    for one in checks:
        if one.text and (output is not None or not is_json):
            show.note(one.text)


def _readers(meters: Sequence[str]) -> "list[Reader] | None":
    """Readers by name, those over the network included; None asks all that are read by default."""
    return readers(meters, METERS) if meters else None


def _folder(ctx: click.Context) -> Path | None:
    """Where journals go: beside the book that the options name."""
    from joulebook.measure.identity import FOLDER_VARIABLE  # noqa: PLC0415  (help stays quick)

    if os.environ.get(FOLDER_VARIABLE):
        return None
    return (ctx.obj["book_path"] or default_book_path()) / "journals"


def _tags(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(
                what=translatable("A tag is NAME=VALUE."), next_step=translatable("write --tag model=resnet50.")
            )
        found[key] = value
    return found


def _measured(ctx: click.Context, session: "Session", words: Sequence[str], limits: "Sequence[Limit]") -> int:
    """Run the command under the session; its exit code, also where it could not be started."""
    from joulebook.faces.cli.limits import is_over  # noqa: PLC0415  (help stays quick)
    from joulebook.measure.identity import FOLDER_VARIABLE, RUN_VARIABLE  # noqa: PLC0415  (help stays quick)
    from joulebook.measure.recover import close_cut_off  # noqa: PLC0415

    environment = {**own_environment(), RUN_VARIABLE: session.run, FOLDER_VARIABLE: str(session.folder)}
    child = Child(words, environment)
    left = list(limits)
    account = partial(_so_far, session, open_book(ctx) if any(limit.metric for limit in limits) else None)

    def tick() -> None:
        if left and is_over(left, session.recorder.tally.duration_s, account):
            left.clear()
            show.note(_("joulebook: the limit is reached; the command is asked to end."))
            child.send(15)

    session.open()
    try:
        code = child.run(session.settings.interval_s if limits else UNLIMITED_S, tick)
    except FileNotFoundError:
        show.note(_("joulebook: there is no command {name}.").format(name=words[0]))
        code = NOT_FOUND
    except OSError as error:
        show.note(_("joulebook: {name} cannot be run: {reason}.").format(name=words[0], reason=error.strerror))
        code = NOT_EXECUTABLE
    session.close("ok" if code == 0 else f"exit {code}", code)
    close_cut_off(session.folder, session.run)
    return code


def _so_far(session: "Session", book: "Book | None") -> "RunAccount":
    """What the run used until its last sample."""
    from joulebook.runs import account_run  # noqa: PLC0415  (only where a limit asks)

    assert book is not None
    return account_run(session.summary(), book.edition, policy=book.policy)


def _summary(session: "Session") -> "RunSummary":
    """The run over all its journals; this process's own count where the journal could not be written."""
    from joulebook.errors import InputUnreadable  # noqa: PLC0415
    from joulebook.measure.replay import read_run  # noqa: PLC0415

    try:
        return session.summary() if session.recorder.journal.lost_count else read_run(session.path.parent)
    except InputUnreadable:
        return session.summary()


def _from_cloud(provider: str | None) -> tuple[str | None, str | None]:
    from joulebook.faces.cloud_place import cloud_place  # noqa: PLC0415

    found = cloud_place()
    if found is None:
        show.note(_("joulebook: no cloud's metadata service answers; the place stays unknown."))
        return provider, None
    return found


def _accounted(ctx: click.Context, summary: "RunSummary", *, is_booked: bool) -> "RunAccount | None":
    """Account for the run and book it; None where a fault was told, which never changes the command's exit code."""
    from joulebook.errors import JoulebookError  # noqa: PLC0415
    from joulebook.runs import account_run, book_run  # noqa: PLC0415

    try:
        book = open_book(ctx)
        account = account_run(summary, book.edition, policy=book.policy)
        if is_booked and not summary.is_running:
            book_run(book.store, account)
    except (JoulebookError, OSError) as error:
        reason = error_text(error) if isinstance(error, JoulebookError) else str(error)
        show.note(_("joulebook: the run is in its journal, but could not be booked: {reason}").format(reason=reason))
        return None
    return account
