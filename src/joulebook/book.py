"""A Book: store + factor edition + ledger; the whole way of the data on one screen.

usage (others' records) -> price (factors chosen once, joined by equality) -> grains -> cube -> postings -> balance.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulebook.account import pricing
from joulebook.account.resolve import Resolver
from joulebook.entries import take
from joulebook.errors import NothingThere, StoreConflict
from joulebook.factors.read import read_edition
from joulebook.ingest.imported import Imported, refused_rows, sifted
from joulebook.ingest.mapping import same_names
from joulebook.ingest.reader import USAGE_ONLY, ReadOptions, read_path, tables_of
from joulebook.ingest.table import declared
from joulebook.ledger import audit, balance, explanation, selection
from joulebook.ledger.kept import Kept
from joulebook.ledger.posting import by_span, postings, reversals
from joulebook.store.store import Store
from joulebook.terms.finding import Finding

if TYPE_CHECKING:
    import narwhals as nw

    from joulebook.factors.edition import Edition
    from joulebook.ingest.reader import Entry

BULK = "parquet"
"""The format that the engine reads by itself, many millions of rows at a time."""

Rows = Sequence[Mapping[str, Any]]


def _now() -> datetime:
    return datetime.now(UTC)


class Book(Kept):
    """An account book in a folder.

    Args:
        path: the folder; made by the first import.
        factor_folders: the user's own factors, over the shipped ones.
        policy: which factors may answer; what the book stands under if None.
        memory_limit: for the engine, such as "1GB".
        clock: gives the time of a posting.
    """

    def __init__(
        self,
        path: Path,
        *,
        factor_folders: Sequence[Path] = (),
        policy: str | None = None,
        memory_limit: str | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.path, self.asked_policy, self.clock = Path(path), policy, clock
        self.factor_folders = tuple(factor_folders)
        self.store = self.shelf = Store(self.path, memory_limit=memory_limit)
        self.known = {}

    @cached_property
    def edition(self) -> "Edition":
        """The factors in use."""
        return read_edition(*self.factor_folders)

    @property
    def policy(self) -> str:
        """The policy the book stands under, or will."""
        return balance.policy_for(self.asked_policy, sorted({row["policy"] for row in self.terms()}))

    def import_file(
        self, reader: str, path: Path, options: ReadOptions, tell: Callable[[int], None] | None = None
    ) -> Imported:
        """Book the rows of a file that are new, as `import_rows` does; Parquet is read by the engine."""
        source = options.source_id(reader)
        if reader != BULK:
            tables = tables_of(reader)
            if tables == USAGE_ONLY:
                return self.import_rows(read_path(reader, path, options), source, tell)
            taken = take(self.store, self.edition, lambda: read_path(reader, path, options), tables, source)
            self.post(f"import {source}")
            return taken
        mapping = declared(BULK, options, options.mapping or same_names(self.store.columns_of(path))).checked()
        added = self.store.append_parquet("usage", path, mapping, unique="usage_key", info={"import": source})
        self.post(f"import {source}")
        return Imported(added.added, added.already, added.refused, added.findings)

    def import_rows(
        self, given: "Iterable[Entry | Finding]", source: str, tell: Callable[[int], None] | None = None
    ) -> Imported:
        """Book the rows that are new, in one commit, and post them; faults come back as findings."""
        findings: list[Finding] = []
        rows = sifted(given, findings, tell)
        added = self.store.append_rows("usage", rows, unique="usage_key", info={"import": source})
        self.post(f"import {source}")
        refused = added.refused + refused_rows(findings)
        return Imported(added.added, added.already, refused, (*findings, *added.findings))

    def post(self, cause: str = "usage") -> int:
        """Price and post what is not posted yet; returns how many postings were added."""
        while True:
            through, version = self._posted_through()
            newest = self.store.version("usage")
            if newest <= through:
                return 0
            try:
                return self._say(self._priced((through, newest), cause, self.policy), newest, cause, version)
            except StoreConflict:
                continue  # another process posted first; look again at what is left

    def restate(self, cause: str) -> int:
        """Reverse what stands and post it again with today's factors; returns how many postings were reversed."""
        standing = self.standing_postings()
        through, version = self._posted_through()
        taken_back = reversals(standing, cause=cause, posted_at=self.clock())
        policy = self.asked_policy or self.policy
        self._say([*taken_back, *self._priced((-1, through), cause, policy)], through, cause, version)
        return len(standing)

    def report(
        self, by: Sequence[str] = (), stated_at: datetime | None = None, only: balance.Only = balance.EVERYTHING
    ) -> list[balance.Line]:
        """Footprints per value of some columns, with ranges; no columns give the one line of the total."""
        self._ready()
        groups = self.store.rows(balance.standing(self.store.table("posting"), by, stated_at, only))
        return balance.lines(groups, by, self.resolution_of)

    def explain(self, metric: str, target: str) -> explanation.Explanation | None:
        """Why a metric is what it is: of all, of ``team=search``, of one posting, or of one record."""
        self._ready()
        standing = self.standing_postings()
        chosen = selection.selected(target, standing)
        spans = by_span(chosen or standing)
        if chosen:
            frames = [pricing.only(self._priced_again(span, rows), rows) for span, rows in spans]
        else:
            keys = selection.keys_of(target, {row["source"] for row in standing})
            frames = [pricing.keyed_by(self._priced_again(span, rows), keys) for span, rows in spans]
            groups = [row for frame in frames for row in self.store.rows(pricing.cube(pricing.in_grains(frame)))]
            chosen = [explanation.as_posting(group, self.resolution_of) for group in groups]
        if not chosen:
            raise NothingThere(target=target)
        found = [row for frame in frames for row in self.store.rows(pricing.features(frame))]
        return explanation.explain(metric, chosen, found, self.resolution_of)

    def standing_postings(self) -> Rows:
        """Postings that are neither reversed nor reversals."""
        return balance.unreversed(self.store.rows(self.store.table("posting")))

    def audit(self) -> Iterator[Finding]:
        """Everything wrong with the book: files, hashes, factors, reversals, postings that do not replay."""
        yield from self.store.verify()
        self.post()
        rows = self.store.rows(self.store.table("posting"))
        yield from audit.forged(rows)
        yield from audit.unresolved(rows, self.resolutions())
        yield from audit.unpaired(rows)
        for span, members in by_span(row for row in rows if row["reverses"] is None):
            cube = pricing.cube(pricing.in_grains(self._priced_again(span, members)))
            yield from audit.replayed(members, self.store.rows(cube))

    def _ready(self) -> None:
        """Post what is new, and refuse a policy that the book does not stand under."""
        self.post()
        balance.policy_for(self.asked_policy, sorted({row["policy"] for row in self.terms()}))

    def _say(self, rows: Iterable[Mapping[str, Any]], through: int, cause: str, version: int) -> int:
        info = {"usage_version": str(through), "cause": cause}
        return self.store.append_rows("posting", rows, unique="posting_id", info=info, expected=version).added

    def _priced(self, span: tuple[int, int], cause: str, policy: str) -> list[dict[str, Any]]:
        """Postings of the usage of one span, and the resolutions they stand on booked before them."""
        usage = pricing.keyed(self.store.table("usage", after=span[0], version=span[1]))
        resolver = Resolver(self.edition, policy)
        models = resolver.models(pricing.distinct(self.store, usage, pricing.MODEL_KEY))
        places = resolver.places(pricing.distinct(self.store, usage, pricing.PLACE_KEY))
        rows = pricing.joined(self.store, usage, models, places)
        groups = self.store.rows(pricing.cube(pricing.in_grains(rows)))
        kept = ({"resolution_id": i, "resolution_json": r.to_json()} for i, r in resolver.resolutions.items())
        self.store.append_rows("resolution", kept, unique="resolution_id", info={"cause": cause})
        tiers = {i: r.tier for i, r in resolver.resolutions.items()}
        terms = {"edition": self.edition.edition_id, "policy": policy, "cause": cause}
        return list(postings(groups, **terms, posted_at=self.clock(), tier_of=tiers, usage_span=span))

    def _priced_again(self, span: tuple[int, int], members: Rows) -> "nw.LazyFrame":
        usage = pricing.keyed(self.store.table("usage", after=span[0], version=span[1]))
        kept = self.resolutions()
        models, places = audit.model_rows(members, kept), audit.place_rows(members, kept)
        return pricing.joined(self.store, usage, models, places)

    def _posted_through(self) -> tuple[int, int]:
        """The last version of usage that is posted, and the version of the posting table that says so."""
        history = self.store.history("posting")
        return (int(history[-1].info["usage_version"]), history[-1].version) if history else (-1, -1)
