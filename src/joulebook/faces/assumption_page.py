"""The register of assumptions as a page of Markdown: numbers read nowhere, why they are so, what would settle them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from joulebook.errors import translatable
from joulebook.faces.cli.factors import value_text
from joulebook.faces.text import _, language
from joulebook.terms.columns import column

if TYPE_CHECKING:
    from joulebook.factors.edition import Factor

REGISTER = "docs/assumptions.md"
"""How the cell of an assumption begins; its number in the register follows."""

SHOWN = 4
"""How many subjects of one assumption are named before they are counted."""

SIZE = translatable("the developer states the size")
SHEET = translatable("a data sheet of the maker, or a meter")
SERVED = translatable("an operator tells how it serves, or a measured point of your own")
PLANT = translatable("a published factor of the fuel or of the place")
SERVICE = translatable("the service's hours beside the metered year")
SITE = translatable("the operator's own yearly figure")
FOOTPRINT = translatable("the maker's product carbon footprint")
ASSETS = translatable("a register of assets, or the supplier's own figure")
INSTANCE = translatable("the supplier's page of the machine")
SETTLED = {
    "parameters_total_billion": SIZE,
    "parameters_active_billion": SIZE,
    "tdp_w": SHEET,
    "idle_w": SHEET,
    "memory_gb": SHEET,
    "device_mean_power_w": SHEET,
    "intensity_g_per_kwh": PLANT,
    "grid_loss_ratio": PLANT,
    "upstream_g_per_kwh": PLANT,
    "true_per_reported_ratio": SERVICE,
    "pue_ratio": SITE,
    "wue_l_per_kwh": SITE,
    "server_life_h": ASSETS,
    "device_in_use_ratio": ASSETS,
    "embodied_g": FOOTPRINT,
    "accelerator_load_ratio": ASSETS,
    "board_overhead_ratio": ASSETS,
    "idle_overhead_ratio": ASSETS,
    "vcpus_per_instance_count": INSTANCE,
    "memory_gb_per_vcpu": INSTANCE,
}
"""Quantity -> what would put a source in the place of the assumption; for all others, `SERVED`."""


def number_of(row: "Factor") -> str | None:
    """The number of the assumption in the register, or None where the row was read somewhere."""
    start, _space, number = row.cell.partition(" ")
    return number if start == REGISTER else None


def page(rows: Iterable["Factor"]) -> str:
    """The whole page, ending in a line break.

    Args:
        rows: factors of an edition; those that are no assumptions of the register are left out.
    """
    groups: dict[str, list[Factor]] = {}
    for row in rows:
        number = number_of(row)
        if number is not None:
            groups.setdefault(number, []).append(row)
    lines = [
        "# " + _("Assumptions of the library"),
        "",
        _(
            "Numbers that were read nowhere: each has a wide range, the reason for it, and what would put a source in "
            "its place. The cell of such a number names its line here. Every other number names the publication it "
            "was read in."
        ),
        "",
        _("This page is written by `make docs`; do not edit it."),
        "",
        f"| {' | '.join((_('no.'), _('quantity'), _('of'), _('value (range)'), _('why'), _('would be settled by')))} |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_line(number, groups[number]) for number in sorted(groups)]
    return "\n".join(lines) + "\n"


def _line(number: str, rows: Sequence["Factor"]) -> str:
    quantities = dict.fromkeys(row.quantity for row in rows)
    subjects = list(dict.fromkeys(row.subject for row in rows))
    named = ", ".join(f"`{subject}`" for subject in subjects[:SHOWN])
    more = len(subjects) - SHOWN
    if more > 0:
        named = _("{names} and {count} more").format(names=named, count=more)
    meanings = "; ".join(f"`{name}`: {column(name).meaning[language()]}" for name in quantities)
    values = "; ".join(dict.fromkeys(value_text(row) for row in rows))
    settled = _(SETTLED.get(rows[0].quantity, SERVED))
    why = "; ".join(dict.fromkeys(text for row in rows for text in (row.range_basis, row.note) if text))
    cells = (number, meanings, named, values, why, settled)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
