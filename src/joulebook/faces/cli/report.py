"""`joulebook report`: kWh, CO2e and litres with range, tier and boundary."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from joulebook.errors import UnknownName, UsageError, translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.coverage import UNKNOWN_TEXTS, coverage_json, print_coverage, unknown_texts
from joulebook.faces.cli.figure_names import SHORT_NAMES, UPSTREAM_NOTE, boundary_of
from joulebook.faces.cli.journals import book_with_runs
from joulebook.faces.cli.main import open_book
from joulebook.faces.text import _
from joulebook.terms.columns import column, columns
from joulebook.terms.display import range_in, range_text, unit_for

if TYPE_CHECKING:
    from joulebook.book import Book
    from joulebook.ledger.balance import Line

WORDS = (
    translatable("source"),
    translatable("provider"),
    translatable("model"),
    translatable("region"),
    translatable("zone"),
    translatable("team"),
    translatable("project"),
    translatable("tool"),
    translatable("run"),
    translatable("component"),
    translatable("device"),
    translatable("is_synthetic"),
    translatable("day"),
    translatable("month"),
    translatable("measured"),
    translatable("derived"),
    translatable("estimated"),
    translatable("assumed"),
    translatable("gpu"),
    translatable("cpu"),
    translatable("memory"),
    translatable("node"),
)
"""Words that reports look up by name: what one can group by, tiers, parts of a machine."""

IN_TABLE = ("facility_energy_kwh", "co2e_operational_location_g", "water_without_hydro_l")
TABLE_HEADS = (translatable("energy"), "CO2e", translatable("water"))


@click.command("report", help=_("Footprints with range, tier and boundary."))
@click.option("--by", "by", default="", metavar="COLUMN,...", help=_("Group by team, project, model, day, ..."))
@click.option("--stated-at", type=click.DateTime(), metavar=_("DATE"), help=_("What the book said on a date (UTC)."))
@click.option(
    "--signal",
    type=click.Choice(["average", "marginal"]),
    default="average",
    show_default=True,
    help=_("Of the grid; marginal is what one more use would cause, for decisions only."),
)
@click.option("--html", "html_path", type=click.Path(path_type=Path, dir_okay=False), help=_("Write a page, too."))
@click.option("--strict", is_flag=True, help=_("Exit with 4 where something is unknown."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context,
    *,
    by: str,
    stated_at: datetime | None,
    signal: str,
    html_path: Path | None,
    strict: bool,
    is_json: bool,
) -> int:
    """Print footprints."""
    names = checked_by(by)
    if signal == "marginal":
        from joulebook.faces.cli.report_marginal import print_marginal  # noqa: PLC0415

        if stated_at is not None or html_path is not None:
            what = _("A marginal figure is computed now and never stated.")
            raise UsageError(what=what, next_step=_("leave --stated-at and --html out."))
        return print_marginal(open_book(ctx), names, strict=strict, is_json=is_json)
    book = book_with_runs(ctx)
    at = stated_at.replace(tzinfo=UTC) if stated_at else None
    whole = book.report((), at)
    if not whole:
        return _say_empty(book, is_early=at is not None and bool(book.report(())), is_json=is_json)
    lines = book.report(names, at) if names else []
    if is_json:
        show.emit("report", **report_json(book, whole[0], names, lines))
    else:
        print_whole(book, whole[0])
        if names:
            print_lines(names, lines)
            show.note(_("Why: joulebook explain {target}").format(target=_target(lines[0])))
    if html_path is not None:
        from joulebook.faces.page.report import write_page  # noqa: PLC0415

        write_page(html_path, book)
        show.note(_("Page written: {path}").format(path=html_path))
    is_unknown = whole[0].unknown_count or whole[0].unpriced_count
    return 4 if strict and is_unknown else 0


def _say_empty(book: "Book", *, is_early: bool, is_json: bool) -> int:
    text = _("The book is empty. Next: joulebook import FORMAT PATH, or joulebook demo.")
    if is_early:
        text = _("The book had said nothing by then. Next: give a later date, or leave --stated-at out.")
    if is_json:
        show.emit("report", **stated(book), by=[], total=None, lines=[], next_step=text)
    else:
        show.note(text)
    return 1


def checked_by(text: str) -> list[str]:
    """Columns to group by.

    Raises:
        UnknownName: a report cannot be grouped by that.
    """
    from joulebook.ledger.balance import BY  # noqa: PLC0415

    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in BY:
            raise UnknownName(kind=_("column to group by"), name=name, nearest=", ".join(BY))
    return names


def print_whole(book: "Book", line: "Line", unknown: Mapping[str, str] = UNKNOWN_TEXTS) -> None:
    """The total: every figure with range, tier and boundary, what is covered, and hints on what is unknown."""
    show.heading(title_of(line))
    if line.is_synthetic:
        show.say(_("SYNTHETIC SAMPLE: made up to show how it works; nobody caused it."))
    rows = []
    for name, title in SHORT_NAMES.items():
        if name in line.amounts:
            amount = line.amounts[name]
            unit = column(name).unit or ""
            shown = unit_for(amount.range.mid, unit)
            low, mid, high = range_in(amount.range, unit, shown)
            covered = "" if amount.covered_ratio == 1 else f"{amount.covered_ratio:.0%}"
            rows.append([_(title), low, mid, high, shown, boundary_of(name, line), covered])
    heads = ["", _("low"), _("mid"), _("high"), _("unit"), _("boundary"), _("covers")]
    show.table(heads, rows, right=(1, 2, 3))
    absent = [_(SHORT_NAMES[name]) for name in SHORT_NAMES if name not in line.amounts]
    if absent:
        show.say(_("Not known here, which is not zero: {names}.").format(names="; ".join(absent)))
    facts = _("tier {tier} · low to high is an 80 % range · policy {policy} · edition {edition}")
    show.say(facts.format(tier=_(line.tier), **stated(book)))
    upstream = line.amounts.get("co2e_upstream_g")
    if upstream is None or upstream.covered_ratio < 1:
        show.say(_(UPSTREAM_NOTE))
    for text in unknown_texts(line, unknown):
        show.say(text)
    print_coverage(line.coverage)
    if line.unpriced_count > line.missing_count:
        count = line.unpriced_count - line.missing_count
        show.say(_("{count} rows have no energy: nothing in them can be priced.").format(count=f"{count:,}"))
    _print_runs(book, line)


def _print_runs(book: "Book", line: "Line") -> None:
    """What must be known of the measured runs in a total."""
    if line.missing_count:
        show.say(
            _("{count} parts of runs have no meter; their energy is missing here. Next: joulebook doctor.").format(
                count=f"{line.missing_count:,}"
            )
        )
    for finding in book.overlaps() if line.part_count else ():
        show.say(show.finding_json(finding)["message"])
    if line.part_count and line.energy_tier != line.tier:
        show.say(_("The energy alone is {tier} at worst.").format(tier=_(line.energy_tier)))


def title_of(line: "Line") -> str:
    """What the total speaks about."""
    return _("Footprint of {what}").format(what=", ".join(counts_of(line)))


def counts_of(line: "Line") -> list[str]:
    """What a line stands for: requests; records, where none tells how many requests it is; parts of measured runs."""
    records = line.row_count - line.part_count
    counts = []
    if line.request_count:
        counts.append(_("{count} requests").format(count=f"{line.request_count:,}"))
    elif records:
        counts.append(_("{count} records").format(count=f"{records:,}"))
    if line.part_count:
        counts.append(_("{count} parts of measured runs").format(count=f"{line.part_count:,}"))
    return counts


def stated(book: "Book") -> dict[str, str]:
    """Policy and edition that the figures were made under, which are not always those of today."""
    return {name: ", ".join(sorted({row[name] for row in book.terms()})) for name in ("policy", "edition")}


def print_lines(by: Sequence[str], lines: Sequence["Line"]) -> None:
    """One table: the three main figures per value."""
    show.heading(_("By {names}").format(names=", ".join(_(name) for name in by)))
    units = []
    for name in IN_TABLE:
        known = [line.amounts[name].range.mid for line in lines if name in line.amounts]
        units.append(unit_for(max(known, default=0.0), column(name).unit or ""))
    heads = [" / ".join(_(name) for name in by), _("requests")]
    heads += [f"{_(head)} {unit}" for head, unit in zip(TABLE_HEADS, units, strict=True)]
    rows = []
    for line in sorted(lines, key=_size, reverse=True) if "day" not in by and "month" not in by else lines:
        cells, below = (
            [_keys(line), f"{line.request_count:,}" if line.request_count else "–"],
            [f"  {_tiers(line)}", ""],
        )
        for name, unit in zip(IN_TABLE, units, strict=True):
            amount = line.amounts.get(name)
            if amount is None:
                cells.append(_("unknown"))
                below.append("")
                continue
            low, mid, high = range_in(amount.range, column(name).unit or "", unit)
            cells.append(mid)
            below.append(f"{low}–{high}")
        rows += [cells, below]
    show.table(heads, rows, right=(1, 2, 3, 4))


def report_json(book: "Book", whole: "Line", by: Sequence[str], lines: Sequence["Line"]) -> dict[str, Any]:
    """The report as JSON, stable within a schema version."""
    return {
        **stated(book),
        "by": list(by),
        "total": line_json(whole),
        "lines": [line_json(line) for line in lines],
    }


def line_json(line: "Line") -> dict[str, Any]:
    """One line as JSON: keys, counts, and per figure low, mid, high, unit, boundary and coverage."""
    return {
        "keys": show.pairs_json(line.keys),
        "explain": _target(line),
        "request_count": line.request_count,
        "row_count": line.row_count,
        "unpriced_count": line.unpriced_count,
        "unknown_count": line.unknown_count,
        "unknown": dict(line.unknown),
        "coverage": coverage_json(line.coverage),
        "part_count": line.part_count,
        "missing_count": line.missing_count,
        "tier": line.tier,
        "energy_tier": line.energy_tier,
        "is_synthetic": line.is_synthetic,
        "figures": {
            name: {
                "low": amount.range.low,
                "mid": amount.range.mid,
                "high": amount.range.high,
                "unit": columns()[name].unit,
                "boundary": boundary_of(name, line),
                "covered_ratio": amount.covered_ratio,
            }
            for name, amount in line.amounts.items()
        },
    }


def _tiers(line: "Line") -> str:
    """The tier of the line; where its energy is known better than its footprint, both."""
    if line.energy_tier == line.tier:
        return _(line.tier)
    return _("{tier}, energy {energy}").format(tier=_(line.tier), energy=_(line.energy_tier))


def _keys(line: "Line") -> str:
    return " / ".join(_shown(value) for value in line.keys.values()) or _("all")


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    return _("unknown") if value is None or value == "" else str(value)


def _target(line: "Line") -> str:
    """What `joulebook explain` takes to explain a line."""
    pairs = (f"{name}={'' if value is None else _plain(value)}" for name, value in line.keys.items())
    return ",".join(pairs) or "total"


def _plain(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)


def _size(line: "Line") -> float:
    amount = line.amounts.get(IN_TABLE[0])
    return amount.range.mid if amount else 0.0


def figure_text(name: str, line: "Line") -> str:
    """One figure of a line in one text."""
    return range_text(line.amounts[name].range, column(name).unit or "")
