"""`joulebook claims [ID ...]`: published sentences with numbers, each judged from its inputs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.disclose.verdict import Word
from joulebook.errors import UnknownName
from joulebook.faces.claim_text import MEANINGS, cited_names, in_words, sections
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import edition_of
from joulebook.faces.text import _, language

if TYPE_CHECKING:
    from joulebook.disclose.recompute import Recomputed
    from joulebook.disclose.verdict import Judgement
    from joulebook.factors.edition import Source


@click.command("claims", help=_("Published claims about AI's energy, carbon and water, each judged from its inputs."))
@click.argument("claim_ids", nargs=-1, metavar="[ID]...")
@click.option("--verdict", type=click.Choice([str(word) for word in Word]), help=_("Only claims with this verdict."))
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=_("Add claims of your own, and check them."),
)
@click.option("--markdown", "is_markdown", is_flag=True, help=_("Print the claims as a page of Markdown."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context,
    claim_ids: tuple[str, ...],
    *,
    verdict: str | None,
    files: tuple[Path, ...],
    is_markdown: bool,
    is_json: bool,
) -> None:
    """List claims, or show some."""
    from joulebook.disclose.claim_read import read_claims  # noqa: PLC0415
    from joulebook.disclose.verdict import judge  # noqa: PLC0415

    claims, sources = read_claims(edition_of(ctx).sources, *files)
    wanted = [_known(name, claims) for name in claim_ids] or list(claims)
    judged = [judge(claims[name], claims) for name in wanted]
    judged = [each for each in judged if verdict is None or each.word == verdict]
    if is_json:
        show.emit("claims", claims=[claim_json(each, sources) for each in judged])
    elif is_markdown:
        from joulebook.faces.claim_page import page  # noqa: PLC0415

        click.echo(page(judged, sources), nl=False)
    elif claim_ids:
        for each in judged:
            _print(each, sources)
    else:
        _list(judged)


def _known(name: str, claims: dict[str, Any]) -> str:
    found = {known.lower(): known for known in claims}
    if name.lower() not in found:
        from difflib import get_close_matches  # noqa: PLC0415

        near = get_close_matches(name.lower(), found, n=3, cutoff=0.3) or list(found)[:3]
        raise UnknownName(kind=_("claim"), name=name, nearest=", ".join(found[each] for each in near))
    return found[name.lower()]


def _list(judged: "list[Judgement]") -> None:
    ids = max((show.width_of(each.claim.claim_id) for each in judged), default=0)
    words = max((show.width_of(_(str(each.word))) for each in judged), default=0)
    for each in judged:
        head = show.fitted(each.claim.claim_id, ids) + "  " + show.fitted(_(str(each.word)), words) + "  "
        click.echo(head + show.fitted(in_words(each.claim.statement), show.WIDTH - show.width_of(head)).rstrip())
    show.note("\n" + _("Show one: joulebook claims S3-01. Add your own: joulebook claims --file claims.yaml."))


def _print(found: "Judgement", sources: "dict[str, Source]") -> None:
    word = str(found.word)
    show.heading(f"{found.claim.claim_id}: {_(word)}")
    click.echo(show.wrapped(in_words(found.claim.statement), "  "))
    click.echo(show.wrapped(f"({_(MEANINGS[word])})", "  "))
    for section in sections(found, sources):
        click.echo("\n" + click.style(section.heading, bold=True))
        for line in section.lines:
            first, *rest = show.wrapped(line, "    ").split("\n")
            click.echo("\n".join(["  - " + first.lstrip(), *rest]))


def claim_json(found: "Judgement", sources: "dict[str, Source]") -> dict[str, Any]:
    """A judged claim as JSON: facts for programs, sentences in the language in use."""
    claim = found.claim
    return {
        "claim": claim.claim_id,
        "verdict": str(found.word),
        "statement": dict(claim.statement),
        "said_on": claim.said_on,
        "said_in": claim.said_in,
        "about": claim.about.subject,
        "figure": claim.figure.written if claim.figure else None,
        "boundary": str(claim.boundary) if claim.boundary else None,
        "basis": dict(claim.basis),
        "reasons": [{"rule": each.key, "message": each.text(_, language())} for each in found.reasons],
        "recomputed": _recomputed_json(found.recomputed),
        "tier": str(found.tier) if found.tier else None,
        "inputs": [
            {
                "name": each.name,
                "value": each.figure.written,
                "tier": each.tier,
                "source": each.source,
                "cell": each.cell,
            }
            for each in claim.inputs
        ],
        "also": [
            {"what": dict(each.what), **(_recomputed_json(one) or {})}
            for each, one in zip(claim.also, found.also, strict=True)
        ],
        "later": [{"rule": each.key, "message": each.text(_, language())} for each in found.rungs],
        "chain": [
            {
                "on": link.on,
                "source": link.source,
                "cell": link.cell,
                "figure": link.figure.written if link.figure else None,
                "says": dict(link.says),
            }
            for link in claim.chain
        ],
        "note": dict(claim.note) if claim.note else None,
        "sources": {
            name: {"title": sources[name].title, "publisher": sources[name].publisher, "url": sources[name].url}
            for name in cited_names(claim)
        },
        "file": claim.file,
        "line": claim.line,
    }


def _recomputed_json(one: "Recomputed | None") -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "low": one.value.low,
        "mid": one.value.mid,
        "high": one.value.high,
        "unit": one.unit,
        "formula": one.formula,
        "in_numbers": one.in_numbers,
    }
