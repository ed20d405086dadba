"""The factors of a place in one hour: those of the day, with the intensity of the hour."""

from collections.abc import Mapping
from datetime import datetime

from joulebook.account.resolution import Part, Resolution, part_of
from joulebook.factors.choose import choose
from joulebook.factors.edition import Edition
from joulebook.factors.hourly import AVERAGE, HourChoice, Hours, choose_hour
from joulebook.terms.scope import Stage

UPSTREAM = "upstream_g_per_kwh"


def at_hour(day: Resolution, edition: Edition, hours: Hours, policy: str, at: datetime) -> Resolution:
    """The resolution of an hour.

    Args:
        day: what was resolved for the place and day.
        edition: the factors.
        hours: hourly rows that were fetched.
        policy: which of them may answer.
        at: an instant of the hour.

    Returns:
        the day's values with the hour's intensity; where that is life-cycle, upstream is inside it and not apart.
    """
    zone = str(day.names["zone"])
    key = (edition.edition_id, AVERAGE, zone, at.date(), policy)
    yearly = hours.once(key, lambda: choose(edition, AVERAGE, zone, at.date(), policy))
    choice = choose_hour(edition, hours, AVERAGE, zone, at, policy, yearly)
    if choice is None:
        return day
    values: dict[str, float | None] = {**day.values, AVERAGE: choice.factor.value}
    parts: dict[str, tuple[Part, ...]] = {**day.parts, AVERAGE: hour_parts(choice, day.names)}
    if choice.factor.basis.get("stage") == Stage.LIFE_CYCLE:
        values[UPSTREAM] = None
        parts.pop(UPSTREAM, None)
    return Resolution(day.subject, values, parts, day.names)


def hour_parts(choice: HourChoice, names: Mapping[str, str | None]) -> tuple[Part, ...]:
    """The value of the hour, exact as it was told, then every factor that makes it uncertain.

    Hours share these factors, so that their errors stay together in a total.
    """
    hint = names.get("hint") if choice.is_unknown and names.get("hint") else choice.hint
    told = part_of(choice.factor, choice.chosen_because, hint, is_unknown=choice.is_unknown, effect=(1, 1))
    if [factor for factor, _low, _high in choice.effects] == [choice.factor]:
        return (part_of(choice.factor, choice.chosen_because, hint, is_unknown=choice.is_unknown),)
    behind = (part_of(factor, choice.chosen_because, effect=(low, high)) for factor, low, high in choice.effects)
    return (told, *behind)
