"""Scopes, methods and signals of greenhouse-gas accounting.

Source: GHG Protocol Corporate Standard (scopes); GHG Protocol Scope 2 Guidance, 2015 (methods);
SCI, ISO/IEC 21031 (stages).
"""

from enum import StrEnum


class Scope(StrEnum):
    """GHG Protocol scope."""

    DIRECT = "1"
    PURCHASED_ENERGY = "2"
    VALUE_CHAIN = "3"


class Method(StrEnum):
    """How purchased electricity is counted."""

    LOCATION = "location"
    MARKET = "market"


class Signal(StrEnum):
    """Mean of the mix, or of the plant that answers one more kWh; never mixed."""

    AVERAGE = "average"
    MARGINAL = "marginal"


class Stage(StrEnum):
    """Combustion only, or with what came before it."""

    DIRECT = "direct"
    LIFE_CYCLE = "life-cycle"
