"""An edition: a named, hashed set of factors and links, with two clocks.

A factor says when it holds (``valid_from`` .. ``valid_to``, the end exclusive) and since when it was known
(``known_from``). `Edition.as_known` gives the world as it was known on a day; nothing is ever edited, a better figure
for the same year is a further row with a later ``known_from``.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from joulebook.terms.range import Range

ID_DIGITS = 12
"""Hex digits of a factor's or link's id."""

UNKNOWN = "unknown"
"""The subject whose factors hold for what is not known: the range over the world, or over the registry."""

NOTHING: Mapping[str, str] = MappingProxyType({})


def _digest(content: Iterable[object]) -> str:
    text = json.dumps(list(content), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the bibliography.

    Attributes:
        source: its key, as factors name it.
        title: title of the publication or data set.
        publisher: who answers for it.
        url: where it can be read.
        licence: licence or legal status of the facts.
        edition: version, year or release.
        date_seen: the day it was last looked at.
        ships: True where its licence lets joulebook restate the facts; False where a user must bring a copy.
        note: anything a reader should know.
        file: file the entry stands in.
        line: line of that file.
    """

    source: str
    title: str
    publisher: str
    url: str
    licence: str
    edition: str
    date_seen: date
    ships: bool
    note: str | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Factor:
    """A dated number from outside.

    Attributes:
        kind: folder of the library: grid, site, region, hardware, model, water, embodied, equivalence, company, ...
        subject: what the number is about: ``KOR``, ``aws:us-east-1``, ``openai/gpt-4o-2024-08-06``, ``unknown``.
        quantity: a column of the dictionary.
        value: central value [``unit``].
        low: lower end of the 80 % interval [``unit``].
        high: upper end [``unit``].
        unit: the column's unit.
        basis: short words that are part of the number's identity: signal, stage, method, ...
        valid_from: first day it holds.
        valid_to: first day it no longer holds; None is open.
        known_from: first day it was known.
        tier: measured, derived, estimated or assumed.
        source: key of the bibliography.
        cell: where exactly in the source it was read.
        range_basis: why low and high are what they are.
        note: anything else, or None.
        file: factor file, relative to the library; a user's file with its whole path.
        line: 1-based line of that file.
        is_user: True where it comes from a user's folder or package.
        package: name of the installed package it comes from; empty for a folder and for shipped rows.
    """

    kind: str
    subject: str
    quantity: str
    value: float
    low: float
    high: float
    unit: str
    basis: Mapping[str, str] = field(hash=False)
    valid_from: date
    valid_to: date | None
    known_from: date
    tier: str
    source: str
    cell: str
    range_basis: str | None = None
    note: str | None = None
    file: str = ""
    line: int = 0
    is_user: bool = False
    package: str = ""
    _id: list[str] = field(default_factory=list, compare=False, repr=False)

    @property
    def factor_id(self) -> str:
        """12 hex digits of the hash of the row's content, without file and line."""
        if not self._id:
            self._id.append(
                _digest(
                    (
                        self.kind,
                        self.subject,
                        self.quantity,
                        self.value,
                        self.low,
                        self.high,
                        self.unit,
                        sorted(self.basis.items()),
                        *_clocks(self),
                        self.tier,
                        self.source,
                        self.cell,
                        self.range_basis,
                        self.note,
                    )
                )
            )
        return self._id[0]

    @property
    def range(self) -> Range:
        """Low, value and high as one range."""
        return Range(self.low, self.value, self.high)

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two rows two statements about the same number."""
        return (self.subject, self.quantity, self.source, tuple(sorted(self.basis.items())), self.is_user, self.package)

    def holds(self, at: date) -> bool:
        """Whether the factor holds on a day."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class Link:
    """A dated fact that is a name: subject -relation-> object, with the same two clocks as a factor.

    Relations: ``grid_zone`` (region or country of a provider -> zone), ``country`` (region -> ISO 3166-1 alpha-3),
    ``country_code`` (ISO 3166-1 alpha-2 -> alpha-3, for hints),
    ``parent`` (zone -> larger zone), ``alias_of`` (name of a model or provider -> its subject), ``released`` and
    ``retired`` (model -> day or month, ISO 8601; ``retired_azure`` and the like are a reseller's), ``modality`` (model
    -> what it takes and gives: ``text+image->text``), and those an area adds.
    """

    subject: str
    relation: str
    object: str
    valid_from: date
    valid_to: date | None
    known_from: date
    source: str
    cell: str
    note: str | None = None
    file: str = ""
    line: int = 0
    is_user: bool = False

    @property
    def link_id(self) -> str:
        """12 hex digits of the hash of the row's content, without file and line."""
        return _digest(
            (self.subject, self.relation, self.object, *_clocks(self), self.source, self.cell, self.note),
        )

    def holds(self, at: date) -> bool:
        """Whether the link holds on a day."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


def _clocks(row: Factor | Link) -> tuple[str, str | None, str]:
    end = None if row.valid_to is None else row.valid_to.isoformat()
    return row.valid_from.isoformat(), end, row.known_from.isoformat()


@dataclass(frozen=True)
class Edition:
    """A named set of factors, links and sources; equal content has equal `edition_id`.

    Attributes:
        name: name of the release, with ``as known DATE`` where it is a view of the past, ``+ user`` with user's rows.
        factors: all rows, in file order.
        links: all links, in file order.
        sources: key -> entry of the bibliography.
        names: subject -> language -> name shown to people.
    """

    name: str
    factors: tuple[Factor, ...]
    links: tuple[Link, ...]
    sources: Mapping[str, Source]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def edition_id(self) -> str:
        """12 hex digits of the hash over the ids of all rows, in whatever order they stand."""
        rows = sorted([row.factor_id for row in self.factors] + [link.link_id for link in self.links])
        return _digest(rows)

    @cached_property
    def answers(self) -> dict[tuple[object, ...], tuple[list[int], dict[int, Any]]]:
        """What `joulebook.factors.choose` found in this edition: question -> turning days, and the answers between."""
        return {}

    @cached_property
    def _by_subject(self) -> Mapping[tuple[str, str], tuple[Factor, ...]]:
        index: dict[tuple[str, str], list[Factor]] = {}
        for row in self.factors:
            index.setdefault((row.quantity, row.subject), []).append(row)
        return {key: tuple(rows) for key, rows in index.items()}

    @cached_property
    def _by_quantity(self) -> Mapping[str, tuple[Factor, ...]]:
        index: dict[str, list[Factor]] = {}
        for row in self.factors:
            index.setdefault(row.quantity, []).append(row)
        return {key: tuple(rows) for key, rows in index.items()}

    @cached_property
    def _links_by_subject(self) -> Mapping[tuple[str, str], tuple[Link, ...]]:
        index: dict[tuple[str, str], list[Link]] = {}
        for link in self.links:
            index.setdefault((link.relation, link.subject), []).append(link)
        return {key: tuple(links) for key, links in index.items()}

    @cached_property
    def _links_by_owner(self) -> Mapping[str, tuple[tuple[int, Link], ...]]:
        index: dict[str, list[tuple[int, Link]]] = {}
        for place, link in enumerate(self.links):
            index.setdefault(link.subject, []).append((place, link))
        return {subject: tuple(links) for subject, links in index.items()}

    @cached_property
    def _by_owner(self) -> Mapping[str, tuple[Factor, ...]]:
        index: dict[str, list[Factor]] = {}
        for row in self.factors:
            index.setdefault(row.subject, []).append(row)
        return {subject: tuple(rows) for subject, rows in index.items()}

    @cached_property
    def by_bare_name(self) -> Mapping[str, tuple[str, ...]]:
        """Model name without its developer -> subjects ``developer/model`` that have it, links included."""
        index: dict[str, dict[str, None]] = {}
        models = [row.subject for row in self.factors if row.kind == "model"]
        for subject in (*models, *(link.subject for link in self.links if link.relation == "alias_of")):
            _developer, slash, bare = subject.partition("/")
            if slash:
                index.setdefault(bare, {})[subject] = None
        return {bare: tuple(subjects) for bare, subjects in index.items()}

    @cached_property
    def by_spelling(self) -> Mapping[str, tuple[str, ...]]:
        """Spelling of a model's name -> subjects; where no name is spelt so, those that are but for form or date."""
        from joulebook.factors.spelling import shorter, spelling  # noqa: PLC0415  (patterns that few commands need)

        exact: dict[str, dict[str, None]] = {}
        near: dict[str, dict[str, None]] = {}
        for name, subjects in self.by_bare_name.items():
            key = spelling(name)
            exact.setdefault(key, {}).update(dict.fromkeys(subjects))
            for cut in shorter(key):
                near.setdefault(cut, {}).update(dict.fromkeys(subjects))
        return {key: tuple(subjects) for key, subjects in (near | exact).items()}

    @cached_property
    def subjects(self) -> frozenset[str]:
        """Every subject that has a factor or a link."""
        return frozenset(row.subject for row in self.factors) | frozenset(link.subject for link in self.links)

    def rows_of(self, subject: str) -> tuple[Factor, ...]:
        """All rows of a subject, whatever the quantity."""
        return self._by_owner.get(subject, ())

    def links_of(self, subjects: Iterable[str]) -> list[Link]:
        """All links of some subjects, whatever the relation, in file order."""
        found = [one for subject in dict.fromkeys(subjects) for one in self._links_by_owner.get(subject, ())]
        return [link for _place, link in sorted(found, key=itemgetter(0))]

    def factor(self, factor_id: str) -> Factor | None:
        """The row with that id (or the only one whose id begins so), or None."""
        found = [row for row in self.factors if row.factor_id.startswith(factor_id)]
        return found[0] if len(found) == 1 else None

    def factors_for(self, quantity: str, subject: str | None = None) -> tuple[Factor, ...]:
        """All rows of a quantity, or those of one subject; empty where there are none."""
        if subject is not None:
            return self._by_subject.get((quantity, subject), ())
        return self._by_quantity.get(quantity, ())

    def links_for(self, subject: str, relation: str, at: date | None = None) -> tuple[Link, ...]:
        """Links of a subject; with a day, those that hold then, of each source those it stated last.

        A user's links, where there are any, replace the shipped ones.
        """
        found = self._links_by_subject.get((relation, subject), ())
        found = tuple(link for link in found if link.is_user) or found
        if at is None:
            return found
        found = tuple(link for link in found if link.holds(at))
        newest = {
            link.source: max(other.known_from for other in found if other.source == link.source) for link in found
        }
        return tuple(link for link in found if link.known_from == newest[link.source])

    def as_known(self, at: date) -> "Edition":
        """The edition as it was known on a day: only rows with ``known_from`` on or before it.

        Figures that were published later, restatements included, are not in it.
        """
        return Edition(
            name=f"{self.name} as known {at.isoformat()}",
            factors=tuple(row for row in self.factors if row.known_from <= at),
            links=tuple(link for link in self.links if link.known_from <= at),
            sources=self.sources,
            names=self.names,
        )


def latest_known(rows: Iterable[Factor]) -> list[Factor]:
    """Of several statements about the same number and start of validity, the one known last."""
    newest: dict[tuple[object, ...], Factor] = {}
    for row in rows:
        key = (*row.identity, row.valid_from)
        if key not in newest or newest[key].known_from < row.known_from:
            newest[key] = row
    return list(newest.values())
