"""Settings of files as defaults of the options: the way from names in a file to Click's parameters."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from joulebook.config import PLACE, TOP, Config, from_file
from joulebook.errors import ConfigUnfit, ConfigUnknown
from joulebook.faces.text import _

PLACE_NAMES = ("provider", "region", "ask_cloud")
"""Options of commands that measure this machine; the table ``[place]`` settles them for all of those."""


def names_of(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by the name that a file gives them: ``--tokens-per-second`` -> ``tokens_per_second``."""
    return {
        written[2:].replace("-", "_"): option
        for option in command.params
        if isinstance(option, click.Option) and not option.is_eager
        for written in option.opts
        if written.startswith("--")
    }


def defaults(config: Config, command: click.Command, table: str, ctx: click.Context) -> dict[str, Any]:
    """Parameter -> value, as Click's ``default_map`` takes them.

    Args:
        config: what the files say.
        command: whose options they are.
        table: the command's name; `TOP` for the options of all commands.
        ctx: the context that values are checked in.

    Raises:
        ConfigUnknown: a table has a name that is no option.
        ConfigUnfit: a value does not fit its option.
    """
    options = names_of(command)
    settled = {name: (PLACE, *said) for name, said in _place(config, options).items()}
    settled |= {name: (table, *said) for name, said in config.tables.get(table, {}).items()}
    found = {}
    for name, (told_in, value, file) in settled.items():
        shown = shown_name(told_in, name)
        if name not in options:
            raise ConfigUnknown(file=file, name=shown, nearest=_nearest(name, table, options))
        found[options[name].name or name] = _fitted(options[name], value, file, shown, ctx)
    return found


def check_tables(config: Config, commands: Mapping[str, object]) -> None:
    """Refuse a table that is no command.

    Raises:
        ConfigUnknown: there is one.
    """
    known = [PLACE, *commands]
    for table, content in config.tables.items():
        if table != TOP and table not in known:
            file = next((file for _value, file in content.values()), config.files[0])
            near = ", ".join(get_close_matches(table, known)) or PLACE
            raise ConfigUnknown(file=file, name=f"[{table}]", nearest=near)
    for name, (_value, file) in config.tables.get(PLACE, {}).items():
        if name not in PLACE_NAMES:
            raise ConfigUnknown(file=file, name=shown_name(PLACE, name), nearest=", ".join(PLACE_NAMES))


def shown_name(table: str, name: str) -> str:
    """A setting as a person writes it."""
    return f"[{table}] {name}" if table else name


def _place(config: Config, options: Mapping[str, object]) -> dict[str, tuple[Any, Path]]:
    """What ``[place]`` says, for a command that takes all of it."""
    return dict(config.tables.get(PLACE, {})) if options.keys() >= set(PLACE_NAMES) else {}


def _nearest(name: str, table: str, options: Mapping[str, object]) -> str:
    if table == TOP and name in PLACE_NAMES:
        return shown_name(PLACE, name)
    return ", ".join(get_close_matches(name, options, n=3, cutoff=0.5) or sorted(options))


def _fitted(option: click.Option, value: object, file: Path, name: str, ctx: click.Context) -> object:
    """The value as the option takes it: lists where it may stand several times, paths relative to the file."""
    values = value if isinstance(value, list) else [value]
    is_text = isinstance(option.type, click.types.StringParamType | click.Path)
    if is_text and not all(isinstance(one, str) for one in values):
        raise ConfigUnfit(file=file, name=name, value=value, detail=_('write it in quotation marks: "...".'))
    if option.is_flag and not isinstance(value, bool):
        raise ConfigUnfit(file=file, name=name, value=value, detail=_("write true or false."))
    if isinstance(value, list) and not option.multiple:
        raise ConfigUnfit(file=file, name=name, value=value, detail=_("write one value."))
    if isinstance(option.type, click.Path):
        values = [str(from_file(str(one), file)) for one in values]
    fitted = values if option.multiple else values[0]
    try:
        option.type_cast_value(ctx, fitted)
    except click.BadParameter as error:
        raise ConfigUnfit(file=file, name=name, value=value, detail=error.message) from None
    return fitted
