"""`joulebook statements`: what others state of the same use, beside our figures; never added to them."""

from typing import TYPE_CHECKING, Any

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.main import open_book
from joulebook.faces.text import _
from joulebook.terms.display import range_in, range_text, unit_for
from joulebook.terms.range import Range

if TYPE_CHECKING:
    from joulebook.ledger.reconcile import Compared


@click.command("statements", help=_("What providers and other tools state, beside our figures, and why they differ."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool) -> int:
    """Show statements beside our figures."""
    from joulebook.ledger.reconcile import reconcile  # noqa: PLC0415  (help stays quick)

    book = open_book(ctx)
    rows = book.store.rows(book.store.table("statement"))
    found = reconcile(rows, book.report(("month", "provider")), book.report(("run",))) if rows else []
    if is_json:
        show.emit("statements", statements=[_json(one) for one in found])
        return 0
    if not found:
        show.say(
            _("No statements. Next: import one, for example `joulebook import aws-carbon FILE`; see `import --list`.")
        )
        return 0
    show.heading(_("Stated by others, beside ours (operational CO2e, location-based)"))
    show.table(
        [_("period"), _("by"), _("service"), _("location"), _("market"), _("ours"), _("ratio")],
        [_row(one) for one in found],
        right=(3, 4, 5, 6),
    )
    _show_reasons(found)
    return 0


def _row(one: "Compared") -> tuple[str, ...]:
    service = one.service or (_("{count} services").format(count=one.services) if one.services else "-")
    return (
        f"{one.period_start:%Y-%m}",
        one.stated_by,
        service if len(service) <= SERVICE_WIDTH else f"{service[: SERVICE_WIDTH - 1]}…",
        _mass(one.location_g),
        _mass(one.market_g),
        range_text(one.ours_g, "g") if one.ours_g else _("unknown"),
        f"{one.ratios.mid:.2g}" if one.ratios else "-",
    )


SERVICE_WIDTH = 14


def _mass(grams: float | None) -> str:
    if grams is None:
        return "-"
    unit = unit_for(grams, "g")
    return f"{range_in(Range.exact(grams), 'g', unit)[1]} {unit}"


def _show_reasons(found: "list[Compared]") -> None:
    """Why they differ: each reason once, with the lines it is about."""
    from joulebook.ledger.reconcile import REASONS  # noqa: PLC0415

    click.echo()
    for code, text in REASONS.items():
        about = [f"{one.period_start:%Y-%m} {one.stated_by}" for one in found if code in one.reasons]
        if about:
            named = ", ".join(dict.fromkeys(about)) if len(set(about)) < len({_key(one) for one in found}) else _("all")
            show.say(f"- {_(text)} ({named})", indent="  ")
    show.say(_("The ratio is theirs over the middle of ours. Statements are kept apart and never added to our totals."))


def _key(one: "Compared") -> str:
    return f"{one.period_start:%Y-%m} {one.stated_by}"


def _json(one: "Compared") -> dict[str, Any]:
    return {
        "period_start": one.period_start.isoformat(),
        "period_end": one.period_end.isoformat(),
        "stated_by": one.stated_by,
        "provider": one.provider,
        "service": one.service,
        "services": one.services,
        "stated_location_g": one.location_g,
        "stated_market_g": one.market_g,
        "compared_g": one.compared_g,
        "ours_g": one.ours_g._asdict() if one.ours_g else None,
        "ratio": one.ratios._asdict() if one.ratios else None,
        "reasons": list(one.reasons),
    }
