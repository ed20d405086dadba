"""The claims as a page of Markdown: written for people who read numbers in the news."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from joulebook.faces.claim_text import MEANINGS, in_words, sections
from joulebook.faces.text import _

if TYPE_CHECKING:
    from joulebook.disclose.verdict import Judgement
    from joulebook.factors.edition import Source


def page(found: Iterable["Judgement"], sources: Mapping[str, "Source"]) -> str:
    """The whole page, ending in a line break."""
    judged = list(found)
    lines = [
        "# " + _("Claims about AI's energy, carbon and water, checked"),
        "",
        _(
            "Every verdict below is computed from the inputs that stand beside it; none is stored as text. The "
            "statements are in our own words. Figures with different boundaries are not compared."
        ),
        "",
        _("This page is written by `joulebook claims --markdown`; do not edit it."),
        "",
        f"| {_('verdict')} | {_('it means')} | {_('claims')} |",
        "|---|---|---|",
    ]
    for word, meaning in MEANINGS.items():
        count = sum(1 for each in judged if str(each.word) == word)
        lines.append(f"| {_(word)} | {_(meaning)} | {count} |")
    lines += ["", f"| {_('claim')} | {_('verdict')} | {_('statement')} |", "|---|---|---|"]
    lines += [
        f"| [{each.claim.claim_id}](#{_anchor(each.claim.claim_id)}) | {_(str(each.word))} | "
        f"{in_words(each.claim.statement)} |"
        for each in judged
    ]
    for each in judged:
        lines += ["", *_claim(each, sources)]
    return "\n".join(lines) + "\n"


def _anchor(claim_id: str) -> str:
    return claim_id.lower().replace(".", "")


def _claim(found: "Judgement", sources: Mapping[str, "Source"]) -> Iterable[str]:
    yield f"## {found.claim.claim_id}"
    yield ""
    yield f"> {in_words(found.claim.statement)}"
    yield ""
    verdict = _("Verdict: {verdict}").format(verdict=_(str(found.word)))
    yield f"**{verdict}** ({_(MEANINGS[str(found.word)])})"
    for section in sections(found, sources):
        yield ""
        yield f"**{section.heading}**"
        yield ""
        for line in section.lines:
            yield f"- {line.replace('*', chr(92) + '*')}"
