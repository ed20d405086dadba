"""The command `joulebook`: options for all commands, and where each command lives."""

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from joulebook import __version__
from joulebook.config import TOP, read_config
from joulebook.errors import BookNoFolder, JoulebookError, translatable
from joulebook.faces.text import LANGUAGES, _, choose_language, error_text, settled_language, spoken

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.factors.read import Folder

_HERE = "joulebook.faces.cli"

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (f"{_HERE}.demo:command", translatable("book a made-up day, measure, report, explain, write a page")),
    "scan": (f"{_HERE}.scan:command", translatable("what coding agents on this machine used, from their logs")),
    "run": (f"{_HERE}.run:command", translatable("run a command and say what it used")),
    "runs": (f"{_HERE}.runs:command", translatable("list the runs that were measured")),
    "pareto": (f"{_HERE}.pareto:command", translatable("what a better result costs, and the whole search")),
    "top": (f"{_HERE}.top:command", translatable("what runs use now")),
    "recover": (f"{_HERE}.recover:command", translatable("close and book runs that were cut off")),
    "import": (f"{_HERE}.importing:command", translatable("book usage from files")),
    "report": (f"{_HERE}.report:command", translatable("kWh, CO2e and litres with range, tier and boundary")),
    "statements": (
        f"{_HERE}.statements:command",
        translatable("what others state of the same use, beside ours"),
    ),
    "explain": (f"{_HERE}.explain:command", translatable("why a figure is what it is, down to its sources")),
    "train-estimate": (
        f"{_HERE}.train_estimate:command",
        translatable("a training run: devices or model size to kWh, CO2e, litres"),
    ),
    "compare": (f"{_HERE}.compare:command", translatable("two runs, models, plans or claims on the same rung")),
    "equivalents": (f"{_HERE}.equivalents:command", translatable("an amount in everyday things, with source")),
    "recompute": (f"{_HERE}.recompute:command", translatable("a published figure again from its inputs")),
    "claims": (f"{_HERE}.claims:command", translatable("published claims, judged from their inputs")),
    "estimate": (f"{_HERE}.estimate:command", translatable("what one request takes, before anyone measures it")),
    "calibrate": (f"{_HERE}.calibrate:command", translatable("shift a model's estimates to measured energy")),
    "factors": (f"{_HERE}.factor_tools:command", translatable("numbers of the world: dates, ranges, sources, cells")),
    "statusline": (f"{_HERE}.scan:statusline", translatable("one line with today's footprint, for status bars")),
    "restate": (f"{_HERE}.restate:command", translatable("say it again with today's factors; nothing is lost")),
    "audit": (f"{_HERE}.audit:command", translatable("check the book: files, hashes, factors, replay")),
    "doctor": (f"{_HERE}.doctor:command", translatable("what this machine and this book have and lack")),
    "config": (f"{_HERE}.config:command", translatable("what is settled here, and by which file")),
    "completion": (f"{_HERE}.completion:command", translatable("let the shell complete commands and options")),
}
"""Name -> (module:function, one line of help). The module is loaded only when the command is called."""


NEW_OBJECTS = 50_000
"""Objects between two searches for cycles: a command makes few, and at Python's own 700 they take a tenth of a scan."""

DEFAULT_POLICY = "ghgp-location"
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


def load_command(name: str) -> click.Command:
    """Load the module of a command."""
    module, function = COMMANDS[name][0].split(":")
    return getattr(importlib.import_module(module), function)


class LazyGroup(click.Group):
    """A group whose commands are loaded when they are called, so that help stays quick.

    What files settle becomes the defaults of its options, and of a command's when that is loaded.
    """

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  (Click's signature)
    ) -> click.Context:
        """A context whose defaults are what files settle.

        Raises:
            ConfigFault: a file says what cannot be used.
        """
        config = read_config()
        if config.tables:
            from joulebook.faces.cli.configured import check_tables, defaults  # noqa: PLC0415  (only where settled)

            check_tables(config, COMMANDS)
            extra["default_map"] = defaults(config, self, TOP, click.Context(self))
            extra["obj"] = {**(extra.get("obj") or {}), "config": config}
        return super().make_context(info_name, args, parent, **extra)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands that begin so, with their line of help; none is loaded for it."""
        options = super(click.Group, self).shell_complete(ctx, incomplete)
        return [
            *(CompletionItem(name, help=_(line[1])) for name, line in COMMANDS.items() if name.startswith(incomplete)),
            *options,
        ]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (Click's signature)
        """Names of all commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command, or None where there is none of that name; what files settle becomes its defaults."""
        if cmd_name not in COMMANDS:
            return None
        command = load_command(cmd_name)
        config = (ctx.obj or {}).get("config")
        if config is not None and ctx.default_map is not None:
            from joulebook.faces.cli.configured import defaults  # noqa: PLC0415  (only where files settle something)

            ctx.default_map[cmd_name] = defaults(config, command, cmd_name, ctx)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which is nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, n=3) or list(COMMANDS)
            raise click.UsageError(
                _("There is no command {name}. Nearest: {nearest}.").format(name=args[0], nearest=", ".join(near)), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(line)) for name, (_path, line) in COMMANDS.items()])


def build_group() -> click.Group:
    """The group, its texts in the language in use."""

    @click.group(
        cls=LazyGroup, context_settings=SETTINGS, help=_("The open account book of AI's energy, carbon and water.")
    )
    @click.version_option(__version__, prog_name="joulebook", help=_("Show the version."))
    @click.option("--lang", type=click.Choice(LANGUAGES), help=_("Language; default from the environment."))
    @click.option(
        "--book",
        "book_path",
        type=click.Path(path_type=Path),
        envvar="JOULEBOOK_BOOK",
        help=_("Folder of the book; default under the XDG data home."),
    )
    @click.option(
        "--policy",
        envvar="JOULEBOOK_POLICY",
        help=_("Which factors may answer, in what order."),
    )
    @click.option(
        "--factors",
        "folders",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        envvar="JOULEBOOK_FACTORS",
        help=_("Folder with factors of your own."),
    )
    @click.option("--quiet", "-q", is_flag=True, help=_("No progress."))
    @click.pass_context
    def group(
        ctx: click.Context,
        lang: str | None,  # noqa: ARG001  (`run_command` has used it)
        book_path: Path | None,
        policy: str | None,
        folders: tuple[Path, ...],
        *,
        quiet: bool,
    ) -> None:
        if policy is not None:
            from joulebook.factors.policy import policy as known_policy  # noqa: PLC0415  (help stays quick)

            known_policy(policy)
        ctx.ensure_object(dict).update(
            book_path=book_path,
            quiet=quiet,
            asked_policy=policy,
            policy=policy or DEFAULT_POLICY,
            factor_folders=folders,
        )

    return group


def asked_language(arguments: Sequence[str]) -> str | None:
    """The language that the arguments ask for, found before anything is printed.

    >>> asked_language(["--lang", "ko", "report"]), asked_language(["--lang=en"]), asked_language(["report"])
    ('ko', 'en', None)
    """
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if argument == "--":
            return None
        if name == "--lang":
            wanted = value if equals else "".join(arguments[position + 1 : position + 2])
            return wanted if wanted in LANGUAGES else None
    return None


def default_book_path() -> Path:
    """Where the book is kept when nothing else is said: under the XDG data home."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "joulebook"


def own_factors(ctx: click.Context) -> "tuple[Folder, ...]":
    """The user's own factors: installed packages, then the folders that the options name."""
    from joulebook.factors.packages import factor_packages  # noqa: PLC0415

    return (*factor_packages(), *ctx.obj.get("factor_folders", ()))


def open_book(ctx: click.Context) -> "Book":
    """The book that the options name.

    Raises:
        BookNoFolder: its path leads through a file.
    """
    from joulebook.book import Book  # noqa: PLC0415  (commands that need no book stay quick)

    if ctx.obj.get("is_process"):
        gc.freeze()  # searches for cycles, also the one at the end, pass over what is loaded before the engine
        gc.set_threshold(NEW_OBJECTS)
    book = Book(book_folder(ctx), factor_folders=own_factors(ctx), policy=ctx.obj["asked_policy"])
    ctx.call_on_close(book.store.close)
    return book


def book_folder(ctx: click.Context) -> Path:
    """Where the book is that the options name; raises as `open_book`."""
    path = ctx.obj["book_path"] or default_book_path()
    in_the_way = next((each for each in (path, *path.parents) if each.exists() and not each.is_dir()), None)
    if in_the_way is not None:
        raise BookNoFolder(path=path, file=in_the_way)
    return path


def run_command(arguments: Sequence[str], *, is_process: bool = False) -> int:
    """Run one command line; errors become one clear message on stderr and an exit code.

    Args:
        arguments: of the command line, without the name of the program.
        is_process: whether the process does nothing else, so that it may be tuned for the command.
    """
    choose_language(asked_language(arguments) or settled_language())
    given = {"is_process": is_process}
    with spoken():
        try:
            code = build_group().main(args=list(arguments), prog_name="joulebook", standalone_mode=False, obj=given)
        except click.exceptions.Exit as done:
            return done.exit_code
        except click.Abort:
            return 130
        except click.ClickException as error:
            error.show(sys.stderr)
            return error.exit_code
        except JoulebookError as error:
            from joulebook.faces.cli.show import note  # noqa: PLC0415  (help stays quick)

            note(_("Error: {message}").format(message=error_text(error)))
            return error.exit_code
    return code if isinstance(code, int) else 0
