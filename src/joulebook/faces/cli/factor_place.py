"""What a use in a region takes: the grid, overhead, water and carbon-free share that its place leads to."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import FactorMissing
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import row_json, value_text
from joulebook.faces.text import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from joulebook.factors.choose import Choice, Place
    from joulebook.factors.edition import Edition

OF_ZONE = (
    "intensity_g_per_kwh",
    "grid_loss_ratio",
    "water_intensity_without_hydro_l_per_kwh",
    "water_intensity_hydro_l_per_kwh",
)
"""What the grid of a place decides."""

OF_SITE = ("pue_ratio", "wue_l_per_kwh", "cfe_ratio")
"""What the building, or the provider's fleet, decides."""


def place_of(edition: "Edition", subject: str, at: date) -> "Place | None":
    """The place of a region or provider; None for what is neither."""
    from joulebook.factors.choose import resolve_place  # noqa: PLC0415

    if not edition.links_for(subject, "grid_zone"):
        return None
    provider, _colon, region = subject.partition(":")
    return resolve_place(edition, provider, region or None, at)


def taken(edition: "Edition", place: "Place", at: date, policy: str) -> "Mapping[str, Choice | None]":
    """Quantity -> the factor a use there takes, or None where nothing is told of it anywhere."""
    return dict(_each(edition, place, at, policy))


def _each(edition: "Edition", place: "Place", at: date, policy: str) -> "Iterator[tuple[str, Choice | None]]":
    from joulebook.factors.choose import choose  # noqa: PLC0415

    for names, subject in ((OF_ZONE, place.zone), (OF_SITE, place.site)):
        for name in names:
            try:
                yield name, choose(edition, name, subject, at, policy)
            except FactorMissing:
                yield name, None


def print_place(edition: "Edition", place: "Place", at: date, policy: str) -> None:
    """One line per quantity: value, range, tier, source, and why it was chosen."""
    click.echo()
    click.echo(show.wrapped(_("A use there, {policy}, for {day}:").format(policy=policy, day=at), ""))
    for name, choice in taken(edition, place, at, policy).items():
        if choice is None:
            click.echo(show.wrapped(f"{name}: " + _("unknown; nothing is published"), "  "))
            continue
        row, because = choice.factor, " + ".join(_(step) for step in choice.steps)
        of = "" if row.subject == place.site else f" ({row.subject})"
        click.echo(show.wrapped(f"{name}{of}: {value_text(row)}; {_(row.tier)}, {row.source}; {because}", "  "))
    if place.hint_template:
        click.echo(show.wrapped(_(place.hint_template).format(nearest=place.nearest), "  "))


def place_json(edition: "Edition", place: "Place", at: date, policy: str) -> dict[str, Any]:
    """The same for programs."""
    return {
        "zone": place.zone,
        "site": place.site,
        "country": place.country,
        "chosen_because": place.chosen_because,
        "hint": place.hint,
        "takes": {
            name: None
            if choice is None
            else {"factor": row_json(edition, choice.factor), "chosen_because": choice.chosen_because}
            for name, choice in taken(edition, place, at, policy).items()
        },
    }
