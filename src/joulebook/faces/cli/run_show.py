"""How a run is shown: the block at its end, and JSON."""

import json
from collections.abc import Iterator
from typing import Any

import click

from joulebook.errors import translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.report import SHORT_NAMES
from joulebook.faces.text import _
from joulebook.measure.summary import NOTICES, UNREAD, ComponentEnergy
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
    "water_onsite_l",
    "water_offsite_without_hydro_l",
    "water_offsite_hydro_l",
)
"""Figures of the block, in order."""

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
        value = account.metrics.get(name)
        text = _("unknown") if value is None else range_text(value, column(name).unit or "")
        tier = _(str(account.tier)) if value is not None and account.tier else ""
        yield _(SHORT_NAMES[name]), text, tier
    for name, value in account.summary.metrics.items():
        yield name, in_digits(value, 5), ""


def hints_of(account: RunAccount) -> Iterator[str]:
    """What the reader must know, and what would give a better answer."""
    for notice in account.summary.notices:
        yield _(NOTICES[notice.code]).format(**notice.facts)
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


def document(account: RunAccount) -> str:
    """The run as JSON."""
    return json.dumps(
        {"schema_version": show.SCHEMA_VERSION, "command": "run", **as_json(account)},
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
        "metrics": {
            name: None if value is None else {"low": value.low, "mid": value.mid, "high": value.high}
            for name, value in account.metrics.items()
        },
        "place": {"zone": account.place.zone, "site": account.place.site},
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
