"""`joulebook factors`: every number of the world with its range, dates, source and cell."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import UnknownName
from joulebook.faces.cli import show
from joulebook.faces.cli.main import own_factors
from joulebook.faces.text import _, language
from joulebook.terms.display import range_in, unit_for

if TYPE_CHECKING:
    from datetime import date

    from joulebook.factors.edition import Edition, Factor

NEAREST = 12
"""Names told when none is similar."""

SHOWN = 40
"""Rows of a list before it is cut; --all prints every row."""


class WholeHelp(click.Group):
    """A group whose list of commands is wrapped, not cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their whole help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, one.help or "") for name, one in found if one is not None])


@click.group("factors", cls=WholeHelp, help=_("Numbers of the world with range, dates, source and cell."))
def command() -> None:
    """Group of the factor commands."""


def edition_of(ctx: click.Context) -> "Edition":
    """The shipped factors with the user's folders."""
    from joulebook.factors.read import read_edition  # noqa: PLC0415

    return read_edition(*own_factors(ctx))


def day_of(moment: datetime | None) -> "date":
    """A day from an option; today (UTC) where none is given."""
    return (moment or datetime.now(UTC)).date()


def name_of(edition: "Edition", subject: str) -> str:
    """What people call a subject, in the language in use."""
    names = edition.names.get(subject, {})
    return names.get(language()) or names.get("en") or ""


def row_json(edition: "Edition", row: "Factor") -> dict[str, Any]:
    """A factor with its source as JSON."""
    source = edition.sources[row.source]
    return {
        "factor_id": row.factor_id,
        "kind": row.kind,
        "subject": row.subject,
        "quantity": row.quantity,
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "unit": row.unit,
        "basis": dict(row.basis),
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "known_from": row.known_from,
        "tier": row.tier,
        "source": {"key": row.source, "title": source.title, "publisher": source.publisher, "url": source.url,
                   "licence": source.licence, "edition": source.edition, "date_seen": source.date_seen},
        "cell": row.cell,
        "range_basis": row.range_basis,
        "note": row.note,
        "file": row.file,
        "line": row.line,
        "is_user": row.is_user,
        "package": row.package or None,
    }  # fmt: skip


@command.command("list", help=_("Count the library, or list the rows of a kind, quantity or subject."))
@click.argument("pattern", default="", metavar="[TEXT]")
@click.option("--kind", help=_("One folder of the library: grid, site, region, model, water, ..."))
@click.option("--quantity", help=_("One column, such as intensity_g_per_kwh."))
@click.option("--all", "is_all", is_flag=True, help=_("Print every row."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def list_command(
    ctx: click.Context, *, pattern: str, kind: str | None, quantity: str | None, is_all: bool, is_json: bool
) -> int:
    """List factors."""
    edition = edition_of(ctx)
    rows = [row for row in edition.factors if _matches(edition, row, pattern, kind, quantity)]
    if is_json:
        show.emit("factors list", edition=edition_json(edition), factors=[row_json(edition, row) for row in rows])
        return 0
    if not rows:
        raise _nothing_listed(edition, pattern, kind, quantity)
    if pattern or kind or quantity:
        _print_rows(edition, rows, None if is_all else SHOWN)
    else:
        _print_counts(edition)
    return 0


def _nothing_listed(edition: "Edition", pattern: str, kind: str | None, quantity: str | None) -> UnknownName:
    """Why no row fits: a kind or quantity that does not exist, else a text that no row has."""
    from difflib import get_close_matches  # noqa: PLC0415

    kinds = list(dict.fromkeys(row.kind for row in edition.factors))
    of_kind = [row for row in edition.factors if kind is None or row.kind == kind]
    quantities = list(dict.fromkeys(row.quantity for row in of_kind))
    for what, name, known in ((_("kind"), kind, kinds), (_("quantity"), quantity, quantities)):
        if name is not None and name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)[:NEAREST]
            return UnknownName(kind=what, name=name, nearest=", ".join(near))
    return UnknownName(kind=_("factor"), name=pattern, nearest=nearest_to(edition, pattern))


def _matches(edition: "Edition", row: "Factor", pattern: str, kind: str | None, quantity: str | None) -> bool:
    if (kind and row.kind != kind) or (quantity and row.quantity != quantity):
        return False
    wanted = pattern.lower()
    names = " ".join(edition.names.get(row.subject, {}).values()).lower()
    return wanted in row.subject.lower() or wanted in names or wanted in row.quantity


def edition_json(edition: "Edition") -> dict[str, object]:
    """Name, id and size of an edition as JSON."""
    return {"name": edition.name, "edition_id": edition.edition_id, "factors": len(edition.factors)}


def _print_counts(edition: "Edition") -> None:
    show.heading(_("Edition {name} ({id})").format(name=edition.name, id=edition.edition_id))
    rows = []
    for kind in sorted({row.kind for row in edition.factors}):
        of_kind = [row for row in edition.factors if row.kind == kind]
        counts = (len({row.subject for row in of_kind}), len(of_kind), len({row.source for row in of_kind}))
        rows.append([kind, *(f"{count:,}" for count in counts), str(max(row.known_from for row in of_kind))])
    whole = (len(edition.subjects), len(edition.factors), len(edition.sources))
    rows.append([_("all"), *(f"{count:,}" for count in whole), str(max(row.known_from for row in edition.factors))])
    heads = [_("kind"), _("subjects"), _("values"), _("sources"), _("newest")]
    show.table(heads, rows, right=(1, 2, 3))
    click.echo(
        _("{count} dated links between names (regions, zones, aliases).").format(count=f"{len(edition.links):,}")
    )
    show.note(_("Next: joulebook factors list --kind grid, or joulebook factors show KOR."))


def _print_rows(edition: "Edition", rows: Sequence["Factor"], most: int | None) -> None:
    for quantity in dict.fromkeys(row.quantity for row in rows[:most]):
        cells = [
            [
                f"{row.subject} {name_of(edition, row.subject)}".strip(),
                value_text(row, is_scaled=row.kind == "company"),
                str(row.valid_from),
                _(row.tier),
            ]
            for row in rows[:most]
            if row.quantity == quantity
        ]
        show.heading(quantity)
        show.table([_("subject"), _("value (range)"), _("from"), _("tier")], cells)
    if most is not None and len(rows) > most:
        show.note(_("{count} more rows; --all prints them, --json gives every field.").format(count=len(rows) - most))


def cell_text(row: "Factor") -> str:
    """Where a row was read; an assumption was read nowhere and says so."""
    return row.cell if row.cell.strip("- ") else _("none: an assumption, reason under range")


def value_text(row: "Factor", *, is_scaled: bool = False) -> str:
    """A factor's value, range and unit in one line.

    Args:
        row: the factor.
        is_scaled: True where the unit may be changed to a handier one.
    """
    shown = unit_for(row.value, row.unit) if is_scaled else row.unit
    low, mid, high = range_in(row.range, row.unit, shown)
    word = {"1": "", "1e9": _("billion")}.get(shown, shown)
    ends = "" if low == high else f" ({low}–{high})"
    return f"{mid} {word}".rstrip() + ends


def subject_of(edition: "Edition", text: str, quantity: str | None = None) -> str:
    """A subject as the library spells it: by code, by name in either language, by two letters, else as written.

    Where the subject has no row of the quantity asked for, a namesake that has some is meant: ``amazon`` is a provider
    and ``company/amazon`` a company.
    """
    codes = edition.links_for(text.upper(), "country_code")
    if codes:
        return codes[0].object
    namesakes = [one for one in namesakes_of(edition, text) if not quantity or edition.factors_for(quantity, one)]
    if text in edition.subjects and (edition.rows_of(text) or len(namesakes) != 1):
        has_rows = not quantity or edition.factors_for(quantity, text)
        return text if has_rows or len(namesakes) != 1 else namesakes[0]
    if len(namesakes) == 1:
        return namesakes[0]
    wanted = text.lower()
    by_name = [s for s, names in edition.names.items() if wanted in {name.lower() for name in names.values()}]
    by_case = [s for s in edition.subjects if s.lower() == wanted]
    by_bare = edition.by_bare_name.get(wanted, ())
    return next(iter([*by_case, *by_name, *by_bare]), text)


def namesakes_of(edition: "Edition", text: str) -> list[str]:
    """Companies and the like with a bare name: ``company/amazon`` for ``amazon``."""
    subject = f"company/{text.lower()}"
    return [subject] if subject in edition.subjects else []


def nearest_to(edition: "Edition", text: str) -> str:
    """Subjects whose code or name is similar, joined by commas."""
    from difflib import get_close_matches  # noqa: PLC0415

    from joulebook.factors.place import meant  # noqa: PLC0415

    if found := meant(edition, text):
        return ", ".join(found)
    names = {name: subject for subject, names in edition.names.items() for name in names.values()}
    near = get_close_matches(text, [*edition.subjects, *names], n=3, cutoff=0.5)
    return ", ".join(dict.fromkeys(names.get(name, name) for name in near)) or "KOR, aws:us-east-1, openai/gpt-4o"
