"""A published sentence with numbers, as a data file: what was said, where it comes from, and what gives the figure.

A file holds ``claims:`` and, where it is the user's own, ``sources:`` in the form of the bibliography. Texts are in
Korean and English and in our own words; amounts are written with their unit, ranges with two dots: ``200..755 g/kWh``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from joulebook.disclose.recompute import Given
from joulebook.terms.boundary import Boundary

Text = Mapping[str, str]
"""One text per language: keys ``en`` and ``ko``."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a figure is about: an id that is compared, and its name for people."""

    subject: str
    name: Text


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount as it was written, and as it was read."""

    written: str
    given: Given


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the recomputation.

    Attributes:
        name: as the formula calls it.
        figure: its amount.
        source: key of the bibliography.
        cell: where in the source.
        tier: measured, derived, estimated or assumed.
        note: why it is so, or None.
    """

    name: str
    figure: Figure
    source: str
    cell: str
    tier: str
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Pledge:
    """A promise: by which year, and of what kind; the share of the base that may remain, where one was published."""

    year: int
    kind: str
    residual_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain of sources.

    Attributes:
        on: when it was published (a year, month or day).
        source: key of the bibliography.
        cell: where in the source.
        kind: study, report, card, remark, press, post.
        says: what it says, in our own words.
        figure: its figure, or None.
        about: what its figure is about, or None where that is what the claim is about.
        pledge: its promise, or None.
    """

    on: str
    source: str
    cell: str
    kind: str
    says: Text
    figure: Figure | None = None
    about: Subject | None = None
    pledge: Pledge | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """A later figure for the same question: one of its own, or another claim's."""

    claim: str | None = None
    on: str = ""
    source: str = ""
    figure: Figure | None = None
    boundary: Boundary | None = None
    about: Subject | None = None


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure that its publisher changed later."""

    what: Text
    before: Figure
    after: Figure
    on: str
    source: str


@dataclass(frozen=True, slots=True)
class Also:
    """A further figure that helps to understand the claim; ``what`` names it."""

    what: Text
    formula: str
    unit: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim.

    Attributes:
        claim_id: its name.
        statement: what was said, in our own words.
        said_on: when (a year, month or day).
        said_in: key of the bibliography.
        about: what the claim's figure is about.
        figure: the figure, or None where the claim gives none.
        says: equals, more-than or less-than the figure.
        boundary: what is inside the figure, or None where that is unknown or does not apply.
        basis: short words that are part of the figure's identity: scope, method, signal, stage.
        pledge: the promise the claim speaks of, or None.
        chain: its sources, from the nearest back to the origin.
        inputs: what the recomputation needs.
        formula: the recomputation, or None.
        unit: unit of the result.
        recomputes: subject of the recomputation; the claim's own, or the origin's.
        direction: for a claim without a number: "above" or "below" one.
        scenarios: overriding inputs, per named scenario, where inputs move together; they span the range.
        depends_on: what the range stands for, such as the place; or None.
        rests_on: claims without which this one falls.
        superseded_by: later figures.
        restated: figures of its sources that were changed.
        also: further figures.
        note: what a reader should know, or None.
        file: where it is written.
        line: 1-based line in it.
    """

    claim_id: str
    statement: Text
    said_on: str
    said_in: str
    about: Subject
    figure: Figure | None = None
    says: str = "equals"
    boundary: Boundary | None = None
    basis: Mapping[str, str] = field(default_factory=dict)
    pledge: Pledge | None = None
    chain: tuple[Link, ...] = ()
    inputs: tuple[Input, ...] = ()
    formula: str | None = None
    unit: str = "1"
    recomputes: Subject | None = None
    direction: str | None = None
    scenarios: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    depends_on: Text | None = None
    rests_on: tuple[str, ...] = ()
    superseded_by: tuple[Later, ...] = ()
    restated: tuple[Restated, ...] = ()
    also: tuple[Also, ...] = ()
    note: Text | None = None
    file: str = ""
    line: int = 0

    @property
    def origin(self) -> Link | None:
        """The last step of the chain, or None."""
        return self.chain[-1] if self.chain else None

    @property
    def origin_about(self) -> Subject:
        """What the origin's figure is about; the claim's subject where the origin says nothing else."""
        return self.origin.about if self.origin is not None and self.origin.about is not None else self.about

    @property
    def recomputed_about(self) -> Subject:
        """What the recomputation is about; the origin's subject where nothing else is said."""
        return self.recomputes or self.origin_about
