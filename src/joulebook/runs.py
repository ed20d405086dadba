"""A measured run in the words of the book: readings and use -> energy by component -> footprint -> rows.

The meter knows readings and use, the estimator knows machines, the account knows footprints; this puts them together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from joulebook.account.formulas import BY_NAME, inputs_of, leaves_of
from joulebook.account.interval import Share, Spread, total
from joulebook.errors import FactorMissing
from joulebook.estimate.machines import ComponentRow, MachineUse, Reading, component_energy
from joulebook.factors.choose import Choice, choose, resolve_place
from joulebook.factors.edition import Edition
from joulebook.factors.place import Place
from joulebook.measure.summary import ComponentEnergy, HostSummary, RunSummary, SpanSummary
from joulebook.measure.tally import UseTally
from joulebook.measure.utilisation import Machine
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert
from joulebook.terms.usage import usage_key

SITE = ("pue_ratio", "wue_l_per_kwh")
"""Columns that belong to the building; the other columns of a place belong to its grid."""

IT = frozenset({"it_energy_kwh"})

METRICS = (
    "facility_energy_kwh",
    "co2e_operational_location_g",
    "co2e_grid_losses_g",
    "co2e_upstream_g",
    "water_onsite_l",
    "water_offsite_without_hydro_l",
    "water_offsite_hydro_l",
)
"""What is computed from IT energy and place, in this order."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """Energy of one component of one host."""

    host: HostSummary
    row: ComponentRow


@dataclass(frozen=True, slots=True)
class RunAccount:
    """A run with its energy and footprint.

    Attributes:
        summary: what was measured.
        rows: energy by host and component, estimates included.
        missing: components that no meter reads, with why and what would change it.
        place: where it ran, as far as known.
        metrics: metric -> range [unit of the column]; None where a factor is missing altogether.
        choices: place column -> the factor taken.
        tier: the worst tier of the energy.
    """

    summary: RunSummary
    rows: tuple[HostRow, ...]
    missing: tuple[ComponentEnergy, ...]
    place: Place
    metrics: Mapping[str, Range | None]
    choices: Mapping[str, Choice] = field(default_factory=dict)
    tier: Tier | None = None

    @property
    def it_energy_kwh(self) -> Range | None:
        """Energy of the IT equipment, all hosts [kWh]; None where nothing is known."""
        return self.metrics.get("it_energy_kwh")


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
    rows = tuple(
        HostRow(host, row) for host in summary.hosts for row in component_energy(machine_use(host, at), edition)
    )
    missing = tuple(one for one in summary.components if one.energy_kwh is None)
    place = resolve_place(edition, provider or summary.provider, region or summary.region, at)
    choices = _choices(edition, place, at, policy)
    metrics = _metrics(rows, choices)
    tier = Tier.worst(*(one.row.tier for one in rows)) if rows else None
    return RunAccount(summary, rows, missing, place, metrics, choices, tier)


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


def _choices(edition: Edition, place: Place, at: date, policy: str) -> dict[str, Choice]:
    found: dict[str, Choice] = {}
    for column in dict.fromkeys(name for metric in METRICS for name in _place_columns(metric)):
        try:
            found[column] = choose(edition, column, place.site if column in SITE else place.zone, at, policy)
        except FactorMissing:
            continue  # the metrics that need it are None, which is shown as unknown
    return found


def _place_columns(metric: str) -> tuple[str, ...]:
    """Columns of a place behind a metric."""
    return tuple(name for name in leaves_of(metric, IT) if name not in IT)


def _metrics(rows: Sequence[HostRow], choices: Mapping[str, Choice]) -> dict[str, Range | None]:
    """Every metric with its range: components share the place's factors, so these do not average out."""
    if not rows:
        return dict.fromkeys(("it_energy_kwh", *METRICS))
    known = {name: choice.factor.value for name, choice in choices.items()}
    metrics: dict[str, Range | None] = {"it_energy_kwh": _total(rows, [one.row.energy_kwh.mid for one in rows], ())}
    for metric in METRICS:
        columns = _place_columns(metric)
        if all(name in choices for name in columns):
            amounts = [_amount(metric, {**known, "it_energy_kwh": one.row.energy_kwh.mid}) for one in rows]
            metrics[metric] = _total(rows, amounts, [choices[name] for name in columns])
        else:
            metrics[metric] = None
    return metrics


def _amount(metric: str, known: Mapping[str, float]) -> float:
    """A metric on plain floats, by the formulas of the account."""
    if metric in known:
        return known[metric]
    formula = BY_NAME[metric]
    return formula(*(_amount(name, known) for name in inputs_of(formula)))


def _total(rows: Sequence[HostRow], amounts: Sequence[float], choices: Sequence[Choice]) -> Range:
    place = [_spread(choice.factor.factor_id, choice.factor.range) for choice in choices]
    shares = []
    for one, amount in zip(rows, amounts, strict=True):
        ids = "+".join(choice.factor.factor_id for choice in one.row.choices)
        shares.append(Share(amount, [_spread(f"{one.row.component}:{ids}", one.row.energy_kwh), *place]))
    return total(shares).range


def _spread(name: str, value: Range) -> Spread:
    return Spread(name, value.sigma_low, value.sigma_high)


def energy_rows(account: RunAccount, provider: str | None = None, region: str | None = None) -> list[dict[str, Any]]:
    """Rows of the energy table; the same run gives the same keys, so that booking twice books once."""
    summary = account.summary
    found = []
    for one in account.rows:
        started = one.host.started_at
        low, mid, high = one.row.energy_kwh
        found.append(
            {
                "energy_key": usage_key([summary.run, one.host.host, one.host.boot_id, one.row.component]),
                "reading_key": None,
                "source": "run",
                "run": summary.run,
                "started_at": started,
                "ended_at": started.fromtimestamp(started.timestamp() + one.host.duration_s, tz=started.tzinfo),
                "host": one.host.host,
                "component": one.row.component,
                "device": None,
                "team": summary.team,
                "project": summary.project,
                "provider": provider or summary.provider,
                "region": region or summary.region,
                "it_energy_kwh": mid,
                "it_energy_low_kwh": low,
                "it_energy_high_kwh": high,
                "tier": str(one.row.tier),
                "boundary": str(one.row.boundary),
                "method": one.row.method,
                "factor_ids": ",".join(choice.factor.factor_id for choice in one.row.choices),
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


def book_run(store: EnergyStore, account: RunAccount, provider: str | None = None, region: str | None = None) -> None:
    """Book the energy of a run, once."""
    rows = energy_rows(account, provider, region)
    if rows:
        store.append_rows("energy", rows, unique="energy_key", info={"run": account.summary.run})
