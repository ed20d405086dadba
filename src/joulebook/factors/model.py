"""From the name of a model in a record to what is known about the model on that day."""

import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from joulebook.errors import translatable
from joulebook.factors.edition import UNKNOWN, Edition, Factor, Link, latest_known
from joulebook.factors.place import provider_subject
from joulebook.factors.spelling import bare, shorter, size, spelling
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier

NAMED = translatable("named exactly")
ALIAS = translatable("alias on that day")
AMBIGUOUS = translatable("alias with several meanings: union of ranges")
OTHER_DAY = translatable("alias on another day")
SPELT = translatable("named in another spelling")
SHORTENED = translatable("named apart from its form or date")
SIZED = translatable("not in the registry: size read from the name")
NOT_GIVEN = translatable("model not given: range over the registry")
NOT_KNOWN = translatable("model not in the registry: range over the registry")
REASONS = (NAMED, ALIAS, AMBIGUOUS, OTHER_DAY, SPELT, SHORTENED, SIZED, NOT_GIVEN, NOT_KNOWN)

HINT_GIVE_MODEL = translatable("Name the model with --model.")
HINT_UNKNOWN_MODEL = translatable("Nearest known models: {nearest}. Map the name, or add the model as a factor file.")

HINT_MAP_NAME = translatable("Name the model it was made from, or add it as a factor file with its parameters.")

LLAMA = re.compile(r"^llama(\d)-(?:(\d)-)?")
"""Resellers write ``llama3-1-70b-instruct`` for ``llama-3.1-70b-instruct``."""

HOPS = 5
"""Longest chain of aliases followed."""


@dataclass(frozen=True)
class ModelFacts:
    """What is known about a model on a day.

    Attributes:
        model: subject of the registry, ``developer/model``; ``unknown`` where it is not known; several joined by ``|``
            where a name is ambiguous.
        candidates: the subjects the ranges are made of.
        ranges: quantity -> range over the candidates, such as ``parameters_active_billion`` [1e9 parameters].
        factors: quantity -> the rows behind the range.
        words: relation -> names, such as ``modality`` -> (``text``, ``image``).
        tier: the least certain tier of those rows.
        chosen_because: one of `REASONS`.
        hint_template: what would give a better answer, before filling in; or None.
        nearest: known models with a similar name, joined by commas.
    """

    model: str
    candidates: tuple[str, ...]
    ranges: Mapping[str, Range]
    factors: Mapping[str, tuple[Factor, ...]]
    tier: str
    chosen_because: str
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hint_template: str | None = None
    nearest: str = ""

    @property
    def hint(self) -> str | None:
        """The hint in English."""
        return None if self.hint_template is None else self.hint_template.format(nearest=self.nearest)

    @property
    def is_unknown(self) -> bool:
        """Whether the model is not known."""
        return self.model == UNKNOWN


def resolve_model(edition: Edition, provider: str | None, model: str | None, at: date) -> ModelFacts:
    """What the registry says about a model that was used on a day.

    A name is looked up as the provider's (``openai/gpt-4o``), then as written (``mistral/mistral-large-2411``), then
    without the prefix and suffix of a reseller, then in other spellings, then without its form or date. An alias
    resolves by the day of use; where it has several meanings, the ranges are united. Of a name that is not found, its
    stated size counts (``my-tuned-70b``); else it is ``unknown`` with the range over the registry.

    Args:
        edition: the factors and links.
        provider: who hosts the model, as the record says; None is unknown.
        model: the model's name, as the record says; None is unknown.
        at: the day of the use.
    """
    if not model or not model.strip():
        return _facts(edition, (UNKNOWN,), at, NOT_GIVEN, HINT_GIVE_MODEL)
    for name in _spellings(edition, provider, model, at):
        found, reason = _follow(edition, name, at)
        if found:
            return _facts(edition, found, at, reason)
    found, reason = _respelt(edition, model, at)
    if found:
        return _facts(edition, found, at, reason, HINT_MAP_NAME if reason == SIZED else None)
    known = {row.subject for row in edition.factors_for("parameters_total_billion")}
    near = get_close_matches(model.lower(), known | {name.partition("/")[2] for name in known}, n=3, cutoff=0.5)
    return _facts(edition, (UNKNOWN,), at, NOT_KNOWN, HINT_UNKNOWN_MODEL, ", ".join(near) or "-")


def _spellings(edition: Edition, provider: str | None, model: str, at: date) -> Iterable[str]:
    host = provider_subject(edition, provider, at)
    written = model.strip().lower()
    plain = bare(written)
    dotted = LLAMA.sub(lambda found: f"llama-{found[1]}.{found[2]}-" if found[2] else f"llama-{found[1]}-", plain)
    names = [f"{host}/{written}", written, f"{host}/{plain}", plain, dotted]
    return dict.fromkeys(names)


def _respelt(edition: Edition, model: str, at: date) -> tuple[tuple[str, ...], str]:
    """The subjects a name stands for in another spelling, without its ending, or by its size alone; and which."""
    key = spelling(model)
    for name, reason in ((key, SPELT), *((cut, SHORTENED) for cut in shorter(key))):
        found = tuple(
            dict.fromkeys(
                end for subject in edition.by_spelling.get(name, ()) for end in _follow(edition, subject, at)[0]
            )
        )
        if found:
            is_spelt = any(spelling(subject.partition("/")[2]) == name for subject in edition.by_spelling[name])
            return found, AMBIGUOUS if len(found) > 1 else (reason if is_spelt else SHORTENED)
    stated = size(model)
    subject = f"size/{stated}"
    return ((subject,), SIZED) if stated and edition.rows_of(subject) else ((), NOT_KNOWN)


def _follow(edition: Edition, name: str, at: date) -> tuple[tuple[str, ...], str]:
    """The subjects a name stands for on a day, and why; nothing where the name is not in the registry."""
    has_entry = edition.rows_of(name) or edition.links_for(name, "alias_of")
    ends, reason = ([name] if has_entry else list(edition.by_bare_name.get(name, ()))), NAMED
    for _hop in range(HOPS):
        step: list[str] = []
        for end in ends:
            links = edition.links_for(end, "alias_of", at)
            if not links and edition.links_for(end, "alias_of"):
                links, reason = _closest(edition.links_for(end, "alias_of"), at), OTHER_DAY
            elif links and reason == NAMED:
                reason = ALIAS
            step.extend(link.object for link in links)
            if not links:
                step.append(end)
        if step == ends:
            break
        ends = list(dict.fromkeys(step))
    found = tuple(end for end in ends if edition.factors_for("parameters_total_billion", end))
    return found, AMBIGUOUS if len(found) > 1 else reason


def _closest(links: tuple[Link, ...], at: date) -> tuple[Link, ...]:
    def gap(link: Link) -> int:
        return abs((link.valid_from - at).days) if link.valid_from > at else (at - (link.valid_to or at)).days

    nearest = min(gap(link) for link in links)
    return tuple(link for link in links if gap(link) == nearest)


def _facts(
    edition: Edition, candidates: tuple[str, ...], at: date, reason: str, hint: str | None = None, nearest: str = ""
) -> ModelFacts:
    rows: dict[str, list[Factor]] = {}
    for row in (row for subject in candidates for row in edition.rows_of(subject) if row.kind == "model"):
        rows.setdefault(row.quantity, []).append(row)
    current = {quantity: _current(found, at) for quantity, found in rows.items()}
    whole = {quantity: found for quantity, found in current.items() if {x.subject for x in found} == set(candidates)}
    return ModelFacts(
        model="|".join(candidates),
        candidates=candidates,
        ranges={quantity: _union(found) for quantity, found in whole.items()},
        factors=whole,
        tier=str(Tier.worst(*(row.tier for found in whole.values() for row in found))) if whole else Tier.ASSUMED.value,
        chosen_because=reason,
        words=_words(edition, candidates, at),
        hint_template=hint,
        nearest=nearest,
    )


def _words(edition: Edition, candidates: tuple[str, ...], at: date) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for link in edition.links_of(candidates):
        if link.relation != "alias_of" and link.valid_from <= at:
            found.setdefault(link.relation, []).append(link.object)
    return {relation: tuple(dict.fromkeys(words)) for relation, words in found.items()}


def _current(rows: list[Factor], at: date) -> tuple[Factor, ...]:
    """The rows that hold on the day; where none does, all of them (a model does not shrink before its release)."""
    newest = latest_known(rows)
    users = [row for row in newest if row.is_user]
    newest = users or newest
    return tuple(row for row in newest if row.holds(at)) or tuple(newest)


def _union(rows: Iterable[Factor]) -> Range:
    """The range that covers all rows; its middle is the geometric mean of their values."""
    found = list(rows)
    values = {row.value for row in found}
    middle = statistics.geometric_mean(values) if len(values) > 1 and min(values) > 0 else min(values)
    return Range(min(row.low for row in found), middle, max(row.high for row in found))
