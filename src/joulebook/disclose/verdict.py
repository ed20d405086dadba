"""Judge a claim from its inputs: right, rounded, stale, misattributed, wrong or unsupported, with the reasons.

The order of the questions: does the claim rest on a wrong one? Is there anything to check it with? Does the figure
agree with its recomputation, or with its origin? Is the figure about what the claim says it is about? Has a later
figure for the same thing taken its place?
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from joulebook.disclose.check import half_last_digit
from joulebook.disclose.claim import Claim, Figure, Later, Pledge, Subject
from joulebook.disclose.reasons import (
    Reason,
    amount,
    as_written,
    say_agreement,
    say_later,
    say_order,
    say_pledge,
    say_quoted,
    span,
)
from joulebook.disclose.recompute import Given, Recomputed, recompute
from joulebook.errors import DimensionMismatch, translatable
from joulebook.terms.boundary import Boundary
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier

EXACT = 0.01
"""Largest relative difference of a figure that is simply right."""

ROUNDED = 0.05
"""Largest relative difference that passes for rounding where the figure's digits do not say more."""

SPREAD = 1.02
"""High over low from which a recomputation counts as a range."""


class Word(StrEnum):
    """The verdict."""

    RIGHT = translatable("right")
    ROUNDED = translatable("rounded")
    STALE = translatable("stale")
    MISATTRIBUTED = translatable("misattributed")
    WRONG = translatable("wrong")
    UNSUPPORTED = translatable("unsupported")


class Nearness(StrEnum):
    """How near a figure is to what it is compared with."""

    EXACT = "exact"
    WITHIN = "within"
    ROUNDED = "rounded"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with everything that led to it.

    Attributes:
        claim: the claim.
        word: the verdict.
        reasons: why, in order.
        recomputed: our figure, or None.
        also: further figures, in the order of the claim's own.
        rungs: later figures and whether they may be compared.
    """

    claim: Claim
    word: Word
    reasons: tuple[Reason, ...]
    recomputed: Recomputed | None = None
    also: tuple[Recomputed, ...] = ()
    tier: Tier | None = None
    rungs: tuple[Reason, ...] = field(default=())


def judge(claim: Claim, claims: Mapping[str, Claim]) -> Judgement:
    """The verdict on one claim.

    Args:
        claim: the claim.
        claims: all claims, for those it rests on and those that superseded it.

    Raises:
        JoulebookError: a formula of the claim cannot be evaluated; the claim file is at fault.
    """
    recomputed = _recompute(claim)
    also = tuple(recompute(each.formula, _inputs(claim), each.unit) for each in claim.also)
    rungs, superseding = _later(claim, claims)
    word, reasons = _word(claim, claims, recomputed, superseding)
    tier = Tier.worst(*(each.tier for each in claim.inputs)) if claim.inputs else None
    return Judgement(claim, word, (*reasons, *_remarks(claim)), recomputed, also, tier, tuple(rungs))


def _inputs(claim: Claim, scenario: str | None = None) -> dict[str, Mapping[str, object]]:
    figures = {each.name: each.figure.given for each in claim.inputs}
    figures |= {name: figure.given for name, figure in claim.scenarios.get(scenario or "", {}).items()}
    return {name: _written(given) for name, given in figures.items()}


def _written(given: Given) -> Mapping[str, object]:
    return {"value": given.value.mid, "low": given.value.low, "high": given.value.high, "unit": given.unit}


def _recompute(claim: Claim) -> Recomputed | None:
    if claim.formula is None:
        return None
    found = recompute(claim.formula, _inputs(claim), claim.unit)
    ends = [recompute(claim.formula, _inputs(claim, name), claim.unit).value for name in claim.scenarios]
    if not ends:
        return found
    low = min(found.value.low, *(end.low for end in ends))
    high = max(found.value.high, *(end.high for end in ends))
    return Recomputed(Range(low, found.value.mid, high), found.unit, found.formula, found.in_numbers)


def _word(
    claim: Claim, claims: Mapping[str, Claim], recomputed: Recomputed | None, superseding: Reason | None
) -> tuple[Word, list[Reason]]:
    for name in claim.rests_on:
        premise = judge(claims[name], claims).word
        if premise in (Word.WRONG, Word.MISATTRIBUTED, Word.UNSUPPORTED):
            reason = Reason("premise", {"claim": name}, {"verdict": str(premise)})
            return Word.WRONG, [reason, *_own(claim, recomputed)[1]]
    word, reasons = _own(claim, recomputed)
    if word in (Word.RIGHT, Word.ROUNDED) and superseding is not None:
        return Word.STALE, [*reasons, superseding]
    return word, reasons


def _own(claim: Claim, recomputed: Recomputed | None) -> tuple[Word, list[Reason]]:
    if claim.pledge is not None and claim.origin is not None and claim.origin.pledge is not None:
        return _pledge(claim.pledge, claim.origin.pledge)
    if recomputed is not None and claim.direction is not None:
        return _direction(claim, recomputed)
    if recomputed is not None and claim.figure is not None:
        return _figure(claim, claim.figure, recomputed)
    return _quoted(claim)


def _pledge(said: Pledge, made: Pledge) -> tuple[Word, list[Reason]]:
    if said.year != made.year:
        return Word.WRONG, [Reason("pledge-year", {"said": said.year, "made": made.year})]
    if said.kind == made.kind:
        return Word.RIGHT, [Reason("pledge-same", {"year": made.year})]
    return (Word.ROUNDED if made.residual_ratio else Word.RIGHT), say_pledge(said, made)


def _direction(claim: Claim, recomputed: Recomputed) -> tuple[Word, list[Reason]]:
    value = recomputed.value
    holds = value.mid > 1 if claim.direction == "above" else value.mid < 1
    sure = value.low > 1 if claim.direction == "above" else value.high < 1
    facts = {"computed": span(value, recomputed.unit)}
    if not holds:
        return Word.WRONG, [Reason("direction-fails", facts)]
    reasons = [Reason("unquantified" if sure else "unquantified-unsure", facts)]
    return _attributed(claim, Word.RIGHT, reasons)


def _figure(claim: Claim, figure: Figure, recomputed: Recomputed) -> tuple[Word, list[Reason]]:
    said = _in_unit(figure.given, recomputed.unit)
    near = nearness(said, recomputed.value, claim.says, _step(figure, recomputed.unit))
    reasons = say_agreement(claim, near, figure, recomputed)
    if near is Nearness.OFF:
        return Word.WRONG, [*reasons, *say_order(said, recomputed.value), *_borrowed(claim, figure)]
    return _attributed(claim, Word.ROUNDED if near is Nearness.ROUNDED else Word.RIGHT, reasons)


def _borrowed(claim: Claim, figure: Figure) -> list[Reason]:
    """Where a wrong figure is really that of something else: the origin's."""
    origin = claim.origin
    if origin is None or origin.figure is None or claim.origin_about.subject == claim.about.subject:
        return []
    unit = figure.given.unit
    near = nearness(figure.given.value, _in_unit(origin.figure.given, unit), "equals", _step(figure, unit))
    return [] if near is Nearness.OFF else [Reason("borrowed", {}, names={"origin": claim.origin_about.name})]


def _attributed(claim: Claim, word: Word, reasons: list[Reason]) -> tuple[Word, list[Reason]]:
    other = claim.recomputed_about
    if other.subject == claim.about.subject:
        return word, reasons
    return Word.MISATTRIBUTED, [
        *reasons,
        Reason("subject", {}, names={"origin": other.name, "claim": claim.about.name}),
    ]


def _quoted(claim: Claim) -> tuple[Word, list[Reason]]:
    origin = claim.origin
    if origin is None:
        return Word.UNSUPPORTED, [Reason("no-evidence", {})]
    if claim.figure is None or origin.figure is None:
        return _attributed(claim, Word.UNSUPPORTED, [Reason("no-figure", {})])
    if origin.kind == "remark":
        return Word.UNSUPPORTED, [Reason("remark-only", {"figure": as_written(origin.figure)})]
    unit = origin.figure.given.unit
    said = _in_unit(claim.figure.given, unit)
    near = nearness(said, origin.figure.given.value, claim.says, _step(claim.figure, unit))
    if near is Nearness.OFF:
        facts = {"said": as_written(claim.figure), "figure": as_written(origin.figure)}
        return Word.WRONG, [Reason("misquoted", facts), *say_order(said, origin.figure.given.value)]
    return _attributed(
        claim, Word.ROUNDED if near is Nearness.ROUNDED else Word.RIGHT, say_quoted(claim, as_written(origin.figure))
    )


def nearness(said: Range, computed: Range, says: str, step: float) -> Nearness:
    """How near a figure is to its recomputation; both in one unit.

    Args:
        said: the figure, a range where a range was said.
        computed: the recomputation.
        says: equals, more-than or less-than.
        step: half a unit in the figure's last digit.
    """
    if says == "more-than":
        return _beyond(computed.low > said.mid, computed.mid > said.mid)
    if says == "less-than":
        return _beyond(computed.high < said.mid, computed.mid < said.mid)
    if said.low < said.high:
        return Nearness.WITHIN if computed.low <= said.high and said.low <= computed.high else Nearness.OFF
    distance = abs(said.mid - computed.mid)
    if distance <= EXACT * abs(said.mid):
        return Nearness.EXACT
    if _is_spread(computed) and computed.low <= said.mid <= computed.high:
        return Nearness.WITHIN
    return Nearness.ROUNDED if distance <= max(step, ROUNDED * abs(said.mid)) else Nearness.OFF


def _beyond(surely: bool, probably: bool) -> Nearness:  # noqa: FBT001  (two answers to one question)
    if surely:
        return Nearness.EXACT
    return Nearness.WITHIN if probably else Nearness.OFF


def _is_spread(value: Range) -> bool:
    return value.low > 0 and value.high / value.low > SPREAD


def _in_unit(given: Given, unit: str) -> Range:
    low, mid, high = (given.at(number).to(unit) for number in given.value)
    return Range(low, mid, high)


def _step(figure: Figure, unit: str) -> float:
    if figure.given.value.low < figure.given.value.high:
        return 0.0
    number = figure.written.split()[0]
    return figure.given.at(half_last_digit(number)).to(unit)


def _later(claim: Claim, claims: Mapping[str, Claim]) -> tuple[list[Reason], Reason | None]:
    rungs: list[Reason] = []
    first: Reason | None = None
    for later in claim.superseded_by:
        on, source, figure, boundary, about, usable = _resolved(later, claims, claim.about)
        if figure is None or claim.figure is None:
            continue
        try:
            value = _in_unit(figure.given, claim.figure.given.unit)
        except DimensionMismatch:
            continue
        how = _comparable(claim, boundary, about, value)
        rungs.append(say_later(how, on, source, figure, boundary, about))
        differs = abs(value.mid - claim.figure.given.value.mid) > ROUNDED * claim.figure.given.value.mid
        if how in ("same", "stronger") and usable and differs and first is None:
            first = Reason("superseded", {"on": on, "figure": as_written(figure), "source": source})
    return rungs, first


def _resolved(
    later: Later, claims: Mapping[str, Claim], own: Subject
) -> tuple[str, str, Figure | None, Boundary | None, Subject, bool]:
    if later.claim is None:
        return later.on, later.source, later.figure, later.boundary, later.about or own, True
    other = claims[later.claim]
    usable = _own(other, _recompute(other))[0] in (Word.RIGHT, Word.ROUNDED)
    return other.said_on, other.said_in, other.figure, other.boundary, other.about, usable


def _comparable(claim: Claim, boundary: Boundary | None, about: Subject, value: Range) -> str:
    if about.subject != claim.about.subject:
        return "other-subject"
    if boundary is None or claim.boundary is None:
        return "unknown-boundary"
    if boundary is claim.boundary:
        return "same"
    assert claim.figure is not None
    lower = value.mid < claim.figure.given.value.mid
    wider = boundary.rung > claim.boundary.rung
    return "stronger" if wider == lower else "other-boundary"


def _remarks(claim: Claim) -> list[Reason]:
    found = []
    for each in claim.restated:
        facts = {"before": as_written(each.before), "after": as_written(each.after), "on": each.on}
        found.append(Reason("restated", facts, names={"what": each.what}))
    assumed = [each.name for each in claim.inputs if each.tier == Tier.ASSUMED]
    if assumed:
        found.append(Reason("assumed", {"names": ", ".join(assumed)}))
    return found


def shown(value: Range, unit: str) -> str:
    """A value with its range and unit, as people read it."""
    return span(value, unit) if value.low != value.high else amount(value.mid, unit)
