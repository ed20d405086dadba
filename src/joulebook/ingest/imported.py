"""What came of an import, and how rows and findings are told apart on the way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from joulebook.terms.finding import Finding

if TYPE_CHECKING:
    from joulebook.ingest.reader import Entry

TELL_EVERY = 1000
"""Rows between two reports of progress."""


MORE = "more-of-the-same"
WHOLE_FILE = frozenset({"missing-column", "column-twice"})
"""Rules about a file, not about one of its rows."""


MANY_ROWS = frozenset(
    {
        "correction-unpaired",
        "tokens-untold",
        "tokens-as-money",
        "capacity-without-tokens",
        "events-without-counts",
        "log-without-tokens",
    }
)
"""Rules that tell of many rows by their number."""


def refused_rows(findings: Iterable[Finding]) -> int:
    """How many rows were left out: findings about rows, one by one or by their number, not about the file."""
    return sum(_rows(one) for one in findings if one.is_error)


def _rows(finding: Finding) -> int:
    rule = finding.facts.get("rule") if finding.rule == MORE else finding.rule
    if rule in WHOLE_FILE:
        return 0
    if finding.rule == MORE or finding.rule in MANY_ROWS:
        return int(str(finding.facts["count"]))
    return int(finding.line is not None)


def of_file(findings: Iterable[Finding], source: str, file: str) -> Iterator[Finding]:
    """The same findings; those that the store could tell only by the source are told by the file."""
    return (replace(one, file=file) if one.file == source else one for one in findings)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        added: rows booked.
        already: rows that were in the book, or twice in the file.
        refused: rows left out because they are faulty.
        findings: what is wrong with the input.
        coverage: how well the energy of the booked rows is known, entries of `joulebook.ledger.coverage`.
    """

    added: int
    already: int
    refused: int
    findings: tuple[Finding, ...]
    coverage: tuple[Any, ...] = ()


def sifted(
    rows: "Iterable[Entry | Finding]", findings: list[Finding], tell: Callable[[int], None] | None = None
) -> "Iterator[Entry]":
    """The rows among what a reader gives; findings are collected aside.

    Args:
        rows: what a reader gives.
        findings: the list they are added to.
        tell: called with the number of rows now and then.
    """
    for count, row in enumerate(rows, 1):
        if tell is not None and not count % TELL_EVERY:
            tell(count)
        if isinstance(row, Finding):
            findings.append(row)
        else:
            yield row
