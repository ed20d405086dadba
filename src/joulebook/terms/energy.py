"""The energy table: what a meter read, on our own machine or in another meter's record."""

from datetime import datetime
from typing import TypedDict

ENERGY_COLUMNS = (
    "energy_key",
    "reading_key",
    "source",
    "run",
    "run_name",
    "started_at",
    "ended_at",
    "host",
    "component",
    "device",
    "team",
    "project",
    "provider",
    "region",
    "it_energy_kwh",
    "it_energy_low_kwh",
    "it_energy_high_kwh",
    "tier",
    "boundary",
    "method",
    "factor_ids",
    "resolution_id",
)
"""Columns of the energy table, in order; types and meanings are in the column dictionary."""

READING = ("source", "run", "host", "component", "device")
"""What makes two rows the same reading, with its start where a run has many: one that went on is booked by what it
grew."""


class Energy(TypedDict, total=False):
    """Energy of one component over one span. A key that is absent or None is unknown, which is not zero.

    As a reader gives it, ``it_energy_kwh`` is what the meter says, without the meter's accuracy; the word before the
    first dot of ``method`` names the meter, whose accuracy the book then applies.
    """

    energy_key: str
    reading_key: str | None
    source: str
    run: str | None
    run_name: str | None
    started_at: datetime
    ended_at: datetime
    host: str | None
    component: str
    device: str | None
    team: str | None
    project: str | None
    provider: str | None
    region: str | None
    it_energy_kwh: float
    it_energy_low_kwh: float
    it_energy_high_kwh: float
    tier: str
    boundary: str
    method: str
    factor_ids: str
    resolution_id: str
