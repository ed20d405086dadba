"""The statement table: what somebody else states of the same use. Never added to our own figures."""

from datetime import datetime
from typing import TypedDict

STATED = (
    "stated_energy_kwh",
    "stated_co2e_location_g",
    "stated_co2e_market_g",
    "stated_co2e_scope1_g",
    "stated_co2e_scope2_location_g",
    "stated_co2e_scope2_market_g",
    "stated_co2e_scope3_g",
)
"""The figures of a statement; absent is not stated, which is not zero."""

STATEMENT_COLUMNS = (
    "statement_key",
    "source",
    "stated_by",
    "provider",
    "service",
    "region",
    "project",
    "run",
    "period_start",
    "period_end",
    *STATED,
    "basis",
)
"""Columns of the statement table, in order; types and meanings are in the column dictionary."""


class Statement(TypedDict, total=False):
    """One figure of somebody else's, for one period, account, service and place."""

    statement_key: str
    source: str
    stated_by: str
    provider: str | None
    service: str | None
    region: str | None
    project: str | None
    run: str | None
    period_start: datetime
    period_end: datetime
    stated_energy_kwh: float | None
    stated_co2e_location_g: float | None
    stated_co2e_market_g: float | None
    stated_co2e_scope1_g: float | None
    stated_co2e_scope2_location_g: float | None
    stated_co2e_scope2_market_g: float | None
    stated_co2e_scope3_g: float | None
    basis: str | None
