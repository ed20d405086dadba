"""From journals to the result: one process, or all processes and hosts of a run, each device counted once."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from joulebook.errors import InputUnreadable, JournalUnreadable, translatable
from joulebook.measure.clock import NANOSECONDS
from joulebook.measure.integrate import GAP_INTERVALS, Interval, rest_joules, union
from joulebook.measure.journal import FORMAT, SUFFIX, Journal, read_journal
from joulebook.measure.reading import Absence, Channel
from joulebook.measure.summary import (
    ChannelEnergy,
    HostSummary,
    Notice,
    RunSummary,
    SpanSummary,
    absence_from,
    components,
    utc,
)
from joulebook.measure.tally import Tally, UseTally
from joulebook.measure.utilisation import Machine


class Replayed(NamedTuple):
    """One journal, counted."""

    journal: Journal
    tally: Tally
    absences: list[Absence]
    spans: list[SpanSummary]

    @property
    def host_key(self) -> tuple[str, str]:
        """Host and boot."""
        return self.journal.begin["host"], self.journal.begin["boot"]


def replay(journal: Journal) -> Replayed:
    """Count one journal again.

    Raises:
        JournalUnreadable: its beginning is missing or of another version.
    """
    begin, head = journal.begin, journal.channels
    if begin.get("format") != FORMAT or not head:
        raise JournalUnreadable(file=str(journal.path), format=FORMAT)
    try:
        channels = [Channel.from_record(record) for record in head["channels"]]
        machine = Machine.from_record(head["machine"]) if head.get("machine") else None
        absences = [absence_from(record) for record in head.get("absences", ())]
        tally = Tally(channels, machine, begin["interval_s"], keeps_intervals=True)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalUnreadable(file=str(journal.path), format=FORMAT) from error
    replayed = Replayed(journal, tally, absences, [])
    opened: dict[int, OpenSpan] = {}
    for record in journal.records:
        if record["k"] == "s":
            try:
                tally.add_record(record)
            except (KeyError, TypeError, ValueError):
                journal.torn_count += 1  # a sample that is not one of these channels; the notice tells
        elif record["k"] == "span" and record["at"] == "begin":
            opened[record["id"]] = OpenSpan(
                _full_name(record, opened), tally.last_ns, tally.joules(), tally.use_so_far()
            )
        elif record["k"] == "span" and record["id"] in opened:
            replayed.spans.append(opened.pop(record["id"]).close(tally, replayed.absences, record))
    replayed.spans.extend(span.close(tally, replayed.absences, {"status": "open"}) for span in opened.values())
    return replayed


def _full_name(record: Mapping[str, Any], opened: Mapping[int, "OpenSpan"]) -> str:
    above = opened.get(record.get("parent", -1))
    return f"{above.name}/{record['name']}" if above is not None else record["name"]


class OpenSpan(NamedTuple):
    """A span that has begun: its name, when, and the totals and the use at that time."""

    name: str
    start_ns: int
    joules: Sequence[tuple[float, float, float]]
    use: UseTally

    def close(self, tally: Tally, absences: Iterable[Absence], record: Mapping[str, Any]) -> SpanSummary:
        """The span up to the last sample."""
        energies = [
            ChannelEnergy(channel, *(now - then for now, then in zip(end, start, strict=True)))
            for channel, start, end in zip(tally.channels, self.joules, tally.joules(), strict=True)
        ]
        return SpanSummary(
            self.name,
            (tally.last_ns - self.start_ns) / NANOSECONDS,
            components(energies, absences),
            tally.use_so_far().since(self.use),
            record.get("counts", {}),
            record.get("metrics", {}),
            record.get("status", "ok"),
        )


def read_run(folder: Path) -> RunSummary:
    """The result of one run from all journals in its folder.

    Raises:
        InputUnreadable: there is no readable journal.
    """
    journals = [read_journal(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    replayed = [replay(journal) for journal in journals if journal.begin and any(journal.samples())]
    if not replayed:
        raise InputUnreadable(
            file=str(folder),
            what=translatable("no journal with a sample."),
            next_step=translatable("`joulebook runs` lists what there is."),
        )
    return summarise(replayed)


def summarise(replayed: Sequence[Replayed]) -> RunSummary:
    """One result from the journals of one run, of all hosts and processes."""
    ordered = sorted(
        replayed, key=lambda one: (not one.journal.begin.get("wrapper"), one.journal.begin["rank"]["rank"])
    )
    first = ordered[0].journal
    hosts = tuple(_host([one for one in ordered if one.host_key == key]) for key in dict.fromkeys(_keys(ordered)))
    end = first.end
    started_ns = min(one.tally.first_wall_ns for one in ordered)
    return RunSummary(
        run=first.begin["run"],
        name=first.begin.get("name") or first.begin["run"],
        project=first.begin.get("project"),
        team=first.begin.get("team"),
        tags=first.begin.get("tags", {}),
        status=end["status"] if end else "running",
        code=end.get("code") if end else None,
        started_at=utc(started_ns),
        duration_s=(max(one.tally.end_wall_ns for one in ordered) - started_ns) / NANOSECONDS,
        hosts=hosts,
        spans=tuple(span for one in ordered for span in one.spans),
        notices=tuple(_notices(ordered)),
        provider=first.begin.get("provider"),
        region=first.begin.get("region"),
        is_booked=first.begin.get("booked", True),
    )


def _keys(replayed: Sequence[Replayed]) -> list[tuple[str, str]]:
    return [one.host_key for one in replayed]


def _host(own: Sequence[Replayed]) -> HostSummary:
    series: dict[tuple[str, str], list[list[Interval]]] = {}
    channels: dict[tuple[str, str], Channel] = {}
    for one in own:
        for channel, intervals in zip(one.tally.channels, one.tally.series, strict=True):
            known = channels.setdefault(channel.key, channel)
            channels[channel.key] = with_share(known, channel)
            series.setdefault(channel.key, []).append(intervals)
    interval_s = own[0].tally.interval_s
    energies = [_energy(channel, union(series[key]), interval_s) for key, channel in channels.items()]
    start = min(one.tally.first_ns for one in own)
    first = min(own, key=lambda one: one.tally.first_ns)
    return HostSummary(
        host=own[0].host_key[0],
        boot_id=own[0].host_key[1],
        started_at=utc(first.tally.first_wall_ns),
        duration_s=(max(one.tally.last_ns for one in own) - start) / NANOSECONDS,
        components=components(energies, [absence for one in own for absence in one.absences]),
        machine=first.tally.machine,
        use=_use(own),
        process_count=len(own),
    )


def with_share(known: Channel, other: Channel) -> Channel:
    """One device read by two processes: the parts of it that are theirs are added, each once."""
    names = set(known.share_name.split("|"))
    if other.share_name in names:
        return known
    share = min(1.0, known.share + other.share)
    return known._replace(share=share, share_name=f"{known.share_name}|{other.share_name}")


def _energy(channel: Channel, intervals: Sequence[Interval], interval_s: float) -> ChannelEnergy:
    return ChannelEnergy(
        channel,
        sum(one.low_joules for one in intervals),
        sum(one.joules for one in intervals),
        sum(one.high_joules for one in intervals),
        sum((one.end_ns - one.start_ns) / NANOSECONDS for one in intervals if one.flag is not None),
        rest_joules(intervals, interval_s),
    )


def _use(own: Sequence[Replayed]) -> UseTally:
    """Use of the host: a wrapper sees everything below it; without one, ranks are added."""
    wrapper = next((one for one in own if one.journal.begin.get("wrapper")), None)
    if wrapper is not None:
        return wrapper.tally.use_so_far()
    uses = [one.tally.use_so_far() for one in own]
    joined = max(uses, key=lambda use: use.seconds)
    joined.tree_cpu_s = sum(use.tree_cpu_s for use in uses)
    joined.watched_busy_cpu_s = max(use.watched_busy_cpu_s for use in uses)
    joined.memory_byte_s = sum(use.memory_byte_s for use in uses)
    return joined


def _notices(replayed: Sequence[Replayed]) -> list[Notice]:
    found: list[Notice] = []
    tallies = [one.tally for one in replayed]
    ends = [one.journal.end for one in replayed]
    if any(one.reset_count for tally in tallies for one in tally.integrators):
        found.append(Notice("reset"))
    gaps = [one.gap_s for tally in tallies for one in tally.integrators if one.gap_s > GAP_INTERVALS * tally.interval_s]
    if gaps:
        found.append(Notice("gap", {"seconds": f"{max(gaps):.0f}"}))
    if any(tally.clock_jump_count for tally in tallies):
        found.append(Notice("clock-jump"))
    if any(end is not None and end["status"] == "cut-off" for end in ends):
        found.append(Notice("cut-off"))
    if any(end is None for end in ends):
        found.append(Notice("still-running"))
    for code, count in (
        ("lost-records", sum(end.get("lost_records", 0) for end in ends if end)),
        ("torn", sum(one.journal.torn_count for one in replayed)),
        ("device-lost", sum(tally.lost_reads for tally in tallies)),
    ):
        if count:
            found.append(Notice(code, {"count": str(count)}))
    return found
