"""The report as one HTML page: at most 50 KB, no script, no external request."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulebook import __version__
from joulebook.faces.cli.coverage import unknown_texts
from joulebook.faces.cli.explain import factor_text
from joulebook.faces.cli.figure_names import SHORT_NAMES, boundary_of
from joulebook.faces.cli.report import IN_TABLE, stated, title_of
from joulebook.faces.page.chart import Bar, bars, nice_ticks
from joulebook.faces.text import _, language
from joulebook.terms.columns import column
from joulebook.terms.display import range_in, unit_for
from joulebook.terms.range import Range
from joulebook.terms.units import convert

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.ledger.balance import Line

BARS_SHOWN = 12
DRIVERS_SHOWN = 8
CHARTS = (("facility_energy_kwh", "team"), ("co2e_operational_location_g", "model"))


def write_page(path: Path, book: "Book") -> Path:
    """Write the page and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(page(book), encoding="utf-8")
    return path


def page(book: "Book") -> str:
    """The page as text."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  (only pages need it)

    text = files("joulebook.faces.page").joinpath("report.html").read_text(encoding="utf-8")
    surroundings = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return surroundings.from_string(text).render(**_content(book))


def _content(book: "Book") -> dict[str, Any]:
    from markupsafe import Markup  # noqa: PLC0415

    whole = book.report(())[0]
    days = [line.keys["day"] for line in book.report(("day",))]
    figures = [_figure(name, whole) for name in SHORT_NAMES if name in whole.amounts]
    drivers = whole.amounts[IN_TABLE[1]].drivers if IN_TABLE[1] in whole.amounts else ()
    return {
        "_": _,
        "language": language(),
        "version": __version__,
        "title": title_of(whole),
        "period": f"{min(days):%Y-%m-%d} – {max(days):%Y-%m-%d} (UTC)",
        "is_synthetic": whole.is_synthetic,
        "main": [_figure(name, whole) for name in IN_TABLE if name in whole.amounts],
        "facts": _("Tier: {tier}. Boundary: facility.").format(tier=_(whole.tier)),
        "charts": [{"title": title, "svg": Markup(svg)} for title, svg in _charts(book)],  # noqa: S704  (escaped there)
        "figures": figures,
        "absent": "; ".join(_(SHORT_NAMES[name]) for name in SHORT_NAMES if name not in whole.amounts),
        "unknown": _unknown(whole),
        "drivers": [
            {
                "quantity": part.quantity,
                "subject": part.subject,
                "value": factor_text(part),
                "ratio": f"{ratio:.0%}",
            }
            for part, ratio in drivers[:DRIVERS_SHOWN]
        ],
        "sources": _sources(book),
        **stated(book),
    }


def _figure(name: str, line: "Line") -> dict[str, str]:
    amount = line.amounts[name]
    unit = column(name).unit or ""
    shown = unit_for(amount.range.mid, unit)
    low, mid, high = range_in(amount.range, unit, shown)
    covered = f"{amount.covered_ratio:.0%}"
    texts = {
        "low": low,
        "mid": mid,
        "high": high,
        "unit": shown,
        "boundary": boundary_of(name, line),
        "covered": covered,
    }
    return {"name": _(SHORT_NAMES[name]), **texts}


def _charts(book: "Book") -> list[tuple[str, str]]:
    found = []
    for name, by in CHARTS:
        lines = [line for line in book.report((by,)) if name in line.amounts]
        ranked = sorted(lines, key=lambda line, name=name: -line.amounts[name].range.mid)[:BARS_SHOWN]
        if ranked:
            title = _("{figure}, by {name}").format(figure=_(SHORT_NAMES[name]), name=_(by))
            found.append((title, _chart(name, by, ranked, title)))
    return found


def _chart(name: str, by: str, ranked: "list[Line]", title: str) -> str:
    unit = column(name).unit or ""
    shown = unit_for(ranked[0].amounts[name].range.mid, unit)
    scaled = [Range(*(convert(end, unit, shown) for end in line.amounts[name].range)) for line in ranked]
    drawn = []
    for line, span in zip(ranked, scaled, strict=True):
        low, mid, high = range_in(span, shown, shown)
        drawn.append(Bar(str(line.keys[by] or _("unknown")), span, f"{mid} ({low}–{high})"))
    top = max(span.high for span in scaled)
    return bars(drawn, title, shown, [(tick, f"{tick:g}") for tick in nice_ticks(top)])


def _unknown(line: "Line") -> str:
    return " ".join(unknown_texts(line))


def _sources(book: "Book") -> list[Any]:
    """Sources of every factor behind the book, each once, by title."""
    keys = {part.source for found in book.resolutions().values() for parts in found.parts.values() for part in parts}
    known = book.edition.sources
    return sorted((known[key] for key in keys if key in known), key=lambda source: source.title)
