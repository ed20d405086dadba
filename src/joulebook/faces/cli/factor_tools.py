"""`joulebook factors check | diff | age | where-used`: is the library sound, what moved, what is old, what uses it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import UsageError
from joulebook.faces.cli import factor_page, show
from joulebook.faces.cli.factors import command, day_of, edition_of, row_json, subject_of, value_text
from joulebook.faces.text import _
from joulebook.terms.finding import RULES, Finding

if TYPE_CHECKING:
    from joulebook.factors.compare import Moved
    from joulebook.factors.edition import Edition
    from joulebook.factors.faults import FactorFault

__all__ = ["command", "factor_page"]

SHOWN = 20
ANSWERED = "intensity_g_per_kwh"
"""Quantity whose answers are compared in a diff."""


@command.command("check", help=_("Check form, units, ranges, dates, licences and links; exit 1 on a fault."))
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def check_command(ctx: click.Context, *, folders: tuple[Path, ...], is_json: bool) -> int:
    """Check the library and folders of the user's own."""
    from joulebook.factors.check import check  # noqa: PLC0415
    from joulebook.factors.read import read_with_faults  # noqa: PLC0415
    from joulebook.factors.series import series_faults  # noqa: PLC0415

    reading = read_with_faults(*ctx.obj.get("factor_folders", ()), *folders)
    findings = [] if reading.faults else check(reading.edition, cited_elsewhere(reading.edition))
    faults = [*reading.faults, *series_faults(reading.edition)]
    edition = reading.edition
    if is_json:
        show.emit(
            "factors check",
            values=len(edition.factors),
            sources=len(edition.sources),
            links=len(edition.links),
            faults=[_fault_json(fault) for fault in faults] + [_finding_json(finding) for finding in findings],
        )
    else:
        for fault in faults:
            show.note(_(fault.template).format(**fault.facts))
        for finding in findings:
            kind = "" if finding.is_error else _("warning") + ": "
            show.note(f"{finding.file}:{finding.line}: {kind}" + _(RULES[finding.rule]).format(**finding.facts))
        _print_verdict(edition, len(faults) + sum(finding.is_error for finding in findings))
    return 1 if faults or any(finding.is_error for finding in findings) else 0


def cited_elsewhere(edition: "Edition") -> set[str]:
    """Sources that series and checked claims name, so that they are no orphans of the bibliography."""
    from joulebook.disclose.claim_read import read_claims  # noqa: PLC0415
    from joulebook.factors.series import series_sources  # noqa: PLC0415

    claims, _sources = read_claims(edition.sources)
    words = {word for claim in claims.values() for word in _words(asdict(claim))}
    return set(series_sources()) | (words & edition.sources.keys())


def _words(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _words(value)
    elif isinstance(content, Iterable):
        for value in content:
            yield from _words(value)


def _print_verdict(edition: "Edition", faults: int) -> None:
    with_cell = sum(1 for row in edition.factors if row.cell.strip("- "))
    assumed = sum(1 for row in edition.factors if row.tier == "assumed")
    counts = {
        "values": f"{len(edition.factors):,}",
        "subjects": f"{len(edition.subjects):,}",
        "sources": f"{len(edition.sources):,}",
        "links": f"{len(edition.links):,}",
        "cells": f"{with_cell:,}",
        "assumed": f"{assumed:,}",
    }
    line = _(
        "{values} values of {subjects} subjects, {links} links, {sources} sources; {cells} name a cell, {assumed} are "
        "assumed and say why."
    )
    click.echo(show.wrapped(line.format(**counts), ""))
    click.echo(_("No faults.") if not faults else _("{count} faults.").format(count=faults))


def _fault_json(fault: "FactorFault") -> dict[str, Any]:
    message = _(fault.template).format(**fault.facts)
    return {"file": fault.file, "line": fault.line, "rule": fault.rule, "message": message}


def _finding_json(finding: Finding) -> dict[str, Any]:
    message = _(RULES[finding.rule]).format(**finding.facts)
    place = {"file": finding.file, "line": finding.line}
    return {**place, "rule": finding.rule, "message": message, "is_error": finding.is_error}


@command.command("diff", help=_("What moved between two editions: a date (as known then), a folder, or now."))
@click.argument("before", metavar="EDITION")
@click.argument("after", metavar="EDITION", default="now")
@click.option("--at", "moment", type=click.DateTime(["%Y-%m-%d"]), help=_("The day of the use; default today."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def diff_command(ctx: click.Context, *, before: str, after: str, moment: datetime | None, is_json: bool) -> int:
    """Compare two editions."""
    from joulebook.factors.compare import moved  # noqa: PLC0415

    old, new = _edition_named(ctx, before), _edition_named(ctx, after)
    changes = moved(old, new)
    answers = _answers(old, new, day_of(moment), ctx.obj.get("policy", "ghgp-location"))
    if is_json:
        show.emit(
            "factors diff",
            before={"name": old.name, "edition_id": old.edition_id},
            after={"name": new.name, "edition_id": new.edition_id},
            changes=[_moved_json(old, new, change) for change in changes],
            answers=[{"subject": zone, "before": was, "after": now} for zone, was, now in answers],
        )
        return 0
    show.heading(f"{old.name} ({old.edition_id})  →  {new.name} ({new.edition_id})")
    kinds = Counter(change.kind for change in changes)
    counts = {kind: f"{kinds[kind]:,}" for kind in ("added", "changed", "removed")}
    click.echo(_("{added} added, {changed} changed, {removed} removed.").format(**counts))
    _print_moved([change for change in changes if change.kind != "added"])
    _print_answers(answers)
    return 0


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
        rows = [
            [
                f"{change.row.subject} {change.row.valid_from.year}",
                value_text(change.before) if change.before else "-",
                value_text(change.after) if change.after else "-",
                f"{change.ratio:.3g}x" if change.ratio else "-",
            ]
            for change in shown
            if change.row.quantity == quantity
        ]
        show.heading(quantity)
        show.table([_("subject"), _("before"), _("after"), _("ratio")], rows, right=(3,))
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


@command.command("age", help=_("Numbers whose newest value ended long ago."))
@click.option("--years", type=float, default=2.0, show_default=True, help=_("How old is too old."))
@click.option("--at", "moment", type=click.DateTime(["%Y-%m-%d"]), help=_("The day to look from; default today."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def age_command(ctx: click.Context, *, years: float, moment: datetime | None, is_json: bool) -> int:
    """List stale numbers."""
    from joulebook.factors.compare import ages  # noqa: PLC0415

    edition = edition_of(ctx)
    old = ages(edition, day_of(moment), years)
    if is_json:
        stale = [{"years": age.years, "factor": row_json(edition, age.row)} for age in old]
        show.emit("factors age", stale=stale)
        return 0
    groups: dict[tuple[str, str], list[float]] = {}
    for age in old:
        groups.setdefault((age.row.quantity, age.row.source), []).append(age.years)
    rows = [[quantity, source, f"{len(found):,}", f"{max(found):.1f}"] for (quantity, source), found in groups.items()]
    if rows:
        show.table([_("quantity"), _("source"), _("values"), _("years")], rows, right=(2, 3))
    counts = {"old": f"{len(old):,}", "all": f"{len(edition.factors):,}", "years": f"{years:g}"}
    click.echo(_("{old} numbers of {all} values ended more than {years} years ago.").format(**counts))
    return 0


@command.command("where-used", help=_("Which names, policies and postings lead to a number."))
@click.argument("subject", metavar="SUBJECT|ID")
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def where_used_command(ctx: click.Context, *, subject: str, is_json: bool) -> int:
    """Say what a factor is used for."""
    from joulebook.factors.compare import subjects_leading_to  # noqa: PLC0415
    from joulebook.factors.policy import POLICIES, policy  # noqa: PLC0415

    edition = edition_of(ctx)
    named = subject_of(edition, subject)
    row = edition.factor(named)
    if row is not None:
        named = row.subject
    leading = subjects_leading_to(edition, named)
    quantities = dict.fromkeys(found.quantity for found in edition.rows_of(named))
    rules = {name: [q for q in quantities if q in policy(name).rules] for name in POLICIES}
    if is_json:
        names = [{"subject": name, "relation": relation} for name, relation in leading]
        show.emit("factors where-used", subject=named, names=names, policies=rules)
        return 0
    show.heading(named)
    for relation in dict.fromkeys(relation for _name, relation in leading):
        names = ", ".join(name for name, found in leading if found == relation)
        click.echo(show.wrapped(f"{relation}: {names}", "  "))
    if not leading:
        click.echo("  " + _("No link leads here."))
    for name, ruled in rules.items():
        if ruled:
            click.echo(show.wrapped(f"{name}: {', '.join(ruled)}", "  "))
    return 0
