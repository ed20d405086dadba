"""What a book keeps beside usage and postings: the factors they stand on, and the terms they were made under."""

import weakref
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from joulebook.account.measured import SOURCE
from joulebook.account.resolution import Resolution
from joulebook.errors import FactorMissing
from joulebook.ledger import balance
from joulebook.ledger.behind import Behind
from joulebook.ledger.gathered import gathered, stated_under
from joulebook.terms.tables import TABLES

if TYPE_CHECKING:
    import narwhals as nw


class Commit(Protocol):
    """One version of a table."""

    @property
    def rows(self) -> int:
        """Rows that it added."""
        ...


class Shelf(Protocol):
    """What the tables of a book must offer."""

    def rows(self, frame: "nw.LazyFrame") -> list[dict[str, Any]]:
        """The rows of a table."""
        ...

    def table(self, name: str) -> "nw.LazyFrame":
        """A table by name."""
        ...

    def every_row(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table by name."""
        ...

    def history(self, name: str) -> Sequence[Commit]:
        """Every version of a table."""
        ...


class Kept:
    """A book's memory.

    Attributes:
        shelf: its tables.
        known: resolutions read so far, by id.
        held_postings: most postings that are added up in memory; an engine adds up more.
    """

    shelf: Shelf
    known: dict[str, Resolution]
    held_postings: int
    _behind: Behind | None = None
    _said: tuple[int, Sequence[Mapping[str, Any]]] | None = None

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: sum(commit.rows for commit in self.shelf.history(name)) for name in TABLES}

    def booked_runs(self) -> set[str]:
        """Names of the runs of our own meter whose energy is in the book."""
        import narwhals as nw  # noqa: PLC0415  (only a book with runs pays)

        ours = self.shelf.table("energy").filter(nw.col("source") == SOURCE)
        return {row["run"] for row in self.shelf.rows(ours.select("run").unique())}

    def terms(self) -> list[dict[str, Any]]:
        """Policies and editions that the standing postings were made under."""
        postings = self._postings_in_memory()
        if postings is not None:
            return stated_under(postings)
        return self.shelf.rows(balance.stated_terms(self.shelf.table("posting")))

    def standing(
        self, by: Sequence[str], stated_at: datetime | None, only: balance.Only
    ) -> Sequence[Mapping[str, Any]]:
        """Net amounts per group, as `joulebook.ledger.balance.standing` describes them."""
        postings = self._postings_in_memory()
        if postings is not None:
            return gathered(postings, by, stated_at, only)
        return self.shelf.rows(balance.standing(self.shelf.table("posting"), by, stated_at, only))

    def _postings_in_memory(self) -> Sequence[Mapping[str, Any]] | None:
        """All postings, read once per version of their table; None where they are too many."""
        history = self.shelf.history("posting")
        version = len(history)
        if sum(commit.rows for commit in history) > self.held_postings:
            return None
        if self._said is None or self._said[0] != version:
            self._said = version, self.shelf.every_row("posting") if version else []
        return self._said[1]

    def resolutions(self) -> dict[str, Resolution]:
        """Every set of factors that a posting used, by id."""
        rows = self.shelf.every_row("resolution")
        return {row["resolution_id"]: Resolution.from_json(row["resolution_json"]) for row in rows}

    @property
    def behind(self) -> Behind:
        """The factors behind the metrics of its postings."""
        if self._behind is None:
            book = weakref.proxy(self)  # no ring of references: a book's engine closes with its last user
            self._behind = Behind(lambda found: book.resolution_of(found))  # noqa: PLW0108  (a method holds its object)
        return self._behind

    def resolution_of(self, resolution_id: str) -> Resolution:
        """One set of factors.

        Raises:
            FactorMissing: the book has none of that id.
        """
        if resolution_id not in self.known:
            self.known, self._behind = self.resolutions(), None
        if resolution_id not in self.known:
            raise FactorMissing(sought=resolution_id, edition="book", nearest="-")
        return self.known[resolution_id]
