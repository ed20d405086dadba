"""A Book: store + factor edition + ledger; the whole way of the data on one screen.

usage (others' records), energy (our meters) -> price (factors chosen once) -> grains -> postings -> balance.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulebook.errors import NothingThere, StoreConflict
from joulebook.ingest.imported import Imported, refused_rows, sifted
from joulebook.ledger import balance
from joulebook.ledger.posting import by_span, of_runs, of_usage, reversals
from joulebook.priced import PRICED_TABLES, Priced, Rows, Span
from joulebook.store.commit import Terms
from joulebook.store.store import Store
from joulebook.terms.finding import Finding

if TYPE_CHECKING:
    from joulebook.factors.read import Folder
    from joulebook.ingest.reader import Entry, ReadOptions
    from joulebook.ingest.scan import LogScan
    from joulebook.ledger.explanation import Explanation
    from joulebook.store.spool import Spool

Tell = Callable[[int], None] | None


def _now() -> datetime:
    return datetime.now(UTC)


class Book(Priced):
    """An account book in a folder.

    Args:
        path: the folder; made by the first import.
        factor_folders: folders and packages of the user's own factors, over the shipped ones.
        policy: which factors may answer; what the book stands under if None.
        memory_limit: for the engine, such as "1GB".
        clock: gives the time of a posting.
    """

    def __init__(
        self,
        path: Path,
        *,
        factor_folders: "Sequence[Folder]" = (),
        policy: str | None = None,
        memory_limit: str | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.path, self.asked_policy, self.clock = Path(path), policy, clock
        self.factor_folders = tuple(factor_folders)
        self.store = self.shelf = Store(self.path, memory_limit=memory_limit)
        self.known = {}
        self._ready_at: int | None = None

    def import_file(self, reader: str, path: Path, options: "ReadOptions", tell: Tell = None) -> Imported:
        """Book the rows of a file that are new, as `import_rows` does, and say how well their energy is known."""
        from joulebook.from_file import book_file  # noqa: PLC0415  (a report needs none of it)

        before = self.store.version("posting")
        return self.looked_at(book_file(self, reader, path, options, tell), before, str(path))

    def import_rows(
        self, given: "Iterable[Entry | Finding]", source: str, tell: Tell = None, *, add_overlaps: bool = False
    ) -> Imported:
        """Book the rows that are new, in one commit, and post them; faults come back as findings."""
        findings: list[Finding] = []
        rows = sifted(given, findings, tell)
        return self._booked(lambda spool: spool.write(rows), findings, source, add_overlaps=add_overlaps)

    def import_logs(self, logs: "LogScan", source: str, *, add_overlaps: bool = False) -> Imported:
        """Book what is new in the logs of a home, as `import_rows` does."""
        findings: list[Finding] = []

        def fill(spool: "Spool") -> None:
            with spool.filling():
                logs.fill(spool, findings)

        return self._booked(fill, findings, source, add_overlaps=add_overlaps)

    def _booked(
        self, fill: "Callable[[Spool], None]", findings: list[Finding], source: str, *, add_overlaps: bool
    ) -> Imported:
        how = Terms("usage_key", {"import": source}, add_overlaps=add_overlaps)
        added = self.store.append_filled("usage", fill, how)
        self.post(f"import {source}")
        refused = added.refused + refused_rows(findings)
        return Imported(added.added, added.already, refused, (*findings, *added.findings))

    def post(self, cause: str = "usage") -> int:
        """Price and post what is not posted yet; returns how many postings were added."""
        while True:
            through, version = self._posted_through()
            newest = {name: self.store.version(name) for name in PRICED_TABLES}
            if all(newest[name] <= through[name] for name in PRICED_TABLES):
                return 0
            try:
                spans = {name: (through[name], newest[name]) for name in PRICED_TABLES}
                return self._say(self._priced(spans, cause, self.policy), newest, cause, version)
            except StoreConflict:
                continue  # another process posted first; look again at what is left

    def restate(self, cause: str) -> int:
        """Reverse what stands and post it again with today's factors; returns how many postings were reversed."""
        standing = self.standing_postings()
        through, version = self._posted_through()
        taken_back = reversals(standing, cause=cause, posted_at=self.clock())
        policy = self.asked_policy or self.policy
        spans = {name: (-1, through[name]) for name in PRICED_TABLES}
        self._say([*taken_back, *self._priced(spans, cause, policy)], through, cause, version)
        return len(standing)

    def report(
        self, by: Sequence[str] = (), stated_at: datetime | None = None, only: balance.Only = balance.EVERYTHING
    ) -> list[balance.Line]:
        """Footprints per value of some columns, with ranges; no columns give the one line of the total."""
        self._ready()
        return balance.lines(self.standing(by, stated_at, only), by, self.resolution_of, behind=self.behind)

    def explain(self, metric: str, target: str) -> "Explanation | None":
        """Why a metric is what it is: of all, of ``team=search``, of one run, of one posting, or of one record."""
        from joulebook.account import pricing, rows_behind  # noqa: PLC0415  (a report needs none of it)
        from joulebook.ledger import explanation, selection  # noqa: PLC0415  (a report needs none of it)

        self._ready()
        standing = self.standing_postings()
        chosen = selection.selected(target, standing)
        spans = by_span(of_usage(chosen or standing))
        if chosen:
            frames = [rows_behind.only(self.usage_again(span, rows), rows) for span, rows in spans]
        else:
            keys = selection.keys_of(target, {row["source"] for row in standing})
            frames = [rows_behind.keyed_by(self.usage_again(span, rows), keys) for span, rows in spans]
            groups = [row for frame in frames for row in self.store.rows(pricing.cube(pricing.in_grains(frame)))]
            chosen = [explanation.as_posting(group, self.resolution_of) for group in groups]
        if not chosen:
            raise NothingThere(target=target)
        found = [row for frame in frames for row in self.store.rows(rows_behind.features(frame))]
        return explanation.explain(metric, chosen, found, self.resolution_of)

    def standing_postings(self) -> Rows:
        """Postings that are neither reversed nor reversals."""
        return balance.unreversed(self.store.rows(self.store.table("posting")))

    def audit(self) -> Iterator[Finding]:
        """Everything wrong with the book: files, hashes, factors, reversals, postings that do not replay."""
        from joulebook.account import pricing  # noqa: PLC0415  (a report needs none of it)
        from joulebook.ledger import audit  # noqa: PLC0415  (a report needs none of it)

        yield from self.store.verify()
        self.post()
        rows = self.store.rows(self.store.table("posting"))
        yield from audit.forged(rows)
        yield from audit.unresolved(rows, self.resolutions())
        yield from audit.unpaired(rows)
        said = [row for row in rows if row["reverses"] is None]
        for span, members in by_span(of_usage(said)):
            cube = pricing.cube(pricing.in_grains(self.usage_again(span, members)))
            yield from audit.replayed(members, self.store.rows(cube))
        for span, members in by_span(of_runs(said)):
            yield from audit.replayed(members, self.runs_again(span, members))
        yield from self.overlaps()

    def _ready(self) -> None:
        """Post what is new, and refuse a policy that the book does not stand under."""
        self.post()
        version = self.store.version("posting")
        if version != self._ready_at:  # every report asks, and the terms change with the postings only
            balance.policy_for(self.asked_policy, sorted({row["policy"] for row in self.terms()}))
            self._ready_at = version

    def _priced(self, spans: Mapping[str, Span], cause: str, policy: str) -> list[dict[str, Any]]:
        price = {"usage": self.price_usage, "energy": self.price_runs}
        return [row for name, span in spans.items() if span[0] < span[1] for row in price[name](span, cause, policy)]

    def _say(self, rows: Iterable[Mapping[str, Any]], through: Mapping[str, int], cause: str, version: int) -> int:
        info = {"cause": cause} | {f"{name}_version": str(newest) for name, newest in through.items()}
        return self.store.append_rows("posting", rows, unique="posting_id", info=info, expected=version).added

    def _posted_through(self) -> tuple[dict[str, int], int]:
        """The last version of each table that is posted, and the version of the posting table that says so."""
        history = self.store.history("posting")
        info, version = (history[-1].info, history[-1].version) if history else ({}, -1)
        return {name: int(info.get(f"{name}_version", -1)) for name in PRICED_TABLES}, version
