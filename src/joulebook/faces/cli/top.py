"""`joulebook top`: what runs use now."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from joulebook.errors import InputUnreadable
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import edition_of
from joulebook.faces.cli.journals import journals_of
from joulebook.faces.text import _
from joulebook.factors.edition import Edition
from joulebook.measure.follow import Follower, by_run, components_so_far
from joulebook.measure.recover import close_cut_off, running
from joulebook.measure.summary import ComponentEnergy, SpanSummary, utc
from joulebook.runs import account_span
from joulebook.terms.display import in_digits, range_text, unit_for
from joulebook.terms.range import Range
from joulebook.terms.tier import Tier
from joulebook.terms.units import convert


@click.command("top", help=_("What runs use now; ends with Ctrl-C."))
@click.option("--every", "every_s", default=2.0, show_default=True, help=_("Seconds between two views."))
@click.option("--once", is_flag=True, help=_("Print one view and end."))
@click.option("--json", "is_json", is_flag=True, help=_("Print one view as JSON and end."))
@click.pass_context
def command(ctx: click.Context, *, every_s: float, once: bool, is_json: bool) -> int:
    """Show running runs."""
    folder = journals_of(ctx)
    followers: dict[Path, Follower] = {}
    before: dict[Path, tuple[float, float]] = {}
    edition = edition_of(ctx)
    close_cut_off(folder)
    is_live = sys.stdout.isatty() and not once and not is_json
    try:
        while True:
            shown = [_now(group, edition, before) for group in by_run(_advance(folder, followers))]
            if is_json:
                show.emit("top", runs=[_json(one) for one in shown])
            else:
                if is_live:
                    click.clear()
                _print(shown)
            if not is_live:
                return 0
            time.sleep(every_s)
    except KeyboardInterrupt:
        return 0


def _advance(folder: Path, followers: dict[Path, Follower]) -> list[Follower]:
    shown = []
    for path in running(folder):
        follower = followers.setdefault(path, Follower(path))
        try:
            follower.advance()
        except (OSError, InputUnreadable) as error:
            show.note(str(error))
            continue
        if follower.tally is not None and not follower.has_ended:
            shown.append(follower)
    return shown


@dataclass(frozen=True, slots=True)
class Now:
    """A run as it stands on one host.

    Attributes:
        follower: the journal that tells its time and its load.
        components: its measured energy, each device once.
        energy_kwh: IT energy so far, estimates included [kWh]; None where nothing tells.
        power_w: power since the view before, or since the start [W]; None likewise.
        tier: the worst tier of the energy; "" where there is none.
    """

    follower: Follower
    components: tuple[ComponentEnergy, ...]
    energy_kwh: Range | None
    power_w: float | None
    tier: str


def _now(group: list[Follower], edition: Edition, before: dict[Path, tuple[float, float]]) -> Now:
    """What a run has used by its last sample; ``before`` keeps time [s] and energy [kWh] of the view before."""
    follower, measured = group[0], components_so_far(group)
    tally = follower.tally
    assert tally is not None
    part = SpanSummary(follower.name, tally.duration_s, measured, tally.use_so_far())
    rows = account_span(part, tally.machine, utc(tally.first_wall_ns).date(), edition)
    if not rows:
        return Now(follower, measured, None, None, "")
    energy = Range(*(sum(ends) for ends in zip(*(row.energy_kwh for row in rows), strict=True)))
    last_s, last_kwh = before.get(follower.path, (0.0, 0.0))
    seconds = tally.duration_s - last_s
    power_w = convert(energy.mid - last_kwh, "kWh", "J") / seconds if seconds > 0 else None
    if seconds > 0:
        before[follower.path] = (tally.duration_s, energy.mid)
    return Now(follower, measured, energy, power_w, str(Tier.worst(*(row.tier for row in rows))))


def _print(shown: list[Now]) -> None:
    if not shown:
        click.echo(_("Nothing is being measured. Next: joulebook run -- COMMAND"))
        return
    headers = [_("name"), _("run"), _("time"), _("power"), _("energy, IT"), _("tier"), _("load")]
    show.table(headers, [_cells(one) for one in shown], right=(2, 3, 4, 6))


def _cells(now: Now) -> list[str]:
    follower = now.follower
    assert follower.tally is not None
    load = follower.load_ratio
    return [
        follower.name,
        follower.run,
        f"{in_digits(follower.tally.duration_s)} s",
        "–" if now.power_w is None else _watts(now.power_w),
        _("unknown") if now.energy_kwh is None else range_text(now.energy_kwh, "kWh").partition(" (")[0],
        _(now.tier) if now.tier else "–",
        "–" if load is None else f"{load:.0%}",
    ]


def _watts(power: float) -> str:
    unit = unit_for(power, "W")
    return f"{in_digits(convert(power, 'W', unit))} {unit}"


def _json(now: Now) -> dict[str, object]:
    follower = now.follower
    assert follower.tally is not None
    measured = [one.energy_kwh for one in now.components if one.energy_kwh is not None]
    return {
        "run": follower.run,
        "name": follower.name,
        "duration_s": follower.tally.duration_s,
        "power_w": now.power_w,
        "it_energy_kwh": None if now.energy_kwh is None else now.energy_kwh._asdict(),
        "tier": now.tier or None,
        "measured_kwh": sum(one.mid for one in measured) if measured else None,
        "load_ratio": follower.load_ratio,
    }
