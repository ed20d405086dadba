"""Is the library what it says it is? Faults of single rows are found by reading; here rows are held against each other.

Each finding names file and line. The shipped library must have no error; `joulebook factors check` runs in CI. A source
that nothing uses is a warning.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from joulebook.factors.edition import UNKNOWN, Edition, Factor, Link, latest_known
from joulebook.terms.finding import Finding
from joulebook.terms.tier import Tier

NO_CELL = "-"
"""What a user's assumption may write where others name a cell; a shipped one names its line in the register."""

SPREAD = 1.3
"""Two sources that differ by more than this factor must cover each other with their ranges."""

KNOWN_TIERS = (Tier.MEASURED, Tier.DERIVED)
"""Tiers of what was observed, which cannot be known before it begins."""


def check(edition: Edition, also_used: Collection[str] = ()) -> list[Finding]:
    """Everything that is inconsistent between the rows, links and sources of an edition, in the order of the files.

    Args:
        edition: the edition.
        also_used: sources that something besides factors and links uses, such as a series.
    """
    shipped = [row for row in edition.factors if not row.is_user]
    found = [
        *(finding for row in shipped for finding in _row(row)),
        *_clocks(edition, [*shipped, *(link for link in edition.links if not link.is_user)]),
        *_licences(edition, shipped),
        *_orphans(edition, also_used),
        *_stages(shipped),
        *_spread(shipped),
        *_links(edition),
        *_duplicates(shipped),
        *_conflicts(row for row in edition.factors if row.is_user),
    ]
    return sorted(found, key=lambda finding: (finding.file, finding.line or 0))


def _fault(rule: str, row: Factor | Link, **facts: object) -> Finding:
    return Finding(row.file, row.line, rule, {"subject": row.subject, **facts})


def _row(row: Factor) -> Iterator[Finding]:
    if row.cell == NO_CELL:
        yield _fault("factor-without-cell", row, tier=row.tier)
    if row.tier == Tier.ASSUMED and row.range_basis is None:
        yield _fault("assumption-without-reason", row, quantity=row.quantity)
    lowest = 1 if row.quantity == "pue_ratio" else 0
    is_grid = row.quantity == "intensity_g_per_kwh" and row.kind in {"grid", "region"}
    if row.low < lowest or (is_grid and row.value <= 0):  # a grid told as 0 was not told
        yield _fault("factor-out-of-bounds", row, quantity=row.quantity, low=row.low, lowest=lowest)


def _clocks(edition: Edition, rows: Iterable[Factor | Link]) -> Iterator[Finding]:
    for row in rows:
        source = edition.sources[row.source]
        if row.known_from > source.date_seen:
            yield _fault("source-older-than-value", row, source=row.source, date_seen=source.date_seen.isoformat())
        if isinstance(row, Factor) and row.tier in KNOWN_TIERS and row.known_from < row.valid_from:
            yield _fault("known-before-valid", row, known_from=row.known_from.isoformat())


def _licences(edition: Edition, rows: Iterable[Factor]) -> Iterator[Finding]:
    for row in rows:
        if not edition.sources[row.source].ships:
            yield _fault("licence-forbids-shipping", row, source=row.source)


def _orphans(edition: Edition, also_used: Collection[str]) -> Iterator[Finding]:
    used = {row.source for row in edition.factors} | {link.source for link in edition.links} | set(also_used)
    for source in edition.sources.values():
        if source.source not in used and source.ships:
            yield Finding(source.file, source.line, "orphan-source", {"source": source.source}, is_error=False)


def _stages(rows: Iterable[Factor]) -> Iterator[Finding]:
    """Direct emissions cannot exceed life-cycle emissions of the same place and year."""
    groups: dict[tuple[object, ...], dict[str, Factor]] = {}
    for row in latest_known(row for row in rows if "stage" in row.basis):
        same = tuple(sorted((key, word) for key, word in row.basis.items() if key in ("signal", "method", "purpose")))
        groups.setdefault((row.subject, row.quantity, row.valid_from, same), {})[row.basis["stage"]] = row
    for stages in groups.values():
        if {"direct", "life-cycle"} <= stages.keys() and stages["direct"].low > stages["life-cycle"].high:
            direct, whole = stages["direct"], stages["life-cycle"]
            yield _fault("direct-above-life-cycle", direct, direct=direct.value, life_cycle=whole.value)


def _spread(rows: Iterable[Factor]) -> Iterator[Finding]:
    """Where two sources disagree widely about the same number, both ranges must cover both values.

    Estimates of a model nobody published are left out: its range is the union of them.
    """
    groups: dict[tuple[object, ...], list[Factor]] = {}
    for row in latest_known(row for row in rows if row.kind != "model" or row.tier != Tier.ASSUMED.value):
        groups.setdefault((row.subject, row.quantity, tuple(sorted(row.basis.items()))), []).append(row)
    for group in groups.values():
        for one, other in combinations(group, 2):
            if one.source == other.source or min(one.value, other.value) <= 0:
                continue
            ratio = max(one.value, other.value) / min(one.value, other.value)
            if ratio > SPREAD and _is_same_time(one, other) and not (_covers(one, other) and _covers(other, one)):
                yield _fault("spread-not-covered", one, other=other.source, ratio=f"{ratio:.2f}")


def _is_same_time(one: Factor, other: Factor) -> bool:
    starts_before_end = other.valid_to is None or one.valid_from < other.valid_to
    return starts_before_end and (one.valid_to is None or other.valid_from < one.valid_to)


def _covers(row: Factor, other: Factor) -> bool:
    return row.low <= other.value <= row.high


def _links(edition: Edition) -> Iterator[Finding]:
    zones = {row.subject for row in edition.factors_for("intensity_g_per_kwh")}
    models = {row.subject for row in edition.factors if row.kind == "model"}
    aliases = {link.subject for link in edition.links if link.relation == "alias_of"}
    targets = {"grid_zone": zones | {UNKNOWN}, "parent": zones, "alias_of": models | aliases}
    for link in edition.links:
        if link.relation in targets and link.object not in targets[link.relation]:
            yield _fault("link-to-nothing", link, relation=link.relation, object=link.object)


def _duplicates(rows: Iterable[Factor]) -> Iterator[Finding]:
    seen: dict[str, Factor] = {}
    for row in rows:
        first = seen.setdefault(row.factor_id, row)
        if first is not row:
            yield _fault("factor-twice", row, first=f"{first.file}:{first.line}")


def _conflicts(rows: Iterable[Factor]) -> Iterator[Finding]:
    """Two packages, or two folders, that say different things about the same number: neither would be chosen."""
    groups: dict[tuple[object, ...], list[Factor]] = {}
    for row in latest_known(rows):
        key = (row.subject, row.quantity, tuple(sorted(row.basis.items())), not row.package)
        groups.setdefault(key, []).append(row)
    for group in groups.values():
        for one, other in combinations(group, 2):
            is_other = (one.package, one.source) != (other.package, other.source)
            if is_other and _is_same_time(one, other) and one.range != other.range:
                facts = {"quantity": one.quantity, "value": one.value, "other": f"{other.file}:{other.line}"}
                yield _fault("factors-conflict", one, **facts, other_value=other.value)
