"""A named part of a program, measured: context manager and decorator, nested and concurrent."""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, cast

from joulebook.errors import UsageError, translatable
from joulebook.measure.reading import Reader
from joulebook.measure.session import Session, Settings, join_session, leave_session
from joulebook.measure.summary import RunSummary, SpanSummary

P = ParamSpec("P")
R = TypeVar("R")

_above: ContextVar[tuple[Session, int] | None] = ContextVar("joulebook_span", default=None)


class Span:
    """What `joulebook.measure(...)` gives: use it with ``with``, or as a decorator.

    The first span of a process opens the meters, the last one closes them; spans inside spans and spans in other
    threads share them, so that nothing is read or counted twice.
    """

    def __init__(self, name: str | None, settings: Settings) -> None:
        self._name = name
        self._settings = settings
        self._session: Session | None = None
        self._span_id = 0
        self._token: Token[tuple[Session, int] | None] | None = None
        self._counts: dict[str, float] = {}
        self._metrics: dict[str, float] = {}
        self.result: SpanSummary | None = None

    def __enter__(self) -> Self:
        if self._session is not None and self.result is None:
            raise UsageError(
                what=translatable("This span has begun already."),
                next_step=translatable("call joulebook.measure(...) once for each part."),
            )
        self.result = None
        above = _above.get()
        self._session = join_session(self._settings)
        parent = above[1] if above is not None and above[0] is self._session else None
        self._span_id = self._session.begin_span(self._name or "run", parent)
        self._token = _above.set((self._session, self._span_id))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session = self._open_session()
        status = "ok" if kind is None else "exception"
        facts = {"status": status, "counts": self._counts, "metrics": self._metrics}
        if session.status == "running" and session.recorder.is_own_process:
            self.result = session.end_span(self._span_id, facts)
        if self._token is not None:
            _above.reset(self._token)
        leave_session(session, status)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Measure every call of a function, coroutine functions included."""
        name = self._name or getattr(function, "__qualname__", "call")

        @functools.wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            with Span(name, self._settings):
                return function(*args, **kwargs)

        @functools.wraps(function)
        async def measured_coroutine(*args: P.args, **kwargs: P.kwargs) -> object:
            with Span(name, self._settings):
                return await cast("Awaitable[object]", function(*args, **kwargs))

        import inspect  # noqa: PLC0415  (dear to load; only decorators need it)

        return cast("Callable[P, R]", measured_coroutine) if inspect.iscoroutinefunction(function) else measured

    def tokens(self, input: int = 0, output: int = 0, **classes: int) -> None:  # noqa: A002  (the field's own word)
        """Count tokens; classes are those of the usage table, such as ``cache_read_tokens``."""
        for name, count in {"input_tokens": input, "output_tokens": output, **classes}.items():
            if count:
                self._counts[name] = self._counts.get(name, 0) + count

    def flops(self, count: float) -> None:
        """Count floating point operations."""
        self._counts["flops"] = self._counts.get("flops", 0.0) + count

    def metric(self, name: str, value: float) -> None:
        """Report a result such as accuracy or loss; the last value of a name is kept."""
        self._metrics[name] = float(value)

    @property
    def run(self) -> str:
        """Name of the run this span is part of."""
        return self._open_session().run

    def summary(self) -> RunSummary:
        """What the whole session measured so far, or in all when it has ended."""
        return self._open_session().summary()

    def _open_session(self) -> Session:
        if self._session is None:
            raise UsageError(
                what=translatable("This span has not begun."),
                next_step=translatable("use it with `with`, or as a decorator."),
            )
        return self._session


def span(
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
    readers: Sequence[Reader] | None = None,
) -> Span:
    """A span of that name, not begun yet; see `joulebook.measure`."""
    return Span(
        name,
        Settings(
            name=name,
            project=project,
            team=team,
            tags=dict(tags or {}),
            provider=provider,
            region=region,
            interval_s=interval_s,
            meters=tuple(meters),
            folder=folder,
            readers=readers,
        ),
    )
