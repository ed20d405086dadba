"""An amount in everyday things, each with its place, range and source; and a check of what others state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from joulebook.account.equivalence import equivalent_count
from joulebook.account.ranges import propagate
from joulebook.disclose.recompute import Given, read_input
from joulebook.errors import BadValue, UnknownName, translatable
from joulebook.factors.edition import Edition, Factor, latest_known
from joulebook.terms.range import Range

KINDS: Mapping[str, str] = {
    "mass": "equivalent_co2e_g",
    "energy": "equivalent_energy_kwh",
    "volume": "equivalent_water_l",
}
"""Dimension of an amount -> the column that says what one thing takes. CO2e, energy and water are never mixed."""

PLACES = ("KOR", "USA", "EU", "WORLD")

PLAUSIBLE = 3.0
"""A stated equivalence is taken for possible within this factor beyond the range of its thing."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """How many of a thing make an amount.

    Attributes:
        subject: the thing.
        place: where it is like that.
        count: low, mid and high.
        factor: what one of it takes, with its source.
    """

    subject: str
    place: str
    count: Range
    factor: Factor


@dataclass(frozen=True, slots=True)
class Sanity:
    """A stated equivalence beside what its thing takes.

    Attributes:
        equivalent: how many there should be.
        stated: how many were stated.
        times: how many times more one of them would have to take than it does; below 1 where less.
        is_plausible: whether any place's range allows it.
    """

    equivalent: Equivalent
    stated: float
    times: float
    is_plausible: bool


def equivalents(edition: Edition, amount: Given, places: Iterable[str] = PLACES) -> list[Equivalent]:
    """An amount in everyday things of some places.

    Args:
        edition: the factors.
        amount: CO2e as a mass, energy, or water as a volume.
        places: of `PLACES`.

    Raises:
        BadValue: the amount is none of the three, or not above zero.
    """
    column, canonical = _column(amount)
    if not amount.value.low > 0:
        raise BadValue(
            value=amount.value.low,
            expected=translatable("an amount above zero"),
            next_step=translatable("give an amount above zero."),
        )
    value = Range(*(amount.at(number).to(canonical) for number in amount.value))
    wanted = set(places)
    rows = [row for row in _things(edition) if row.quantity == column and row.basis.get("place") in wanted]
    return [
        Equivalent(row.subject, row.basis["place"], propagate(equivalent_count, value, row.range), row) for row in rows
    ]


LEAST = 0.01
"""Fewer of a thing than this help nobody to imagine an amount."""


def apt_equivalent(edition: Edition, amount: Range, unit: str, country: str | None) -> Equivalent | None:
    """The one thing that makes an amount easiest to imagine: the count nearest to one, of the country where there is.

    Args:
        edition: the factors.
        amount: of CO2e [g], energy [kWh] or water [L].
        unit: g, kWh or L.
        country: ISO 3166-1 alpha-3; things of other countries are not taken.

    Returns:
        the thing and how many; None where the amount is next to nothing or no thing fits.
    """
    if not amount.low > 0:
        return None
    places = [place for place in PLACES if place in (country, "WORLD")]
    found = equivalents(edition, replace(read_amount(f"1 {unit}"), value=amount), places)
    large = [each for each in found if each.count.mid >= LEAST]
    return min(large, key=lambda each: max(each.count.mid, 1 / each.count.mid), default=None)


def check_stated(edition: Edition, amount: Given, stated: float, subject: str) -> Sanity:
    """Whether an amount can be a stated number of things: "3103 kWh is 1 hour of television" cannot.

    Raises:
        BadValue: the amount or the count cannot be compared.
        UnknownName: there is no such thing for this kind of amount.
    """
    if not stated > 0:
        raise BadValue(
            value=stated,
            expected=translatable("a count above zero"),
            next_step=translatable("give how many were stated."),
        )
    found = equivalents(edition, amount)
    same = [each for each in found if each.subject == subject]
    if not same:
        names = ", ".join(dict.fromkeys(each.subject for each in found))
        raise UnknownName(kind=translatable("everyday thing for this amount"), name=subject, nearest=names)
    nearest = min(same, key=lambda each: max(each.count.mid / stated, stated / each.count.mid))
    allowed = nearest.count.low / PLAUSIBLE <= stated <= nearest.count.high * PLAUSIBLE
    return Sanity(nearest, stated, nearest.count.mid / stated, allowed)


def read_amount(written: str) -> Given:
    """Read "12.3kg", "3103 kWh" or "40..60 L".

    Raises:
        BadValue: it is not an amount of CO2e, energy or water.
    """
    given = read_input(written)
    _column(given)
    return given


def _column(amount: Given) -> tuple[str, str]:
    dimension = dict(amount.at(amount.value.mid).dimension)
    for name, column in KINDS.items():
        if dimension == {name: 1}:
            return column, {"mass": "g", "energy": "kWh", "volume": "L"}[name]
    raise BadValue(
        value=f"{amount.value.mid:g} {amount.unit}".removesuffix(" 1"),
        expected=translatable("an amount of CO2e, energy or water"),
        next_step=translatable("give kg, kWh or L."),
    )


def _things(edition: Edition) -> list[Factor]:
    rows = latest_known(row for row in edition.factors if row.kind == "equivalence")
    newest: dict[tuple[str, str, str], Factor] = {}
    for row in rows:
        key = (row.subject, row.quantity, row.basis.get("place", ""))
        known = newest.get(key)
        if known is None or (row.is_user, row.valid_from) >= (known.is_user, known.valid_from):
            newest[key] = row
    return list(newest.values())
