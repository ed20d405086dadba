"""`joulebook config`: what is settled here, and by which file."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from joulebook.config import FILE, PLACE, TOP, Config, read_config, user_file
from joulebook.faces.cli import show
from joulebook.faces.cli.configured import defaults, names_of, shown_name
from joulebook.faces.cli.main import DEFAULT_POLICY, default_book_path, load_command
from joulebook.faces.text import _, language

MEASURING = "run"
"""A command that takes all of ``[place]``."""

Setting = tuple[str, str, str]
"""Name as a person writes it, value, where it comes from."""


@click.command("config", help=_("Show what is settled, and what settles it: flag, environment, file or default."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.option("--example", "is_example", is_flag=True, help=_("Print a file to begin with."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool, is_example: bool) -> int:
    """Show settings."""
    if is_example:
        click.echo(example(), nl=False)
        return 0
    config = read_config()
    rows = [*_top(ctx, config), *_tables(config)]
    files = [str(path) for path in config.files]
    if is_json:
        keys = ("name", "value", "from")
        show.emit("config", settings=[dict(zip(keys, row, strict=True)) for row in rows], files=files)
        return 0
    show.heading(_("What is settled"))
    show.table(
        [_("setting"), _("value"), _("settled by")], [[name, value or "–", source] for name, value, source in rows]
    )
    if not files:
        text = _("No file settles anything. Next: joulebook config --example > {file}, or write {own}.")
        show.say(text.format(file=FILE, own=short(user_file(os.environ))))
    return 0


def short(path: Path) -> str:
    """A path as a person reads it: from where we are, or from the home."""
    here = Path.cwd()
    if path.is_relative_to(here) or path.parent in here.parents:
        return os.path.relpath(path, here)
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)


def _top(ctx: click.Context, config: Config) -> Iterator[Setting]:
    """The options of all commands: each with what wins."""
    root = ctx.find_root()
    values = {
        "lang": language(),
        "book": short(ctx.obj["book_path"] or default_book_path()),
        "policy": ctx.obj["asked_policy"] or DEFAULT_POLICY,
        "factors": ", ".join(short(path) for path in ctx.obj["factor_folders"]),
        "quiet": "true" if ctx.obj["quiet"] else "false",
    }
    for name, option in names_of(root.command).items():
        if name not in values:
            continue
        source = root.get_parameter_source(option.name or name)
        said = config.tables.get(TOP, {}).get(name)
        words = {
            click.core.ParameterSource.COMMANDLINE: f"--{name}",
            click.core.ParameterSource.ENVIRONMENT: str(option.envvar),
            click.core.ParameterSource.DEFAULT_MAP: short(said[1]) if said else "",
        }
        named = words.get(source) if source is not None else None
        yield name, values[name], named or _language_variable(name) or _("default")


def _language_variable(name: str) -> str | None:
    if name != "lang":
        return None
    return next((each for each in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(each)), None)


def _tables(config: Config) -> Iterator[Setting]:
    """What the files settle of single commands, checked against their options; the environment wins over it."""
    for table, content in config.tables.items():
        if table == TOP:
            continue
        name = MEASURING if table == PLACE else table
        each = load_command(name)
        options = names_of(each)
        defaults(config, each, name, click.Context(each))
        for name, (value, file) in content.items():
            variable = options[name].envvar if name in options else None
            if isinstance(variable, str) and os.environ.get(variable):
                yield shown_name(table, name), os.environ[variable], variable
            else:
                yield shown_name(table, name), _as_written(value), short(file)


def _as_written(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def example() -> str:
    """A file of settings with every kind of line, all of them comments."""
    return "\n".join(
        (
            f"# {_('Settings of joulebook. Flags win, then the environment, then this file, then your own file.')}",
            f"# {_('Take the # away from what you want to settle. [tool.joulebook] in pyproject.toml does the same.')}",
            "",
            f'# lang = "ko"                   # {_("en or ko")}',
            f'# book = "book"                 # {_("folder of the book, relative to this file")}',
            f'# policy = "ghgp-location"      # {_("which factors may answer")}',
            f'# factors = ["factors"]         # {_("folders with factors of your own")}',
            "",
            f"# [place]                       # {_('where the machine stands that is measured')}",
            '# provider = "aws"',
            '# region = "ap-northeast-2"',
            "",
            f"# [run]                         # {_('options of a command by their long names')}",
            '# project = "search"',
            '# team = "platform"',
            "",
            "# [report]",
            '# by = "team,model"',
            "",
        )
    )
