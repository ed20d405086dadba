"""The factors behind each part of a run: what its meter may be wrong by, or its model, and what making it emitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from joulebook.account.measured import rounded_effect
from joulebook.account.resolution import Part, Resolution
from joulebook.account.resolve import part_of
from joulebook.errors import FactorMissing, translatable
from joulebook.estimate.hardware import find_board
from joulebook.estimate.machines import ComponentRow
from joulebook.factors.choose import Choice, choose
from joulebook.factors.edition import UNKNOWN, Edition
from joulebook.measure.summary import ComponentEnergy, HostSummary
from joulebook.terms.range import Range

EMBODIED = "co2e_embodied_amortised_g"
CARRIERS = ("node", "cpu")
"""The component that the embodied share of the server stands with: the first of these that a host has."""

READ = translatable("read by the meter")
FILLED = translatable("part of it was filled: a gap or a counter that began anew")
MISSING = translatable("Nothing tells the energy of this part. Next: joulebook doctor says what would.")


@dataclass(frozen=True, slots=True)
class HostRow:
    """Energy of one component of one host."""

    host: HostSummary
    row: ComponentRow


def host_resolutions(
    edition: Edition, policy: str, run: str, host: HostSummary, rows: Sequence[ComponentRow], at: date
) -> list[Resolution]:
    """For each row of a host: the parts of its energy's uncertainty, and its embodied CO2e per hour.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        run: name of the run, to which a gap of its meter belongs.
        host: what was measured there.
        rows: energy by component.
        at: the day.
    """
    carrier = next((name for name in CARRIERS if any(row.component == name for row in rows)), None)
    found = []
    for row in rows:
        energy = _energy_parts(run, host, row)
        rate, embodied = _embodied(edition, policy, host, row.component, carrier, at)
        parts = {"it_energy_kwh": energy, EMBODIED: embodied}
        if row.component == "gpu":
            parts["gpu_energy_kwh"] = energy
        names = {"component": row.component, "method": row.method}
        found.append(Resolution(f"{row.component} · {row.method}", {"embodied_g_per_h": rate}, parts, names))
    return found


def missing_resolution(component: ComponentEnergy) -> Resolution:
    """What is known of a component whose energy nothing tells: that it is missing, and the next step."""
    return Resolution(component.component, {}, {}, {"component": component.component, "hint": MISSING})


def _energy_parts(run: str, host: HostSummary, row: ComponentRow) -> tuple[Part, ...]:
    parts = [_behind(choice, effect) for choice, effect in zip(row.choices, row.effects, strict=True)]
    read = next((one for one in host.components if one.component == row.component), None)
    energy = read.energy_kwh if read is not None else None
    if energy is not None and energy.low < energy.high and energy.mid > 0:
        parts.append(_reading(run, host, row, energy))
    return tuple(parts)


def _reading(run: str, host: HostSummary, row: ComponentRow, energy: Range) -> Part:
    """What the meter read, where gaps make it a range: a fact of this run alone."""
    day = host.started_at.date().isoformat()
    return Part(
        factor_id=f"{run}:{host.host}:{row.component}",
        subject=run,
        quantity="it_energy_kwh",
        value=energy.mid,
        low=energy.low,
        high=energy.high,
        unit="kWh",
        basis=row.method,
        tier=str(row.tier),
        source=READ,
        cell=FILLED,
        valid_from=day,
        valid_to=None,
        known_from=day,
        chosen_because="exact",
        effect_low=energy.low / energy.mid,
        effect_high=energy.high / energy.mid,
    )


def _embodied(
    edition: Edition, policy: str, host: HostSummary, component: str, carrier: str | None, at: date
) -> tuple[float | None, tuple[Part, ...]]:
    """Embodied CO2e of a component per hour of its life [g/h], and the factors behind it.

    Boards count by their number, the server by its threads, with one component; the others carry nothing of it.
    """
    if component == "gpu":
        read = host.component(component)
        subject = find_board(edition, read.devices[0]) if len(set(read.devices)) == 1 else UNKNOWN
        return _per_hour(edition, policy, "embodied_g", subject, read.device_count, at)
    if component != carrier:
        return float(0), ()
    if host.machine is None:
        return None, ()
    return _per_hour(edition, policy, "embodied_g_per_thread", UNKNOWN, host.machine.allotted_threads, at)


def _per_hour(
    edition: Edition, policy: str, quantity: str, subject: str, count: float, at: date
) -> tuple[float | None, tuple[Part, ...]]:
    try:
        made = choose(edition, quantity, subject, at, policy)
        life = choose(edition, "server_life_h", UNKNOWN, at, policy)
    except FactorMissing:
        return None, ()
    one, hours = made.factor.range, life.factor.range
    effects = ((one.low / one.mid, one.high / one.mid), (hours.mid / hours.high, hours.mid / hours.low))
    advised = (replace(made, hint=None if subject == UNKNOWN else made.hint), replace(life, hint=None))
    parts = tuple(_behind(choice, effect) for choice, effect in zip(advised, effects, strict=True))
    return count * one.mid / hours.mid, parts


def _behind(choice: Choice, effect: tuple[float, float]) -> Part:
    ends = rounded_effect(effect)
    return part_of(choice.factor, choice.chosen_because, choice.hint, is_unknown=choice.is_unknown, effect=ends)
