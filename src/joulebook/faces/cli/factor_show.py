"""`joulebook factors show`: one number with range, both clocks, source, cell and licence, and why it was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import FactorError, UnknownName, UsageError, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.factor_place import place_json, place_of, print_place
from joulebook.faces.cli.factors import (
    SHOWN,
    cell_text,
    command,
    day_of,
    edition_json,
    edition_of,
    name_of,
    nearest_to,
    row_json,
    subject_of,
    value_text,
)
from joulebook.faces.text import _, error_text, language
from joulebook.terms.columns import column

if TYPE_CHECKING:
    from joulebook.factors.choose import Choice
    from joulebook.factors.edition import Edition, Factor

DISTINGUISHING = ("stage", "purpose", "hydro", "precision", "metric", "report", "origin")
"""Words of a basis that tell rows of one quantity apart."""


@command.command("show", help=_("One number with range, both clocks, source, cell and licence."))
@click.argument("subject", metavar="SUBJECT|ID")
@click.option("--quantity", help=_("One column, such as intensity_g_per_kwh."))
@click.option("--basis", "words", multiple=True, metavar="KEY=WORD", help=_("Only this basis, such as stage=direct."))
@click.option("--at", "moment", type=click.DateTime(["%Y-%m-%d"]), help=_("The day of the use; default today."))
@click.option("--as-known", "known", type=click.DateTime(["%Y-%m-%d"]), help=_("What was known on a day."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def show_command(
    ctx: click.Context,
    *,
    subject: str,
    quantity: str | None,
    words: tuple[str, ...],
    moment: datetime | None,
    known: datetime | None,
    is_json: bool,
) -> int:
    """Show what the library says about a subject."""
    whole = edition_of(ctx)
    edition = whole.as_known(known.date()) if known else whole
    named, basis = subject_of(whole, subject, quantity), _basis_of(words)
    rows = [row for row in whole.rows_of(named) if not quantity or row.quantity == quantity]
    rows = [row for row in rows if basis.items() <= row.basis.items()]
    by_id = None if rows else whole.factor(subject)
    if by_id is not None:
        _show_row(whole, by_id, is_json=is_json)
        return 0
    if not rows and (quantity or basis or not _links(edition, named)):
        raise UnknownName(kind=_("factor"), name=subject, nearest=nearest_to(whole, subject))
    question = _Question(edition, named, day_of(moment), ctx.obj.get("policy", "ghgp-location"), basis)
    chosen = {name: question.chosen(name) for name in dict.fromkeys(row.quantity for row in rows)}
    place = None if quantity or basis else place_of(edition, named, question.at)
    if is_json:
        whole_answer = _show_json(edition, whole, named, rows, chosen)
        if place is not None:
            whole_answer["place"] = place_json(edition, place, question.at, question.policy)
        show.emit("factors show", **whole_answer)
        return 0
    show.heading(f"{named}  {name_of(whole, named)}".strip())
    for name, choice in chosen.items():
        of_name = [row for row in rows if row.quantity == name]
        click.echo()
        click.echo(show.wrapped(f"{name}: {column(name).meaning[language()]}", ""))
        if isinstance(choice, str) or (choice.is_unknown and of_name and named != choice.factor.subject):
            _print_bases(question, of_name, choice if isinstance(choice, str) else choice.chosen_because)
        else:
            _print_choice(whole, question, choice, is_past=known is not None)
            _print_other_policies(question, name, choice)
            _print_others(of_name, choice)
    for line in _links(edition, named):
        click.echo(f"  {line}")
    if place is not None:
        print_place(edition, place, question.at, question.policy)
    return 0


def _basis_of(words: Sequence[str]) -> dict[str, str]:
    basis = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            what = _("{word!r} is no basis.").format(word=word)
            raise UsageError(what=what, next_step=_("write --basis KEY=WORD, such as stage=direct."))
        basis[key] = value
    return basis


SPREAD_NOTE = translatable("cross-source spread above 1.3x")
"""What a row says whose range covers packages that disagree."""


class _Question:
    """What is asked about a subject, and the ladder's answer."""

    def __init__(self, edition: "Edition", subject: str, at: date, policy: str, basis: Mapping[str, str]) -> None:
        self.edition, self.subject, self.at, self.policy, self.basis = edition, subject, at, policy, basis

    def chosen(
        self, quantity: str, policy: str | None = None, basis: Mapping[str, str] | None = None
    ) -> "Choice | str":
        """The choice, or why there is none."""
        from joulebook.factors.choose import choose  # noqa: PLC0415

        words = dict(self.basis if basis is None else basis)
        try:
            return choose(self.edition, quantity, self.subject, self.at, policy or self.policy, **words)
        except FactorError as error:
            return error_text(error)


def _show_row(edition: "Edition", row: "Factor", *, is_json: bool) -> None:
    if is_json:
        show.emit("factors show", edition=edition_json(edition), subject=row.subject, rows=[row_json(edition, row)])
        return
    show.heading(f"{row.subject}  {name_of(edition, row.subject)}".strip())
    click.echo(show.wrapped(f"{row.quantity}: {column(row.quantity).meaning[language()]}", ""))
    click.echo("  " + click.style(value_text(row, is_scaled=True), bold=True))
    _print_facts(edition, row)


def _print_choice(edition: "Edition", question: _Question, choice: "Choice", *, is_past: bool) -> None:
    because = " + ".join(_(step) for step in choice.steps)
    click.echo("  " + click.style(value_text(choice.factor, is_scaled=True), bold=True))
    when = _("as known then, {policy}, for {day}: {because}") if is_past else _("{policy}, for {day}: {because}")
    click.echo(show.wrapped(when.format(policy=question.policy, day=question.at, because=because), "    "))
    _print_facts(edition, choice.factor)
    if choice.hint:
        click.echo(show.wrapped(_(choice.hint), "    "))


def _print_facts(edition: "Edition", row: "Factor") -> None:
    for label, text in _facts(edition, row):
        lines = show.wrapped(text, " " * 14).lstrip()
        click.echo("    " + show.fitted(label, 10) + lines)


def _print_bases(question: _Question, rows: Sequence["Factor"], why: str) -> None:
    """Where a quantity is several numbers: the answer for each basis."""
    if rows and rows[0].kind == "model" and _print_model(question, rows):
        return
    bases = list({tuple(sorted(row.basis.items())): dict(row.basis) for row in rows}.values())
    answers = [(basis, question.chosen(rows[0].quantity, basis=basis)) for basis in bases]
    cells = [
        [_words(choice.factor), value_text(choice.factor, is_scaled=True), *_clocks(choice.factor)]
        for _basis, choice in answers
        if not isinstance(choice, str) and not choice.is_unknown
    ]
    if len(bases) == 1 or not cells:
        click.echo(show.wrapped(why, "  "))
        return
    show.table([_("basis"), _("value (range)"), _("from"), _("known")], cells)
    show.note(_("One of them, with source and cell: add --basis KEY=WORD."))


def _print_model(question: _Question, rows: Sequence["Factor"]) -> bool:
    """Of a model several sources describe: the range over all of them, which estimates use, and each of them."""
    from joulebook.factors.model import resolve_model  # noqa: PLC0415

    known = resolve_model(question.edition, None, question.subject, question.at)
    name, behind = rows[0].quantity, known.factors.get(rows[0].quantity, ())
    if known.model != question.subject or len(behind) < 2:  # noqa: PLR2004  (one source needs no range over sources)
        return False
    found = known.ranges[name]
    whole = replace(behind[0], value=found.mid, low=found.low, high=found.high)
    click.echo("  " + click.style(value_text(whole, is_scaled=True), bold=True))
    click.echo(show.wrapped(_("range over {count} sources, which estimates use").format(count=len(behind)), "    "))
    for row in behind:
        source = f"{row.source}: {cell_text(row)}"
        click.echo(show.wrapped(f"{value_text(row)}  {_(row.tier)}  {source}  {row.factor_id}", "    "))
        click.echo(show.wrapped(row.range_basis or "", "      "))
    return True


def _words(row: "Factor") -> str:
    return " ".join(word for key, word in sorted(row.basis.items(), key=lambda pair: pair[0] != "metric"))


def _clocks(row: "Factor") -> tuple[str, str]:
    return str(row.valid_from), str(row.known_from)


def _print_other_policies(question: _Question, quantity: str, choice: "Choice") -> None:
    """Policies that answer with another row."""
    from joulebook.factors.policy import POLICIES, policy  # noqa: PLC0415

    for name in POLICIES if not question.basis else ():
        other = question.chosen(quantity, name) if quantity in policy(name).rules else choice
        if not isinstance(other, str) and other.factor != choice.factor:
            because = " + ".join(_(step) for step in other.steps)
            click.echo(show.wrapped(f"{name}: {value_text(other.factor)}; {because}", "    "))


def _facts(edition: "Edition", row: "Factor") -> list[tuple[str, str]]:
    source = edition.sources[row.source]
    end = row.valid_to or _("open")
    facts = [
        (_("holds"), f"{row.valid_from} .. {end}; " + _("known since {day}").format(day=row.known_from)),
        (_("tier"), _(row.tier)),
        (_("basis"), ", ".join(f"{key} {word}" for key, word in sorted(row.basis.items()))),
        (_("source"), " ".join((f"{source.title}. {source.publisher}, {source.edition}.", source.url)).rstrip(" -")),
        (_("cell"), cell_text(row)),
        (_("licence"), source.licence),
        (_("range"), row.range_basis or ""),
        (_("note"), _(row.note) if row.note else ""),
        (_("package"), row.package),
        (_("file"), f"{row.file}:{row.line}  {row.factor_id}"),
    ]
    return [(label, text) for label, text in facts if text]


def _print_others(rows: Sequence["Factor"], choice: "Choice") -> None:
    """The other rows of the quantity: earlier years, later statements, other sources."""
    others = [row for row in rows if row != choice.factor]
    if not others:
        return
    click.echo("  " + _("other values"))
    for row in sorted(others, key=lambda row: (row.valid_from, row.known_from))[-SHOWN:]:
        words = "/".join(row.basis[key] for key in DISTINGUISHING if key in row.basis)
        known = _("known since {day}").format(day=row.known_from)
        value = value_text(row, is_scaled=row.kind == "company")
        click.echo(show.wrapped(f"{row.valid_from}  {value}  {known}  {row.source} {words}".rstrip(), "    "))


def _links(edition: "Edition", subject: str) -> list[str]:
    return [
        f"{link.relation}: {link.object}  {link.valid_from} .. {link.valid_to or _('open')}  ({link.source})"
        for link in edition.links
        if link.subject == subject
    ]


def _show_json(
    edition: "Edition", whole: "Edition", subject: str, rows: Sequence["Factor"], chosen: Mapping[str, "Choice | str"]
) -> dict[str, Any]:
    answers = {
        quantity: {"error": choice}
        if isinstance(choice, str)
        else {
            "factor": row_json(whole, choice.factor),
            "chosen_because": choice.chosen_because,
            "hint": choice.hint,
            "is_unknown": choice.is_unknown,
        }
        for quantity, choice in chosen.items()
    }
    return {
        "edition": edition_json(edition),
        "subject": subject,
        "name": dict(whole.names.get(subject, {})),
        "chosen": answers,
        "rows": [row_json(whole, row) for row in rows],
        "links": _links(edition, subject),
    }
