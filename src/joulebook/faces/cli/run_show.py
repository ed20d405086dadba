"""How a run is shown: the block at its end, and JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from joulebook.disclose.equivalents import Equivalent, apt_equivalent
from joulebook.errors import translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.figure_names import BOUNDARY_OF, SHORT_NAMES, UPSTREAM_NOTE, boundary_of
from joulebook.faces.text import _, language
from joulebook.measure.summary import NOTICES, REST, UNREAD, ComponentEnergy
from joulebook.runs import HostRow, RunAccount
from joulebook.terms.columns import column
from joulebook.terms.display import in_digits, range_text, unit_for
from joulebook.terms.units import convert

COMPONENT_NAMES = {
    "gpu": translatable("GPU"),
    "cpu": translatable("processor"),
    "memory": translatable("memory"),
    "node": translatable("server"),
}
"""Parts of a machine as they are shown."""

SHOWN = (
    "it_energy_kwh",
    "facility_energy_kwh",
    "co2e_operational_location_g",
    "co2e_upstream_g",
    "co2e_grid_losses_g",
    "co2e_embodied_amortised_g",
    "water_onsite_l",
    "water_offsite_without_hydro_l",
    "water_offsite_hydro_l",
)
"""Figures of the block, in order; figures of one that is not known are named below it."""

NOT_SHOWN = ("co2e_operational_market_g",)
"""Figures that are named only where they are not known."""

IMAGINED = (("facility_energy_kwh", "kWh"), ("co2e_operational_location_g", "g"), ("water_without_hydro_l", "L"))
"""Figures that are said in everyday things, with their units."""

COUNT_DIGITS = 12
"""Tokens are counted, not measured: all of their digits are shown."""

NEARLY_ALL = 0.8
"""Below this part of the busy processor time, a reader must know that other programs ran."""

translatable("measured")
translatable("derived")
translatable("estimated")
translatable("assumed")


def block(account: RunAccount) -> str:
    """The last block of a run, in the manner of ``perf stat``."""
    summary = account.summary
    title = _("joulebook: {name} (run {run}), {duration} s, {status}").format(
        name=summary.name, run=summary.run, duration=in_digits(summary.duration_s), status=summary.status
    )
    lines = ["", click.style(title, bold=True), ""]
    lines += [_line(*cells) for cells in _components(account)]
    lines.append("")
    lines += [_line(*cells) for cells in _figures(account)]
    lines += _below(account)
    hints = list(dict.fromkeys(hints_of(account)))
    if hints:
        lines += ["", *(show.wrapped(f"· {hint}", "  ") for hint in hints)]
    return "\n".join([*lines, ""])


def _line(name: str, value: str, tier: str) -> str:
    return f"  {show.fitted(name, 32)} {show.fitted(value, 32)} {tier}".rstrip()


def _components(account: RunAccount) -> Iterator[tuple[str, str, str]]:
    several = len(account.summary.hosts) > 1
    shown = {one.row.component for one in account.rows}
    for one in account.rows:
        name = f"{_(COMPONENT_NAMES[one.row.component])} · {one.row.method}"
        yield (
            f"{one.host.host} {name}" if several else name,
            range_text(one.row.energy_kwh, "kWh"),
            _(str(one.row.tier)),
        )
    for measured in account.summary.components:
        if measured.rest_kwh is not None:
            name = _("{component}, at rest").format(component=_(COMPONENT_NAMES[measured.component]))
            yield name, _("at most {energy}").format(energy=_amount(measured.rest_kwh)), ""
    for missing in account.missing:
        if missing.component not in shown and not (missing.component in {"cpu", "memory"} and "node" in shown):
            yield _(COMPONENT_NAMES[missing.component]), _("missing"), "–"


def _amount(energy_kwh: float) -> str:
    unit = unit_for(energy_kwh, "kWh")
    return f"{in_digits(convert(energy_kwh, 'kWh', unit))} {unit}"


def _figures(account: RunAccount) -> Iterator[tuple[str, str, str]]:
    for name in SHOWN:
        value = account.metrics[name]
        if value is not None:
            yield _(SHORT_NAMES[name]), range_text(value, column(name).unit or ""), _(tier_of(account, name))
    if not account.amounts:
        yield _(SHORT_NAMES["it_energy_kwh"]), _("unknown"), ""
    for name, value in account.summary.metrics.items():
        yield name, in_digits(value, 5), ""
    for name, count in account.summary.counts.items():
        yield name, f"{count:.4g}" if name == "flops" else in_digits(count, COUNT_DIGITS), ""


def tier_of(account: RunAccount, name: str) -> str:
    """How a figure is known: the energy by its meters alone, the others by their factors as well."""
    if account.line is None:
        return ""
    return str(account.tier) if name in {"it_energy_kwh", "gpu_energy_kwh"} else account.line.tier


def _below(account: RunAccount) -> list[str]:
    """What the figures would be in everyday things, and which of them are not known."""
    lines = []
    things = [_in_things(account, one) for one in equivalents_of(account).values()]
    if things:
        lines.append(show.wrapped(_("That is about: {things}.").format(things="; ".join(things)), "  "))
    absent = [_(SHORT_NAMES[name]) for name in (*SHOWN, *NOT_SHOWN) if account.metrics[name] is None]
    if account.amounts and absent:
        text = _("Not known here, which is not zero: {names}.").format(names="; ".join(absent))
        lines.append(show.wrapped(text, "  "))
    if account.amounts and account.metrics["co2e_upstream_g"] is None:
        lines.append(show.wrapped(_(UPSTREAM_NOTE), "  "))
    return ["", *lines] if lines else []


def _in_things(account: RunAccount, one: Equivalent) -> str:
    name = account.edition.names.get(one.subject, {}).get(language(), one.subject)
    low, mid, high = (in_digits(end, 2) for end in one.count)
    return f"{name} × {mid} ({low}–{high})"


def equivalents_of(account: RunAccount) -> dict[str, Equivalent]:
    """Figure -> the everyday thing that makes it easiest to imagine, and how many."""
    found = {}
    for name, unit in IMAGINED:
        value = account.metrics[name]
        one = apt_equivalent(account.edition, value, unit, account.place.country) if value is not None else None
        if one is not None:
            found[name] = one
    return found


def hints_of(account: RunAccount) -> Iterator[str]:
    """What the reader must know, and what would give a better answer."""
    for notice in account.summary.notices:
        yield _(NOTICES[notice.code]).format(**notice.facts)
    for one in account.summary.components:
        if one.method.endswith(REST) and one.energy_kwh is not None and one.energy_kwh.mid == 0:
            yield _(
                "The meter of the whole server told less than its parts together; they count, and nothing is left "
                "beside them. Next: check that it is this server's."
            )
    for host in account.summary.hosts:
        if host.program_ratio is not None and host.program_ratio < NEARLY_ALL:
            yield _(
                "The program used {ratio} of the busy processor time; the figures are the machine's, "
                "with what else ran."
            ).format(ratio=f"{host.program_ratio:.0%}")
    is_estimated = bool(account.rows)
    for missing in account.missing:
        if missing.reason == UNREAD and is_estimated:
            continue  # its estimate is in the table
        yield f"{_(COMPONENT_NAMES[missing.component])}: {reason_of(missing)}"
    if account.place.is_unknown:
        yield _(
            "The place is unknown: CO2e and water span the world's grids. Next: give --region KOR, or --provider "
            "and --region."
        )


def reason_of(missing: ComponentEnergy) -> str:
    """Why a component is missing and what would change it."""
    reason, remedy = (_(text).format(**missing.facts) for text in (missing.reason, missing.remedy))
    return _("{reason} Next: {remedy}.").format(reason=reason, remedy=remedy.rstrip("."))


def document(account: RunAccount, budgets: Sequence[Mapping[str, object]] = ()) -> str:
    """The run as JSON, with its budgets beside what it used."""
    return json.dumps(
        {"schema_version": show.SCHEMA_VERSION, "command": "run", **as_json(account), "budgets": list(budgets)},
        ensure_ascii=False,
        indent=2,
        default=str,
    )


def as_json(account: RunAccount) -> dict[str, Any]:
    """The content of the JSON document of one run."""
    summary = account.summary
    return {
        "run": summary.run,
        "name": summary.name,
        "project": summary.project,
        "team": summary.team,
        "tags": dict(summary.tags),
        "status": summary.status,
        "exit_code": summary.code,
        "started_at": summary.started_at.isoformat(),
        "duration_s": summary.duration_s,
        "hosts": len(summary.hosts),
        "components": [_component_json(one) for one in account.rows],
        "at_rest_kwh": {one.component: one.rest_kwh for one in summary.components if one.rest_kwh is not None},
        "program_ratio": {host.host: host.program_ratio for host in summary.hosts},
        "missing": [{"component": one.component, "reason": reason_of(one)} for one in account.missing],
        "tier": None if account.tier is None else str(account.tier),
        "metrics": {name: _metric_json(account, name) for name in account.metrics},
        "equivalents": {
            name: {"thing": one.subject, "place": one.place, **one.count._asdict(), "source": one.factor.source}
            for name, one in equivalents_of(account).items()
        },
        "place": {
            "zone": account.place.zone,
            "site": account.place.site,
            "country": account.place.country,
            "chosen_because": account.place.chosen_because,
        },
        "results": summary.metrics,
        "counts": summary.counts,
        "spans": [
            {
                "name": span.name,
                "duration_s": span.duration_s,
                "status": span.status,
                "measured_kwh": {
                    one.component: one.energy_kwh.mid for one in span.components if one.energy_kwh is not None
                },
            }
            for span in summary.spans
        ],
        "hints": list(dict.fromkeys(hints_of(account))),
    }


def _metric_json(account: RunAccount, name: str) -> dict[str, Any] | None:
    """One figure: its range, unit, boundary, tier and how much of the run it covers; None is unknown."""
    amount = account.amounts.get(name)
    if amount is None:
        return None
    facts = {"unit": column(name).unit, "boundary": _boundary(account, name), "tier": tier_of(account, name)}
    return {**amount.range._asdict(), **facts, "covered_ratio": amount.covered_ratio}


def _boundary(account: RunAccount, name: str) -> str:
    return BOUNDARY_OF[name] if account.line is None else boundary_of(name, account.line)


def _component_json(one: HostRow) -> dict[str, Any]:
    low, mid, high = one.row.energy_kwh
    return {
        "host": one.host.host,
        "component": one.row.component,
        "energy_kwh": {"low": low, "mid": mid, "high": high},
        "idle_energy_kwh": one.row.idle_energy_kwh,
        "tier": str(one.row.tier),
        "boundary": str(one.row.boundary),
        "method": one.row.method,
        "factors": [
            {"id": choice.factor.factor_id, "chosen_because": choice.chosen_because} for choice in one.row.choices
        ],
    }
