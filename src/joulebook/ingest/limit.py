"""Findings of one file that come by the thousand: the first are told one by one, the others as a number."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

from joulebook.terms.finding import Finding

Item = TypeVar("Item")

FINDINGS_PER_RULE = 100
"""Findings of one rule that are told one by one; the rest of them is told as one number."""


class Limit:
    """Findings of one file, of which each rule is told `FINDINGS_PER_RULE` times one by one."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, bool]] = Counter()

    def takes(self, finding: Finding) -> bool:
        """Whether to tell it by itself."""
        self._seen[finding.rule, finding.is_error] += 1
        return self._seen[finding.rule, finding.is_error] <= FINDINGS_PER_RULE

    def rest(self, file: str) -> Iterator[Finding]:
        """The others as one count per rule; to be told at the end of the file."""
        for (rule, is_error), count in self._seen.items():
            if count > FINDINGS_PER_RULE:
                facts = {"rule": rule, "count": count - FINDINGS_PER_RULE}
                yield Finding(file, None, "more-of-the-same", facts, is_error=is_error)


def limited(rows: "Iterator[Item | Finding]", file: str) -> "Iterator[Item | Finding]":
    """The same rows; findings of one rule beyond `FINDINGS_PER_RULE` become one count at the end."""
    limit = Limit()
    for row in rows:
        if not isinstance(row, Finding) or limit.takes(row):
            yield row
    yield from limit.rest(file)
