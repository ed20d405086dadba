"""The factors behind metrics, worked out once for all that stands on the same resolutions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from joulebook.account.interval import Spread
from joulebook.account.resolution import Part, Resolution, parts_behind
from joulebook.ledger.posting import RESOLVED


class Behind:
    """Factors behind the metrics of postings, or of sums of them.

    Args:
        resolution_of: id -> resolution; it must go on saying the same.
    """

    def __init__(self, resolution_of: Callable[[str], Resolution]) -> None:
        self.resolution_of = resolution_of
        self._found: dict[tuple[str, ...], tuple[Mapping[str, Part], Sequence[Spread]]] = {}

    def resolutions(self, group: Mapping[str, Any]) -> tuple[Resolution, ...]:
        """What a group stands on."""
        return tuple(self.resolution_of(group[name]) for name in RESOLVED if group[name])

    def metric(self, metric: str, group: Mapping[str, Any]) -> tuple[Mapping[str, Part], Sequence[Spread]]:
        """Factor id -> factor behind a metric of a group, and how uncertain each is."""
        asked = (metric, *(group[name] or "" for name in RESOLVED))
        if asked not in self._found:
            parts = parts_behind(metric, self.resolutions(group))
            self._found[asked] = {part.factor_id: part for part in parts}, [part.spread for part in parts]
        return self._found[asked]
