"""How well the energy of a book or an import is known, in words, in a table and as JSON."""

from typing import TYPE_CHECKING, Any

from joulebook.errors import translatable
from joulebook.faces.cli import show
from joulebook.faces.text import _
from joulebook.terms.display import in_digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from joulebook.ledger.balance import Line
    from joulebook.ledger.coverage import Coverage

UNKNOWN_TEXTS = {
    "model": translatable(
        "{ratio} of rows name no known model: a range over the models that are known. Next: name it with --model at "
        "the import; joulebook report --by model."
    ),
    "device": translatable(
        "{ratio} of rows name no known machine: a range over the machines that are known. Next: fill in the column "
        "device; joulebook report --by device."
    ),
    "place": translatable(
        "{ratio} of rows have no known place: a range over the world. Next: give a region with --region at the import; "
        "joulebook report --by provider,region."
    ),
}
"""What is said of rows of which something is not known."""

OF_A_SCAN = UNKNOWN_TEXTS | {
    "model": translatable(
        "{ratio} of rows name no known model: a range over the models that are known. Next: joulebook report --by "
        "model names them; add them as a factor file."
    ),
    "place": translatable(
        "{ratio} of rows have no known place: a range over the world, for the logs do not tell where a supplier "
        "computes. Next: if you know it, import the logs into a book of their own: joulebook --book NAME import "
        "claude-code FILE --region USA."
    ),
}
"""The same where a scan read the rows: it takes no model and no place, for its logs are of several suppliers."""


def unknown_texts(line: "Line", texts: "Mapping[str, str]" = UNKNOWN_TEXTS) -> list[str]:
    """What is not known of the rows, each with the next step."""
    return [
        _(text).format(ratio=f"{line.unknown[about] / line.row_count:.1%}")
        for about, text in texts.items()
        if line.unknown.get(about)
    ]


def print_coverage(found: "Sequence[Coverage]") -> None:
    """How well the energy is known, by rows, cost and kWh."""
    rows = []
    for one in found:
        cost = "" if one.cost_usd is None else f"{one.cost_usd:,.2f}"
        paid = "" if one.cost_ratio is None else f"{one.cost_ratio:.1%}"
        energy = "–" if one.energy_ratio is None else f"{one.energy_ratio:.1%}"
        kwh = "–" if one.energy_kwh is None else in_digits(one.energy_kwh)
        rows.append([_(one.known), f"{one.row_count:,}", f"{one.row_ratio:.1%}", cost, paid, kwh, energy])
    if rows:
        show.heading(_("How well the energy is known"))
        heads = ["", _("rows"), _("of rows"), _("cost (USD)"), _("of cost"), "kWh", _("of kWh")]
        has_cost = any(row[3] for row in rows)
        kept = [place for place in range(len(heads)) if has_cost or heads[place] not in (_("cost (USD)"), _("of cost"))]
        shown = [[row[place] for place in kept] for row in rows]
        show.table([heads[place] for place in kept], shown, right=tuple(range(1, len(kept))))


def coverage_json(found: "Sequence[Coverage]") -> list[dict[str, Any]]:
    """The coverage as JSON."""
    names = ("row_count", "row_ratio", "cost_usd", "cost_ratio", "energy_kwh", "energy_ratio")
    return [{"known": one.known.name.lower(), **{name: getattr(one, name) for name in names}} for one in found]
