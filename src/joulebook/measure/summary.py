"""The result of a run: energy by component, what is missing and why, what must be known to read it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from joulebook.errors import translatable
from joulebook.measure.clock import NANOSECONDS
from joulebook.measure.reading import NOTHING, Absence, Channel
from joulebook.measure.tally import UseTally
from joulebook.measure.utilisation import Machine
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert

COMPONENTS = ("gpu", "cpu", "memory", "node")
"""Parts of a machine, in the order in which they are shown."""

REST = " minus its parts"
"""Ends the method of what is left of a whole-board reading."""

NOTICES: Mapping[str, str] = {
    "reset": translatable("A counter began anew during the run; that interval was filled from the power before it."),
    "gap": translatable(
        "There was a pause of {seconds} s without readings (suspended, unplugged or a stopped process)."
    ),
    "clock-jump": translatable("The wall clock jumped; durations come from the monotonic clock and are right."),
    "cut-off": translatable("The program was cut off; at most one sampling interval is missing at the end."),
    "lost-records": translatable("{count} records could not be written (disk full?); energy is kept, detail is not."),
    "torn": translatable("{count} lines of the journal could not be read."),
    "device-lost": translatable("A device stopped answering for {count} readings."),
    "still-running": translatable("The program is still running; this is what was measured so far."),
}
"""What the reader of a result must know, by code."""


class Notice(NamedTuple):
    """Something the reader of a result must know: a key of `NOTICES` and what fills its text."""

    code: str
    facts: Mapping[str, str] = NOTHING


class ComponentEnergy(NamedTuple):
    """Energy of one component of one host.

    Attributes:
        component: gpu, cpu, memory or node (what is left of a whole-board reading after its measured parts).
        energy_kwh: low, mid, high [kWh]; None is missing, which is not zero.
        tier: how it is known; None where it is missing.
        method: how it was read, such as ``nvml.total_energy``; "" where it is missing.
        devices: names of the devices.
        device_count: how many devices, a slice of one as its share.
        gap_s: device seconds that were filled or not watched [s].
        rest_kwh: what the lowest power seen would have used over the same time [kWh]: at most this is idle, the rest is
            dynamic; None where no whole interval was read.
        reason: why it is missing, in English with placeholders; "" where it is not.
        remedy: what would change that, likewise.
        facts: what fills both.
    """

    component: str
    energy_kwh: Range | None
    tier: Tier | None
    method: str
    devices: tuple[str, ...] = ()
    gap_s: float = 0.0
    rest_kwh: float | None = None
    reason: str = ""
    remedy: str = ""
    facts: Mapping[str, str] = NOTHING
    device_count: float = 0.0


class SpanSummary(NamedTuple):
    """One named part of a run.

    Attributes:
        name: its name; nested spans carry the names above, with a slash.
        duration_s: how long it took [s].
        components: energy measured in it.
        use: use of the machine meanwhile, from which the estimator tells what no meter reads.
        counts: tokens and the like that the program reported.
        metrics: accuracy, loss and the like.
        status: ok, exception, open.
    """

    name: str
    duration_s: float
    components: tuple[ComponentEnergy, ...]
    use: UseTally
    counts: Mapping[str, float] = NOTHING
    metrics: Mapping[str, float] = NOTHING
    status: str = "ok"


class HostSummary(NamedTuple):
    """What was measured on one start of one machine."""

    host: str
    boot_id: str
    started_at: datetime
    duration_s: float
    components: tuple[ComponentEnergy, ...]
    machine: Machine | None
    use: UseTally
    process_count: int = 1

    @property
    def program_ratio(self) -> float | None:
        """The measured program's part of the busy processor time, 0..1; None where nothing was busy, or never seen."""
        if self.use.watched_busy_cpu_s <= 0:
            return None
        return min(1.0, self.use.tree_cpu_s / self.use.watched_busy_cpu_s)

    def component(self, name: str) -> ComponentEnergy:
        """One component.

        Raises:
            StopIteration: it is none of `COMPONENTS`.
        """
        return next(one for one in self.components if one.component == name)


class RunSummary(NamedTuple):
    """A whole run over all its processes and hosts.

    Attributes:
        run: its name, unique.
        name, project, team, tags: what the user called it.
        status: ok, exception, signal, cut-off, running, or the child's exit status.
        code: exit code of a wrapped command, or None.
        started_at: first sample (UTC).
        duration_s: from the first to the last sample of any process [s].
        hosts: one entry per host and boot.
        spans: named parts, in the order of their end.
        notices: what the reader must know.
        provider, region: where the machines stand, as far as the user said.
        is_booked: False where the run is to stay out of the book.
    """

    run: str
    name: str
    project: str | None
    team: str | None
    tags: Mapping[str, str]
    status: str
    code: int | None
    started_at: datetime
    duration_s: float
    hosts: tuple[HostSummary, ...]
    spans: tuple[SpanSummary, ...] = ()
    notices: tuple[Notice, ...] = ()
    provider: str | None = None
    region: str | None = None
    is_booked: bool = True

    @property
    def is_running(self) -> bool:
        """Whether one of its processes has not ended yet, as far as can be seen."""
        return any(notice.code == "still-running" for notice in self.notices)

    @property
    def components(self) -> tuple[ComponentEnergy, ...]:
        """Components of all hosts, in order."""
        return tuple(one for host in self.hosts for one in host.components)

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of every metric that any span reported."""
        return {name: value for span in self.spans for name, value in span.metrics.items()}

    @property
    def counts(self) -> dict[str, float]:
        """Sums of what the spans counted."""
        sums: dict[str, float] = {}
        for span in self.spans:
            for name, value in span.counts.items():
                sums[name] = sums.get(name, 0.0) + value
        return sums


class ChannelEnergy(NamedTuple):
    """Energy of one channel [J]: low, mid, high."""

    channel: Channel
    low_joules: float
    joules: float
    high_joules: float
    gap_s: float = 0.0
    rest_joules: float | None = None


def components(energies: Sequence[ChannelEnergy], absences: Iterable[Absence]) -> tuple[ComponentEnergy, ...]:
    """One entry per component: parts are not added to their whole, what nobody reads is missing."""
    missing = {absence.component: absence for absence in reversed(list(absences))}
    known = {energy.channel.key for energy in energies}
    tops = [
        energy
        for energy in energies
        if not any((energy.channel.device_uuid, name) in known for name in energy.channel.within)
    ]
    rows: dict[str, ComponentEnergy] = {}
    for name in COMPONENTS:
        own = [energy for energy in tops if energy.channel.component == name]
        if name == "node" and own:
            # two meters of a whole board (psys, the server's own, a module's) read the same energy: the first counts
            rows[name] = _rest([energy for energy in own if energy.channel.method == own[0].channel.method], rows)
        elif own:
            rows[name] = _sum(name, own)
        elif name in missing:
            rows[name] = _absent(missing[name])
        elif name in _ALWAYS:
            rows[name] = _absent(Absence(name, UNREAD, _UNREAD_REMEDY))
    return tuple(rows.values())


_ALWAYS = ("cpu", "memory")
"""Components that every machine has: where nothing reads them they are missing, and said to be."""

UNREAD = translatable("No meter of this machine reads it.")
"""The reason of a component that no reader looked for."""

_UNREAD_REMEDY = translatable("it is estimated from its use")


def _sum(name: str, own: Sequence[ChannelEnergy]) -> ComponentEnergy:
    joules = Range(
        sum(one.low_joules * one.channel.share * one.channel.share for one in own),
        sum(one.joules * one.channel.share for one in own),
        sum(one.high_joules for one in own),
    )
    return ComponentEnergy(
        component=name,
        energy_kwh=joules.scaled(convert(1.0, "J", "kWh")),
        tier=Tier.worst(*(one.channel.tier for one in own), *(Tier.DERIVED for one in own if _is_filled(one))),
        method="+".join(sorted({one.channel.method for one in own})),
        devices=tuple(one.channel.label for one in own),
        gap_s=sum(one.gap_s for one in own),
        rest_kwh=_rest_kwh(own),
        device_count=sum({one.channel.device_uuid: one.channel.share for one in own}.values()),
    )


def _rest_kwh(own: Sequence[ChannelEnergy]) -> float | None:
    known = [one.rest_joules * one.channel.share for one in own if one.rest_joules is not None]
    return convert(sum(known), "J", "kWh") if len(known) == len(own) else None


def _is_filled(one: ChannelEnergy) -> bool:
    return one.low_joules != one.high_joules


def _rest(own: Sequence[ChannelEnergy], rows: Mapping[str, ComponentEnergy]) -> ComponentEnergy:
    """A whole board, less the components inside it that have a reading of their own."""
    whole = _sum("node", own)
    inside = {name for one in own for name in one.channel.contains}
    parts = [row.energy_kwh for name, row in rows.items() if name in inside and row.energy_kwh is not None]
    if not parts or whole.energy_kwh is None:
        return whole
    low = whole.energy_kwh.low - sum(part.high for part in parts)
    mid = whole.energy_kwh.mid - sum(part.mid for part in parts)
    high = whole.energy_kwh.high - sum(part.low for part in parts)
    left = Range(max(0.0, low), max(0.0, mid), max(0.0, high))
    return ComponentEnergy(
        "node", left, Tier.worst(Tier.DERIVED, whole.tier or Tier.DERIVED), f"{whole.method}{REST}",
        whole.devices, whole.gap_s,
    )  # fmt: skip


def _absent(absence: Absence) -> ComponentEnergy:
    return ComponentEnergy(
        absence.component, None, None, "", reason=absence.reason, remedy=absence.remedy, facts=absence.facts
    )


def utc(wall_ns: int) -> datetime:
    """A wall time [ns since 1970] as an aware datetime."""
    return datetime.fromtimestamp(wall_ns / NANOSECONDS, tz=UTC)


def absence_from(record: Mapping[str, Any]) -> Absence:
    """An absence as a journal keeps it.

    Raises:
        KeyError: the record is not an absence.
    """
    return Absence(
        record["component"], record["reason"], record["remedy"], record.get("facts", {}), record.get("reader", "")
    )
