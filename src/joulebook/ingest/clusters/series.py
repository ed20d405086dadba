"""Time series of Prometheus in the forms they are exported in, and counters cut into whole hours."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, BinaryIO

from joulebook.ingest.energy import LOOK_AHEAD, opened
from joulebook.ingest.lines import Lines, dig
from joulebook.ingest.meters.power import GAP_STEPS
from joulebook.ingest.records import dicts, json_documents
from joulebook.terms.finding import Finding
from joulebook.terms.units import convert

HOUR_S = convert(1, "h", "s")
LONGEST_H = 24 * 366
"""Hours that one interval may span; a longer one is a damaged time."""

TEXT_LINE = re.compile(
    r"(?P<name>[a-zA-Z_:][\w:]*)?\s*(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+(?P<at>-?[\d.]+))?\s*\Z"
)
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
LATEST_MS = 1e18
MILLI = 1e11
"""Times above this are milliseconds."""

NAMELESS = re.compile(rb"\s*\{\s*[a-zA-Z_]\w*\s*=")
"""How a line begins that names its metric among the labels, as ``promtool tsdb dump`` writes it: it is no JSON."""

PAIR = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series."""

    labels: Mapping[str, str]
    at: float
    value: float


@dataclass
class Counter:
    """A counter's samples, whatever series they came in: time [s] -> value.

    Attributes:
        samples: of one device, from all series that repeat it.
        labels: of the last series.
        series: how many series there were at most at one time.
    """

    samples: dict[float, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    told: dict[float, int] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Take in a sample; where several series repeat the same counter the highest value holds."""
        self.samples[sample.at] = max(sample.value, self.samples.get(sample.at, 0.0))
        self.told[sample.at] = self.told.get(sample.at, 0) + 1
        self.labels = sample.labels

    @property
    def is_repeated(self) -> bool:
        """Whether several series told the same counter at the same time."""
        return max(self.told.values(), default=0) > 1

    def hours(self) -> tuple[dict[float, float], int]:
        """Growth per whole hour, and how many times it began anew. A counter that falls began anew from zero."""
        grown: dict[float, float] = defaultdict(float)
        ordered = sorted(self.samples.items())
        resets = 0
        for (at, value), (then, later) in pairwise(ordered):
            resets += later < value
            growth = later - value if later >= value else later
            if (then - at) / HOUR_S > LONGEST_H:
                continue
            edges = [at, *_hours_between(at, then), then]
            for start, end in pairwise(edges):
                grown[start // HOUR_S * HOUR_S] += growth * (end - start) / (then - at)
        first, last = (ordered[0][0], ordered[-1][0]) if ordered else (0.0, 0.0)
        return {hour: energy for hour, energy in grown.items() if first <= hour and hour + HOUR_S <= last}, resets

    def partial(self) -> int:
        """Hours that the samples hold in part."""
        if len(self.samples) < PAIR:
            return 0
        first, last = min(self.samples), max(self.samples)
        return int(first % HOUR_S > 0) + int(last % HOUR_S > 0)


@dataclass(frozen=True, slots=True)
class Span:
    """Energy [J] with what gaps leave open: nothing in them, as at their ends, the highest power seen in them."""

    low: float
    mid: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        """The sum, end by end."""
        return Span(self.low + other.low, self.mid + other.mid, self.high + other.high)

    def ratio(self, end: float) -> float:
        """An end of the range over the middle."""
        return end / self.mid if self.mid else 1.0


def power_hours(power: Counter) -> tuple[dict[float, Span], list[float], int]:
    """Energy [J] of power [W] per whole hour, by trapezoids, the length of its gaps [s], and the hours that are lost.

    An interval of more than `GAP_STEPS` usual steps is a gap: nobody knows what the power was in it. An hour that lies
    in a gap as a whole is lost.
    """
    ordered = sorted(power.samples.items())
    steps = [later[0] - sooner[0] for sooner, later in pairwise(ordered)]
    if not steps:
        return {}, [], 0
    longest, highest = GAP_STEPS * median(steps), max(watts for _at, watts in ordered)
    first = ordered[0][0]
    ends = [Counter(samples={first: 0.0}) for _ in ("low", "mid", "high")]
    totals, gaps = [0.0, 0.0, 0.0], []
    for (at, watts), (then, later) in pairwise(ordered):
        seconds = then - at
        filled = seconds * (watts + later) / 2
        is_gap = seconds > longest
        gaps += [seconds] if is_gap else []
        for place, joules in enumerate((0.0, filled, seconds * highest) if is_gap else (filled, filled, filled)):
            totals[place] += joules
            ends[place].samples[then] = totals[place]
    low, mid, high = (end.hours()[0] for end in (ends if math.isfinite(totals[-1]) else [ends[1]] * len(ends)))
    found = {
        hour: Span(min(low[hour], joules), joules, max(high.get(hour, joules), joules))
        for hour, joules in mid.items()
        if low.get(hour, 0.0) > 0 or joules == 0
    }
    return found, gaps, len(mid) - len(found)


def series_opened(stream: BinaryIO) -> tuple[BinaryIO, bool]:
    """The stream, able to look ahead, and whether it is JSON and no text of series."""
    ahead, is_json = opened(stream)
    return ahead, is_json and not NAMELESS.match(ahead.peek(LOOK_AHEAD)[:LOOK_AHEAD])  # ty: ignore[missing-attribute]


def samples_of(stream: BinaryIO, file: str, wanted: frozenset[str]) -> Iterator[Sample | Finding]:
    """Samples of the wanted metrics: answers of query_range and query, or text with a time on each line.

    Lines of VictoriaMetrics' ``/api/v1/export`` are read like answers. Text is what ``promtool tsdb dump`` and the
    exposition format with timestamps give.
    """
    stream, is_json = series_opened(stream)
    if is_json:
        for item in json_documents(stream, file):
            if isinstance(item, Finding):
                yield item
                continue
            line, answer = item
            for series in series_in(answer):
                yield from _of_series(series, file, line, wanted)
        return
    yield from _of_text(Lines(stream, file), wanted)


def series_in(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Series of an answer of Prometheus, or the one of a line of VictoriaMetrics' export, as Prometheus has them."""
    values, stamps = answer.get("values"), answer.get("timestamps")
    if isinstance(values, list) and isinstance(stamps, list):
        seconds = [at / 1e3 if isinstance(at, (int, float)) and abs(at) < LATEST_MS else at for at in stamps]
        yield {"metric": answer.get("metric"), "values": [list(pair) for pair in zip(seconds, values, strict=False)]}
    else:
        yield from dicts(dig(answer, "data.result") or dig(answer, "result"))


def _of_text(lines: Lines, wanted: frozenset[str]) -> Iterator[Sample | Finding]:
    timeless = 0
    for number, line in enumerate(lines, start=1):
        found = TEXT_LINE.match(line)
        if line.startswith("#") or not line.strip():
            continue
        if found is None:
            is_whole = line.endswith(("\n", "\r"))
            facts = {"reason": "name{labels} value time"}
            yield Finding(lines.file, number, "bad-row" if is_whole else "truncated", facts)
            continue
        labels = dict(LABEL.findall(found["labels"] or ""))
        labels["__name__"] = found["name"] or labels.get("__name__", "")
        at, value = _number(found["at"]), _number(found["value"])
        if labels["__name__"] not in wanted:
            continue
        if found["at"] is None:
            timeless += 1
        elif at is None or value is None or value < 0:
            yield Finding(lines.file, number, "bad-number", {"column": labels["__name__"]})
        else:
            yield Sample(labels, at / 1e3 if at > MILLI else at, value)
    if timeless:
        yield Finding(lines.file, None, "series-without-time", {"count": timeless})


def _of_series(
    series: Mapping[str, Any], file: str, line: int | None, wanted: frozenset[str]
) -> Iterator[Sample | Finding]:
    metric = series.get("metric")
    labels = {str(name): str(value) for name, value in metric.items()} if isinstance(metric, dict) else {}
    if labels.get("__name__") not in wanted:
        return
    values = series.get("values")
    for sample in values if isinstance(values, list) else [series.get("value")]:
        pair = sample if isinstance(sample, list) and len(sample) == PAIR else (None, None)
        at, value = _number(pair[0]), _number(pair[1])
        if at is None or value is None or value < 0:
            yield Finding(file, line, "bad-number", {"column": labels["__name__"]})
            return
        yield Sample(labels, at, value)


def _number(cell: object) -> float | None:
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _hours_between(at: float, then: float) -> list[float]:
    """Full hours strictly between two times."""
    first = math.floor(at / HOUR_S) + 1
    last = math.ceil(then / HOUR_S)
    return [hour * HOUR_S for hour in range(first, last)]
