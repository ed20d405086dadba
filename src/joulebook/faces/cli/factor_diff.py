"""`joulebook factors diff`: what moved between two editions, and what that does to the same use."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import UsageError
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import command, day_of, edition_of, row_json, value_text
from joulebook.faces.text import _
from joulebook.terms.columns import column
from joulebook.terms.display import range_in, unit_for
from joulebook.terms.range import Range

if TYPE_CHECKING:
    from joulebook.factors.compare import Moved
    from joulebook.factors.edition import Edition, Factor

SHOWN = 20
METHOD_KINDS = ("serving", "embodied")
"""Kinds of factors that make the method of the estimate, which is not what is compared."""

SAMPLE_REQUESTS = 2000
ANSWERED = "intensity_g_per_kwh"
"""Quantity whose answers are compared."""


@command.command("diff", help=_("What moved between two editions: a date (as known then), a folder, or now."))
@click.argument("before", metavar="EDITION")
@click.argument("after", metavar="EDITION", default="now")
@click.option("--at", "moment", type=click.DateTime(["%Y-%m-%d"]), help=_("The day of the use; default today."))
@click.option(
    "--sample/--no-sample",
    "is_sample",
    default=True,
    help=_("Book a sample of requests with both and compare the totals."),
)
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def diff_command(
    ctx: click.Context, *, before: str, after: str, moment: datetime | None, is_sample: bool, is_json: bool
) -> int:
    """Compare two editions."""
    from joulebook.factors.compare import moved  # noqa: PLC0415

    old, new = _edition_named(ctx, before), _edition_named(ctx, after)
    changes = moved(old, new)
    policy = ctx.obj.get("policy", "ghgp-location")
    answers = _answers(old, new, day_of(moment), policy)
    held = [_held(edition, edition_of(ctx)) if is_sample else () for edition in (old, new)]
    whole = [replace(edition, factors=edition.factors + more) for edition, more in zip((old, new), held, strict=True)]
    with show.counting(_("sample priced"), quiet=ctx.obj["quiet"]):
        totals = [_sample_totals(edition, policy) for edition in whole if is_sample and changes]
    if is_json:
        show.emit(
            "factors diff",
            before={"name": old.name, "edition_id": old.edition_id},
            after={"name": new.name, "edition_id": new.edition_id},
            changes=[_moved_json(old, new, change) for change in changes],
            answers=[{"subject": zone, "before": was, "after": now} for zone, was, now in answers],
            sample=totals or None,
            sample_held=len(held[0]),
        )
        return 0
    show.heading(f"{old.name} ({old.edition_id})")
    click.echo(click.style(f"→ {new.name} ({new.edition_id})", bold=True))
    kinds = Counter(change.kind for change in changes)
    counts = {kind: f"{kinds[kind]:,}" for kind in ("added", "changed", "removed")}
    click.echo(_("{added} added, {changed} changed, {removed} removed.").format(**counts))
    _print_moved([change for change in changes if change.kind != "added"])
    _print_answers(answers)
    if totals:
        _print_sample(*totals)
        if held[0]:
            line = _("{count} numbers of the estimate's method that {name} lacks are today's in both.")
            show.say(line.format(count=len(held[0]), name=old.name))
    return 0


def _held(edition: "Edition", today: "Edition") -> "tuple[Factor, ...]":
    """What the estimate needs and an edition lacks: the method, which is not what is compared."""
    method = (row for row in today.factors if row.kind in METHOD_KINDS)
    return tuple(row for row in method if not edition.factors_for(row.quantity, row.subject))


def _edition_named(ctx: click.Context, text: str) -> "Edition":
    from joulebook.factors.read import read_with_faults  # noqa: PLC0415

    if text == "now":
        return edition_of(ctx)
    folder = Path(text)
    if folder.is_dir():
        reading = read_with_faults(library=folder)
        if reading.faults:
            raise reading.faults[0].with_all(reading.faults)
        return reading.edition
    try:
        return edition_of(ctx).as_known(date.fromisoformat(text))
    except ValueError:
        what = _("{text!r} is no edition.").format(text=text)
        raise UsageError(what=what, next_step=_("give a date such as 2025-04-08, a folder, or now.")) from None


def _moved_json(old: "Edition", new: "Edition", change: "Moved") -> dict[str, Any]:
    return {
        "kind": change.kind,
        "ratio": change.ratio,
        "before": row_json(old, change.before) if change.before else None,
        "after": row_json(new, change.after) if change.after else None,
    }


def _print_moved(changes: Sequence["Moved"]) -> None:
    shown = changes[:SHOWN]
    for quantity in dict.fromkeys(change.row.quantity for change in shown):
        rows = []
        for change in [change for change in shown if change.row.quantity == quantity]:
            before, after = (_mid_and_ends(row) for row in (change.before, change.after))
            ratio = f"{change.ratio:.3g}x" if change.ratio else "-"
            rows.append([f"{change.row.subject} {change.row.valid_from.year}", before[0], after[0], ratio])
            if before[1] or after[1]:
                rows.append(["", before[1], after[1], ""])
        show.heading(quantity)
        show.table([_("subject"), _("before"), _("after"), _("ratio")], rows, right=(1, 2, 3))
    if len(changes) > SHOWN:
        show.note(_("{count} more; --json lists all.").format(count=len(changes) - SHOWN))


def _answers(old: "Edition", new: "Edition", at: date, policy: str) -> list[tuple[str, float | None, float | None]]:
    """Zones of regions whose answer differs between the editions, the largest move first."""
    from joulebook.errors import FactorMissing  # noqa: PLC0415
    from joulebook.factors.choose import choose  # noqa: PLC0415

    def answer(edition: "Edition", zone: str) -> float | None:
        try:
            return choose(edition, ANSWERED, zone, at, policy).factor.value
        except FactorMissing:
            return None

    zones = sorted({link.object for link in new.links if link.relation == "grid_zone"})
    found = [(zone, answer(old, zone), answer(new, zone)) for zone in zones]
    return sorted((row for row in found if row[1] != row[2]), key=_move)


def _move(row: tuple[str, float | None, float | None]) -> tuple[int, float]:
    was, now = row[1], row[2]
    if not was or not now:
        return 1, 0
    return 0, -max(was / now, now / was)


def _print_answers(answers: Sequence[tuple[str, float | None, float | None]]) -> None:
    if not answers:
        return
    show.heading(_("Effect on operational CO2e (location) of the same use"))
    rows = [
        [
            zone,
            f"{was:,.0f}" if was is not None else _("unknown"),
            f"{now:,.0f}" if now is not None else _("unknown"),
            f"{(now / was - 1):+.1%}" if was and now else "-",
        ]
        for zone, was, now in answers[:SHOWN]
    ]
    show.table([_("zone"), _("before g/kWh"), _("after g/kWh"), _("effect")], rows, right=(1, 2, 3))
    if len(answers) > SHOWN:
        show.note(_("{count} more; --json lists all.").format(count=len(answers) - SHOWN))


def _sample_totals(edition: "Edition", policy: str) -> dict[str, tuple[float, float, float]]:
    """Low, mid and high of each figure of the sample day, priced with an edition.

    Raises:
        UsageError: the edition lacks what the method needs, as those before the method do.
    """
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    from joulebook.book import Book  # noqa: PLC0415
    from joulebook.errors import FactorMissing  # noqa: PLC0415
    from joulebook.faces.sample import sample_options, write_sample  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        book = Book(Path(folder) / "book", policy=policy)
        book.__dict__["edition"] = edition  # the book reads its edition once; here it is given
        path = write_sample(Path(folder) / "sample.csv", requests=SAMPLE_REQUESTS)
        try:
            book.import_file("csv", path, sample_options(path))
        except FactorMissing as error:
            what = _("Edition {name} has no {sought}, which the estimate needs.")
            what = what.format(name=edition.name, sought=error.facts["sought"])
            raise UsageError(what=what, next_step=_("compare editions with --no-sample.")) from error
        amounts = book.report(())[0].amounts
        return {name: tuple(amount.range) for name, amount in amounts.items() if amount is not None}


def _print_sample(
    before: Mapping[str, tuple[float, float, float]], after: Mapping[str, tuple[float, float, float]]
) -> None:
    from joulebook.faces.cli.figure_names import SHORT_NAMES  # noqa: PLC0415

    show.heading(_("Effect on a sample of {count} requests").format(count=f"{SAMPLE_REQUESTS:,}"))
    rows = []
    for name in [name for name in before if name in after]:
        unit = column(name).unit or ""
        shown = unit_for(max(before[name][1], after[name][1]), unit)
        was, now = (range_in(Range(*total[name]), unit, shown) for total in (before, after))
        change = f"{after[name][1] / before[name][1] - 1:+.1%}" if before[name][1] else "-"
        rows.append([_(SHORT_NAMES[name]), was[1], now[1], shown, change])
        rows.append(["", f"{was[0]}–{was[2]}", f"{now[0]}–{now[2]}", "", ""])
    show.table([_("figure"), _("before"), _("after"), _("unit"), _("effect")], rows, right=(1, 2, 4))


def _mid_and_ends(row: "Factor | None") -> tuple[str, str]:
    """A value with its unit, and its range below it."""
    if row is None:
        return "-", ""
    mid, _space, ends = value_text(row).partition(" (")
    return mid, ends.rstrip(")")
