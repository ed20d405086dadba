"""Why a figure is what it is: formulas in words and numbers, terms of the estimate, every factor."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joulebook.account.explain import Step, step, steps
from joulebook.account.formulas import BY_NAME, inputs_of, path_to
from joulebook.account.measured import GIVEN as MEASURED
from joulebook.account.measured import RUN_METHOD, co2e_embodied_amortised_g
from joulebook.account.resolution import Part, Resolution, parts_behind
from joulebook.account.units_of_use import EMBODIED_UNITS, UNITS
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.ledger.balance import RESOLUTIONS, Amount, Line, lines
from joulebook.ledger.posting import priced_rows
from joulebook.terms.columns import METRICS
from joulebook.terms.rounding import from_grains
from joulebook.terms.tier import Tier

STARTS = frozenset({"gpu_energy_kwh", "host_energy_kwh", "machine_embodied_g"})
"""Where the formulas of an explanation start: what the terms add up to, and the embodied share of machines."""

OF_HOST = inputs_of(BY_NAME["host_energy_kwh"])


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the energy estimate.

    Attributes:
        coefficient: its column.
        energy_kwh: what it contributes [kWh].
        ratio: its part of the whole estimate, 0..1.
    """

    coefficient: str
    energy_kwh: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Metered:
    """What was measured, or modelled from use, of one kind of part of runs.

    Attributes:
        component: gpu, cpu, memory or node.
        subject: the component with the way its energy is known.
        tier: how well.
        energy_kwh: its energy [kWh]; None is missing, which is not zero.
        ratio: its part of the energy of all runs there, 0..1.
    """

    component: str
    subject: str
    tier: str
    energy_kwh: float | None
    ratio: float


@dataclass(frozen=True, slots=True)
class Used:
    """One factor behind a figure.

    Attributes:
        part: the factor as it was used.
        behind_ratio: part of the figure it stands behind, 0..1.
        variance_ratio: part of the figure's uncertainty that comes from it, 0..1.
    """

    part: Part
    behind_ratio: float
    variance_ratio: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind one figure.

    Attributes:
        metric: the column that is explained.
        line: the figure with its counts.
        steps: formulas in words and numbers, first to last.
        is_mean: True where several places or models stand behind it, so that ratios are means weighted by energy.
        terms: terms of the energy estimate, largest first; empty for metered energy.
        metered: what was measured, largest first, missing parts last; empty where no run is behind it.
        used: factors, the most uncertain first.
        postings: the largest postings behind it: id and amount [unit of the metric].
        hints: what would make the figure better: what it is about, and the advice.
    """

    metric: str
    line: Line
    steps: tuple[Step, ...]
    is_mean: bool
    terms: tuple[Term, ...]
    used: tuple[Used, ...]
    postings: tuple[tuple[Mapping[str, Any], float], ...]
    hints: tuple[tuple[str, str], ...]
    metered: tuple[Metered, ...] = ()

    @property
    def amount(self) -> Amount:
        """The figure."""
        return self.line.amounts[self.metric]


def explain(
    metric: str,
    postings: Sequence[Mapping[str, Any]],
    features: Iterable[Mapping[str, Any]],
    resolution_of: Callable[[str], Resolution],
) -> Explanation | None:
    """Explain one metric of some postings.

    Args:
        metric: the column.
        postings: those that stand, reversals and what they reverse left out.
        features: rows of `joulebook.account.rows_behind.features` over the usage behind them.
        resolution_of: id -> resolution.

    Returns:
        the explanation; None where nothing is known about the metric.
    """
    line = lines(postings, (), resolution_of)[0]
    if metric not in line.amounts:
        return None
    resolved = [tuple(resolution_of(row[name]) for name in RESOLUTIONS if row[name]) for row in postings]
    used = _used(metric, postings, resolved, line.amounts[metric])
    ranked = sorted(postings, key=lambda row: -(row[f"{metric}_q"] or 0))
    hints = (hint for found in resolved for resolution in found for hint in resolution.hints)
    return Explanation(
        metric=metric,
        line=line,
        steps=_embodied_step(metric, postings, resolved) or _steps(metric, postings, resolved),
        is_mean=len({_ratios_of(row) for row in postings}) > 1,
        terms=_terms(features, resolution_of),
        used=used,
        postings=tuple((row, from_grains(row[f"{metric}_q"] or 0, metric)) for row in ranked),
        hints=tuple(dict.fromkeys(hints)),
        metered=_metered(postings, resolution_of),
    )


def _embodied_step(
    metric: str, postings: Sequence[Mapping[str, Any]], resolved: Sequence[tuple[Resolution, ...]]
) -> tuple[Step, ...]:
    """The formula of the embodied share where only runs stand behind it: hours of the hardware at its mean rate."""
    if metric != co2e_embodied_amortised_g.__name__ or any(row.get("method") != RUN_METHOD for row in postings):
        return ()
    rates = [_values(found).get("embodied_g_per_h", 0.0) for found in resolved]
    known = [(row[f"{metric}_q"], rate) for row, rate in zip(postings, rates, strict=True) if row[f"{metric}_q"]]
    hours = sum(from_grains(amount, metric) / rate for amount, rate in known if rate)
    whole = sum(from_grains(amount, metric) for amount, _rate in known)
    values = {"run_h": hours, "embodied_g_per_h": whole / hours if hours else 0.0}
    return (step(co2e_embodied_amortised_g, values),) if hours else ()


def _ratios_of(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The factors that a posting's ratios come from: those of its place, and of its model where it is of usage."""
    model = None if row.get("method") == RUN_METHOD else row["model_resolution_id"]
    return model, row["place_resolution_id"]


def _metered(postings: Sequence[Mapping[str, Any]], resolution_of: Callable[[str], Resolution]) -> tuple[Metered, ...]:
    """Energy of runs by component and the way it is known."""
    sums: dict[tuple[str, str, str, bool], int] = {}
    for row in postings:
        if row.get("method") != RUN_METHOD or not row["model_resolution_id"]:
            continue
        amount = row["it_energy_kwh_q"]
        subject = resolution_of(row["model_resolution_id"]).subject
        key = (row["component"], subject, row["usage_tier"], amount is not None)
        sums[key] = sums.get(key, 0) + (amount or 0)
    whole = sum(sums.values())
    found = [
        Metered(
            component,
            subject,
            tier,
            from_grains(amount, "it_energy_kwh") if is_told else None,
            amount / whole if whole else 0.0,
        )
        for (component, subject, tier, is_told), amount in sums.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.energy_kwh is None, -one.ratio, one.subject)))


def _steps(
    metric: str, postings: Sequence[Mapping[str, Any]], resolved: Sequence[tuple[Resolution, ...]]
) -> tuple[Step, ...]:
    """The formulas after the estimate or the meter, with ratios as means weighted by what they are multiplied with."""
    given = STARTS.union(*(MEASURED for row in postings if row.get("method") == RUN_METHOD))
    merged = [_values(found) for found in resolved]
    amounts = [_amounts(row, values, given, metric) for row, values in zip(postings, merged, strict=True)]
    complete = [(values, known) for values, known in zip(merged, amounts, strict=True) if known is not None]
    if not complete:
        return ()
    whole: dict[str, float] = {name: sum(known[name] for _values, known in complete) for name in given}
    for formula in path_to(metric, given):
        first, *others = (name for name in inputs_of(formula) if name == inputs_of(formula)[0] or name not in whole)
        weights = [known[first] for _values, known in complete]
        for name in others:
            weighted = [weight * known[name] for weight, (_values, known) in zip(weights, complete, strict=True)]
            whole[name] = sum(weighted) / sum(weights) if sum(weights) else complete[0][0][name]
            weights = weighted
    return tuple(steps(metric, whole, given))


def _amounts(
    row: Mapping[str, Any], values: Mapping[str, float], given: frozenset[str], metric: str
) -> dict[str, float] | None:
    """The values every formula took for one posting, run again on its sums; None where one of them is unknown."""
    known = {**values, **_starts(row, values, given)}
    if any(name not in known for name in given):
        return None
    for formula in path_to(metric, given):
        if any(name not in known for name in inputs_of(formula)):
            return None
        known[formula.__name__] = formula(**{name: known[name] for name in inputs_of(formula)})
    return known


def _starts(row: Mapping[str, Any], values: Mapping[str, float], given: frozenset[str]) -> dict[str, float]:
    """What a posting starts from; what stands around accelerators is taken off again to find what machines drew.

    A posting without energy of accelerators alone has machines of an unknown kind, or a meter further out.
    """
    said = {name: row.get(f"{name}_q") for name in (*given, "it_energy_kwh", "co2e_embodied_amortised_g")}
    known = {name: from_grains(amount, name) for name, amount in said.items() if amount is not None}
    if row.get("method") == RUN_METHOD:
        return {**dict.fromkeys(STARTS - MEASURED, 0.0), **known}
    it_energy = known.get("it_energy_kwh")
    if it_energy is None and row.get("facility_energy_kwh_q") is not None:
        it_energy = from_grains(row["facility_energy_kwh_q"], "facility_energy_kwh") / values["pue_ratio"]
    if it_energy is None:
        return known
    gpu = known.setdefault("gpu_energy_kwh", 0.0)
    has_host, has_embodied = (any(values.get(name) for name in names) for names in (OF_HOST, EMBODIED_UNITS))
    host = it_energy / values["idle_overhead_ratio"] - gpu * values["node_overhead_ratio"]
    known["host_energy_kwh"] = max(0.0, host) if has_host else 0.0
    embodied = known.get("co2e_embodied_amortised_g", 0.0) - gpu * values.get("embodied_g_per_kwh", 0.0)
    known["machine_embodied_g"] = max(0.0, embodied) if has_embodied else 0.0
    return {name: amount for name, amount in known.items() if name in given}


def _values(resolutions: Iterable[Resolution]) -> dict[str, float]:
    return {name: value for found in resolutions for name, value in found.values.items() if value is not None}


def _terms(features: Iterable[Mapping[str, Any]], resolution_of: Callable[[str], Resolution]) -> tuple[Term, ...]:
    amounts = dict.fromkeys((*COEFFICIENTS, *UNITS), 0.0)
    for row in features:
        if not row["model_resolution_id"]:
            continue
        values = resolution_of(row["model_resolution_id"]).values
        for name in amounts:
            amounts[name] += (values.get(name) or 0.0) * (row.get(name) or 0.0)
    whole = sum(amounts.values())
    if not whole:
        return ()
    ranked = sorted(amounts.items(), key=lambda item: -item[1])
    return tuple(Term(name, amount, amount / whole) for name, amount in ranked if amount)


def _used(
    metric: str,
    postings: Sequence[Mapping[str, Any]],
    resolved: Sequence[tuple[Resolution, ...]],
    amount: Amount,
) -> tuple[Used, ...]:
    behind: dict[str, int] = {}
    parts: dict[str, Part] = {}
    for row, resolutions in zip(postings, resolved, strict=True):
        for part in parts_behind(metric, resolutions):
            parts[part.factor_id] = part
            behind[part.factor_id] = behind.get(part.factor_id, 0) + (row[f"{metric}_q"] or 0)
    whole = sum(row[f"{metric}_q"] or 0 for row in postings)
    variance = {part.factor_id: ratio for part, ratio in amount.drivers}
    found = [
        Used(part, behind[factor_id] / whole if whole else 0.0, variance.get(factor_id, 0.0))
        for factor_id, part in parts.items()
    ]
    return tuple(sorted(found, key=lambda used: -used.variance_ratio))


def as_posting(group: Mapping[str, Any], resolution_of: Callable[[str], Resolution]) -> dict[str, Any]:
    """One group of `joulebook.account.pricing.cube` in the form of a posting, for what was never posted alone."""
    amounts = {f"{metric}_q": group.get(f"{metric}_q") if group.get(f"{metric}_rows") else None for metric in METRICS}
    unpriced = group["row_count"] - priced_rows(group)
    resolved = [resolution_of(group[name]) for name in RESOLUTIONS if group[name]]
    tier = str(Tier.worst(group["tier"], *(found.tier for found in resolved)))
    return {
        **group,
        **amounts,
        "posting_id": "",
        "period_start": group["day"],
        "unpriced_count": unpriced,
        "tier": tier,
    }
