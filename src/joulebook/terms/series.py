"""A row of an hourly series: the form of a factor row, with instants where a factor has days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """What a source said about one hour of one zone.

    Attributes:
        subject: what the number is about, as factors name it: ``KOR``, ``EIA-CISO``.
        quantity: ``intensity_g_per_kwh``, ``marginal_intensity_g_per_kwh`` or ``fuel_generation_kwh``.
        value: what the source said [``unit``].
        unit: the column's unit.
        basis: signal, stage, method, grain; of a generation also ``fuel``.
        valid_from: start of the hour (UTC).
        valid_to: its end, exclusive (UTC).
        known_from: when it was fetched (UTC); a later statement about the same hour is a further row.
        tier: derived where the source calls it final, estimated where it may still change.
        source: key of the bibliography.
        cell: where in the answer it stood.
        note: what else the source said of it, or None.
    """

    subject: str
    quantity: str
    value: float
    unit: str
    basis: Mapping[str, str]
    valid_from: datetime
    valid_to: datetime
    known_from: datetime
    tier: str
    source: str
    cell: str
    note: str | None = None

    @property
    def statement(self) -> tuple[object, ...]:
        """What it says, without when it was said: equal statements need not be kept twice."""
        return (*self.identity, self.value, self.tier)

    @property
    def identity(self) -> tuple[object, ...]:
        """What two rows about the same number and hour have in common."""
        return (self.subject, self.quantity, self.source, tuple(sorted(self.basis.items())), self.valid_from)
