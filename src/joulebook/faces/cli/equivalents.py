"""`joulebook equivalents 12.3kg`: an amount in everyday things, with range, place and source."""

from typing import TYPE_CHECKING, Any

import click

from joulebook.disclose.equivalents import PLACES
from joulebook.disclose.reasons import number
from joulebook.errors import translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import edition_of
from joulebook.faces.text import _, language
from joulebook.terms.display import range_text

if TYPE_CHECKING:
    from joulebook.disclose.equivalents import Equivalent, Sanity
    from joulebook.factors.edition import Edition

PLACE_NAMES = {
    "KOR": translatable("Korea"),
    "USA": translatable("US"),
    "EU": translatable("Europe"),
    "WORLD": translatable("anywhere"),
}


@click.command("equivalents", help=_("An amount of CO2e, energy or water in everyday things: 12.3kg, 3103kWh, 40L."))
@click.argument("amount", nargs=-1, required=True)
@click.option("--place", "places", multiple=True, type=click.Choice(PLACES), help=_("Only things of this place."))
@click.option(
    "--is", "stated", type=(float, str), metavar="COUNT THING", help=_("Check a stated equivalence, such as 1 tv-hour.")
)
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context,
    amount: tuple[str, ...],
    *,
    places: tuple[str, ...],
    stated: tuple[float, str] | None,
    is_json: bool,
) -> int:
    """Say an amount in everyday things, or check what was said."""
    from joulebook.disclose.equivalents import check_stated, equivalents, read_amount  # noqa: PLC0415

    edition, given = edition_of(ctx), read_amount(" ".join(amount))
    if stated is not None:
        sanity = check_stated(edition, given, *stated)
        _show_sanity(edition, " ".join(amount), sanity, is_json=is_json)
        return 0 if sanity.is_plausible else 1
    found = equivalents(edition, given, places or PLACES)
    if is_json:
        show.emit("equivalents", amount=" ".join(amount), equivalents=[_json(edition, each) for each in found])
        return 0
    rows = [
        (
            _named(edition, each),
            _(PLACE_NAMES[each.place]),
            range_text(each.count, ""),
            _(each.factor.tier),
        )
        for each in found
    ]
    show.table((_("thing"), _("where"), _("count (80 % range)"), _("tier")), rows, right=(2,))
    click.echo()
    for name in dict.fromkeys(each.factor.source for each in found):
        source = edition.sources[name]
        click.echo(show.wrapped(f"{name}: {source.title}. {source.publisher}, {source.edition}.", "  "))
    show.note(_("An equivalence helps to imagine a size; it says nothing about what else changed."))
    return 0


def _named(edition: "Edition", each: "Equivalent") -> str:
    return edition.names.get(each.subject, {}).get(language(), each.subject)


def _show_sanity(edition: "Edition", amount: str, sanity: "Sanity", *, is_json: bool) -> None:
    one = sanity.equivalent
    if is_json:
        show.emit(
            "equivalents",
            amount=amount,
            stated=sanity.stated,
            is_plausible=sanity.is_plausible,
            times=sanity.times,
            equivalent=_json(edition, one),
        )
        return
    verdict = _("possible") if sanity.is_plausible else _("not possible")
    click.echo(
        _("{amount} as {stated} x {thing}: {verdict}.").format(
            amount=amount, stated=number(sanity.stated), thing=_named(edition, one), verdict=verdict
        )
    )
    click.echo(
        _("It would be {count} ({low} .. {high}); one of it would have to take {times} times what it takes.").format(
            count=number(one.count.mid),
            low=number(one.count.low),
            high=number(one.count.high),
            times=number(sanity.times),
        )
    )
    source = edition.sources[one.factor.source]
    click.echo(show.wrapped(f"{one.factor.source}: {source.title}. {source.publisher}, {source.edition}.", "  "))


def _json(edition: "Edition", each: "Equivalent") -> dict[str, Any]:
    factor = each.factor
    return {
        "thing": each.subject,
        "name": dict(edition.names.get(each.subject, {})),
        "place": each.place,
        "low": each.count.low,
        "mid": each.count.mid,
        "high": each.count.high,
        "one_takes": {"low": factor.low, "mid": factor.value, "high": factor.high, "unit": factor.unit},
        "factor_id": factor.factor_id,
        "tier": factor.tier,
        "source": factor.source,
        "cell": factor.cell,
    }
