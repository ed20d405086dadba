"""What makes an estimate uncertain: each fact to its ends, one at a time."""

import math
from collections.abc import Callable, Mapping

from joulebook.terms.range import Range


def drivers_of(
    energy: Callable[[Mapping[str, float]], float], inputs: Mapping[str, Range]
) -> dict[str, tuple[float, float]]:
    """How an energy moves with each input alone.

    Args:
        energy: the estimate as a function of plain numbers, above 0.
        inputs: a range for each of its numbers.

    Returns:
        input -> (low, high): the energy as a multiple of its middle at the input's ends; inputs without effect are left
        out; the largest first.
    """
    mids = {name: value.mid for name, value in inputs.items()}
    middle = energy(mids)
    found = {}
    for name, value in inputs.items():
        if value.low < value.high:
            ends = [energy({**mids, name: end}) / middle for end in (value.low, value.high)]
            low, high = min(1.0, *ends), max(1.0, *ends)
            if low < high:
                found[name] = (low, high)
    return ordered(found)


def ordered(drivers: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The largest driver first."""
    return dict(sorted(drivers.items(), key=lambda item: item[1][0] / item[1][1]))


def combined(drivers: Mapping[str, tuple[float, float]]) -> Range:
    """One range around 1 from independent drivers: log distances add in squares, each side apart."""
    down = math.hypot(*(math.log(low) for low, _high in drivers.values()), 0)
    up = math.hypot(*(math.log(high) for _low, high in drivers.values()), 0)
    return Range(math.exp(-down), 1.0, math.exp(up))
