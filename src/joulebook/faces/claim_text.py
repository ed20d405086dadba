"""A judged claim as sections of text, for the terminal and for the page; no arithmetic."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joulebook.disclose.reasons import amount, as_written, span
from joulebook.errors import translatable
from joulebook.faces.text import _, language

if TYPE_CHECKING:
    from joulebook.disclose.claim import Claim, Text
    from joulebook.disclose.recompute import Recomputed
    from joulebook.disclose.verdict import Judgement
    from joulebook.factors.edition import Source

BOUNDARIES = {
    "gpu": translatable("the accelerators alone"),
    "node": translatable("accelerators and their host"),
    "node+idle": translatable("machines, idle ones included"),
    "facility": translatable("the whole building"),
    "facility+embodied": translatable("the whole building and the making of the machines"),
}
"""Rung of the ladder -> what is inside."""

MEANINGS = {
    "right": translatable("the figure follows from its inputs, or is what its source says"),
    "rounded": translatable("the figure is a rounding or a simplification"),
    "stale": translatable("it was right; a later figure for the same thing has taken its place"),
    "misattributed": translatable("the figure is about something else than the claim says"),
    "wrong": translatable("the inputs give another figure"),
    "unsupported": translatable("no inputs, method or source that could be checked"),
}
"""Verdict -> what it means."""


COUNTED = {
    "cars": translatable("cars"),
    "trips": translatable("trips"),
    "answers": translatable("answers"),
    "interactions": translatable("interactions"),
    "users": translatable("users"),
    "days": translatable("days"),
    "y": translatable("y"),
}
"""Things that amounts count; their names are translated, other units are symbols."""

_COUNT = re.compile(rf"(?<=[\d)]) ({'|'.join(COUNTED)})\b")


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the text: a heading and its lines."""

    heading: str
    lines: Sequence[str]


def in_words(text: "Text") -> str:
    """A text of a claim in the language in use."""
    return text[language()]


def localised(text: str) -> str:
    """A text whose counted things have their names in the language in use; Korean counters follow without a space."""
    space = "" if language() == "ko" else " "
    return _COUNT.sub(lambda match: space + _(COUNTED[match[1]]), text)


def sections(found: "Judgement", sources: Mapping[str, "Source"]) -> list[Section]:
    """Everything that is known about a claim, in the order in which a reader asks."""
    claim = found.claim
    parts = [
        Section(_("Why"), [reason.text(_, language()) for reason in found.reasons]),
        Section(_("What was said"), list(_said(claim, sources))),
        Section(_("Recomputed"), list(_recomputed(found))),
        Section(_("Inputs"), list(_inputs(claim))),
        Section(
            _("Also"),
            [f"{in_words(each.what)}: {_shown(one)}" for each, one in zip(claim.also, found.also, strict=True)],
        ),
        Section(_("Later figures"), [reason.text(_, language()) for reason in found.rungs]),
        Section(_("Chain of sources, back to the origin"), list(_chain(claim))),
        Section(_("Note"), [in_words(claim.note)] if claim.note else []),
        Section(_("Sources"), [f"{name}: {cited(sources[name])}" for name in cited_names(claim)]),
    ]
    return [Section(part.heading, [localised(line) for line in part.lines]) for part in parts if part.lines]


def _said(claim: "Claim", sources: Mapping[str, "Source"]) -> Iterable[str]:
    yield _("When and where: {when}, {where}").format(when=claim.said_on, where=sources[claim.said_in].title)
    yield _("About: {subject}").format(subject=in_words(claim.about.name))
    if claim.figure is not None:
        yield _("Figure: {figure}").format(figure=as_written(claim.figure))
    if claim.boundary is not None:
        inside = _(BOUNDARIES[str(claim.boundary)])
        yield _("Boundary: {boundary} ({inside})").format(boundary=claim.boundary, inside=inside)
    elif claim.figure is not None:
        yield _("Boundary: not stated, or does not apply")
    if claim.basis:
        yield _("Basis: {basis}").format(basis=", ".join(f"{key} {word}" for key, word in claim.basis.items()))


def _recomputed(found: "Judgement") -> Iterable[str]:
    one = found.recomputed
    if one is None:
        return
    yield _("In words: {formula}").format(formula=one.formula)
    yield _("In numbers: {numbers}").format(numbers=one.in_numbers)
    yield _("Result: {result}").format(result=_shown(one))
    if found.tier is not None:
        yield _("Tier: {tier} (the least certain input)").format(tier=_(str(found.tier)))
    for name in found.claim.scenarios:
        yield _("Scenario: {name}").format(name=name)


def _inputs(claim: "Claim") -> Iterable[str]:
    for each in claim.inputs:
        yield _("{name} = {value} [{tier}]: {source}, {cell}").format(
            name=each.name, value=each.figure.written, tier=_(each.tier), source=each.source, cell=each.cell
        )


def _also(found: "Judgement") -> Iterable[str]:
    for each, one in zip(found.claim.also, found.also, strict=True):
        yield f"{in_words(each.what)}: {_shown(one)}"


def _chain(claim: "Claim") -> Iterable[str]:
    for link in claim.chain:
        yield _("{on}, {source} ({cell}): {says}").format(
            on=link.on, source=link.source, cell=link.cell, says=in_words(link.says)
        )


def _shown(one: "Recomputed") -> str:
    return amount(one.value.mid, one.unit) if one.value.low == one.value.high else span(one.value, one.unit)


def cited_names(claim: "Claim") -> list[str]:
    """Keys of all sources of a claim, each once."""
    names = [claim.said_in, *(link.source for link in claim.chain), *(each.source for each in claim.inputs)]
    names += [each.source for each in claim.restated]
    names += [each.source for each in claim.superseded_by if each.source]
    return list(dict.fromkeys(names))


def cited(source: "Source") -> str:
    """One line of bibliography."""
    where = source.url if source.url.startswith("http") else ""
    return f"{source.title}. {source.publisher}, {source.edition}. {where}".rstrip()
