"""`joulebook recompute FORMULA`: a published figure again from its inputs, with units checked and ranges carried."""

import click

from joulebook.disclose.check import Agreement, check
from joulebook.disclose.reasons import number, span
from joulebook.disclose.recompute import recompute
from joulebook.errors import UsageError
from joulebook.faces.cli import show
from joulebook.faces.text import _


@click.command(
    "recompute",
    help=_("Compute a published figure again: numbers with units, + - * / **, and the formulas of joulebook."),
)
@click.argument("formula")
@click.option("--unit", default="1", help=_("Unit of the result, such as kWh or tCO2e."))
@click.option(
    "--with",
    "inputs",
    multiple=True,
    metavar="NAME=AMOUNT",
    help=_("An input, such as power=300W or ci=200..755g/kWh."),
)
@click.option("--published", help=_("The published figure in that unit; exit code 1 where it does not follow."))
@click.option("--tolerance", "rel_tol", type=float, help=_("Relative difference allowed; default: its last digit."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
def command(
    formula: str, *, unit: str, inputs: tuple[str, ...], published: str | None, rel_tol: float | None, is_json: bool
) -> int:
    """Recompute one figure, and compare it with what was published."""
    found = recompute(formula, dict(_pair(each) for each in inputs), unit)
    compared = check(published, found.value, rel_tol=rel_tol)
    if is_json:
        show.emit(
            "recompute",
            formula=found.formula,
            in_numbers=found.in_numbers,
            unit=unit,
            **found.value._asdict(),
            published=compared.published,
            agreement=str(compared.agreement),
            deviation_ratio=compared.deviation_ratio,
        )
    else:
        click.echo(show.wrapped(found.in_numbers, ""))
        click.echo("= " + span(found.value, unit))
        if published is not None:
            click.echo(
                _("published: {published}: {verdict}").format(published=published, verdict=_(compared.agreement))
            )
            if compared.deviation_ratio is not None and compared.agreement is Agreement.INCONSISTENT:
                click.echo(_("ours over theirs: {ratio}×").format(ratio=number(1 + compared.deviation_ratio)))
    return 1 if compared.agreement is Agreement.INCONSISTENT else 0


def _pair(text: str) -> tuple[str, str]:
    name, sign, amount = text.partition("=")
    if not sign or not name.strip().isidentifier():
        raise UsageError(
            what=_("{text} is not an input.").format(text=repr(text)), next_step=_("write it as power=300W.")
        )
    return name.strip(), amount
