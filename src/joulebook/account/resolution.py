"""Factors that were chosen for a model or a place on a day, with values and reasons.

A posting keeps the id of its resolutions and the book keeps the resolutions, so that what was said can be explained and
recomputed for ever, whatever becomes of the factor files.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from joulebook.account.formulas import leaves_of
from joulebook.account.interval import Spread
from joulebook.factors.edition import UNKNOWN, Factor
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier

ID_DIGITS = 16

ABOUT: Mapping[str, str] = {"model": "model", "device": "device", "place": "zone"}
"""What may be unknown -> the name of a resolution that says so."""


@dataclass(frozen=True, slots=True)
class Part:
    """One factor as it was used.

    Attributes:
        factor_id: hash of the factor's row; equal ids move together.
        subject: what the factor is about.
        quantity: its column.
        value, low, high: the factor [unit].
        unit: its unit.
        basis: average or marginal, direct or life-cycle, ... as words.
        tier: how it is known.
        source, cell: where it was read.
        valid_from, valid_to, known_from: both clocks, as ISO dates; None is open.
        chosen_because: why this factor and no other.
        hint: what would make it better, or None.
        is_unknown: True where the real value is not known and the range is over all that is possible.
        effect_low, effect_high: what the column it stands behind becomes, as a multiple, at the ends of its range; None
            where the column is the factor itself.
    """

    factor_id: str
    subject: str
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    basis: str
    tier: str
    source: str
    cell: str
    valid_from: str | None
    valid_to: str | None
    known_from: str | None
    chosen_because: str
    hint: str | None = None
    is_unknown: bool = False
    effect_low: float | None = None
    effect_high: float | None = None

    @property
    def spread(self) -> Spread:
        """Its uncertainty on the log scale, as it acts on the column."""
        known = Range(self.low, self.value, self.high)
        if self.effect_low is not None and self.effect_high is not None:
            known = Range(self.effect_low, 1, self.effect_high)
        return Spread(self.factor_id, known.sigma_low, known.sigma_high)


FIELDS = tuple(one.name for one in fields(Part))
_fields = attrgetter(*FIELDS)
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Resolution:
    """All columns of one model or place on one day, each with the factors behind it.

    Attributes:
        subject: for people: what was resolved.
        values: column -> value [unit of the column], None where it is unknown.
        parts: column -> factors behind the value; columns that share a factor are uncertain together.
        names: what is not a number: the zone, the model of the registry, why it was taken.
    """

    subject: str
    values: Mapping[str, float | None]
    parts: Mapping[str, tuple[Part, ...]]
    names: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def resolution_id(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:ID_DIGITS]

    @property
    def unknown(self) -> str | None:
        """What is not known: ``model``, ``device`` or ``place``; None where all of it is."""
        missing = (about for about, name in ABOUT.items() if self.names.get(name) == UNKNOWN)
        return next(missing, None)

    @property
    def is_unknown(self) -> bool:
        """True where the model, the machine or the place itself is not known."""
        return self.unknown is not None

    @property
    def tier(self) -> str:
        """What it makes of a result: assumed where something is not known, else as told, or estimated."""
        return str(Tier.ASSUMED if self.is_unknown else Tier(self.names.get("tier") or Tier.ESTIMATED))

    @property
    def hints(self) -> tuple[tuple[str, str], ...]:
        """What would make it better, each once: what it is about, and the advice."""
        found = [(part.quantity, part.hint) for parts in self.parts.values() for part in parts if part.hint]
        if self.names.get("hint"):
            found = [(self.subject, str(self.names["hint"])), *(one for one in found if one[1] != self.names["hint"])]
        return tuple(dict.fromkeys(found))

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces. Parts that stand behind several columns are written out once."""
        each = {id(parts): parts for parts in self.parts.values()}
        texts = {key: _canonical([_plain(part) for part in parts]) for key, parts in each.items()}
        parts = ",".join(f"{_canonical(name)}:{texts[id(found)]}" for name, found in sorted(self.parts.items()))
        names, values = _canonical(dict(self.names)), _canonical(dict(self.values))
        return f'{{"names":{names},"parts":{{{parts}}},"subject":{_canonical(self.subject)},"values":{values}}}'

    @classmethod
    def from_json(cls, text: str) -> "Resolution":
        """Read what `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        parts = {name: tuple(Part(**part) for part in found) for name, found in raw["parts"].items()}
        return cls(raw["subject"], raw["values"], parts, raw["names"])


def _plain(part: Part) -> dict[str, Any]:
    """The fields of a part, which are all plain values; `dataclasses.asdict` would copy each of them."""
    return dict(zip(FIELDS, _fields(part), strict=True))


def part_of(
    factor: Factor,
    chosen_because: str,
    hint: str | None = None,
    *,
    is_unknown: bool = False,
    effect: tuple[float, float] | None = None,
    spanned: Range | None = None,
) -> Part:
    """A factor as it was used.

    Args:
        factor: the row.
        chosen_because: why this one.
        hint: what would give a better answer, or None.
        is_unknown: True where it is the range over all that is possible.
        effect: what the column it stands behind becomes, as a multiple, at both ends; None where it is the factor.
        spanned: the range it was used with, where that is not its own.
    """
    known = spanned or factor.range
    low, high = effect if effect is not None else (None, None)
    return Part(
        factor_id=factor.factor_id,
        subject=factor.subject,
        quantity=factor.quantity,
        value=known.mid,
        low=known.low,
        high=known.high,
        unit=factor.unit,
        basis=", ".join(f"{key} {word}" for key, word in sorted(factor.basis.items())),
        tier=factor.tier,
        source=factor.source,
        cell=factor.cell,
        valid_from=factor.valid_from.isoformat(),
        valid_to=factor.valid_to.isoformat() if factor.valid_to else None,
        known_from=factor.known_from.isoformat(),
        chosen_because=chosen_because,
        hint=hint,
        is_unknown=is_unknown,
        effect_low=low,
        effect_high=high,
    )


def parts_behind(metric: str, resolutions: Iterable[Resolution]) -> tuple[Part, ...]:
    """Every factor that a metric's formulas reach, each once, in the order of the formulas."""
    found: dict[str, Part] = {}
    merged: dict[str, tuple[Part, ...]] = {}
    for resolution in resolutions:
        merged.update(resolution.parts)
    for name in leaves_of(metric, frozenset(merged)):
        for part in merged.get(name, ()):
            found.setdefault(part.factor_id, part)
    return tuple(found.values())
