"""Choose the factor that answers a question, and say why it was this one.

The ladder, from the best answer down; every step below the first is named in ``chosen_because``:

1. the subject itself, on the basis the policy prefers, on a day the factor holds: ``exact``;
2. the same on the policy's next basis: ``other basis: ...``;
3. the subject's latest earlier period, then its earliest later one, within the policy's maximum age;
4. the subject's parents (zone -> country; ``aws:us-east-1`` -> ``aws``) in the same order;
5. the subject and its parents at any age, with a hint;
6. subject ``unknown``: the range over the world.

A user's factor wins over a shipped one of the same subject and basis, one of a folder over one of a package. Two
answers of equal rank are an error, never a guess. `choose` is for small tables: `choose_each` resolves many (subject,
day) pairs once each.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from joulebook.errors import FactorAmbiguous, FactorMissing, translatable
from joulebook.factors.edition import UNKNOWN, Edition, Factor, latest_known
from joulebook.factors.model import ModelFacts, resolve_model
from joulebook.factors.place import Place, resolve_place
from joulebook.factors.policy import Rule, policy

__all__ = ["Choice", "ModelFacts", "Place", "choose", "choose_each", "resolve_model", "resolve_place"]

EXACT = translatable("exact")
USER = translatable("user factor")
PACKAGE = translatable("factor of an installed package")
LOCATION = translatable("location-based: no market-based factor")
LIFE_CYCLE = translatable("life-cycle: no factor for direct emissions alone")
DIRECT = translatable("direct emissions: no life-cycle factor")
OTHER_BASIS = translatable("second-best basis of the policy")
EARLIER = translatable("latest earlier period")
LATER = translatable("earliest later period")
PARENT = translatable("parent zone")
FLEET = translatable("provider fleet")
STALE = translatable("older than the policy wants")
WORLD_NO_SUBJECT = translatable("world range: place unknown")
WORLD_NO_FACTOR = translatable("world range: no factor for the subject")
PUBLISHED = translatable("published by an operator, weighed against the estimate")
STEPS = (
    EXACT, USER, PACKAGE, LOCATION, LIFE_CYCLE, DIRECT, OTHER_BASIS, EARLIER, LATER, PARENT, FLEET, STALE,
    WORLD_NO_SUBJECT, WORLD_NO_FACTOR, PUBLISHED,
)  # fmt: skip

HINT_NO_SUBJECT = translatable("Give the place or name, and the range gets narrower.")
HINT_NO_FACTOR = translatable("Add a factor for this subject under a factor folder of your own.")
HINT_STALE = translatable("Add a newer factor under a factor folder of your own.")
JOIN = " + "
DAYS_PER_YEAR = 366


@dataclass(frozen=True)
class Choice:
    """A factor and why it was taken.

    Attributes:
        factor: the row.
        steps: the steps of the ladder that led to it, each one of `STEPS` (translated by the faces).
        hint: what would give a better answer, or None; one of the ``HINT_`` texts.
        is_unknown: True where the answer is the range over the world.
    """

    factor: Factor
    steps: tuple[str, ...]
    hint: str | None = None
    is_unknown: bool = False

    @property
    def chosen_because(self) -> str:
        """The steps in English, joined by ``+``."""
        return JOIN.join(self.steps)


def choose(
    edition: Edition,
    quantity: str,
    subject: str | None,
    at: date,
    policy: str = "ghgp-location",
    **basis: str,
) -> Choice:
    """The factor for a quantity and subject on a day under a policy.

    Args:
        edition: the factors to choose from.
        quantity: a column of the dictionary, such as ``intensity_g_per_kwh``.
        subject: what it is about (zone, region, site, device, model); None or ``unknown`` for what is not known.
        at: the day of the use.
        policy: name of the policy.
        basis: words the factor's basis must contain, such as ``stage="direct"``; they replace the policy's bases.

    Raises:
        FactorMissing: not even a range for ``unknown`` exists.
        FactorAmbiguous: two factors of equal rank differ in value.
        UnknownName: there is no such policy.
    """
    asked = (quantity, subject, policy, *sorted(basis.items()))
    if asked not in edition.answers:
        edition.answers[asked] = _turning_days(edition, quantity, subject, _policy(policy).rule(quantity)), {}
    days, answers = edition.answers[asked]
    between = bisect_right(days, at.toordinal())
    if between not in answers:
        answers[between] = _climbed(edition, quantity, subject, at, _policy(policy).rule(quantity), basis)
    return answers[between]


def _turning_days(edition: Edition, quantity: str, subject: str | None, rule: Rule) -> list[int]:
    """Days (ordinals) on which a question may get another answer: when a factor begins, ends, or becomes too old.

    Between two of them every comparison of `_climbed` comes out alike: which rows hold, which of the others is nearest
    (the distances of all earlier rows grow together, those of all later ones shrink together), and which is too old.
    """
    subjects = [rung for rung, _step in _ladder(edition, subject)] if subject is not None else []
    rows = [row for one in dict.fromkeys((*subjects, UNKNOWN)) for row in edition.factors_for(quantity, one)]
    edges = {edge.toordinal() for row in rows for edge in (row.valid_from, row.valid_to) if edge is not None}
    age = 0 if rule.max_age_years is None else rule.max_age_years * DAYS_PER_YEAR
    return sorted({edge + days for edge in edges for days in (0, -age, age + 1)})


def _climbed(
    edition: Edition, quantity: str, subject: str | None, at: date, rule: Rule, basis: Mapping[str, str]
) -> Choice:
    """The first answer on the ladder."""
    bases: tuple[Mapping[str, str], ...] = (basis,) if basis else rule.bases or ({},)
    known = subject is not None and subject != UNKNOWN
    ladder = list(_ladder(edition, subject)) if subject is not None and known else []
    for is_stale_allowed in (False, True):
        for rung, step in ladder:
            found = _best(edition.factors_for(quantity, rung), bases, at, rule, is_stale_allowed=is_stale_allowed)
            if found is not None:
                return _choice(found, step)
    found = _best(edition.factors_for(quantity, UNKNOWN), bases, at, rule, is_stale_allowed=True)
    if found is None:
        raise _missing(edition, quantity, subject, at)
    step, hint = (WORLD_NO_FACTOR, HINT_NO_FACTOR) if known else (WORLD_NO_SUBJECT, HINT_NO_SUBJECT)
    return Choice(found[0], (step,), hint, is_unknown=True)


def choose_each(
    edition: Edition,
    quantity: str,
    pairs: Iterable[tuple[str | None, date]],
    policy: str = "ghgp-location",
    **basis: str,
) -> Iterator[Choice]:
    """One choice per (subject, day), each distinct pair resolved once; the order of ``pairs`` is kept.

    Raises:
        FactorMissing, FactorAmbiguous, UnknownName: as `choose`.
    """
    resolved: dict[tuple[str | None, date], Choice] = {}
    for pair in pairs:
        choice = resolved.get(pair)
        if choice is None:
            choice = resolved[pair] = choose(edition, quantity, pair[0], pair[1], policy, **basis)
        yield choice


_policy = policy
_Found = tuple[Factor, tuple[str, ...]]


def _ladder(edition: Edition, subject: str) -> Iterator[tuple[str, str | None]]:
    """The subject, then the larger subjects it is part of, each once."""
    yield subject, None
    provider, _, region = subject.partition(":")
    if region:
        yield provider, FLEET
    seen, at = {subject}, subject
    while parents := edition.links_for(at, "parent"):
        at = parents[-1].object
        if at in seen:
            return
        seen.add(at)
        yield at, PARENT


def _choice(found: _Found, step: str | None) -> Choice:
    factor, steps = found
    whole = (*((step,) if step else ()), *(part for part in steps if not (step and part == EXACT)))
    return Choice(factor, whole, HINT_STALE if STALE in steps else None)


def _best(
    rows: tuple[Factor, ...], bases: tuple[Mapping[str, str], ...], at: date, rule: Rule, *, is_stale_allowed: bool
) -> _Found | None:
    for origin in (USER, PACKAGE, None):
        for position, basis in enumerate(bases):
            fitting = [row for row in rows if _origin(row) == origin and _fits(row, basis)]
            found = _nearest(fitting, at, rule, is_stale_allowed=is_stale_allowed) if fitting else None
            if found is not None:
                factor, steps = found
                extra = ((origin,) if origin else ()) + (_basis_steps(bases[0], basis) if position else ())
                kept = tuple(step for step in steps if not (extra and step == EXACT))
                return factor, extra + kept
    return None


def _origin(row: Factor) -> str | None:
    """Who brought a row; a folder of the user's own stands before an installed package, that before what is shipped."""
    if not row.is_user:
        return None
    return PACKAGE if row.package else USER


def _fits(row: Factor, basis: Mapping[str, str]) -> bool:
    """Whether a row has the words that are asked for; user's rows and world ranges may leave words out."""
    if row.is_user or row.subject == UNKNOWN:
        return all(row.basis.get(key, word) == word for key, word in basis.items())
    return basis.items() <= row.basis.items()


def _basis_steps(wanted: Mapping[str, str], taken: Mapping[str, str]) -> tuple[str, ...]:
    named = {("method", "location"): LOCATION, ("stage", "life-cycle"): LIFE_CYCLE, ("stage", "direct"): DIRECT}
    changed = [(key, word) for key, word in taken.items() if wanted.get(key, word) != word]
    return tuple(dict.fromkeys(named[pair] for pair in changed if pair in named)) or (OTHER_BASIS,)


def _nearest(rows: list[Factor], at: date, rule: Rule, *, is_stale_allowed: bool) -> _Found | None:
    current = latest_known(rows)
    holding = [row for row in current if row.holds(at)]
    if holding:
        return _one([row for row in holding if _newest(row, holding)], rule, at), (EXACT,)
    earlier = [row for row in current if row.valid_to is not None and row.valid_to <= at]
    later = [row for row in current if row.valid_from > at]
    for side, step in ((earlier, EARLIER), (later, LATER)):
        if side:
            edge = min(_distance(row, at) for row in side)
            row = _one([row for row in side if _distance(row, at) == edge], rule, at)
            is_stale = rule.max_age_years is not None and edge > rule.max_age_years * DAYS_PER_YEAR
            if is_stale_allowed or not is_stale:
                return row, (step, STALE) if is_stale else (step,)
    return None


def _newest(row: Factor, rows: list[Factor]) -> bool:
    """Of rows with one identity that hold on the same day, the one known last (then the one begun last) counts."""
    same = [other for other in rows if other.identity == row.identity]
    return row is max(same, key=lambda other: (other.known_from, other.valid_from))


def _distance(row: Factor, at: date) -> int:
    return (row.valid_from - at).days if row.valid_from > at else (at - (row.valid_to or at)).days


def _one(rows: list[Factor], rule: Rule, at: date) -> Factor:
    """The row of the best source; the same number said twice is no conflict."""

    def rank(row: Factor) -> int:
        return rule.sources.index(row.source) if row.source in rule.sources else len(rule.sources)

    best = [row for row in rows if rank(row) == min(map(rank, rows))]
    first = best[0]
    if any(
        (row.value, row.low, row.high, row.basis) != (first.value, first.low, first.high, first.basis) for row in best
    ):
        raise FactorAmbiguous(
            sought=f"{first.quantity} of {first.subject} on {at.isoformat()}",
            count=len(best),
            candidates="; ".join(f"{row.value:g} ({_words(row)})" for row in best),
        )
    return first


def _words(row: Factor) -> str:
    whose = [row.package or row.file] if row.is_user else []
    return ", ".join([*whose, row.source, *(f"{key}={word}" for key, word in sorted(row.basis.items()))])


def _missing(edition: Edition, quantity: str, subject: str | None, at: date) -> FactorMissing:
    having = {row.subject for row in edition.factors_for(quantity)}
    near = get_close_matches(subject or UNKNOWN, having, n=3) or sorted(having)[:3] or ["-"]
    sought = f"{quantity} of {subject or UNKNOWN} on {at.isoformat()}"
    return FactorMissing(sought=sought, edition=edition.name, nearest=", ".join(near))
