"""`joulebook top`: what runs use now."""

import sys
import time
from pathlib import Path

import click

from joulebook.errors import InputUnreadable
from joulebook.faces.cli import show
from joulebook.faces.cli.journals import journals_of
from joulebook.faces.text import _
from joulebook.measure.follow import Follower
from joulebook.measure.recover import close_cut_off, running
from joulebook.terms.display import in_digits, range_text, unit_for
from joulebook.terms.range import Range
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
    close_cut_off(folder)
    is_live = sys.stdout.isatty() and not once and not is_json
    try:
        while True:
            shown = _advance(folder, followers)
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


def _energy(follower: Follower) -> Range | None:
    known = [one.energy_kwh for one in follower.components() if one.energy_kwh is not None]
    if not known:
        return None
    return Range(*(sum(ends) for ends in zip(*known, strict=True)))


def _print(shown: list[Follower]) -> None:
    if not shown:
        click.echo(_("Nothing is being measured. Next: joulebook run -- COMMAND"))
        return
    headers = [_("name"), _("run"), _("time"), _("power"), _("measured energy"), _("load")]
    show.table(headers, [_cells(one) for one in shown], right=(2, 3, 4, 5))


def _cells(follower: Follower) -> list[str]:
    assert follower.tally is not None
    energy, power, load = _energy(follower), follower.power_w, follower.load_ratio
    return [
        follower.name,
        follower.run,
        f"{in_digits(follower.tally.duration_s)} s",
        "–" if power is None else _watts(power),
        "–" if energy is None else range_text(energy, "kWh").partition(" (")[0],
        "–" if load is None else f"{load:.0%}",
    ]


def _watts(power: float) -> str:
    unit = unit_for(power, "W")
    return f"{in_digits(convert(power, 'W', unit))} {unit}"


def _json(follower: Follower) -> dict[str, object]:
    assert follower.tally is not None
    energy = _energy(follower)
    return {
        "run": follower.run,
        "name": follower.name,
        "duration_s": follower.tally.duration_s,
        "power_w": follower.power_w,
        "measured_kwh": None if energy is None else energy._asdict(),
        "load_ratio": follower.load_ratio,
    }
