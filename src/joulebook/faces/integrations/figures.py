"""The figures of a run as plain numbers, for tools that log numbers."""

from joulebook.factors.read import read_edition
from joulebook.measure.span import Span
from joulebook.measure.summary import RunSummary
from joulebook.runs import RunAccount, account_run


def account_of(run: Span | RunSummary, provider: str | None = None, region: str | None = None) -> RunAccount:
    """Energy and footprint of a span's session, or of a run.

    Args:
        run: what was measured.
        provider: who hosts the machine; None is unknown.
        region: its region, or a country; None is unknown.
    """
    summary = run.summary() if isinstance(run, Span) else run
    return account_run(summary, read_edition(), provider, region)


def figures(account: RunAccount, prefix: str = "joulebook/") -> dict[str, float]:
    """Name -> number: every metric with its low and high end; what is unknown is left out, never zero."""
    found = {f"{prefix}duration_s": account.summary.duration_s}
    for name, value in account.metrics.items():
        if value is not None:
            found |= {
                f"{prefix}{name}": value.mid,
                f"{prefix}{name}_low": value.low,
                f"{prefix}{name}_high": value.high,
            }
    return found


def words(account: RunAccount, prefix: str = "joulebook.") -> dict[str, str]:
    """Name -> text: run, tier, place, methods, what is missing."""
    methods = sorted({f"{one.row.component}: {one.row.method}" for one in account.rows})
    return {
        f"{prefix}run": account.summary.run,
        f"{prefix}tier": str(account.tier or "unknown"),
        f"{prefix}zone": account.place.zone,
        f"{prefix}methods": ", ".join(methods),
        f"{prefix}missing": ", ".join(sorted({one.component for one in account.missing})),
    }
