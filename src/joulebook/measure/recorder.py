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
from joulebook.measure.utilisation import UtilisationReader

FAST_PER_INTERVAL = 10
"""Readings per interval of a device that tells only power at an instant, on average."""

TREE_EVERY = 15
"""Samples from one reading of the program's own use to the next; its CPU time is cumulative, so nothing is lost."""

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
        self.tally = Tally(channels, self.machine, interval_s)
        self._fast_readers = self._readers_of(self.tally.fast_channels)
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
    def is_own_process(self) -> bool:
        """False in a forked child, which must leave the parent's journal alone."""
        return os.getpid() == self._pid

    def sample(self, *, is_tree_read: bool = True) -> None:
        """Read everything once, count it and write it down.

        Args:
            is_tree_read: False leaves out what the program itself uses, the dearest of the readings, and how busy the
                machine is where a meter reads its energy and no estimate stands on it.
        """
        with self._lock:
            at_ns, wall_ns = self._clock.elapsed_ns(), self._clock.wall_ns()
            values: list[int | None] = []
            for reader in self._readers:
                values += reader.read()
            use = self._utilisation.use(is_tree_read=is_tree_read) if is_tree_read or self._is_load_watched else None
            fast, self._fast = self._fast, []
            self.tally.add(at_ns, wall_ns, values, use)
            extra = f',"f":{json.dumps(fast, separators=(",", ":"))}' if fast else ""
            numbers = ",".join(map(str, values)).replace("None", "null")
            if use is not None:
                extra = f',"u":[{use.tree_cpu_us},{use.tree_memory_bytes},{use.busy_us}]{extra}'
            self.journal.write_line(
                f'{{"k":"s","n":{self.tally.sample_count},"t":{at_ns},"w":{wall_ns},"v":[{numbers}]{extra}}}'
            )

    def sample_fast(self) -> None:
        """Read only the devices that tell nothing but power at an instant."""
        with self._lock:
            at_ns = self._clock.elapsed_ns()
            values: list[int | None] = []
            for reader, places in self._fast_readers:
                read = reader.read()
                values += [read[place] for place in places]
            self.tally.add_fast(at_ns, values)
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
        while not self._clock.wait(self._stop, self._pause_s(due, ticks)):
            due += 1
            try:
                if due % ticks:
                    self.sample_fast()
                else:
                    self.sample(is_tree_read=due // ticks % TREE_EVERY == 0)
            except Exception as error:  # noqa: BLE001  (a fault of the meter must not end the program it measures)
                self.failure = error
                self.note({"k": "note", "what": "meter-failed", "error": type(error).__name__})
                return

    def _pause_s(self, due: int, ticks: int) -> float:
        if ticks == 1:
            return self._interval_s
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
