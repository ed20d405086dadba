"""The command `joulebook`: options for all commands, and where each command lives."""

import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from joulebook import __version__
from joulebook.errors import JoulebookError, translatable
from joulebook.faces.text import LANGUAGES, _, choose_language

COMMANDS: dict[str, tuple[str, str]] = {}
"""Name -> (module:function, one line of help). The module is loaded only when the command is called."""


class LazyGroup(click.Group):
    """A group whose commands are loaded when they are called, so that help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (Click's signature)
        """Names of all commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name][0].split(":")
        return getattr(importlib.import_module(module), function)

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


def _set_language(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001
    choose_language(value)
    return value


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="joulebook")
@click.option("--lang", type=click.Choice(LANGUAGES), is_eager=True, callback=_set_language, help="ko | en")
@click.option("--book", "book_path", type=click.Path(path_type=Path), envvar="JOULEBOOK_BOOK", help="PATH")
@click.option("--quiet", "-q", is_flag=True, help="-")
@click.pass_context
def cli(ctx: click.Context, lang: str | None, book_path: Path | None, *, quiet: bool) -> None:  # noqa: ARG001
    """The open account book of AI's energy, carbon and water."""
    ctx.ensure_object(dict).update(book_path=book_path, quiet=quiet)


def default_book_path() -> Path:
    """Where the book is kept when nothing else is said: under the XDG data home."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "joulebook"


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line; errors become one clear message on stderr and an exit code."""
    try:
        code = cli.main(args=list(arguments), prog_name="joulebook", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except JoulebookError as error:
        click.echo(_("Error: {message}").format(message=_(error.template).format(**error.facts)), err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0


translatable("The open account book of AI's energy, carbon and water.")
