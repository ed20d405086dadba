"""`joulebook report --signal marginal`: what one more such use would cause; a figure of its own, beside no average."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from joulebook.faces.cli import show
from joulebook.faces.text import _
from joulebook.terms.columns import column
from joulebook.terms.display import range_in, unit_for

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.ledger.balance import Line

METRIC = "co2e_operational_marginal_g"


def print_marginal(book: "Book", names: Sequence[str], *, strict: bool, is_json: bool) -> int:
    """Print the total and, where asked, a line per value; exit code 4 where something is unknown and that is asked."""
    from joulebook.faces.cli.report import line_json  # noqa: PLC0415  (report offers this one)

    whole = book.marginal()
    lines = book.marginal(names) if names and whole else []
    if is_json:
        total = line_json(whole[0]) if whole else None
        show.emit("report", signal="marginal", by=list(names), total=total, lines=[line_json(line) for line in lines])
    elif not whole:
        show.note(_("The book is empty. Next: joulebook import FORMAT PATH, or joulebook demo."))
    else:
        _print(whole[0], names, lines)
    if not whole:
        return 1
    amount = whole[0].amounts.get(METRIC)
    return 4 if strict and (amount is None or amount.covered_ratio < 1) else 0


def _print(whole: "Line", names: Sequence[str], lines: Sequence["Line"]) -> None:
    show.heading(_("Marginal CO2e of {count} requests").format(count=f"{whole.request_count:,}"))
    if whole.is_synthetic:
        show.say(_("SYNTHETIC SAMPLE: made up to show how it works; nobody caused it."))
    show.say(_("What one more such use would cause. For decisions; never part of a footprint, never added to one."))
    amount = whole.amounts.get(METRIC)
    known = [line.amounts[METRIC].range.mid for line in (*lines, whole) if METRIC in line.amounts]
    shown = unit_for(max(known, default=0.0), column(METRIC).unit or "")
    cells = [_cells(_("all"), whole, shown), *(_cells(_name(line), line, shown) for line in lines)]
    head = " / ".join(_(name) for name in names)
    show.table([head, _("low"), _("mid"), _("high"), _("unit"), _("covers")], cells, right=(1, 2, 3, 5))
    if amount is not None and amount.drivers:
        part, ratio = amount.drivers[0]
        line = _("Largest part of the spread: {subject} {quantity}, {ratio}.")
        show.say(line.format(subject=part.subject, quantity=part.quantity, ratio=f"{ratio:.0%}"))
    if amount is None or amount.covered_ratio < 1:
        show.say(
            _(
                "Where no marginal intensity is known the figure is unknown, not average. Next: joulebook factors "
                "fetch watttime --zone ZONE, or a factor of your own."
            )
        )


def _cells(name: str, line: "Line", shown: str) -> list[str]:
    amount = line.amounts.get(METRIC)
    if amount is None:
        return [name, "", _("unknown"), "", "", "0%"]
    low, mid, high = range_in(amount.range, column(METRIC).unit or "", shown)
    return [name, low, mid, high, shown, f"{amount.covered_ratio:.0%}"]


def _name(line: "Line") -> str:
    values = (f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else value for value in line.keys.values())
    return " / ".join(str(value) if value not in (None, "") else _("unknown") for value in values)
