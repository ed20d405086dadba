"""Takes samples: reads every channel, counts, writes the journal; by itself in a thread, or when asked."""

import contextlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulebook.measure.clock import Clock, Stop
from joulebook.measure.journal import JournalWriter
from joulebook.measure.reading import Absence, Channel, Reader
from joulebook.measure.tally import Tally
from joulebook.measure.utilisation import Use, UtilisationReader

FAST_PER_INTERVAL = 10
"""Readings per interval of a device that tells only power at an instant, on average."""

TREE_EVERY = 60
"""Samples from one reading of the program's own use to the next, after the first, second, fourth, eighth ...; its CPU
time is cumulative, so nothing is lost, and a run that is cut off was watched for half of its time at least."""

LOAD_EVERY = 5
"""Samples from one reading of the machine's load to the next, after as many with one each. Its busy time is cumulative
as well, and the curves from load to power were measured over minutes of mixed load: finer grain is not truer."""

COUNT_EVERY = 30
"""Samples that are written one by one but counted together: after a second of sleep code is no longer in the
processor's caches, so that thirty in a row cost little more than one."""

SAMPLE = b'{"k":"s","n":%d,"t":%d,"w":%d,"v":%a}\n'
"""The line of a sample: number, elapsed and wall time [ns], values; Python's text of whole numbers is JSON."""

GOLDEN_RATIO = (5**0.5 - 1) / 2
"""Steps of this fraction never fall into step with a load that repeats; so do the pauses between fast readings."""


class Recorder:
    """Samples one process's meters into one journal.

    Args:
        path: the journal's file.
        begin: the first record, without ``k``.
        readers: what is read.
        utilisation: how busy machine and program are.
        clock: time.
        interval_s: seconds between two samples.
    """

    def __init__(
        self,
        path: Path,
        begin: Mapping[str, Any],
        readers: Sequence[Reader],
        utilisation: UtilisationReader,
        clock: Clock,
        interval_s: float = 1.0,
    ) -> None:
        self._clock = clock
        self._interval_s = interval_s
        self._utilisation = utilisation
        self._lock = threading.RLock()
        self._stop = Stop()
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._fast: list[list[int | None]] = []
        self.absences: list[Absence] = []
        self.failure: BaseException | None = None
        self._readers: list[Reader] = []
        self._channel_counts: list[int] = []
        channels = self._open(readers)
        self.machine = utilisation.machine()
        self._tally = Tally(channels, self.machine, interval_s)
        self._sample_count = 0
        self._uncounted: list[tuple[int, int, Sequence[int | None], Use | None]] = []
        self._fast_readers = self._readers_of(self._tally.fast_channels)
        self._is_load_watched = not any(channel.component in {"cpu", "node"} for channel in channels)
        self.journal = JournalWriter(path)
        self.journal.write({"k": "begin", **begin, "interval_s": interval_s})
        self.journal.write(
            {
                "k": "channels",
                "channels": [channel.as_record() for channel in channels],
                "absences": [_absence_record(absence) for absence in self.absences],
                "machine": self.machine.as_record(),
            }
        )

    def _open(self, readers: Sequence[Reader]) -> list[Channel]:
        channels: list[Channel] = []
        taken: set[tuple[str, str]] = set()
        for reader in readers:
            opened = reader.open()
            self.absences += opened.absences
            if any(channel.key in taken for channel in opened.channels) or not opened.channels:
                reader.close()
                continue
            taken |= {channel.key for channel in opened.channels}
            channels += opened.channels
            self._readers.append(reader)
            self._channel_counts.append(len(opened.channels))
        return channels

    def _readers_of(self, places: Sequence[int]) -> list[tuple[Reader, list[int]]]:
        """Readers of some channels, each with the places in its own list."""
        found: list[tuple[Reader, list[int]]] = []
        first = 0
        for reader, count in zip(self._readers, self._channel_counts, strict=True):
            own = [place - first for place in places if first <= place < first + count]
            if own:
                found.append((reader, own))
            first += count
        return found

    @property
    def tally(self) -> Tally:
        """Totals of all samples taken so far."""
        with self._lock:
            self._count()
        return self._tally

    def _count(self) -> None:
        """Count the samples that were only written so far."""
        taken, self._uncounted = self._uncounted, []
        for one in taken:
            self._tally.add(*one)

    @property
    def is_own_process(self) -> bool:
        """False in a forked child, which must leave the parent's journal alone."""
        return os.getpid() == self._pid

    def sample(self, *, is_load_read: bool = True, is_tree_read: bool = True) -> None:
        """Read everything once and write it down.

        Args:
            is_load_read: False leaves out how busy the machine is.
            is_tree_read: False leaves out what the program itself uses, the dearest of the readings.
        """
        with self._lock:
            at_ns, wall_ns = self._clock.elapsed_ns(), self._clock.wall_ns()
            values: list[int | None] = []
            for reader in self._readers:
                values += reader.read()
            use = self._utilisation.use(is_tree_read=is_tree_read) if is_load_read else None
            self._sample_count += 1
            line = SAMPLE % (self._sample_count, at_ns, wall_ns, values)
            if use is not None or self._fast or None in values:
                line = self._whole_line(line, use)
            self.journal.write_line(line)
            self._uncounted.append((at_ns, wall_ns, values, use))
            if self._fast_readers or len(self._uncounted) == COUNT_EVERY:
                self._count()

    def _whole_line(self, line: bytes, use: Use | None) -> bytes:
        """A sample's line with what is not in each."""
        extra = b"" if use is None else b',"u":%a' % list(use)
        if self._fast:
            extra += b',"f":' + json.dumps(self._fast, separators=(",", ":")).encode()
            self._fast = []
        return (line[:-2] + extra).replace(b"None", b"null") + b"}\n"

    def sample_fast(self) -> None:
        """Read only the devices that tell nothing but power at an instant."""
        with self._lock:
            at_ns = self._clock.elapsed_ns()
            values: list[int | None] = []
            for reader, places in self._fast_readers:
                read = reader.read()
                values += [read[place] for place in places]
            self._tally.add_fast(at_ns, values)
            self._fast.append([at_ns, *values])

    def note(self, record: Mapping[str, Any]) -> None:
        """Write a record that is not a sample."""
        with self._lock:
            self.journal.write(record)

    @contextlib.contextmanager
    def held(self) -> Any:  # noqa: ANN401  (a generator for `with`)
        """Nobody else samples or writes meanwhile."""
        with self._lock:
            yield self

    def start(self) -> None:
        """Take the first sample and go on in a thread of its own."""
        self.sample()
        self._thread = threading.Thread(target=self._run, name="joulebook-meter", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        ticks = FAST_PER_INTERVAL if self._fast_readers else 1
        due = 0
        wait, stop = self._clock.wait, self._stop
        while not wait(stop, self._interval_s if ticks == 1 else self._pause_s(due, ticks)):
            due += 1
            try:
                if due % ticks:
                    self.sample_fast()
                else:
                    self._sample_when_due(due // ticks)
            except Exception as error:  # noqa: BLE001  (a fault of the meter must not end the program it measures)
                self.failure = error
                self.note({"k": "note", "what": "meter-failed", "error": type(error).__name__})
                return

    def _sample_when_due(self, number: int) -> None:
        """A sample with what is due: the load only where no meter reads the processor and an estimate stands on it."""
        is_tree_read = number % TREE_EVERY == 0 or number & (number - 1) == 0
        is_load_read = is_tree_read or number <= LOAD_EVERY or (self._is_load_watched and number % LOAD_EVERY == 0)
        self.sample(is_load_read=is_load_read, is_tree_read=is_tree_read)

    def _pause_s(self, due: int, ticks: int) -> float:
        return self._interval_s / ticks * (0.5 + due * GOLDEN_RATIO % 1)

    def stop(self, status: str, code: int | None = None) -> None:
        """Take the last sample, write the end, let go of everything."""
        if not self.is_own_process:
            return
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self._lock:
            self.sample()
            self.journal.write(
                {
                    "k": "end",
                    "status": status,
                    "code": code,
                    "t": self._clock.elapsed_ns(),
                    "w": self._clock.wall_ns(),
                    "lost_records": self.journal.lost_count,
                }
            )
            self.journal.close()
            for reader in self._readers:
                reader.close()
            self._utilisation.close()
            self._stop.close()


def _absence_record(absence: Absence) -> dict[str, Any]:
    return {
        "component": absence.component,
        "reason": absence.reason,
        "remedy": absence.remedy,
        "facts": dict(absence.facts),
        "reader": absence.reader,
    }
