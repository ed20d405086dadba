"""Why a verdict was given: sentences with facts, translated by the face that shows them."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from joulebook.disclose.claim import Claim, Figure, Pledge, Subject, Text
from joulebook.disclose.recompute import Recomputed
from joulebook.errors import translatable
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Range

TEMPLATES: Mapping[str, str] = {
    "agrees": translatable("Its inputs give {computed}, as said."),
    "rounds": translatable("Its inputs give {computed}; {said} is a rounding of that."),
    "within": translatable("Its inputs give {computed}, depending on {what}; {said} lies inside."),
    "more": translatable("Its inputs give {computed}, which is more than {said}."),
    "more-mostly": translatable("Its inputs give {computed}, depending on {what}: more than {said} in the middle."),
    "less": translatable("Its inputs give {computed}, which is less than {said}."),
    "less-mostly": translatable("Its inputs give {computed}, depending on {what}: less than {said} in the middle."),
    "off": translatable("Its inputs give {computed}, not {said}."),
    "times-high": translatable("The figure is {times} times too high."),
    "times-low": translatable("The figure is {times} times too low."),
    "subject": translatable("The figure is about: {origin}. The claim says it of: {claim}."),
    "borrowed": translatable("The figure is that of: {origin}."),
    "premise": translatable("It rests on {claim}, whose verdict is: {verdict}."),
    "superseded": translatable("A later figure for the same thing is {figure} ({on}, {source})."),
    "no-evidence": translatable("No source with a figure or a method was found."),
    "no-figure": translatable("The source could not be checked, or gives no figure."),
    "remark-only": translatable("{figure} was said without inputs or method; it cannot be recomputed."),
    "quoted": translatable("The source says {figure}, as said."),
    "quoted-only": translatable("The source says {figure}, as said; without published inputs nobody can recompute it."),
    "misquoted": translatable("The source says {figure}, not {said}."),
    "restated": translatable("{what}: first published as {before}, restated to {after} ({on})."),
    "assumed": translatable("Assumed, not published: {names}."),
    "unquantified": translatable("No number was claimed; the direction is supported: {computed}."),
    "unquantified-unsure": translatable("No number was claimed; the direction mostly holds: {computed}."),
    "direction-fails": translatable("No number was claimed; the direction is not supported: {computed}."),
    "pledge-same": translatable("The pledge says the same, for {year}."),
    "pledge-year": translatable("The pledge is for {made}, not {said}."),
    "pledge-kind": translatable("The pledge is for {year} as said, but it is: {made}. The claim says: {said}."),
    "pledge-residual": translatable("{percent} % of the base may remain and be balanced by removals."),
    "same": translatable("{on}: {figure} ({source}), same boundary: {boundary}."),
    "stronger": translatable(
        "{on}: {figure} ({source}). Its boundary is {boundary}, not the claim's; a like-for-like figure would differ "
        "even more."
    ),
    "other-boundary": translatable("{on}: {figure} ({source}). Not compared: its boundary is {boundary}."),
    "unknown-boundary": translatable("{on}: {figure} ({source}). Not compared: a boundary is unknown."),
    "other-subject": translatable("{on}: {figure} ({source}). Not compared: it is about something else: {about}."),
}
"""Key -> sentence."""

PLEDGES: Mapping[str, str] = {
    "zero": translatable("zero emissions"),
    "net-zero": translatable("net zero: what remains is balanced by removals"),
    "carbon-negative": translatable("more removed than emitted"),
}
"""Kind of pledge -> words."""

DIGITS = 4
"""Significant digits of a figure in a sentence."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence.

    Attributes:
        key: of `TEMPLATES`.
        facts: fill the sentence as they are.
        words: fill the sentence and are translated first.
        names: fill the sentence in the reader's language.
    """

    key: str
    facts: Mapping[str, object]
    words: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Text] = field(default_factory=dict)

    def text(self, translate: Callable[[str], str], language: str) -> str:
        """The sentence in one language."""
        words = {name: translate(word) for name, word in self.words.items()}
        names = {name: text[language] for name, text in self.names.items()}
        return translate(TEMPLATES[self.key]).format(**self.facts, **words, **names)


def number(value: float) -> str:
    """A number with four significant digits and separators.

    >>> number(204592592.6), number(0.000300833), number(-2.7142), number(0)
    ('204,600,000', '0.0003008', '-2.714', '0')
    """
    if not value or not math.isfinite(value):
        return f"{value:g}"
    places = DIGITS - 1 - math.floor(math.log10(abs(value)))
    text = f"{round(value, places):,.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: float, unit: str) -> str:
    """A number with its unit; a plain number stands alone."""
    return amount_of(number(value), unit)


def span(value: Range, unit: str) -> str:
    """A value with its range: ``29.6 (10.5 to 70.4) requests``."""
    if value.low == value.high:
        return amount(value.mid, unit)
    return amount_of(f"{number(value.mid)} ({number(value.low)} .. {number(value.high)})", unit)


def amount_of(text: str, unit: str) -> str:
    """A text with its unit; a ratio has a multiplication sign.

    >>> amount_of("8", "x"), amount_of("37.3", "kWh"), amount_of("5", "1")
    ('8×', '37.3 kWh', '5')
    """
    if unit == "x":
        return text + "×"
    return text if unit == "1" else f"{text} {unit}"


def as_written(figure: Figure) -> str:
    """A figure as it was said."""
    return re.sub(r"(?<=\d) x$", "×", figure.written)


DEPENDS: Text = {"en": "its inputs", "ko": "입력값"}
"""What a range depends on where the claim does not say."""


def say_agreement(claim: Claim, near: str, figure: Figure, recomputed: Recomputed) -> list[Reason]:
    """How the figure and its recomputation agree."""
    key = {
        ("equals", "exact"): "agrees",
        ("equals", "within"): "within",
        ("equals", "rounded"): "rounds",
        ("more-than", "exact"): "more",
        ("more-than", "within"): "more-mostly",
        ("less-than", "exact"): "less",
        ("less-than", "within"): "less-mostly",
    }.get((claim.says, str(near)), "off")
    facts = {"computed": span(recomputed.value, recomputed.unit), "said": as_written(figure)}
    return [Reason(key, facts, names={"what": claim.depends_on or DEPENDS})]


def say_order(said: Range, computed: Range) -> list[Reason]:
    """By how many times a figure is off, where that is twice or more."""
    if not (said.mid > 0 and computed.mid > 0):
        return []
    times = said.mid / computed.mid
    if times >= 2:  # noqa: PLR2004  (below twice the figures speak for themselves)
        return [Reason("times-high", {"times": number(float(f"{times:.2g}"))})]
    if times <= 1 / 2:
        return [Reason("times-low", {"times": number(float(f"{1 / times:.2g}"))})]
    return []


def say_pledge(said: Pledge, made: Pledge) -> list[Reason]:
    """How the pledge differs from what is said of it."""
    words = {"made": PLEDGES.get(made.kind, made.kind), "said": PLEDGES.get(said.kind, said.kind)}
    reasons = [Reason("pledge-kind", {"year": made.year}, words)]
    if made.residual_ratio:
        reasons.append(Reason("pledge-residual", {"percent": number(made.residual_ratio * 100)}))
    return reasons


def say_quoted(claim: Claim, figure: str) -> list[Reason]:
    """That the claim repeats its source; and that nobody can recompute it, where the source is no data."""
    recomputable = claim.origin is not None and claim.origin.kind in ("data", "card", "press", "report")
    return [Reason("quoted" if recomputable else "quoted-only", {"figure": figure})]


def say_later(how: str, on: str, source: str, figure: Figure, boundary: Boundary | None, about: Subject) -> Reason:
    """A later figure, and whether it may be compared."""
    facts = {"on": on, "source": source, "figure": as_written(figure), "boundary": str(boundary) if boundary else "-"}
    return Reason(how, facts, names={"about": about.name})
