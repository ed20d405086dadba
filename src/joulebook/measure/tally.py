"""Running totals of one process's readings; the same code counts live and from the journal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from joulebook.measure.clock import NANOSECONDS
from joulebook.measure.integrate import GAP_INTERVALS, Integrator, Interval
from joulebook.measure.process_tree import MICRO
from joulebook.measure.reading import Channel, Kind
from joulebook.measure.utilisation import Machine, Use

STEPS = 20
"""Steps of utilisation from idle to full that are told apart: power does not rise in a straight line."""

ZEROS = (0.0,) * STEPS
"""Nothing in any step."""

CLOCK_JUMP_NS = 2 * NANOSECONDS
"""A difference between wall and monotonic time that changes by more than this is a jump of the wall clock."""


class UseTally:
    """Use of the machine over time.

    Attributes:
        seconds: time covered [s].
        tree_cpu_s: CPU time of the measured program [s].
        busy_cpu_s: CPU time of everything in the allotted part [s].
        memory_byte_s: resident memory of the program integrated over time [byte s].
        watched_busy_cpu_s: CPU time of everything up to the last reading of the program [s]; the program's part is of
            this, since the program is read less often.
        step_s: seconds spent in each step of utilisation.
        step_busy_s: CPU seconds used in each.
    """

    __slots__ = (
        "_last", "_last_tree", "_load", "busy_cpu_s", "memory_byte_s", "seconds", "step_busy_s", "step_s", "threads",
        "tree_cpu_s", "watched_busy_cpu_s",
    )  # fmt: skip

    def __init__(
        self,
        threads: float = 1.0,
        seconds: float = 0.0,
        tree_cpu_s: float = 0.0,
        busy_cpu_s: float = 0.0,
        memory_byte_s: float = 0.0,
        step_s: Sequence[float] = ZEROS,
        step_busy_s: Sequence[float] = ZEROS,
        watched_busy_cpu_s: float = 0.0,
    ) -> None:
        self.threads, self.seconds = threads, seconds
        self.tree_cpu_s, self.busy_cpu_s, self.memory_byte_s = tree_cpu_s, busy_cpu_s, memory_byte_s
        self.step_s, self.step_busy_s = list(step_s), list(step_busy_s)
        self.watched_busy_cpu_s = watched_busy_cpu_s
        self._last: tuple[int, int] | None = None
        self._last_tree: tuple[int, int, int] | None = None
        self._load = 0.0

    def _told(self) -> tuple[Any, ...]:
        sums = (self.threads, self.seconds, self.tree_cpu_s, self.busy_cpu_s, self.memory_byte_s)
        return (*sums, self.step_s, self.step_busy_s, self.watched_busy_cpu_s)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UseTally) and self._told() == other._told()

    __hash__ = None

    def add(self, at_ns: int, use: Use) -> None:
        """Take one reading of the use."""
        last, self._last = self._last, (at_ns, use.busy_us)
        if last is not None and at_ns > last[0]:
            seconds = (at_ns - last[0]) / NANOSECONDS
            busy_s = min(max(0, use.busy_us - last[1]) / MICRO, seconds * self.threads)
            self._load = busy_s / seconds
            self._spend(seconds, busy_s)
        if use.tree_cpu_us is not None and use.tree_memory_bytes is not None:
            self._add_tree(at_ns, use.tree_cpu_us, use.tree_memory_bytes)

    def _add_tree(self, at_ns: int, cpu_us: int, memory_bytes: int) -> None:
        last, self._last_tree = self._last_tree, (at_ns, cpu_us, memory_bytes)
        if last is not None and at_ns > last[0]:
            self.tree_cpu_s += max(0, cpu_us - last[1]) / MICRO
            self.memory_byte_s += (memory_bytes + last[2]) / 2 * (at_ns - last[0]) / NANOSECONDS
            self.watched_busy_cpu_s = self.busy_cpu_s

    def until(self, at_ns: int) -> "UseTally":
        """The same at this time [ns], which further readings do not change.

        What was not read since the last reading is filled with the load before it: the load is read less often than
        counters are, and a run that is cut off ends between two readings.
        """
        sums = (self.threads, self.seconds, self.tree_cpu_s, self.busy_cpu_s, self.memory_byte_s)
        now = UseTally(*sums, self.step_s, self.step_busy_s, self.watched_busy_cpu_s)
        seconds = 0.0 if self._last is None else (at_ns - self._last[0]) / NANOSECONDS
        if seconds > 0 and self.seconds > 0:
            now._spend(seconds, self._load * seconds)
        return now

    def _spend(self, seconds: float, busy_s: float) -> None:
        step = min(STEPS - 1, int(STEPS * busy_s / (seconds * self.threads)))
        self.seconds += seconds
        self.busy_cpu_s += busy_s
        self.step_s[step] += seconds
        self.step_busy_s[step] += busy_s

    def since(self, then: "UseTally") -> "UseTally":
        """What was used after an earlier time."""
        return UseTally(
            self.threads,
            self.seconds - then.seconds,
            self.tree_cpu_s - then.tree_cpu_s,
            self.busy_cpu_s - then.busy_cpu_s,
            self.memory_byte_s - then.memory_byte_s,
            [now - before for now, before in zip(self.step_s, then.step_s, strict=True)],
            [now - before for now, before in zip(self.step_busy_s, then.step_busy_s, strict=True)],
            self.watched_busy_cpu_s - then.watched_busy_cpu_s,
        )


class Tally:
    """Energy by channel, use, and what went wrong, of one process.

    Args:
        channels: the channels, in the order of a sample's values.
        machine: the machine the readings are from.
        interval_s: sampling interval [s].
        keeps_intervals: True keeps every interval, as the union over processes needs.
    """

    def __init__(
        self, channels: Sequence[Channel], machine: Machine | None, interval_s: float, *, keeps_intervals: bool = False
    ) -> None:
        self.channels, self.machine, self.interval_s = channels, machine, interval_s
        self.keeps_intervals = keeps_intervals
        self.integrators = [Integrator(channel, interval_s) for channel in channels]
        self.series: list[list[Interval]] = [[] for _channel in channels]
        self.use = UseTally(machine.allotted_threads if machine is not None else 1.0)
        self.sample_count = self.first_ns = self.last_ns = self.first_wall_ns = 0
        self.lost_reads = self.clock_jump_count = self._offset_ns = 0
        self._fast = tuple(place for place, channel in enumerate(channels) if channel.kind is Kind.POWER)

    @property
    def fast_channels(self) -> Sequence[int]:
        """Places of the channels that tell only power at an instant and are read more often."""
        return self._fast

    def add(self, at_ns: int, wall_ns: int, values: Sequence[int | None], use: Use | None) -> None:
        """Take one sample."""
        if self.sample_count == 0:
            self.first_ns, self.first_wall_ns = at_ns, wall_ns
        elif abs(wall_ns - at_ns - self._offset_ns) > CLOCK_JUMP_NS:
            self.clock_jump_count += 1
        self._offset_ns = wall_ns - at_ns
        self.sample_count += 1
        self.last_ns = max(self.last_ns, at_ns)
        for place, value in enumerate(values):
            self._take(place, at_ns, value)
        if use is not None:
            self.use.add(at_ns, use)

    def add_fast(self, at_ns: int, values: Iterable[int | None]) -> None:
        """Take power at an instant of the `fast_channels`."""
        for place, value in zip(self._fast, values, strict=True):
            self._take(place, at_ns, value)

    def _take(self, place: int, at_ns: int, value: int | None) -> None:
        if value is None:
            self.lost_reads += 1
            return
        if not self.keeps_intervals:
            self.integrators[place].advance(at_ns, value)
            return
        interval = self.integrators[place].add(at_ns, value)
        if interval is not None:
            self.series[place].append(interval)

    def add_record(self, record: Mapping[str, Any]) -> None:
        """Take one sample as the journal keeps it.

        Raises:
            KeyError, TypeError, ValueError: the record is not a sample of these channels.
        """
        numbers = (record["t"], record["w"], *(value for value in record["v"] if value is not None))
        if len(record["v"]) != len(self.channels) or not all(isinstance(number, int) for number in numbers):
            msg = "a sample has other values than these channels have"
            raise ValueError(msg)
        for at_ns, *values in record.get("f", ()):
            self.add_fast(at_ns, values)
        use = record.get("u")
        self.add(record["t"], record["w"], record["v"], Use(*use) if use else None)

    def use_so_far(self) -> UseTally:
        """Use up to the last sample; further ones do not change it."""
        return self.use.until(self.last_ns)

    @property
    def duration_s(self) -> float:
        """Time between the first and the last sample [s]."""
        return (self.last_ns - self.first_ns) / NANOSECONDS

    @property
    def end_wall_ns(self) -> int:
        """Wall time of the end: wall time of the start plus monotonic time, so that a jump does not matter."""
        return self.first_wall_ns + self.last_ns - self.first_ns

    @property
    def has_gap(self) -> bool:
        """Whether a pause longer than some intervals was seen on any channel."""
        return any(one.gap_s > GAP_INTERVALS * self.interval_s for one in self.integrators)

    def joules(self) -> list[tuple[float, float, float]]:
        """Low, mid and high of every channel so far [J]."""
        return [(one.low_joules, one.joules, one.high_joules) for one in self.integrators]
