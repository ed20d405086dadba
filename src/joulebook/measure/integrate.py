"""From raw values to energy: differences of counters, integrals of power, wraps, resets and gaps."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from joulebook.measure.clock import NANOSECONDS
from joulebook.measure.reading import Channel, Kind

GAP_INTERVALS = 3
"""A pause longer than so many sampling intervals is flagged, and power is not trusted across it."""

WHOLE_INTERVAL = 0.5
"""Shorter parts of a sampling interval do not tell the power at rest: counters are renewed in steps."""

POSSIBLE_RISE = 10
"""Where a device does not tell its highest power: so many times the highest seen can still be a wrapped counter."""


class Flag(StrEnum):
    """Why an interval is not a plain difference of two readings."""

    RESET = "reset"
    """the counter fell and had not come to its end: the driver or the machine began anew"""
    GAP = "gap"
    """no reading for several intervals: suspended, unplugged, a stopped process"""


class Interval(NamedTuple):
    """Energy of one channel between two readings."""

    start_ns: int
    end_ns: int
    joules: float
    low_joules: float
    high_joules: float
    flag: Flag | None


class Integrator:
    """Energy of one channel, reading by reading. Never negative; what is not certain widens the range.

    A counter gives exact differences. Where it wrapped (its range is known and the power is possible), the range is
    added. Where it was reset, the interval is filled with the power seen before, is flagged, and reaches from what
    the new counter shows to the highest power seen. Averaged power is a rectangle back in time, instant power a
    trapezoid; across a gap both are filled and flagged. A counter needs no filling across a gap: it went on counting.

    Args:
        channel: what is read.
        interval_s: sampling interval [s].
    """

    __slots__ = (
        "_at_ns", "_highest_w", "_power_w", "_value", "channel", "covered_s", "gap_s", "high_joules", "interval_s",
        "is_counter", "joules", "low_joules", "lowest_w", "reset_count",
    )  # fmt: skip

    def __init__(self, channel: Channel, interval_s: float = 1.0) -> None:
        self.channel = channel
        self.interval_s = interval_s
        self.is_counter = channel.kind is Kind.COUNTER
        self.joules = self.low_joules = self.high_joules = self.gap_s = self.covered_s = 0.0
        self.reset_count = 0
        self.lowest_w: float | None = None
        self._value: int | None = None
        self._at_ns = 0
        self._power_w: float | None = None
        self._highest_w = 0.0

    def add(self, at_ns: int, value: int | None) -> Interval | None:
        """Take one reading [counts] at a monotonic time [ns]; the interval it closes, or None."""
        if value is None:
            return None
        last, last_ns = self._value, self._at_ns
        if last is None or at_ns <= last_ns:
            if last is None:
                self._value, self._at_ns = value, at_ns
            return None
        self._value, self._at_ns = value, at_ns
        seconds = (at_ns - last_ns) / NANOSECONDS
        is_gap = seconds > GAP_INTERVALS * self.interval_s
        low, mid, high, flag = (
            self._counted(last, value, seconds)
            if self.channel.kind is Kind.COUNTER
            else (self._integrated(last, value, seconds, is_gap=is_gap))
        )
        if flag is None and is_gap:
            flag = Flag.GAP
        self._book(low, mid, high, seconds, flag)
        return Interval(last_ns, at_ns, mid, low, high, flag)

    def advance(self, at_ns: int, value: int) -> None:
        """As `add`, for a caller who does not keep intervals: a plain step of a counter takes the short way."""
        last, seconds = self._value, (at_ns - self._at_ns) / NANOSECONDS
        if last is None or value < last or not self.is_counter or not 0 < seconds <= GAP_INTERVALS * self.interval_s:
            self.add(at_ns, value)
            return
        joules = (value - last) * self.channel.scale
        self._value, self._at_ns = value, at_ns
        self.low_joules += joules
        self.joules += joules
        self.high_joules += joules
        self.covered_s += seconds
        power_w = self._power_w = joules / seconds
        self._highest_w = max(self._highest_w, power_w)
        if seconds >= self.interval_s * WHOLE_INTERVAL and (self.lowest_w is None or power_w < self.lowest_w):
            self.lowest_w = power_w

    def _counted(self, last: int, value: int, seconds: float) -> tuple[float, float, float, Flag | None]:
        counts = value - last
        if counts < 0 and self.channel.range_counts is not None:
            wrapped = counts + self.channel.range_counts
            if 0 <= wrapped * self.channel.scale <= self._possible_w() * seconds:
                counts = wrapped
        if counts >= 0:
            joules = counts * self.channel.scale
            return joules, joules, joules, None
        shown = value * self.channel.scale
        before_w = self._power_w if self._power_w is not None else shown / seconds
        filled = max(before_w * seconds, shown)
        self.reset_count += 1
        return shown, filled, max(self._highest_w * seconds, filled), Flag.RESET

    def _possible_w(self) -> float:
        if self.channel.max_power_w is not None:
            return self.channel.max_power_w
        return POSSIBLE_RISE * self._highest_w if self._highest_w else float("inf")

    def _integrated(
        self, last: int, value: int, seconds: float, *, is_gap: bool
    ) -> tuple[float, float, float, Flag | None]:
        scale = self.channel.scale
        if is_gap:
            ends = (last * scale * seconds, value * scale * seconds)
            return 0.0, sum(ends) / 2, max(self._highest_w * seconds, *ends), Flag.GAP
        watts = value * scale if self.channel.kind is Kind.AVERAGE else (last + value) / 2 * scale
        joules = watts * seconds
        return joules, joules, joules, None

    def _book(self, low: float, mid: float, high: float, seconds: float, flag: Flag | None) -> None:
        self.low_joules += low
        self.joules += mid
        self.high_joules += high
        self.covered_s += seconds
        if flag is None:
            self._power_w = mid / seconds
            self._highest_w = max(self._highest_w, self._power_w)
            if seconds >= self.interval_s * WHOLE_INTERVAL:
                self.lowest_w = self._power_w if self.lowest_w is None else min(self.lowest_w, self._power_w)
        else:
            self.gap_s += seconds

    @property
    def rest_joules(self) -> float | None:
        """Energy at the lowest power seen, over the time covered [J]; None before a whole interval has passed."""
        return None if self.lowest_w is None else self.lowest_w * self.covered_s

    @property
    def power_w(self) -> float | None:
        """Power in the last interval without a flag [W]."""
        return self._power_w

    @property
    def span_ns(self) -> int:
        """Time of the last reading [ns]."""
        return self._at_ns


def intervals(channel: Channel, readings: Iterator[tuple[int, int | None]], interval_s: float) -> list[Interval]:
    """All intervals of one series of readings (time [ns], value [counts])."""
    integrator = Integrator(channel, interval_s)
    closed = (integrator.add(at_ns, value) for at_ns, value in readings)
    return [interval for interval in closed if interval is not None]


def rest_joules(taken: Sequence[Interval], interval_s: float) -> float | None:
    """Energy at the lowest power of any whole interval, over the time covered [J]; as `Integrator.rest_joules`."""
    least = interval_s * WHOLE_INTERVAL
    powers = [
        one.joules / seconds
        for one in taken
        if one.flag is None and (seconds := (one.end_ns - one.start_ns) / NANOSECONDS) >= least
    ]
    return min(powers) * sum((one.end_ns - one.start_ns) / NANOSECONDS for one in taken) if powers else None


def union(series: Sequence[Sequence[Interval]]) -> list[Interval]:
    """Intervals of one device read by several processes, so that no time is counted twice.

    The longest series is taken whole; the others only fill the time it does not cover, by share of their intervals.
    """
    ordered = sorted((one for one in series if one), key=lambda one: one[0].start_ns - one[-1].end_ns)
    taken: list[Interval] = []
    for one in ordered:
        covered = _cover(taken)
        taken = sorted([*taken, *(piece for interval in one for piece in _outside(interval, covered))])
    return taken


def _cover(taken: Sequence[Interval]) -> list[tuple[int, int]]:
    """Stretches of time without a hole, in order."""
    stretches: list[tuple[int, int]] = []
    for interval in taken:
        if stretches and interval.start_ns <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], interval.end_ns))
        else:
            stretches.append((interval.start_ns, interval.end_ns))
    return stretches


def _outside(interval: Interval, covered: Sequence[tuple[int, int]]) -> list[Interval]:
    """The pieces of an interval that no stretch covers."""
    pieces: list[Interval] = []
    at_ns = interval.start_ns
    for start_ns, end_ns in covered:
        if end_ns <= at_ns:
            continue
        if start_ns >= interval.end_ns:
            break
        if start_ns > at_ns:
            pieces.append(_cut(interval, at_ns, start_ns))
        at_ns = max(at_ns, end_ns)
    if at_ns < interval.end_ns:
        pieces.append(_cut(interval, at_ns, interval.end_ns))
    return pieces


def _cut(whole: Interval, start_ns: int, end_ns: int) -> Interval:
    part = (end_ns - start_ns) / (whole.end_ns - whole.start_ns)
    return Interval(
        start_ns, end_ns, whole.joules * part, whole.low_joules * part, whole.high_joules * part, whole.flag
    )
