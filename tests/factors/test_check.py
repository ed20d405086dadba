"""The checks that hold rows against each other; each rule catches a planted fault, the shipped library has none."""

import re
from collections.abc import Callable
from datetime import date

import pytest

from joulebook.faces.assumption_page import number_of
from joulebook.faces.cli.factor_tools import cited_elsewhere
from joulebook.factors.check import check
from joulebook.factors.edition import Edition, Factor, Link, Source
from joulebook.factors.read import read_edition, read_with_faults
from joulebook.factors.series import series_faults

SOURCE = Source("s", "t", "p", "u", "l", "e", date(2026, 1, 1), ships=True, file="sources.yaml", line=1)
LEAST = 3000


def row(**changes: object) -> Factor:
    """A good row with something changed."""
    facts = {
        "kind": "grid",
        "subject": "AAA",
        "quantity": "intensity_g_per_kwh",
        "value": 100.0,
        "low": 90.0,
        "high": 110.0,
        "unit": "g/kWh",
        "basis": {"signal": "average", "stage": "direct", "method": "location"},
        "valid_from": date(2024, 1, 1),
        "valid_to": date(2025, 1, 1),
        "known_from": date(2025, 1, 1),
        "tier": "derived",
        "source": "s",
        "cell": "table 1",
        "range_basis": "why",
        "file": "grid/a.yaml",
        "line": 5,
    }
    return Factor(**(facts | changes))


def other(**changes: object) -> Factor:
    """The same number from another source."""
    return row(**({"source": "o", "file": "grid/b.yaml", "line": 7} | changes))


LIFE = {"signal": "average", "stage": "life-cycle", "method": "location"}
LINK = Link("AAA", "grid_zone", "ZZZ", date(2020, 1, 1), None, date(2020, 1, 1), "s", "c", file="region/a.yaml", line=3)
PLANTED: dict[str, Callable[[], list[Factor | Link]]] = {
    "factor-without-cell": lambda: [row(cell="-")],
    "factor-without-cell/assumed": lambda: [row(cell="-", tier="assumed")],
    "assumption-without-reason": lambda: [row(tier="assumed", range_basis=None)],
    "factor-out-of-bounds": lambda: [row(low=-1.0)],
    "factor-out-of-bounds/grid of zero": lambda: [row(value=0.0, low=0.0, high=0.0)],
    "source-older-than-value": lambda: [row(known_from=date(2026, 2, 1))],
    "known-before-valid": lambda: [row(known_from=date(2023, 1, 1))],
    "licence-forbids-shipping": lambda: [row(source="closed")],
    "orphan-source": list,
    "direct-above-life-cycle": lambda: [row(), other(basis=LIFE, value=50.0, low=40.0, high=60.0)],
    "spread-not-covered": lambda: [row(), other(value=150.0, low=140.0, high=160.0)],
    "link-to-nothing": lambda: [row(), LINK],
    "factor-twice": lambda: [row(), row(line=9)],
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(rule: str) -> None:
    """Each rule finds the fault it is for, with file and line."""
    things = PLANTED[rule]()
    sources = {"s": SOURCE}
    for key, ships in (("o", True), ("closed", False)):
        if any(thing.source == key for thing in things):
            sources[key] = Source(key, "t", "p", "u", "l", "e", date(2026, 1, 1), ships=ships)
    if rule == "licence-forbids-shipping":
        del sources["s"]
    factors = tuple(thing for thing in things if isinstance(thing, Factor))
    links = tuple(thing for thing in things if isinstance(thing, Link))
    found = check(Edition("test", factors, links, sources))
    assert {finding.rule for finding in found} == {rule.partition("/")[0]}
    assert all(finding.file and finding.line for finding in found)
    assert "Next: " in found[0].message


def test_a_good_row_has_no_finding() -> None:
    """A sound row passes every rule."""
    assert check(Edition("test", (row(),), (), {"s": SOURCE})) == []


def test_spread_that_is_covered_is_no_fault() -> None:
    """Two sources that disagree are fine where both ranges cover both values."""
    wide = {"low": 80.0, "high": 200.0}
    edition = Edition("test", (row(**wide), other(value=150.0, **wide)), (), {"s": SOURCE, "o": SOURCE})
    assert [finding.rule for finding in check(edition)] == []


def test_the_shipped_library_is_sound() -> None:
    """Every shipped value passes form and cross checks; there are at least 3,000, all with source and cell."""
    reading = read_with_faults()
    assert reading.faults == ()
    assert series_faults(reading.edition) == []
    errors = [found for found in check(reading.edition, cited_elsewhere(reading.edition)) if found.is_error]
    assert [f"{found.file}:{found.line} {found.message}" for found in errors] == []
    assert len(reading.edition.factors) >= LEAST
    assert all(row.cell.strip("- ") and row.source in reading.edition.sources for row in reading.edition.factors)


def test_sources_that_must_not_ship_do_not() -> None:
    """No shipped row comes from data the project may not pass on."""
    closed = ("electricity maps", "residual mix", "iea ", "techpowerup", "boavizta")
    titles = [
        f"{source.title} {source.publisher}".lower() for source in read_edition().sources.values() if source.ships
    ]
    assert [title for title in titles if any(word in title for word in closed)] == []


def test_every_assumption_stands_in_the_register() -> None:
    """A number of the register has one reason and one file, and each assumption of the library's own has a number."""
    own = [row for row in read_edition().factors if row.source.startswith("joulebook-assum") and row.tier == "assumed"]
    numbers: dict[str, set[tuple[str, str | None]]] = {}
    for row in own:
        number = number_of(row)
        assert number, f"{row.file}:{row.line} names no line of the register"
        numbers.setdefault(number, set()).add((row.file, row.range_basis))
    assert all(len(reasons) == 1 for reasons in numbers.values())
    assert all(re.fullmatch(r"A\d{3}", number) for number in numbers)
