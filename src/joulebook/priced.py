"""From the tables of a book to postings, and back: usage by its tokens, runs by their meters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from joulebook.account import measured
from joulebook.factors.policy import is_hourly
from joulebook.ingest.imported import Imported
from joulebook.ledger import balance
from joulebook.ledger.coverage import coverage, notices
from joulebook.ledger.kept import Kept
from joulebook.ledger.posting import DAY, HOUR, METHOD, postings
from joulebook.terms.finding import Finding

if TYPE_CHECKING:
    import narwhals as nw

    from joulebook.account.resolver import Resolver
    from joulebook.factors.edition import Edition
    from joulebook.factors.hourly import Hours
    from joulebook.factors.read import Folder
    from joulebook.store.store import Store

Rows = Sequence[Mapping[str, Any]]
Span = tuple[int, int]
"""Versions of a table: after the first, through the second."""

HELD_POSTINGS = 5000
"""Up to so many an engine takes longer to plan a sum than Python takes to make it."""

PRICED_TABLES = ("usage", "energy")
"""Tables whose rows are priced and posted."""


class Priced(Kept):
    """The part of a book that prices its rows.

    Attributes:
        store: its tables.
        clock: gives the time of a posting.
        asked_policy: which factors may answer; what the book stands under if None.
        factor_folders: folders and packages of the user's own factors, over the shipped ones.
    """

    store: "Store"
    clock: Callable[[], datetime]
    asked_policy: str | None
    factor_folders: "tuple[Folder, ...]"
    held_postings: int = HELD_POSTINGS

    @property
    def policy(self) -> str:
        """The policy the book stands under, or will."""
        return balance.policy_for(self.asked_policy, sorted({row["policy"] for row in self.terms()}))

    @cached_property
    def edition(self) -> "Edition":
        """The factors in use."""
        from joulebook.factors.read import read_edition  # noqa: PLC0415  (a report prices nothing)

        return read_edition(*self.factor_folders)

    @cached_property
    def hours(self) -> "Hours":
        """The hourly values that were fetched, for policies that ask for hours."""
        from joulebook.factors.hourly import Hours  # noqa: PLC0415  (a report prices nothing)
        from joulebook.live.cache import kept_rows  # noqa: PLC0415  (a report prices nothing)

        return Hours(kept_rows)

    def prepare(self) -> None:
        """Load what pricing takes, in a time in which something else is waited for."""
        from joulebook.account import priced_usage  # noqa: F401, PLC0415  (a report prices nothing)
        from joulebook.estimate.published import operator_points  # noqa: PLC0415  (a report prices nothing)

        operator_points(self.edition, self.policy)
        self.store.engine.execute("SELECT 1")

    def price_usage(self, span: Span, cause: str, policy: str) -> list[dict[str, Any]]:
        """Postings of the usage of one span, and the resolutions they stand on booked before them."""
        from joulebook.account import pricing  # noqa: PLC0415  (a report prices nothing)
        from joulebook.account.priced_usage import priced_usage  # noqa: PLC0415  (a report prices nothing)
        from joulebook.account.resolver import Resolver  # noqa: PLC0415  (a report prices nothing)

        resolver = Resolver(self.edition, policy, self.hours if is_hourly(policy) else None)
        table = self.store.table("usage", after=span[0], version=span[1])
        rows = priced_usage(self.store, table, resolver, hourly=is_hourly(policy))
        groups = [] if rows is None else self.store.rows(pricing.cube(pricing.in_grains(rows)))
        return self._postings(groups, resolver, span, cause, METHOD)

    def _usage(self, span: Span, policy: str) -> "tuple[nw.LazyFrame, tuple[str, ...]]":
        """Usage of one span with its keys, and the units of other kinds than text that it has."""
        from joulebook.account import pricing  # noqa: PLC0415  (a report prices nothing)

        usage = self.store.table("usage", after=span[0], version=span[1])
        others = pricing.others_in(self.store, usage)
        return pricing.keyed(usage, others, hourly=is_hourly(policy)), others

    def marginal(self, by: Sequence[str] = ()) -> list[balance.Line]:
        """CO2e that one more such use would cause, per value of some columns: for decisions, never posted."""
        from joulebook.account.marginal import MarginalResolver, marginal_groups  # noqa: PLC0415  (a report prices nothing)
        from joulebook.account.priced_usage import priced_usage  # noqa: PLC0415  (a report prices nothing)
        from joulebook.ledger import decision  # noqa: PLC0415  (a report prices nothing)

        resolver = MarginalResolver(self.edition, self.policy, self.hours)
        rows = priced_usage(self.store, self.store.table("usage"), resolver, hourly=True)
        return [] if rows is None else decision.lines(marginal_groups(self.store, rows), by, resolver.resolutions)

    def price_runs(self, span: Span, cause: str, policy: str) -> list[dict[str, Any]]:
        """Postings of the measured energy of one span, likewise; the factors of its machines were kept with it."""
        from joulebook.account.resolver import Resolver  # noqa: PLC0415  (a report prices nothing)

        rows = self._energy(span, policy)
        resolver = Resolver(self.edition, policy, self.hours if is_hourly(policy) else None)
        places = resolver.places(measured.place_keys(rows))
        groups = measured.groups(rows, self._values(), places)
        return self._postings(groups, resolver, span, cause, measured.RUN_METHOD)

    def usage_again(self, span: Span, members: Rows) -> "nw.LazyFrame":
        """Usage of one span, priced with the factors that its postings were made with."""
        from joulebook.account import pricing  # noqa: PLC0415  (a report prices nothing)
        from joulebook.ledger import audit  # noqa: PLC0415  (a report prices nothing)

        usage, others = self._usage(span, members[0]["policy"])
        kept = self.resolutions()
        models, places = audit.model_rows(members, kept, others), audit.place_rows(members, kept, others)
        return pricing.joined(self.store, usage, models, places)

    def runs_again(self, span: Span, members: Rows) -> list[dict[str, Any]]:
        """Groups of the measured energy of one span, priced with the factors that its postings were made with."""
        from joulebook.ledger import audit  # noqa: PLC0415  (a report prices nothing)

        rows = self._energy(span, members[0]["policy"])
        return list(measured.groups(rows, self._values(), audit.place_rows(members, self.resolutions())))

    def _energy(self, span: Span, policy: str) -> list[Mapping[str, Any]]:
        """Measured energy of one span, cut into the periods that the policy speaks of."""
        rows = self.store.rows(self.store.table("energy", after=span[0], version=span[1]))
        return measured.by_period(rows, HOUR if is_hourly(policy) else DAY)

    def overlaps(self) -> list[Finding]:
        """Machines that several runs measured at the same time, so that totals count them more than once."""
        from joulebook.ledger import audit  # noqa: PLC0415  (a report prices nothing)

        return list(audit.overlapping(self.store.rows(self.store.table("energy").select(*audit.OVERLAP))))

    def looked_at(self, imported: Imported, before: int, file: str) -> Imported:
        """An import with warnings about names, dates and rows without energy, and with its coverage.

        Args:
            imported: what the import did.
            before: version of the posting table before it.
            file: what was imported.
        """
        rows = self.store.rows(self.store.table("posting", after=before))
        said = [row for row in rows if row["reverses"] is None]
        noticed = notices(said, self.resolution_of, self.edition, file, self.clock())
        found = coverage(said, self.resolution_of)
        return replace(imported, findings=(*imported.findings, *noticed), coverage=found)

    def _values(self) -> dict[str, Mapping[str, float | None]]:
        return {name: found.values for name, found in self.resolutions().items()}

    def _postings(
        self, groups: Iterable[Mapping[str, Any]], resolver: "Resolver", span: Span, cause: str, method: str
    ) -> list[dict[str, Any]]:
        kept = ({"resolution_id": i, "resolution_json": r.to_json()} for i, r in resolver.resolutions.items())
        self.store.append_rows("resolution", kept, unique="resolution_id", info={"cause": cause})
        tiers = {i: r.tier for i, r in resolver.resolutions.items()}
        terms = {"edition": self.edition.edition_id, "policy": resolver.policy, "cause": cause, "method": method}
        period = DAY if resolver.hours is None else HOUR
        said = postings(groups, **terms, posted_at=self.clock(), tier_of=tiers, usage_span=span, period=period)
        return list(said)
