"""`joulebook factors page`: the whole library as one page that can be searched, without any other file or request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from joulebook.faces.cli import show
from joulebook.faces.cli.factors import cell_text, command, edition_of, name_of, value_text
from joulebook.faces.text import _, language
from joulebook.terms.columns import column

if TYPE_CHECKING:
    from joulebook.factors.edition import Edition, Factor, Link, Source


@command.command("page", help=_("Write the whole library as one searchable page."))
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def page_command(ctx: click.Context, *, path: Path) -> int:
    """Write the factor page."""
    edition = edition_of(ctx)
    path.write_text("\n".join(page(edition)), encoding="utf-8")
    show.note(_("Page written: {path}").format(path=path))
    return 0


def page(edition: "Edition") -> Iterator[str]:
    """Lines of the page: one table per quantity, then the bibliography."""
    template = files("joulebook.faces.cli").joinpath("factor_page.html").read_text(encoding="utf-8")
    head, _body, tail = template.partition("{{body}}")
    counts = _("{values} values of {subjects} subjects from {sources} sources.").format(
        values=f"{len(edition.factors):,}",
        subjects=f"{len(edition.subjects):,}",
        sources=f"{len(edition.sources):,}",
    )
    words = {
        "lang": language(),
        "title": _("Factors of edition {name}").format(name=edition.name),
        "counts": f"{counts} {edition.edition_id}",
        "search": _("Search: place, model, quantity, source"),
        "shown": _("values"),
    }
    yield _filled(head, words)
    rows = sorted(edition.factors, key=lambda row: (row.kind, row.quantity, row.subject, row.valid_from))
    for (kind, quantity), group in groupby(rows, key=lambda row: (row.kind, row.quantity)):
        yield from _table(edition, kind, quantity, list(group))
    names = sorted(edition.links, key=lambda link: (link.relation, link.subject, link.valid_from))
    for relation, linked in groupby(names, key=lambda link: link.relation):
        yield from _links(relation, list(linked))
    yield from _bibliography(edition.sources.values())
    yield _filled(tail, words)


def _filled(text: str, words: Mapping[str, str]) -> str:
    for key, word in words.items():
        text = text.replace("{{" + key + "}}", escape(word))
    return text


def _table(edition: "Edition", kind: str, quantity: str, rows: Sequence["Factor"]) -> Iterator[str]:
    yield f"<details><summary>{escape(kind)} · {escape(quantity)} <i>{len(rows):,}</i></summary>"
    yield f"<p>{escape(column(quantity).meaning[language()])}</p><table><thead><tr>"
    heads = (_("subject"), _("value (range)"), _("basis"), _("holds"), _("known"), _("tier"), _("source"), _("cell"))
    yield "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr></thead><tbody>"
    for row in rows:
        yield _row(edition, row)
    yield "</tbody></table></details>"


def _row(edition: "Edition", row: "Factor") -> str:
    end = row.valid_to or ""
    cells = [
        f"<b>{escape(row.subject)}</b> {escape(name_of(edition, row.subject))}",
        escape(value_text(row)),
        escape(", ".join(row.basis.values())),
        f"{row.valid_from}…{end}",
        str(row.known_from),
        escape(_(row.tier)),
        f'<a href="#{escape(row.source)}">{escape(row.source)}</a>',
        escape(row.cell if row.cell.strip("- ") else row.range_basis or cell_text(row)),
    ]
    why = f"{row.range_basis or ''} {row.note or ''} {row.file}:{row.line}".strip()
    return f'<tr id="f{row.factor_id}" title="{escape(why)}"><td>' + "<td>".join(cells)


def _links(relation: str, links: Sequence["Link"]) -> Iterator[str]:
    """Facts that are names: a region's zone, a model's alias, a day of release."""
    yield f"<details><summary>{escape(_('link'))} · {escape(relation)} <i>{len(links):,}</i></summary>"
    yield "<table><thead><tr>"
    heads = (_("subject"), _("link"), _("holds"), _("known"), _("source"), _("cell"))
    yield "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr></thead><tbody>"
    for link in links:
        cells = (
            f"<b>{escape(link.subject)}</b>",
            escape(link.object),
            f"{link.valid_from}…{link.valid_to or ''}",
            str(link.known_from),
            f'<a href="#{escape(link.source)}">{escape(link.source)}</a>',
            escape(link.cell),
        )
        why = f"{link.note or ''} {link.file}:{link.line}".strip()
        yield f'<tr title="{escape(why)}"><td>' + "<td>".join(cells)
    yield "</tbody></table></details>"


def _bibliography(sources: Iterable["Source"]) -> Iterator[str]:
    yield f"<h2>{escape(_('Sources'))}</h2><ul>"
    for source in sorted(sources, key=lambda source: source.source):
        link = f'<a href="{escape(source.url)}">{escape(source.url)}</a>' if source.url.startswith("http") else ""
        text = f"{source.title}. {source.publisher}, {source.edition}. {source.licence}."
        note = f" {source.note}" if source.note else ""
        yield f'<li id="{escape(source.source)}"><b>{escape(source.source)}</b> {escape(text)} {link}{escape(note)}'
    yield "</ul>"
