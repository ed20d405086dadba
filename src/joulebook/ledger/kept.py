"""What a book keeps beside usage and postings: the factors they stand on, and the terms they were made under."""

from collections.abc import Sequence
from typing import Any, Protocol

import narwhals as nw

from joulebook.account.measured import SOURCE
from joulebook.account.resolution import Resolution
from joulebook.errors import FactorMissing
from joulebook.ledger import balance
from joulebook.terms.tables import TABLES


class Commit(Protocol):
    """One version of a table."""

    @property
    def rows(self) -> int:
        """Rows that it added."""
        ...


class Shelf(Protocol):
    """What the tables of a book must offer."""

    def rows(self, frame: nw.LazyFrame) -> list[dict[str, Any]]:
        """The rows of a table."""
        ...

    def table(self, name: str) -> nw.LazyFrame:
        """A table by name."""
        ...

    def history(self, name: str) -> Sequence[Commit]:
        """Every version of a table."""
        ...


class Kept:
    """A book's memory.

    Attributes:
        shelf: its tables.
        known: resolutions read so far, by id.
    """

    shelf: Shelf
    known: dict[str, Resolution]

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: sum(commit.rows for commit in self.shelf.history(name)) for name in TABLES}

    def booked_runs(self) -> set[str]:
        """Names of the runs of our own meter whose energy is in the book."""
        ours = self.shelf.table("energy").filter(nw.col("source") == SOURCE)
        return {row["run"] for row in self.shelf.rows(ours.select("run").unique())}

    def terms(self) -> list[dict[str, Any]]:
        """Policies and editions that the standing postings were made under."""
        return self.shelf.rows(balance.stated_terms(self.shelf.table("posting")))

    def resolutions(self) -> dict[str, Resolution]:
        """Every set of factors that a posting used, by id."""
        rows = self.shelf.rows(self.shelf.table("resolution"))
        return {row["resolution_id"]: Resolution.from_json(row["resolution_json"]) for row in rows}

    def resolution_of(self, resolution_id: str) -> Resolution:
        """One set of factors.

        Raises:
            FactorMissing: the book has none of that id.
        """
        if resolution_id not in self.known:
            self.known = self.resolutions()
        if resolution_id not in self.known:
            raise FactorMissing(sought=resolution_id, edition="book", nearest="-")
        return self.known[resolution_id]
