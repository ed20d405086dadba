"""What stands: postings less their reversals, on any date, added up by what one wants to know."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from joulebook.account.interval import Share, total
from joulebook.account.measured import RUN_METHOD
from joulebook.account.resolution import Part, Resolution
from joulebook.errors import PolicyDiffers
from joulebook.ledger.behind import Behind
from joulebook.ledger.coverage import Coverage, coverage
from joulebook.ledger.posting import AMOUNTS, COUNTS, SUBJECT
from joulebook.terms.columns import METRICS
from joulebook.terms.range import Range
from joulebook.terms.rounding import from_grains
from joulebook.terms.tier import Tier

if TYPE_CHECKING:
    import narwhals as nw

DEFAULT_POLICY = "ghgp-location"
PERIODS = ("day", "month")
VIEWS: Mapping[str, tuple[str, ...]] = {
    **{metric: (metric,) for metric in METRICS},
    "water_without_hydro_l": ("water_onsite_l", "water_offsite_without_hydro_l"),
    "water_hydro_l": ("water_onsite_l", "water_offsite_hydro_l"),
}
"""What a report shows: every metric, and the sums that make sense; both water views stay apart."""

RESOLUTIONS = ("model_resolution_id", "place_resolution_id")
TOLD = (*AMOUNTS, "cost_usd_q")
"""Columns of a posting that may be unknown."""


@dataclass(frozen=True, slots=True)
class Amount:
    """One metric of one line.

    Attributes:
        range: low, mid, high [unit of the metric].
        covered_ratio: part of the rows that the amount speaks for, 0..1.
        drivers: factors that make it uncertain with their part of the variance, largest first.
    """

    range: Range
    covered_ratio: float
    drivers: tuple[tuple[Part, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report.

    Attributes:
        keys: the value of each column it was grouped by.
        amounts: name of `VIEWS` -> amount; one nothing is known about is absent, which is not zero.
        row_count, unpriced_count, request_count: rows, rows without energy, requests.
        unknown_count: rows whose model or place is not known.
        tier: the worst tier in it.
        is_synthetic: True where a row is a sample.
        part_count, missing_count: parts of measured runs among the rows, and those whose energy nothing tells.
        energy_tier: the worst tier of the energy alone, which for a measured run is better than that of its CO2e.
        unknown: what is not known (``model``, ``device``, ``place``) -> rows.
        coverage: how well the energy is known, by rows, cost and kWh.
    """

    keys: Mapping[str, Any]
    amounts: Mapping[str, Amount]
    row_count: int
    unpriced_count: int
    request_count: int
    unknown_count: int
    tier: str
    is_synthetic: bool
    part_count: int = 0
    missing_count: int = 0
    energy_tier: str = Tier.ESTIMATED
    unknown: Mapping[str, int] = field(default_factory=dict)
    coverage: tuple[Coverage, ...] = ()


@dataclass(frozen=True, slots=True)
class Only:
    """Which postings a report speaks about.

    Attributes:
        since: start of the first period; None for all.
        tools: programs that made the requests; none for all.
    """

    since: datetime | None = None
    tools: tuple[str, ...] = ()


EVERYTHING = Only()


def standing(
    postings: "nw.LazyFrame",
    by: Sequence[str] = (),
    stated_at: datetime | None = None,
    only: Only = EVERYTHING,
) -> "nw.LazyFrame":
    """Net amounts per group and combination of factors.

    Args:
        postings: the posting table.
        by: columns of `SUBJECT`, ``day`` or ``month``.
        stated_at: only what was said up to then (UTC).
        only: which postings.

    Returns:
        per group: ``<metric>_q`` [grains], ``<metric>_q_known`` (postings that have it), counts, ``tier``,
        ``usage_tier``, ``method``, ``is_synthetic`` and the two resolution ids.
    """
    import narwhals as nw  # noqa: PLC0415  (only a book with many postings pays)

    if stated_at is not None:
        postings = postings.filter(nw.col("posted_at") <= stated_at)
    if only.since is not None:
        postings = postings.filter(nw.col("period_start") >= only.since)
    if only.tools:
        postings = postings.filter(nw.col("tool").is_in(only.tools))
    frame = postings.with_columns(
        nw.col("period_start").dt.truncate("1d").alias("day"), nw.col("period_start").dt.truncate("1mo").alias("month")
    )
    return frame.group_by(*group_keys(by)).agg(
        *(nw.col(name).sum() for name in (*AMOUNTS, *COUNTS)),
        *(nw.col(name).count().alias(f"{name}_known") for name in TOLD),
    )


def group_keys(by: Sequence[str]) -> list[str]:
    """Columns that tell apart what may be summed, beside those that are asked for."""
    return [*dict.fromkeys((*by, "tier", "usage_tier", "method", "is_synthetic", *RESOLUTIONS))]


def stated_terms(postings: "nw.LazyFrame") -> "nw.LazyFrame":
    """Under which policies and editions the postings that stand were made: one row each."""
    import narwhals as nw  # noqa: PLC0415  (only a book with many postings pays)

    return postings.group_by("policy", "edition").agg(nw.col("row_count").sum()).filter(nw.col("row_count") != 0)


def policy_for(asked: str | None, standing_policies: Sequence[str]) -> str:
    """The policy a book is kept under: the one it stands under, else the one asked for, else the default.

    Raises:
        PolicyDiffers: another one is asked for than it stands under.
    """
    if asked is not None and any(name != asked for name in standing_policies):
        raise PolicyDiffers(asked=asked, stands=", ".join(standing_policies))
    return asked or next(iter(standing_policies), DEFAULT_POLICY)


def unreversed(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Postings that are neither reversed nor reversals."""
    reversed_ids = {row["reverses"] for row in rows}
    return [row for row in rows if row["reverses"] is None and row["posting_id"] not in reversed_ids]


def lines(
    groups: Iterable[Mapping[str, Any]],
    by: Sequence[str],
    resolution_of: Callable[[str], Resolution],
    views: Mapping[str, tuple[str, ...]] = VIEWS,
    behind: Behind | None = None,
) -> list[Line]:
    """Add up the rows of `standing` per value of ``by``, with ranges.

    Args:
        groups: rows of `standing` for the same ``by``.
        by: the columns to group by; none gives the one line of the total.
        resolution_of: id -> resolution.
        views: name of a figure -> the metrics it adds up.
        behind: factors behind metrics that were worked out for other lines of the same resolutions.

    Returns:
        one line per value, in the order of their keys; groups that were wholly reversed are left out.
    """
    gathered: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for group in groups:
        if group["row_count"]:
            gathered.setdefault(tuple(group[name] for name in by), []).append(group)
    ordered = sorted(gathered.items(), key=lambda item: tuple((value is None, str(value)) for value in item[0]))
    found = Behind(resolution_of) if behind is None else behind
    return [
        _line(dict(zip(by, key, strict=True)), sorted(members, key=_order), found, views) for key, members in ordered
    ]


def _order(group: Mapping[str, Any]) -> tuple[str, ...]:
    """An order of groups that no engine decides: floating sums over them are then always the same."""
    names = (*RESOLUTIONS, "tier", "usage_tier", "method", *(name for name in BY if name in group))
    return tuple(str(group.get(name)) for name in names)


def _line(
    keys: Mapping[str, Any],
    members: Sequence[Mapping[str, Any]],
    behind: Behind,
    views: Mapping[str, tuple[str, ...]],
) -> Line:
    resolved = [behind.resolutions(group) for group in members]
    amounts: dict[str, Amount] = {}
    for name, metrics in views.items():
        amount = _amount(metrics, members, behind)
        if amount is not None:
            amounts[name] = amount
    of_runs = [group for group in members if group.get("method") == RUN_METHOD]
    told = [group for group in members if group["row_count"] > group["unpriced_count"]]
    return Line(
        keys=keys,
        amounts=amounts,
        row_count=sum(group["row_count"] for group in members),
        unpriced_count=sum(group["unpriced_count"] for group in members),
        request_count=sum(group["request_count"] for group in members),
        unknown_count=sum(
            group["row_count"]
            for group, found in zip(members, resolved, strict=True)
            if any(resolution.is_unknown for resolution in found)
        ),
        tier=str(Tier.worst(*(group["tier"] for group in members))),
        is_synthetic=any(group["is_synthetic"] for group in members),
        part_count=sum(group["row_count"] for group in of_runs),
        missing_count=sum(group["unpriced_count"] for group in of_runs),
        energy_tier=str(Tier.worst(*(_energy_tier(group) for group in told or members))),
        unknown=_unknown(members, resolved),
        coverage=coverage(members, behind.resolution_of),
    )


def _unknown(members: Sequence[Mapping[str, Any]], resolved: Sequence[tuple[Resolution, ...]]) -> dict[str, int]:
    """Rows by what is not known of them; a row may lack both model and place."""
    found: dict[str, int] = {}
    for group, resolutions in zip(members, resolved, strict=True):
        for about in {resolution.unknown for resolution in resolutions} - {None}:
            found[str(about)] = found.get(str(about), 0) + group["row_count"]
    return found


def _energy_tier(group: Mapping[str, Any]) -> str:
    """How the energy is known: of a measured part by its meter, of usage as the whole estimate."""
    return group["usage_tier"] if group.get("method") == RUN_METHOD else group["tier"]


def _amount(metrics: Sequence[str], members: Sequence[Mapping[str, Any]], behind: Behind) -> Amount | None:
    """The sum of some metrics over some groups; groups that lack one of them do not count and lower the coverage."""
    shares: list[Share] = []
    parts: dict[str, Part] = {}
    whole = covered = 0
    for group in members:
        if not all(_is_known(group, metric) for metric in metrics):
            continue
        for metric in metrics:
            found_parts, spreads = behind.metric(metric, group)
            parts.update(found_parts)
            shares.append(Share(from_grains(group[f"{metric}_q"], metric), spreads))
            whole += group[f"{metric}_q"]
        covered += group["row_count"] - group["unpriced_count"]
    if not covered:
        return None
    found = total(shares)
    mid = from_grains(whole, metrics[0])
    ranked = sorted(found.variance_ratio.items(), key=lambda item: -item[1])
    return Amount(
        range=Range(min(found.range.low, mid), mid, max(found.range.high, mid)),
        covered_ratio=covered / sum(group["row_count"] for group in members),
        drivers=tuple((parts[factor_id], ratio) for factor_id, ratio in ranked if ratio > 0),
    )


def _is_known(group: Mapping[str, Any], metric: str) -> bool:
    """Whether a group, or a single posting, has an amount; a sum over nothing is unknown, not zero."""
    return group[f"{metric}_q"] is not None and group.get(f"{metric}_q_known", 1) > 0


BY = (*SUBJECT, *PERIODS)
"""Everything a report can be grouped by."""
