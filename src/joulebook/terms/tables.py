"""The tables: which columns, which key. Types and meanings are in the column dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from joulebook.errors import UnknownName, translatable
from joulebook.terms.columns import METRICS
from joulebook.terms.energy import ENERGY_COLUMNS
from joulebook.terms.statement import STATEMENT_COLUMNS
from joulebook.terms.usage import USAGE_COLUMNS


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: singular noun.
        columns: names from the column dictionary, in order.
        unique: the column no two rows share, or None.
        meaning: what one row is.
    """

    name: str
    columns: tuple[str, ...]
    unique: str | None
    meaning: str


_TABLES = (
    Table("usage", USAGE_COLUMNS, "usage_key", "A use as the supplier counts it."),
    Table(
        "energy",
        ENERGY_COLUMNS,
        "energy_key",
        "Metered or modelled energy of one component of one run on one day; NULL where nothing tells it.",
    ),
    Table(
        "statement",
        STATEMENT_COLUMNS,
        "statement_key",
        "What somebody else states of the same use; kept beside our figures and never added to them.",
    ),
    Table(
        "posting",
        (
            "posting_id",
            "period_start",
            "period_end",
            "source",
            "provider",
            "model",
            "region",
            "zone",
            "team",
            "project",
            "tool",
            "run",
            "component",
            "device",
            "is_synthetic",
            "usage_tier",
            "tier",
            *(f"{metric}_q" for metric in METRICS),
            "cost_usd_q",
            "row_count",
            "unpriced_count",
            "request_count",
            "input_hash",
            "usage_after",
            "usage_through",
            "model_resolution_id",
            "place_resolution_id",
            "method",
            "edition",
            "policy",
            "reverses",
            "cause",
            "posted_at",
        ),
        "posting_id",
        "What was said: the amounts of all metrics for one group of rows of usage or of measured energy.",
    ),
    Table(
        "resolution",
        ("resolution_id", "resolution_json"),
        "resolution_id",
        "The factors, with values and reasons, that a posting used.",
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})


def table(name: str) -> Table:
    """One table by name.

    Raises:
        UnknownName: there is no such table.
    """
    if name not in TABLES:
        raise UnknownName(kind=translatable("table"), name=name, nearest=", ".join(TABLES))
    return TABLES[name]
