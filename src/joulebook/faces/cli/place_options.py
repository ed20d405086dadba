"""Options that say where a machine stands."""

from collections.abc import Callable
from typing import TypeVar

import click

from joulebook.faces.text import _

Command = TypeVar("Command", bound=Callable[..., object])


def place_options(command: Command) -> Command:
    """Add ``--provider``, ``--region`` and ``--ask-cloud`` to a command."""
    for option in (
        click.option("--ask-cloud", is_flag=True, help=_("Ask the cloud's metadata service for provider and region.")),
        click.option(
            "--region",
            envvar="JOULEBOOK_REGION",
            help=_("The provider's region, or a country such as KOR."),
        ),
        click.option("--provider", envvar="JOULEBOOK_PROVIDER", help=_("Who hosts the machine: aws, gcp, azure, own.")),
    ):
        command = option(command)
    return command
