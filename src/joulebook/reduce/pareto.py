"""What accuracy costs: the frontier of a result against energy, the search that led there, the last gain.

Source: Schwartz, Dodge, Smith and Etzioni, "Green AI", CACM 63(12), 2020: report efficiency beside accuracy, and the
cost of all trials.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from joulebook.terms.range import Range


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: its energy and its result.

    Attributes:
        run: its name.
        label: what it is called.
        energy_kwh: low, mid, high [kWh].
        result: accuracy, loss, ...
    """

    run: str
    label: str
    energy_kwh: Range
    result: float


@dataclass(frozen=True, slots=True)
class Frontier:
    """Trials that no other trial beats at once in result and energy.

    Attributes:
        trials: the frontier, from the least energy to the best result.
        beaten: all other trials.
        search_kwh: energy of all trials [kWh]; the ranges of trials on one machine move together, so ends are added.
        last_gain_kwh: more energy of the best trial than of the one before it on the frontier [kWh]; None for one.
        last_gain: by how much its result is better.
    """

    trials: tuple[Trial, ...]
    beaten: tuple[Trial, ...]
    search_kwh: Range
    last_gain_kwh: float | None
    last_gain: float | None


def frontier(trials: Iterable[Trial], *, is_higher_better: bool = True) -> Frontier:
    """The frontier of a set of trials.

    A trial is on it when no other has a result as good for less energy, or a better one for the same.

    >>> one, two = Trial("a", "a", Range.exact(1), 0.8), Trial("b", "b", Range.exact(2), 0.7)
    >>> [trial.run for trial in frontier([one, two]).trials]
    ['a']
    """
    sign = 1 if is_higher_better else -1
    ordered = sorted(trials, key=lambda trial: (trial.energy_kwh.mid, -sign * trial.result, trial.run))
    kept: list[Trial] = []
    for trial in ordered:
        if not kept or sign * trial.result > sign * kept[-1].result:
            kept.append(trial)
    beaten = tuple(trial for trial in ordered if trial not in kept)
    gain = _last_gain(kept, sign)
    return Frontier(tuple(kept), beaten, _sum(ordered), *gain)


def _last_gain(kept: Sequence[Trial], sign: int) -> tuple[float | None, float | None]:
    if len(kept) <= 1:
        return None, None
    *_others, before, best = kept
    return best.energy_kwh.mid - before.energy_kwh.mid, sign * (best.result - before.result)


def _sum(trials: Sequence[Trial]) -> Range:
    return Range(
        sum(trial.energy_kwh.low for trial in trials),
        sum(trial.energy_kwh.mid for trial in trials),
        sum(trial.energy_kwh.high for trial in trials),
    )
