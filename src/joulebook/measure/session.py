"""One measuring session of this process: opened by the first span, closed by the last."""

import atexit
import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from joulebook.measure.clock import Clock, SystemClock
from joulebook.measure.discover import readers
from joulebook.measure.identity import (
    boot_id,
    host_name,
    journal_folder,
    process_start,
    rank_of,
    run_of,
    settled_place,
)
from joulebook.measure.journal import FORMAT, SUFFIX
from joulebook.measure.process_tree import ProcessTree
from joulebook.measure.reading import NOTHING, Reader
from joulebook.measure.recorder import Recorder
from joulebook.measure.recover import close_cut_off, mark_open
from joulebook.measure.replay import OpenSpan
from joulebook.measure.summary import ChannelEnergy, HostSummary, Notice, RunSummary, SpanSummary, components, utc
from joulebook.measure.utilisation import UtilisationReader


class Settings(NamedTuple):
    """What a session is told.

    Attributes:
        name, project, team, tags: what the user calls the run.
        provider, region: where the machine stands, as far as the user says.
        interval_s: seconds between two samples.
        meters: names of readers; () asks all.
        folder: folder of the journals; None is the default.
        run: name of the run; None takes the wrapper's, the parallel job's, or a fresh one.
        is_wrapper: True for a process that only measures its child.
        is_booked: False for a run that is to stay out of the book.
        readers: readers made by the caller, instead of `meters`.
        clock: time.
    """

    name: str | None = None
    project: str | None = None
    team: str | None = None
    tags: Mapping[str, str] = NOTHING
    provider: str | None = None
    region: str | None = None
    interval_s: float = 1.0
    meters: Sequence[str] = ()
    folder: Path | None = None
    run: str | None = None
    is_wrapper: bool = False
    is_booked: bool = True
    readers: Sequence[Reader] | None = None
    clock: Clock | None = None


class Session:
    """Samples this process's meters from `open` to `close`.

    Where the journal cannot be written, everything is counted all the same and the summary says so.

    Raises:
        UnknownName: a named meter does not exist.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = journal_folder(settings.folder)
        rank = rank_of(os.environ)
        self.run = settings.run or run_of(os.environ, rank)
        self._span_count = 0
        self._open_spans: dict[int, OpenSpan] = {}
        self.spans: list[SpanSummary] = []
        self.status = "running"
        close_cut_off(self.folder)
        provider, region = settled_place(settings.provider, settings.region)
        pid = os.getpid()
        self.path = self._free_path(pid)
        begin: dict[str, Any] = {
            "format": FORMAT,
            "run": self.run,
            "host": host_name(),
            "boot": boot_id(),
            "pid": pid,
            "start": process_start(pid),
            "rank": {"launcher": rank.launcher, "rank": rank.rank, "world_size": rank.world_size},
            "name": settings.name,
            "project": settings.project,
            "team": settings.team,
            "tags": dict(settings.tags),
            "provider": provider,
            "region": region,
            "wrapper": settings.is_wrapper,
            "booked": settings.is_booked,
        }
        tree = ProcessTree(pid, is_root_counted=not settings.is_wrapper)
        self.recorder = Recorder(
            self.path,
            begin,
            list(settings.readers) if settings.readers is not None else readers(settings.meters),
            UtilisationReader(tree),
            settings.clock or SystemClock(),
            settings.interval_s,
        )
        self._mark = mark_open(self.folder, self.path)
        self._begin = begin

    def _free_path(self, pid: int) -> Path:
        """A name no earlier session of this process has taken."""
        for number in range(1_000_000):
            path = self.folder / self.run / f"{host_name()}-{pid}-{number}{SUFFIX}"
            try:
                if not path.exists():
                    return path
            except OSError:
                return path  # the folder may not be looked into, nor written
        raise FileExistsError(self.folder / self.run)

    def open(self) -> None:
        """Take the first sample and start the thread."""
        self.recorder.start()
        atexit.register(self.close, "exit")

    def close(self, status: str, code: int | None = None) -> None:
        """Take the last sample and write the end; a second call does nothing."""
        if self.status != "running" or not self.recorder.is_own_process:
            return
        self.status = status
        self.recorder.stop(status, code)
        for span_id in list(self._open_spans):
            self._finish(span_id, {"status": "open"})
        with contextlib.suppress(OSError):  # a mark left behind is cleared by the next start
            self._mark.unlink(missing_ok=True)
        atexit.unregister(self.close)

    def begin_span(self, name: str, parent: int | None) -> int:
        """A named part begins now; its number."""
        with self.recorder.held():
            self.recorder.sample()
            self._span_count += 1
            span_id = self._span_count
            tally = self.recorder.tally
            above = self._open_spans.get(parent) if parent is not None else None
            full = f"{above.name}/{name}" if above is not None else name
            self._open_spans[span_id] = OpenSpan(full, tally.last_ns, tally.joules(), tally.use_so_far())
            self.recorder.note({"k": "span", "at": "begin", "id": span_id, "parent": parent, "name": name})
        return span_id

    def end_span(self, span_id: int, facts: Mapping[str, Any]) -> SpanSummary:
        """A named part ends now."""
        with self.recorder.held():
            self.recorder.sample()
            self.recorder.note({"k": "span", "at": "end", "id": span_id, **facts})
            return self._finish(span_id, facts)

    def _finish(self, span_id: int, facts: Mapping[str, Any]) -> SpanSummary:
        span = self._open_spans.pop(span_id).close(self.recorder.tally, self.recorder.absences, facts)
        self.spans.append(span)
        return span

    def summary(self) -> RunSummary:
        """What was measured so far, by this process alone."""
        with self.recorder.held():
            tally = self.recorder.tally
            energies = [
                ChannelEnergy(one.channel, one.low_joules, one.joules, one.high_joules, one.gap_s, one.rest_joules)
                for one in tally.integrators
            ]
            host = HostSummary(
                host=self._begin["host"],
                boot_id=self._begin["boot"],
                started_at=utc(tally.first_wall_ns),
                duration_s=tally.duration_s,
                components=components(energies, self.recorder.absences),
                machine=self.recorder.machine,
                use=tally.use_so_far(),
            )
            return RunSummary(
                run=self.run,
                name=self.settings.name or self.run,
                project=self.settings.project,
                team=self.settings.team,
                tags=self.settings.tags,
                status=self.status,
                code=None,
                started_at=utc(tally.first_wall_ns),
                duration_s=tally.duration_s,
                hosts=(host,),
                spans=tuple(self.spans),
                notices=tuple(self._notices()),
                provider=self.settings.provider,
                region=self.settings.region,
                is_booked=self.settings.is_booked,
            )

    def _notices(self) -> list[Notice]:
        tally = self.recorder.tally
        counted = (("lost-records", self.recorder.journal.lost_count), ("device-lost", tally.lost_reads))
        found = [Notice(code, {"count": str(count)}) for code, count in counted if count]
        if any(one.reset_count for one in tally.integrators):
            found.append(Notice("reset"))
        if tally.has_gap:
            found.append(Notice("gap", {"seconds": f"{max(one.gap_s for one in tally.integrators):.0f}"}))
        if tally.clock_jump_count:
            found.append(Notice("clock-jump"))
        return found


class _Shared:
    """The session that this process's spans share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.session: Session | None = None
        self.user_count = 0

    def forget(self) -> None:
        """In a forked child: the parent's session is not ours."""
        self.__init__()


_shared = _Shared()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_shared.forget)


def join_session(settings: Settings) -> Session:
    """The session of this process, opened with these settings where there is none yet."""
    with _shared.lock:
        if _shared.session is None or _shared.session.status != "running":
            session = Session(settings)
            session.open()
            _shared.session, _shared.user_count = session, 0
        _shared.user_count += 1
        return _shared.session


def leave_session(session: Session, status: str) -> None:
    """Close the session when its last user leaves."""
    with _shared.lock:
        _shared.user_count -= 1
        if _shared.user_count <= 0:
            with contextlib.suppress(OSError):  # the end could not be written; the next start closes the journal
                session.close(status)
            _shared.session = None
