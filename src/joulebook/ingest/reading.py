"""Many log files read into batches of rows, large amounts by several processes at once."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from joulebook.ingest.beside import Beside, processors
from joulebook.ingest.home import LogFile
from joulebook.ingest.task import Answer, Task, read_task
from joulebook.terms.blocks import table_types
from joulebook.terms.usage import USAGE_COLUMNS

BESIDE_BYTES = 64_000_000
"""From here on it is worth to start processes."""

TASK_BYTES = 16_000_000
TASK_FILES = 256
"""What one process reads at a time."""


class Reading:
    """Log files being read; large amounts by several processes, which begin at once.

    Args:
        files: the files, those of an agent together.
        settled: as of `Task`.

    Attributes:
        is_beside: whether other processes read them.
    """

    def __init__(self, files: Iterable[LogFile], settled: datetime) -> None:
        self._groups = list(_grouped(files))
        self._bytes = sum(size for _files, size in self._groups)
        self._settled = settled
        self.is_beside = self._bytes >= BESIDE_BYTES and processors() > 1
        most = min(processors(), len(self._groups))
        self._beside = Beside(read_task, self._tasks(), most) if self.is_beside else None

    def answers(self, done: Callable[[int, int], None] | None = None) -> Iterator[tuple[list[LogFile], Answer]]:
        """What groups of files hold, in their order; a file that cannot be read is a finding, and the others go on.

        Args:
            done: told the bytes of the files that are read so far, and of all.
        """
        answers = iter(self._beside or map(read_task, self._tasks()))
        read = 0
        for (files, size), answer in zip(self._groups, answers, strict=True):
            yield files, answer
            read += size
            if done is not None:
                done(read, self._bytes)

    def _tasks(self) -> Iterator[Task]:
        types = table_types(USAGE_COLUMNS)
        for files, _size in self._groups:
            yield Task(files, self._settled, types)

    def close(self) -> None:
        """End the processes."""
        if self._beside is not None:
            self._beside.close()


def _grouped(given: Iterable[LogFile]) -> Iterator[tuple[list[LogFile], int]]:
    """The files in their order, so many at a time that the answer is worth the way; agents apart."""
    files: list[LogFile] = []
    size = 0
    for file in given:
        if files and (size + file.size > TASK_BYTES or len(files) >= TASK_FILES or files[-1].reader != file.reader):
            yield files, size
            files, size = [], 0
        files.append(file)
        size += file.size
    if files:
        yield files, size
