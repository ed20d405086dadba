"""`joulebook factors check | age | where-used`: is the library sound, what is old, what uses it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.faces.cli import factor_diff, factor_fetch, factor_page, factor_show, show
from joulebook.faces.cli.factors import command, day_of, edition_of, row_json, subject_of
from joulebook.faces.cli.main import default_book_path, open_book, own_factors
from joulebook.faces.text import _, error_text, finding_text
from joulebook.terms.finding import Finding

if TYPE_CHECKING:
    from joulebook.factors.edition import Edition
    from joulebook.factors.faults import FactorFault
    from joulebook.ledger.where_used import Touched

__all__ = ["command", "factor_diff", "factor_fetch", "factor_page", "factor_show"]


@command.command("check", help=_("Check form, units, ranges, dates, licences and links; exit 1 on a fault."))
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def check_command(ctx: click.Context, *, folders: tuple[Path, ...], is_json: bool) -> int:
    """Check the library and folders of the user's own."""
    from joulebook.factors.check import check  # noqa: PLC0415
    from joulebook.factors.read import read_with_faults  # noqa: PLC0415
    from joulebook.factors.series import series_faults  # noqa: PLC0415

    reading = read_with_faults(*own_factors(ctx), *folders)
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
            show.note(error_text(fault))
        for finding in findings:
            kind = "" if finding.is_error else _("warning") + ": "
            show.note(f"{finding.file}:{finding.line}: {kind}" + finding_text(finding))
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
    message = error_text(fault)
    return {"file": fault.file, "line": fault.line, "rule": fault.rule, "message": message}


def _finding_json(finding: Finding) -> dict[str, Any]:
    message = finding_text(finding)
    place = {"file": finding.file, "line": finding.line}
    return {**place, "rule": finding.rule, "message": message, "is_error": finding.is_error}


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
    rows = [row] if row is not None else edition.rows_of(named)
    stands = _touched(ctx, {found.factor_id for found in rows})
    if is_json:
        names = [{"subject": name, "relation": relation} for name, relation in leading]
        booked = {"postings": stands.postings, "requests": stands.requests, "factor_ids": sorted(stands.factor_ids)}
        show.emit("factors where-used", subject=named, names=names, policies=rules, book=booked)
        return 0
    show.heading(named)
    for relation in dict.fromkeys(relation for _name, relation in leading):
        names = ", ".join(name for name, found in leading if found == relation)
        click.echo(show.wrapped(f"{relation}: {names}", "  "))
    if not leading:
        click.echo("  " + _("No link leads here."))
    by_rules: dict[str, list[str]] = {}
    for name, ruled in rules.items():
        if ruled:
            by_rules.setdefault(", ".join(ruled), []).append(name)
    for ruled, names in by_rules.items():
        click.echo(
            show.wrapped(_("policies for {quantity}: {names}").format(quantity=ruled, names=", ".join(names)), "  ")
        )
    counts = {"postings": f"{stands.postings:,}", "requests": f"{stands.requests:,}", "ids": len(stands.factor_ids)}
    line = _("In the book: {postings} postings over {requests} requests stand on {ids} of its rows.")
    click.echo(show.wrapped(line.format(**counts), "  "))
    return 0


def _touched(ctx: click.Context, factor_ids: set[str]) -> "Touched":
    """What of the book stands on some factors; nothing where there is no book."""
    from joulebook.ledger.where_used import touched  # noqa: PLC0415

    path = ctx.obj.get("book_path") or default_book_path()
    if not path.is_dir():
        return touched((), {}, factor_ids)
    book = open_book(ctx)
    return touched(book.standing_postings(), book.resolutions(), factor_ids)
