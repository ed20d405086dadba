"""Which postings stand on a factor: what a changed number would touch."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joulebook.account.resolution import Resolution
from joulebook.ledger.balance import RESOLUTIONS


@dataclass(frozen=True, slots=True)
class Touched:
    """What stands on some factors.

    Attributes:
        postings: postings whose model or place was resolved with one of the factors.
        requests: requests those postings speak about.
        factor_ids: which of the factors were used at all.
    """

    postings: int
    requests: int
    factor_ids: frozenset[str]


def touched(
    postings: Iterable[Mapping[str, Any]], resolutions: Mapping[str, Resolution], factor_ids: Collection[str]
) -> Touched:
    """The standing postings that used one of the factors.

    Args:
        postings: rows of the posting table, without reversals and what they take back.
        resolutions: resolution id -> the factors that were chosen.
        factor_ids: ids of factor rows.
    """
    using = {
        key: frozenset(
            part.factor_id for parts in resolution.parts.values() for part in parts if part.factor_id in factor_ids
        )
        for key, resolution in resolutions.items()
    }
    rows = requests = 0
    found: set[str] = set()
    for posting in postings:
        used = frozenset().union(*(using.get(posting[name] or "", frozenset()) for name in RESOLUTIONS))
        if used:
            rows += 1
            requests += posting["request_count"] or 0
            found |= used
    return Touched(rows, requests, frozenset(found))
