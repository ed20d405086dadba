"""`joulebook doctor`: what this machine and this book have, and what they lack."""

import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from joulebook import __version__
from joulebook.errors import JoulebookError
from joulebook.faces.cli import show
from joulebook.faces.cli.coverage import unknown_texts
from joulebook.faces.cli.main import open_book
from joulebook.faces.text import _, error_text, language

if TYPE_CHECKING:
    from joulebook.book import Book

OPTIONAL = {"pyspark": "spark", "polars": "polars", "deltalake": "lake", "pyfive": "perun"}

Row = tuple[str, str, str, str]
"""Area, name, state (ok, missing, unknown, fault), detail or next step."""


@click.command("doctor", help=_("What this machine and this book have and lack."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(ctx: click.Context, *, is_json: bool) -> int:
    """Look at machine and book."""
    book = open_book(ctx)
    rows = [*_program(), *_meters(), *_book(book)]
    if is_json:
        keys = ("area", "name", "state", "detail")
        show.emit("doctor", checks=[dict(zip(keys, row, strict=True)) for row in rows])
    else:
        area = ""
        for row in rows:
            if row[0] != area:
                area = row[0]
                show.heading(area)
            sign = {"ok": "✓", "missing": "–", "unknown": "?", "fault": "✗"}[row[2]]
            click.echo(show.wrapped(f"{sign} {row[1]}: {row[3]}", "  "))
    return 1 if any(row[2] == "fault" for row in rows) else 0


def _program() -> Iterator[Row]:
    area = _("Program")
    yield area, "joulebook", "ok", __version__
    yield area, "Python", "ok", f"{sys.version.split()[0]} · {platform.system()} {platform.machine()}"
    yield area, _("language"), "ok", language()
    for module, extra in OPTIONAL.items():
        has = importlib.util.find_spec(module) is not None
        advice = _("not installed; only needed for: pip install 'joulebook[{extra}]'").format(extra=extra)
        yield area, module, "ok" if has else "missing", _("installed") if has else advice
    has_java = shutil.which("java") is not None
    yield area, "Java", "ok" if has_java else "missing", _("found") if has_java else _("only needed for Spark")


def _meters() -> Iterator[Row]:
    import joulebook  # noqa: PLC0415  (loads the meters only here)

    area = _("Meters")
    with TemporaryDirectory() as folder, joulebook.measure("doctor", folder=Path(folder)) as meter:
        pass
    for found in meter.summary().components:
        if found.reason:
            detail = " ".join(_(text).format(**found.facts) for text in (found.reason, found.remedy))
            yield area, _(found.component), "missing", detail
        else:
            yield area, _(found.component), "ok", " · ".join((found.method, *found.devices))


def _book(book: "Book") -> Iterator[Row]:
    area = _("Book")
    yield area, _("place"), "ok", str(book.path)
    try:
        edition = book.edition
        counts = book.counts()
        lines = book.report(())
    except JoulebookError as error:
        yield area, _("book"), "fault", error_text(error)
        return
    today = datetime.now(UTC).date()
    known = sum(factor.known_from <= today for factor in edition.factors)
    yield (
        area,
        _("factors"),
        "ok",
        _("{count} values, edition {edition}").format(count=f"{known:,}", edition=edition.edition_id),
    )
    yield (
        area,
        _("usage"),
        "ok" if counts["usage"] else "missing",
        _("{count} rows").format(count=f"{counts['usage']:,}"),
    )
    for line in lines:
        for text in unknown_texts(line):
            yield area, _("unknown"), "unknown", text
        if line.unpriced_count:
            detail = _("{count} rows have no energy: nothing in them can be priced.")
            yield area, _("not priced"), "unknown", detail.format(count=f"{line.unpriced_count:,}")
