"""A measured run in the words of the book: readings and use -> energy by component -> footprint -> rows.

The meter knows readings and use, the estimator knows machines, the account knows footprints; this puts them together.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from joulebook.account import measured
from joulebook.account.resolution import Resolution
from joulebook.account.resolver import Resolver
from joulebook.estimate.machines import ComponentRow, MachineUse, Reading, component_energy
from joulebook.factors.choose import resolve_place
from joulebook.factors.edition import Edition
from joulebook.factors.place import Place
from joulebook.ledger.balance import VIEWS, Amount, Line, lines
from joulebook.ledger.posting import postings
from joulebook.measure.journal import journal_files
from joulebook.measure.summary import ComponentEnergy, HostSummary, RunSummary, SpanSummary
from joulebook.measure.tally import UseTally
from joulebook.measure.utilisation import Machine
from joulebook.run_factors import HostRow, host_resolutions, missing_resolution
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert
from joulebook.terms.usage import usage_key

INSIDE_NODE = frozenset({"cpu", "memory"})
"""Components that a figure for the whole server contains."""


@dataclass(frozen=True, slots=True)
class RunAccount:
    """A run with its energy and footprint.

    Attributes:
        summary: what was measured.
        rows: energy by host and component, estimates included.
        missing: components that nothing tells, with why and what would change it.
        place: where it ran, as far as known.
        energy: the same as rows of the energy table, those of missing components without energy.
        resolutions: id -> factors behind the rows and the place.
        line: every figure with its range; None where nothing is known of the run.
        tier: the worst tier of the energy.
        edition: the factors it was made with.
    """

    summary: RunSummary
    rows: tuple[HostRow, ...]
    missing: tuple[ComponentEnergy, ...]
    place: Place
    energy: tuple[Mapping[str, Any], ...]
    resolutions: Mapping[str, Resolution]
    line: Line | None
    tier: Tier | None
    edition: Edition

    @property
    def amounts(self) -> Mapping[str, Amount]:
        """Metric or sum of metrics -> amount; what nothing is known about is absent."""
        return self.line.amounts if self.line is not None else {}

    @property
    def metrics(self) -> dict[str, Range | None]:
        """Metric or sum of metrics -> range [unit of the column]; None is unknown, which is not zero."""
        return {name: self.amounts[name].range if name in self.amounts else None for name in VIEWS}

    @property
    def it_energy_kwh(self) -> Range | None:
        """Energy of the IT equipment, all hosts [kWh]; None where nothing is known."""
        return self.metrics["it_energy_kwh"]


def account_run(
    summary: RunSummary,
    edition: Edition,
    provider: str | None = None,
    region: str | None = None,
    policy: str = "ghgp-location",
) -> RunAccount:
    """Energy and footprint of a run.

    Args:
        summary: what was measured.
        edition: factors.
        provider: who hosts the machine, such as ``aws``; None takes what the run says, else it is unknown.
        region: the provider's region, or a country such as ``KOR``; likewise.
        policy: which factors may answer.
    """
    at = summary.started_at.date()
    named = (provider or summary.provider, region or summary.region)
    by_host = [(host, component_energy(machine_use(host, at), edition)) for host in summary.hosts]
    rows = tuple(HostRow(host, row) for host, own in by_host for row in own)
    resolver = Resolver(edition, policy)
    energy: list[Mapping[str, Any]] = []
    for host, own in by_host:
        resolved = host_resolutions(edition, policy, summary.run, host, own, at)
        resolver.resolutions |= {one.resolution_id: one for one in resolved}
        for row, resolution in zip(own, resolved, strict=True):
            energy += _energy_rows(summary, host, named, row, resolution)
        for component in _missing(host, own):
            resolution = missing_resolution(component)
            resolver.resolutions[resolution.resolution_id] = resolution
            energy += _energy_rows(summary, host, named, component, resolution)
    return RunAccount(
        summary=summary,
        rows=rows,
        missing=tuple(one for one in summary.components if one.energy_kwh is None),
        place=resolve_place(edition, *named, at),
        energy=tuple(energy),
        resolutions=resolver.resolutions,
        line=_line(energy, resolver),
        tier=Tier.worst(*(one.row.tier for one in rows)) if rows else None,
        edition=edition,
    )


def _missing(host: HostSummary, rows: Sequence[ComponentRow]) -> list[ComponentEnergy]:
    """Components of a host that nothing tells, not even a figure for the whole server."""
    told = {row.component for row in rows}
    inside = INSIDE_NODE if "node" in told else frozenset()
    return [one for one in host.components if one.energy_kwh is None and one.component not in told | inside]


def _line(energy: Sequence[Mapping[str, Any]], resolver: Resolver) -> Line | None:
    """The run as one line of a report, by the same way as a book's."""
    if not any(row["it_energy_kwh"] is not None for row in energy):
        return None
    pieces = measured.by_period(energy, measured.DAY)
    places = resolver.places(measured.place_keys(pieces))
    known = resolver.resolutions
    found = postings(
        measured.groups(pieces, {name: one.values for name, one in known.items()}, places),
        edition=resolver.edition.edition_id,
        policy=resolver.policy,
        cause="",
        posted_at=energy[0]["started_at"],
        tier_of={name: one.tier for name, one in known.items()},
        usage_span=(-1, -1),
        method=measured.RUN_METHOD,
    )
    return lines(found, (), known.__getitem__)[0]


def account_span(span: SpanSummary, machine: Machine | None, at: date, edition: Edition) -> list[ComponentRow]:
    """Energy of one part of a run by component, estimates included.

    Args:
        span: the part.
        machine: the machine it ran on.
        at: the day.
        edition: factors.
    """
    return component_energy(_machine_use(machine, span.components, span.use, at), edition)


def machine_use(host: HostSummary, at: date) -> MachineUse:
    """One host's readings and use, as the estimator takes them."""
    return _machine_use(host.machine, host.components, host.use, at)


def _machine_use(machine: Machine | None, components: Sequence[ComponentEnergy], use: UseTally, at: date) -> MachineUse:
    readings = {
        one.component: Reading(one.energy_kwh, one.method, one.tier or Tier.DERIVED)
        for one in components
        if one.energy_kwh is not None
    }
    return MachineUse(
        cpu=cpu_subject(machine),
        thread_count=machine.allotted_threads if machine else 0.0,
        step_s=use.step_s if machine else (),
        step_busy_s=use.step_busy_s if machine else (),
        memory_gb=convert(machine.allotted_memory_bytes, "B", "GB") if machine else 0.0,
        readings=readings,
        at=at,
    )


def cpu_subject(machine: Machine | None) -> str | None:
    """``cpu:vendor/family/model/stepping`` in lower case; None where the machine does not tell.

    >>> cpu_subject(None) is None
    True
    """
    if machine is None or not machine.cpu_vendor or machine.cpu_model is None:
        return None
    parts = (machine.cpu_vendor.lower(), machine.cpu_family, machine.cpu_model, machine.cpu_stepping)
    return "cpu:" + "/".join(str(part) for part in parts if part is not None)


def _energy_rows(
    summary: RunSummary,
    host: HostSummary,
    named: tuple[str | None, str | None],
    row: ComponentRow | ComponentEnergy,
    resolution: Resolution,
) -> list[dict[str, Any]]:
    """One component as rows of the energy table, one per day in UTC, each with its part of the time."""
    energy = row.energy_kwh
    is_told = isinstance(row, ComponentRow)
    read = next((one for one in host.components if one.component == row.component), None)
    factors = [choice.factor.factor_id for choice in row.choices] if isinstance(row, ComponentRow) else []
    found = []
    for start, end, part in measured.pieces_of(host.started_at, host.duration_s):
        low, mid, high = energy.scaled(part) if energy is not None else (None, None, None)
        key = [summary.run, host.host, host.boot_id, row.component, f"{start:%Y-%m-%d}"]
        found.append(
            {
                "energy_key": usage_key(key),
                "reading_key": None,
                "source": measured.SOURCE,
                "run": summary.run,
                "run_name": summary.name,
                "started_at": start,
                "ended_at": end,
                "host": host.host,
                "component": row.component,
                "device": ", ".join(dict.fromkeys(read.devices)) or None if read is not None else None,
                "team": summary.team,
                "project": summary.project,
                "provider": named[0],
                "region": named[-1],
                "it_energy_kwh": mid,
                "it_energy_low_kwh": low,
                "it_energy_high_kwh": high,
                "tier": str(row.tier) if is_told else None,
                "boundary": str(row.boundary) if isinstance(row, ComponentRow) else None,
                "method": row.method or None,
                "factor_ids": ",".join(factors),
                "resolution_id": resolution.resolution_id,
            }
        )
    return found


class EnergyStore(Protocol):
    """The part of the store that keeps runs."""

    def append_rows(
        self, table: str, rows: Iterable[Mapping[str, object]], *, unique: str | None, info: Mapping[str, str]
    ) -> object:
        """Append rows whose key is new."""
        ...


def book_run(store: EnergyStore, account: RunAccount) -> None:
    """Book the energy of a run, once, and the factors behind it before it."""
    if not account.energy:
        return
    info = {"run": account.summary.run}
    named = {row["resolution_id"] for row in account.energy}
    kept = ({"resolution_id": name, "resolution_json": account.resolutions[name].to_json()} for name in sorted(named))
    store.append_rows("resolution", kept, unique="resolution_id", info=info)
    store.append_rows("energy", account.energy, unique="energy_key", info=info)


def unbooked(folder: Path, booked: Container[str]) -> Iterator[Path]:
    """Folders of runs that are not in the book yet, whatever became of them.

    Args:
        folder: folder of the journals.
        booked: names of the runs that are.
    """
    names = dict.fromkeys(path.parent for path in journal_files(folder))
    yield from (run for run in names if run.name not in booked)
