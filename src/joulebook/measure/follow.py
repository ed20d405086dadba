"""Following journals that are being written: what a run uses now, without disturbing it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from joulebook.errors import JournalUnreadable
from joulebook.measure.journal import FORMAT
from joulebook.measure.reading import Absence, Channel
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
        tally: totals so far; None until the channels are known.
        has_ended: True when the end was read.
    """

    path: Path
    name: str = ""
    run: str = ""
    tally: Tally | None = None
    has_ended: bool = False
    _offset: int = 0
    _interval_s: float = 1.0
    _absences: list[Absence] = field(default_factory=list)
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
        elif kind == "channels":
            channels = [Channel.from_record(one) for one in record["channels"]]
            machine = Machine.from_record(record["machine"]) if record.get("machine") else None
            self.tally = Tally(channels, machine, self._interval_s)
            self._absences = [absence_from(one) for one in record.get("absences", ())]
        elif kind == "s" and self.tally is not None:
            self.tally.add_record(record)
        elif kind == "end":
            self.has_ended = True

    def components(self) -> tuple[ComponentEnergy, ...]:
        """Energy so far by component."""
        if self.tally is None:
            return ()
        energies = [
            ChannelEnergy(one.channel, one.low_joules, one.joules, one.high_joules, one.gap_s)
            for one in self.tally.integrators
        ]
        return components(energies, self._absences)

    @property
    def power_w(self) -> float | None:
        """Power of all top-level channels in the last interval [W]; None where none tells."""
        if self.tally is None:
            return None
        known = [
            one.power_w * one.channel.share
            for one in self.tally.integrators
            if one.power_w is not None and not one.channel.within and not one.channel.contains
        ]
        return sum(known) if known else None

    @property
    def load_ratio(self) -> float | None:
        """How busy the allotted part of the machine was when it was last read, 0..1; None before."""
        return self._load_ratio
