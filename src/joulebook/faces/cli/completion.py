"""`joulebook completion`: what a shell sources to complete commands and options."""

import click
from click.shell_completion import get_completion_class

from joulebook.faces.text import _

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_JOULEBOOK_COMPLETE"
"""How the shell asks. Source: Click documentation, "Shell Completion"."""


@click.command("completion", help=_('Print what a shell sources: eval "$(joulebook completion bash)".'))
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script of a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "joulebook", VARIABLE).source())
    return 0
