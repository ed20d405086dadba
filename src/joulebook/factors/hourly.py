"""Choose the value of an hour from hourly series that were fetched before, and say which it is.

The ladder of an hour, under a policy that asks for hours:

1. a contract or another market-based factor, where the policy wants one first;
2. the hour as a source told it, or as its generation mix gives it: ``hourly value`` or ``hourly generation mix``;
3. the same hour of an earlier day, within the days the policy allows, with a wider range;
4. the factor of the year times the profile of the month and hour;
5. the factor of the year.

Steps 3 to 5 carry the hint to fetch the hours. Average and marginal signals are different quantities and never stand in
for each other.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from joulebook.errors import translatable
from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import Edition, Factor
from joulebook.factors.mix import GENERATION, intensity_of
from joulebook.factors.policy import Hourly
from joulebook.factors.policy import policy as policy_named
from joulebook.factors.series import hourly_profile
from joulebook.terms.range import Range
from joulebook.terms.series import SeriesRow

AVERAGE, MARGINAL = "intensity_g_per_kwh", "marginal_intensity_g_per_kwh"
REPORTED = "true_per_reported_ratio"
EARLIER_HOUR = "live-earlier-hour"
"""Subject of how far the same hour of another day may be off."""

TOLD = translatable("hourly value")
MIXED = translatable("hourly generation mix")
DAY_BEFORE = translatable("same hour of the day before")
DAYS_BEFORE = translatable("same hour of an earlier day")
PROFILE = translatable("yearly factor times hourly profile")
YEAR = translatable("yearly factor: hour not fetched")
HOUR_STEPS = (TOLD, MIXED, DAY_BEFORE, DAYS_BEFORE, PROFILE, YEAR)
HINT_FETCH = translatable("Fetch the hours with `joulebook factors fetch`, then restate the book.")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

T = TypeVar("T")
Effect = tuple[Factor, float, float]
"""A factor behind a value, and what the value becomes, as a multiple, at the ends of the factor's range."""


@dataclass(frozen=True)
class HourChoice(Choice):
    """The value of an hour and why it was taken.

    Attributes:
        effects: what makes the value uncertain; hours share these factors, so their errors do not average out.
    """

    effects: tuple[Effect, ...] = ()


class Hours:
    """Hourly rows that were fetched, found by subject and hour.

    Args:
        rows: gives the rows; asked only when the first hour is looked up.
        known_at: only what was fetched up to then (UTC); None is everything.
    """

    def __init__(self, rows: Callable[[], Iterable[SeriesRow]], known_at: datetime | None = None) -> None:
        self._rows = rows
        self.known_at = known_at
        self._answers: dict[tuple[object, ...], Any] = {}

    def as_known(self, at: datetime) -> "Hours":
        """The hours as they were known at an instant: later revisions are not in it."""
        return Hours(self._rows, at)

    def once(self, key: tuple[object, ...], answer: Callable[[], T]) -> T:
        """An answer that many hours share, worked out once per key."""
        if key not in self._answers:
            self._answers[key] = answer()
        return self._answers[key]

    @cached_property
    def _by_hour(self) -> Mapping[tuple[str, datetime], tuple[SeriesRow, ...]]:
        latest: dict[tuple[object, ...], SeriesRow] = {}
        for row in self._rows():
            is_known = self.known_at is None or row.known_from <= self.known_at
            other = latest.get(row.identity)
            if is_known and (other is None or other.known_from <= row.known_from):
                latest[row.identity] = row
        index: dict[tuple[str, datetime], list[SeriesRow]] = {}
        for row in latest.values():
            index.setdefault((row.subject, row.valid_from), []).append(row)
        return {key: tuple(rows) for key, rows in index.items()}

    def at(self, subject: str, hour: datetime) -> tuple[SeriesRow, ...]:
        """What is known of a subject's hour; of several statements by one source the one made last."""
        return self._by_hour.get((subject, hour), ())


def whole_hour(at: datetime) -> datetime:
    """The hour an instant lies in (UTC); an instant without zone is UTC."""
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.replace(minute=0, second=0, microsecond=0)


def choose_hour(
    edition: Edition, hours: Hours, quantity: str, subject: str, at: datetime, policy: str, yearly: Choice | None
) -> HourChoice | None:
    """The value of an hour.

    Args:
        edition: the factors.
        hours: what was fetched.
        quantity: ``intensity_g_per_kwh`` or ``marginal_intensity_g_per_kwh``.
        subject: the zone.
        at: an instant of the hour.
        policy: name of a policy; one that speaks of days accepts hours of the quantity asked for all the same.
        yearly: what the day's answer is, where there is one.

    Returns:
        the choice; None where neither an hour nor a yearly factor is known.
    """
    hour = whole_hour(at)
    rule = policy_named(policy).hourly or Hourly()
    if yearly is not None and yearly.factor.basis.get("method") == "market":
        return HourChoice(yearly.factor, yearly.steps, yearly.hint, effects=(_own(yearly.factor),))
    for days in range(rule.earlier_days + 1):
        found = _told(edition, hours, quantity, subject, hour - days * DAY, policy, rule)
        if found is not None:
            return found if not days else _earlier(edition, found, hour, days)
    if yearly is None:
        return None
    return _by_profile(edition, yearly, subject, hour) or HourChoice(
        yearly.factor, (YEAR, *yearly.steps), HINT_FETCH, yearly.is_unknown, (_own(yearly.factor),)
    )


def _subjects(edition: Edition, subject: str) -> Iterator[str]:
    """The zone, then the balancing authorities whose hours stand for it."""
    yield subject
    yield from dict.fromkeys(link.object for link in edition.links_for(subject, "hourly_profile"))


def _told(
    edition: Edition, hours: Hours, quantity: str, subject: str, hour: datetime, policy: str, rule: Hourly
) -> HourChoice | None:
    """The hour itself, on the best basis of the policy, from its best source."""
    bases = policy_named(policy).rule(quantity).bases or ({},)
    stages = dict.fromkeys(basis.get("stage") for basis in bases if basis.get("method") != "market")
    for zone in _subjects(edition, subject):
        rows = hours.at(zone, hour)
        for stage in stages if rows else ():
            direct = _direct(edition, hours, rows, quantity, stage)
            found = [*direct, *_mixed(edition, hours, rows, quantity, stage, hour)]
            if found:
                return min(found, key=lambda choice: _rank(choice.factor.source, rule))
    return None


def _rank(source: str, rule: Hourly) -> int:
    return rule.sources.index(source) if source in rule.sources else -1


def _direct(
    edition: Edition, hours: Hours, rows: Iterable[SeriesRow], quantity: str, stage: str | None
) -> Iterator[HourChoice]:
    for row in rows:
        if row.quantity == quantity and (stage is None or row.basis.get("stage") == stage):
            effects = (_reported(edition, hours, row),)
            yield HourChoice(_factor(row, quantity, row.value, row.basis, row.cell, effects), (TOLD,), effects=effects)


def _mixed(
    edition: Edition, hours: Hours, rows: Iterable[SeriesRow], quantity: str, stage: str | None, hour: datetime
) -> Iterator[HourChoice]:
    by_source: dict[str, list[SeriesRow]] = {}
    for row in rows:
        if row.quantity == GENERATION and quantity == AVERAGE and stage is not None:
            by_source.setdefault(row.source, []).append(row)
    for told in by_source.values():
        mix = intensity_of(edition, told, str(stage), hour.date(), hours.once)
        if mix is not None:
            first = min(told, key=lambda row: (row.tier, row.known_from))
            basis = {
                "signal": "average",
                "stage": str(stage),
                "method": "location",
                "grain": "hour",
                "flow": "production",
            }
            effects = (*mix.effects, _reported(edition, hours, first))
            factor = _factor(first, quantity, mix.value, basis, f"generation: {mix.text}", effects)
            yield HourChoice(factor, (MIXED,), effects=effects)


def _reported(edition: Edition, hours: Hours, row: SeriesRow) -> Effect:
    """How far a reported value may be from the truth, shared by all hours of a source."""
    at = row.valid_from.date()
    key = (edition.edition_id, REPORTED, row.source, at, row.tier)
    found = hours.once(key, lambda: choose(edition, REPORTED, row.source, at, told=row.tier).factor)
    return found, found.low, found.high


def _own(factor: Factor) -> Effect:
    """A factor that is the value itself."""
    return (factor, factor.low / factor.value, factor.high / factor.value) if factor.value else (factor, 1.0, 1.0)


def _earlier(edition: Edition, found: HourChoice, hour: datetime, days: int) -> HourChoice:
    other = choose(edition, REPORTED, EARLIER_HOUR, hour.date()).factor
    effects = (*found.effects, (other, other.low, other.high))
    age = f"; {days * 24} h older than the use at {hour:%Y-%m-%dT%H:%MZ}"
    whole = _spread(found.factor.value, effects)
    factor = replace(found.factor, low=whole.low, high=whole.high, cell=found.factor.cell + age, _id=[])
    return HourChoice(factor, (DAY_BEFORE if days == 1 else DAYS_BEFORE, *found.steps), HINT_FETCH, effects=effects)


def _by_profile(edition: Edition, yearly: Choice, subject: str, hour: datetime) -> HourChoice | None:
    """The factor of the year times the shape of the month; none where no profile stands for the zone."""
    profile = None if yearly.is_unknown else hourly_profile(edition, subject)
    if profile is None or yearly.factor.quantity != AVERAGE:
        return None
    shape = profile[hour.month, hour.hour]
    link = edition.links_for(subject, "hourly_profile")[-1]
    base = yearly.factor
    ratio = replace(
        base, quantity="hourly_profile_ratio", unit="1", value=shape.mid, low=shape.low, high=shape.high,
        source=link.source, cell=f"{link.cell}, month {hour.month}, hour {hour.hour} UTC", tier="estimated",
        known_from=link.known_from, range_basis="spread over the days of the month", note=None, _id=[],
    )  # fmt: skip
    effects = (_own(base), _own(ratio))
    value = base.value * shape.mid
    whole = _spread(value, effects)
    factor = replace(
        base, value=value, low=whole.low, high=whole.high, basis={**base.basis, "grain": "hour"}, valid_from=hour,
        valid_to=hour + HOUR, tier="estimated", cell=f"{base.cell}; times {shape.mid:.3f}, {ratio.cell}", _id=[],
    )  # fmt: skip
    return HourChoice(factor, (PROFILE, *yearly.steps), HINT_FETCH, effects=effects)


def _factor(
    row: SeriesRow, quantity: str, value: float, basis: Mapping[str, str], cell: str, effects: Iterable[Effect]
) -> Factor:
    """The hour as a factor; its clocks are instants."""
    whole = _spread(value, effects)
    return Factor(
        kind="grid",
        subject=row.subject,
        quantity=quantity,
        value=value,
        low=whole.low,
        high=whole.high,
        unit="g/kWh",
        basis=basis,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        known_from=row.known_from,
        tier=row.tier,
        source=row.source,
        cell=f"{row.valid_from:%Y-%m-%dT%H:%MZ}, {cell}",
        note=row.note,
    )


def _spread(value: float, effects: Iterable[Effect]) -> Range:
    """The range of a value whose factors are independent: squares of the log distances add up (GUM, 5.1.2)."""
    ends = list(effects)
    if any(low <= 0 for _factor, low, _high in ends):
        low = 0.0
    else:
        low = value * math.exp(-math.hypot(*(math.log(low) for _factor, low, _high in ends)))
    high = value * math.exp(math.hypot(*(math.log(high) for _factor, _low, high in ends)))
    return Range(min(low, value), value, max(high, value))
