"""Meters on our own machine: samples in a journal.

The package is the verb of the public surface as well: ``joulebook.measure("train")`` is a `Span`. A module may have a
class of its own (Python reference, "Customizing module attribute access"); this one's class has `__call__`, nothing
else. So ``import joulebook.measure.rapl`` and ``joulebook.measure(...)`` both mean what they say, in any order.

The way of the data: `discover` finds readers -> each `reading.Reader` opens its channels -> `recorder` samples them
into a `journal` and a `tally` -> `replay` counts journals of many processes as one run -> `summary`.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from joulebook.measure.reading import Reader
    from joulebook.measure.span import Span


class CallableMeasure(ModuleType):
    """The class of this package: a module that measures when it is called."""

    def __call__(
        self,
        name: str | None = None,
        *,
        project: str | None = None,
        team: str | None = None,
        tags: Mapping[str, str] | None = None,
        provider: str | None = None,
        region: str | None = None,
        interval_s: float = 1.0,
        meters: Sequence[str] = (),
        folder: Path | None = None,
        readers: "Sequence[Reader] | None" = None,
    ) -> "Span":
        """Measure a part of a program: ``with joulebook.measure("train") as m:``, or as a decorator.

        Args:
            name: what it is called; a decorated function's own name by default.
            project: what it is for.
            team: who it is for.
            tags: more words about it.
            provider: who hosts the machine, such as ``aws``; None takes what the environment
                (``JOULEBOOK_PROVIDER``) or a file of settings (``[place]``) says, else it is unknown.
            region: the provider's region, or a country such as ``KOR``; likewise.
            interval_s: seconds between two samples.
            meters: names of readers (`joulebook doctor` lists them); all by default.
            folder: where the journal is kept; beside the book by default.
            readers: readers of your own, instead of `meters`.

        Returns:
            a `Span`: ``m.tokens(output=...)``, ``m.metric("accuracy", 0.93)``, ``m.summary()``.
        """
        from joulebook.measure.span import span  # noqa: PLC0415  (loaded when first used)

        return span(
            name,
            project=project,
            team=team,
            tags=tags,
            provider=provider,
            region=region,
            interval_s=interval_s,
            meters=meters,
            folder=folder,
            readers=readers,
        )


sys.modules[__name__].__class__ = CallableMeasure
