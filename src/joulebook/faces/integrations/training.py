"""What the callbacks of all training frameworks do: begin, note results, end."""

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import joulebook

if TYPE_CHECKING:
    from joulebook.measure.span import Span
    from joulebook.measure.summary import RunSummary


class TrainingMeter:
    """Measures one training at a time.

    Args:
        name: what the run is called.
        settings: what `joulebook.measure` takes: project, team, tags, interval_s, meters, folder.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self._name = name
        self._settings = dict(settings)
        self._span: Span | None = None
        self.summary: RunSummary | None = None

    def begin(self) -> None:
        """Start, where not started already."""
        if self._span is None:
            self._span = joulebook.measure(self._name, **self._settings)
            self._span.__enter__()

    def note(self, results: Mapping[str, Any]) -> None:
        """Keep the numbers among some results."""
        if self._span is None:
            return
        for name, value in results.items():
            number = value.item() if hasattr(value, "item") and getattr(value, "numel", lambda: 1)() == 1 else value
            if isinstance(number, Real) and not isinstance(number, bool):
                self._span.metric(name, float(number))

    def count(self, *, tokens: int = 0, flops: float = 0.0) -> None:
        """Keep how much was computed."""
        if self._span is not None:
            if tokens:
                self._span.tokens(input=tokens)
            if flops:
                self._span.flops(flops)

    def end(self, error: BaseException | None = None) -> "RunSummary | None":
        """End; what was measured."""
        span, self._span = self._span, None
        if span is not None:
            span.__exit__(type(error) if error is not None else None, error, None)
            self.summary = span.summary()
        return self.summary
