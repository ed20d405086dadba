"""Put published calculations to joulebook: pick a reading, fill it, and call `recompute`. No arithmetic here."""

import contextlib
import csv
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

from joulebook.disclose.check import Check, check
from joulebook.disclose.recompute import Recomputed, recompute
from joulebook.errors import DimensionMismatch, JoulebookError

READINGS = Path(__file__).with_name("readings.yaml")


@cache
def readings() -> tuple[dict, ...]:
    """All readings, in their order."""
    return tuple(yaml.safe_load(READINGS.read_text(encoding="utf-8")))


def cases(file: Path) -> list[dict]:
    """The cases of a file, one per line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


@cache
def table(file: Path) -> tuple[dict, ...]:
    """The rows of a published table."""
    with file.open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def evaluate(case: dict, papers: Path) -> Recomputed:
    """The case through the first reading that matches and has the right dimension, or its formula as it is written."""
    for reading in readings():
        words = _words(reading, case)
        if words is not None:
            with contextlib.suppress(DimensionMismatch):
                return _read(reading, words, case, papers)
    return _as_written(case)


def verdict(case: dict, papers: Path) -> Check:
    """The published figure beside ours."""
    found = evaluate(case, papers)
    return check(case["expected"], found.value, rel_tol=case["rel_tol"], abs_tol=case["abs_tol"])


def _words(reading: dict, case: dict) -> dict | None:
    words = {name: str(value) for name, value in case["inputs"].items()}
    for key, field, letter in (("id", "id", "i"), ("written", "formula", "w")):
        if key in reading:
            match = re.fullmatch(reading[key], case[field])
            if match is None:
                return None
            words |= {f"{letter}{place}": group for place, group in enumerate(match.groups(), 1)}
    return words


def _read(reading: dict, words: dict, case: dict, papers: Path) -> Recomputed:
    fill = lambda text, row=(): str(text).format_map({**words, **dict(row)})  # noqa: E731
    formula, inputs, unit = reading["formula"], reading.get("inputs", {}), case["unit"]
    if "table" not in reading:
        return recompute(fill(formula), {name: fill(text) for name, text in inputs.items()}, unit)
    rows = [
        row
        for row in table(papers / reading["table"])
        if all(
            row[column] == fill(wanted) or re.fullmatch(fill(wanted), row[column])
            for column, wanted in reading.get("where", {}).items()
        )
    ]
    assert rows, f"no row of {reading['table']} answers {case['id']}"
    if "sums" in reading:
        for column, column_unit in reading["sums"].items():
            parts = {f"r{place}": f"{row[column]} {column_unit}" for place, row in enumerate(rows)}
            words[column] = _many("sum", parts, column_unit)
        return recompute(formula, {column: words[column] for column in reading["sums"]}, unit)
    found = {
        f"r{place}": {"value": recompute(fill(formula, row), _filled(inputs, fill, row), unit).value.mid, "unit": unit}
        for place, row in enumerate(rows)
    }
    return recompute(f"{fill(reading.get('each', 'sum'))}({', '.join(found)})", found, unit)


def _filled(inputs: dict, fill, row: dict) -> dict:
    return {name: fill(text, row) for name, text in inputs.items()}


def _many(function: str, parts: dict, unit: str) -> dict:
    names, value = list(parts), None
    for start in range(0, len(names), 200):
        some = {name: parts[name] for name in names[start : start + 200]}
        if value is not None:
            some["before"] = value
        value = {"value": recompute(f"{function}({', '.join(some)})", some, unit).value.mid, "unit": unit}
    return value


def _as_written(case: dict) -> Recomputed:
    inputs = {name: value for name, value in case["inputs"].items() if isinstance(value, int | float)}
    try:
        return recompute(case["formula"], inputs, case["unit"])
    except JoulebookError:
        return recompute(case["formula"], inputs, case["unit"], plain=True)


@dataclass(frozen=True)
class Published:
    """The published cases with the readings that put them to joulebook."""

    papers: Path

    @property
    def cases(self) -> list[dict]:
        """All cases."""
        return cases(self.papers / "cases.jsonl")

    @property
    def readings(self) -> tuple[dict, ...]:
        """All readings."""
        return readings()

    def table(self, name: str) -> tuple[dict, ...]:
        """The rows of a published table."""
        return table(self.papers / name)

    def evaluate(self, case: dict) -> Recomputed:
        """Our figure."""
        return evaluate(case, self.papers)

    def verdict(self, case: dict) -> Check:
        """The published figure beside ours."""
        return verdict(case, self.papers)


@pytest.fixture(scope="session")
def published(shared_data: Path) -> Published:
    """Published cases and tables of the reference data."""
    return Published(shared_data / "papers")
