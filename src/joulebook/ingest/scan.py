"""One pass over the agents' logs of a home: what is new since the last pass, and what must still wait."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import cast

from joulebook.ingest.fullest import Fullest, Sink
from joulebook.ingest.home import LogFile, log_files
from joulebook.ingest.reading import Reading
from joulebook.terms.finding import Finding

SETTLING = timedelta(minutes=10)
"""An answer younger than this may still be streaming; its counts would be booked too low, so it waits."""

FileState = list[int]
"""Size [bytes] and time of change [ns], with its journal: a log that has both as before holds nothing new."""


@dataclass
class LogScan:
    """A pass over the logs.

    Attributes:
        home: the user's home, or another one.
        environment: variables that move an agent's home.
        now: the time of the pass.
        before: state of each file after the last pass, by path.
        after: the same after this pass; files with something that waits are left out, to be read again.
        files: log files per reader.
        unchanged: files that were not read, because nothing is new in them.
        waiting: answers that are too young to be booked.
        done: told how many bytes are read, of how many, as the pass goes on.
    """

    home: Path
    environment: Mapping[str, str]
    now: datetime
    before: Mapping[str, FileState] = field(default_factory=dict)
    after: dict[str, FileState] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    waiting: int = 0
    done: Callable[[int, int], None] | None = None

    _begun: Reading | None = field(default=None, init=False)
    _found: list[Finding] = field(default_factory=list, init=False)

    def begin(self) -> None:
        """Find the logs that changed since the last pass, and where there is much to read, begin to read it.

        Whoever calls it calls `close` in the end; `fill` begins where nobody did.
        """
        changed: list[LogFile] = []
        for found in log_files(self.home, self.environment):
            if isinstance(found, Finding):
                self._found.append(found)
            elif self._is_changed(found):
                changed.append(found)
        self._begun = Reading(changed, self.now - SETTLING)

    @property
    def is_beside(self) -> bool:
        """Whether other processes are reading, so that this one has time for something else."""
        return self._begun is not None and self._begun.is_beside

    def close(self) -> None:
        """End what is still being read."""
        if self._begun is not None:
            self._begun.close()

    def fill(self, sink: Sink, findings: list[Finding]) -> None:
        """Rows of logs that changed since the last pass, without those that wait.

        Args:
            sink: where the rows go.
            findings: what they are added to.
        """
        if self._begun is None:
            self.begin()
        reading = cast("Reading", self._begun)
        findings += self._found
        fullest = Fullest(sink)
        with closing(self):
            for _agent, answers in groupby(reading.answers(self.done), key=lambda one: one[0][0].reader):
                for files, answer in answers:
                    findings += answer.findings
                    while answer.batches:
                        fullest.add(answer.batches.pop(0), files)
                for path in fullest.close_agent():
                    self.waiting += 1
                    self.after.pop(path, None)

    def _is_changed(self, file: LogFile) -> bool:
        self.files[file.reader] += 1
        self.after[file.path] = [file.size, file.changed_ns]
        is_changed = self.before.get(file.path) != self.after[file.path]
        self.unchanged += not is_changed
        return is_changed
