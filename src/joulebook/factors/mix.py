"""From what a zone generated in an hour, fuel by fuel, to CO2e per kWh."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from joulebook.errors import FactorMissing
from joulebook.factors.choose import choose
from joulebook.factors.edition import Edition, Factor
from joulebook.terms.series import SeriesRow

GENERATION = "fuel_generation_kwh"
STORAGE = "storage"
"""What storage gives back was generated, and counted, before."""

OTHER = "other"


@dataclass(frozen=True)
class Mix:
    """The intensity of an hour's generation.

    Attributes:
        value: sum of energy times intensity over the energy [g/kWh].
        effects: factor of each fuel, and what the value becomes, as a multiple, at the ends of that factor's range.
        shares: fuel -> part of the generation, 0..1, the largest first.
    """

    value: float
    effects: tuple[tuple[Factor, float, float], ...]
    shares: Mapping[str, float]

    @property
    def text(self) -> str:
        """The shares in words."""
        return ", ".join(f"{fuel} {share:.0%}" for fuel, share in self.shares.items() if share)


def _each_time(_key: tuple[object, ...], answer: Callable[[], Factor]) -> Factor:
    return answer()


def intensity_of(
    edition: Edition,
    rows: Iterable[SeriesRow],
    stage: str,
    at: date,
    once: Callable[[tuple[object, ...], Callable[[], Factor]], Factor] = _each_time,
) -> Mix | None:
    """Intensity of a generation mix by the fuel factors of an edition; None where nothing was generated.

    A fuel that takes more than it gives (a plant's own use at night) counts as nothing; storage is left out.

    Args:
        edition: has factors of the subjects ``fuel:...``.
        rows: one row per fuel, of one zone and hour [kWh].
        stage: ``direct`` or ``life-cycle``.
        at: the day of the hour.
        once: gives a factor that many hours share, worked out once per key.

    Source: the definition of an average intensity; SCI (ISO/IEC 21031), "location-based marginal or average".
    """
    energies = {row.basis["fuel"]: max(row.value, 0.0) for row in rows if row.basis["fuel"] != STORAGE}
    whole = sum(energies.values())
    if not whole:
        return None
    shares = {fuel: energy / whole for fuel, energy in sorted(energies.items(), key=lambda pair: -pair[1])}
    factors = {
        fuel: once((edition.edition_id, fuel, stage, at), lambda fuel=fuel: _factor(edition, fuel, stage, at))
        for fuel in shares
    }
    value = sum(share * factors[fuel].value for fuel, share in shares.items())
    if not value:
        return Mix(value, (), shares)
    effects = tuple(
        (
            factors[fuel],
            1 + share * (factors[fuel].low - factors[fuel].value) / value,
            1 + share * (factors[fuel].high - factors[fuel].value) / value,
        )
        for fuel, share in shares.items()
        if share
    )
    return Mix(value, effects, shares)


def _factor(edition: Edition, fuel: str, stage: str, at: date) -> Factor:
    """The factor of a fuel; of a fuel nobody knows that of `other`, which is as wide as it must be."""
    words = {"stage": stage, "of": "fuel"}
    choice = choose(edition, "intensity_g_per_kwh", f"fuel:{fuel}", at, **words)
    if choice.is_unknown:
        choice = choose(edition, "intensity_g_per_kwh", f"fuel:{OTHER}", at, **words)
    if choice.is_unknown:
        raise FactorMissing(sought=f"fuel:{fuel} {stage}", edition=edition.name, nearest=f"fuel:{OTHER}")
    return choice.factor
