"""Following journals that are being written: what a run uses now, without disturbing it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from joulebook.errors import JournalUnreadable
from joulebook.measure.journal import FORMAT
from joulebook.measure.reading import Absence, Channel
from joulebook.measure.replay import with_share
from joulebook.measure.summary import ChannelEnergy, ComponentEnergy, absence_from, components
from joulebook.measure.tally import Tally
from joulebook.measure.utilisation import Machine


@dataclass(slots=True)
class Follower:
    """One journal, read as far as it goes, and further with every `advance`.

    Attributes:
        path: the journal.
        name: what the run is called.
        run: its name, unique.
        host: whose machine it is from.
        is_wrapper: True where it is of the wrapper around a command, which sees all below it.
        tally: totals so far; None until the channels are known.
        has_ended: True when the end was read.
        absences: what it cannot read.
    """

    path: Path
    name: str = ""
    run: str = ""
    host: str = ""
    is_wrapper: bool = False
    tally: Tally | None = None
    has_ended: bool = False
    absences: list[Absence] = field(default_factory=list)
    _offset: int = 0
    _interval_s: float = 1.0
    _load_ratio: float | None = None

    def advance(self) -> None:
        """Read what was written since.

        Raises:
            OSError: the journal is gone.
            InputUnreadable: it is of another format.
        """
        before = (self.tally.use.busy_cpu_s, self.tally.use.seconds) if self.tally is not None else (0.0, 0.0)
        with self.path.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # still being written
                self._offset += len(line)
                self._take(line)
        if self.tally is not None and self.tally.use.seconds > before[1]:
            use = self.tally.use
            self._load_ratio = (use.busy_cpu_s - before[0]) / ((use.seconds - before[1]) * use.threads)

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
        except ValueError:
            return
        kind = record.get("k")
        if kind == "begin":
            if record.get("format") != FORMAT:
                raise JournalUnreadable(file=str(self.path), format=FORMAT)
            self.run, self._interval_s = record["run"], record["interval_s"]
            self.name = record.get("name") or record["run"]
            self.host, self.is_wrapper = record["host"], bool(record.get("wrapper"))
        elif kind == "channels":
            channels = [Channel.from_record(one) for one in record["channels"]]
            machine = Machine.from_record(record["machine"]) if record.get("machine") else None
            self.tally = Tally(channels, machine, self._interval_s)
            self.absences = [absence_from(one) for one in record.get("absences", ())]
        elif kind == "s" and self.tally is not None:
            self.tally.add_record(record)
        elif kind == "end":
            self.has_ended = True

    @property
    def load_ratio(self) -> float | None:
        """How busy the allotted part of the machine was when it was last read, 0..1; None before."""
        return self._load_ratio


def by_run(followers: Iterable[Follower]) -> list[list[Follower]]:
    """Journals of one run on one host together: the wrapper's first, then the one that has been measured longest."""
    groups: dict[tuple[str, str], list[Follower]] = {}
    for one in followers:
        groups.setdefault((one.run, one.host), []).append(one)
    return [sorted(group, key=lambda one: (not one.is_wrapper, -_seconds(one))) for group in groups.values()]


def _seconds(follower: Follower) -> float:
    return follower.tally.duration_s if follower.tally is not None else 0.0


def components_so_far(group: Sequence[Follower]) -> tuple[ComponentEnergy, ...]:
    """Energy so far by component, each device once, however many processes of the run read it."""
    found: dict[tuple[str, str], ChannelEnergy] = {}
    for follower in group:
        for one in follower.tally.integrators if follower.tally is not None else ():
            energy = ChannelEnergy(one.channel, one.low_joules, one.joules, one.high_joules, one.gap_s)
            known = found.setdefault(one.channel.key, energy)
            found[one.channel.key] = known._replace(channel=with_share(known.channel, one.channel))
    return components(list(found.values()), [absence for follower in group for absence in follower.absences])
