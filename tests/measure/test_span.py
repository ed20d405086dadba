"""`joulebook.measure(...)`: nested and concurrent spans, decorators, what a program reports."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import joulebook
from joulebook.errors import UsageError
from joulebook.measure.replay import read_run


class Counting:
    """A reader whose counter rises by 1 J with every reading."""

    name = "counting"

    def __init__(self, channel):
        self.channel, self.millijoules = channel, 0

    def open(self):
        """One channel."""
        from joulebook.measure.reading import Opened

        return Opened([self.channel])

    def read(self):
        """One joule more."""
        self.millijoules += 1000
        return [self.millijoules]

    def close(self):
        """Nothing to do."""


@pytest.fixture
def measure(tmp_path, make_channel):
    """`joulebook.measure` with a counter that rises by 1 J with every sample, and no samples in between."""

    def make(name=None, **settings):
        return joulebook.measure(name, folder=tmp_path, interval_s=3600, readers=[Counting(make_channel())], **settings)

    return make


def joules(span):
    """Joules of a span's GPU."""
    return next(one.energy_kwh.mid for one in span.components if one.component == "gpu") * 3.6e6


def test_module_and_function():
    """The package can be called, and its modules can be imported, in any order."""
    import joulebook.measure.rapl

    assert callable(joulebook.measure)
    assert joulebook.measure.rapl.RaplReader
    text = "import joulebook.measure.journal, joulebook; joulebook.measure('a')"
    subprocess.run(
        [sys.executable, "-c", text], check=True, env={"PYTHONPATH": str(Path(joulebook.__file__).parents[1])}
    )


def test_nested(measure, tmp_path):
    """A span inside a span has its part of the energy and the outer name before its own."""
    with measure("train", project="p") as outer:
        with measure("epoch") as inner:
            pass
        with measure("epoch"):
            pass
    assert inner.result.name == "train/epoch"
    assert joules(inner.result) == pytest.approx(1)
    assert joules(outer.result) == pytest.approx(5)
    assert len(list(tmp_path.glob("*/*.journal"))) == 1


def test_recomputed_from_the_journal(measure, tmp_path):
    """What the journal gives is exactly what the program was told."""
    with measure("train", project="p", tags={"model": "x"}, region="KOR") as m, measure("inner"):
        m.metric("accuracy", 0.5)
        m.metric("accuracy", 0.9)
        m.tokens(input=100, output=20)
        m.tokens(output=5)
        m.flops(1e9)
    assert read_run(tmp_path / m.run) == m.summary()
    assert m.summary().metrics == {"accuracy": 0.9}
    assert m.summary().counts == {"input_tokens": 100, "output_tokens": 25, "flops": 1e9}


def test_concurrent(measure):
    """Spans in several threads share one session; the last one out closes it."""
    barrier = threading.Barrier(4)
    spans = []

    def work():
        with measure("work") as m:
            barrier.wait()
            spans.append(m)

    threads = [threading.Thread(target=work) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({m.run for m in spans}) == 1
    assert spans[0].summary().status == "ok"
    assert all(m.result.name == "work" for m in spans)


def test_decorator(measure):
    """A decorated function keeps its name, result and exceptions, and every call is a span."""
    calls = []

    @measure()
    def double(x):
        calls.append(x)
        if x < 0:
            raise ValueError(x)
        return 2 * x

    assert double.__name__ == "double"
    assert double(2) == 4
    with pytest.raises(ValueError, match="-1"):
        double(-1)
    assert calls == [2, -1]


def test_coroutine(measure):
    """A coroutine function is measured until it ends, not until it is made."""
    seen = []

    @measure("step")
    async def step():
        await asyncio.sleep(0)
        with measure("inside") as inner:
            pass
        seen.append(inner.result.name)
        return 3

    assert asyncio.run(step()) == 3
    assert seen == ["step/inside"]


def test_misuse(measure):
    """Asking a span that has not begun, or beginning one twice, says what to do instead."""
    m = measure("a")
    with pytest.raises(UsageError, match="with"):
        m.summary()
    with m, pytest.raises(UsageError, match="once for each part"):
        m.__enter__()


def test_loads_little():
    """The meter loads neither tables, engines, network nor a YAML reader."""
    text = "import sys, joulebook; joulebook.measure('a'); import joulebook.measure.session; print(*sys.modules)"
    env = {"PYTHONPATH": str(Path(joulebook.__file__).parents[1])}
    loaded = subprocess.run([sys.executable, "-c", text], check=True, env=env, capture_output=True, text=True).stdout
    assert not {
        "narwhals",
        "duckdb",
        "numpy",
        "yaml",
        "socket",
        "subprocess",
        "click",
        "rich",
        "asyncio",
        "pynvml",
        "psutil",
    } & set(loaded.split())
