"""What commands print: tables that fit a terminal, JSON with a version, notes and progress on stderr."""

import json
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from joulebook.faces.text import _, finding_text
from joulebook.terms.finding import Finding

SCHEMA_VERSION = 1
WIDTH = 80
FINDINGS_SHOWN = 20
HANGING = "    "
PROGRESS_AFTER_S = 2.0
PROGRESS_EVERY_S = 0.2


def emit(command: str, **content: object) -> None:
    """Print one JSON document on stdout: ``schema_version``, ``command`` and the content."""
    document = {"schema_version": SCHEMA_VERSION, "command": command, **content}
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def note(text: str) -> None:
    """One line for the person at the terminal, on stderr; broken at spaces on a terminal, whole in a file or pipe."""
    click.echo(_broken(text) if sys.stderr.isatty() else text, err=True)


def _broken(text: str) -> str:
    """Each line within the width; what goes on stands four columns in."""
    lines = (line if width_of(line) <= WIDTH else wrapped(line, HANGING).lstrip() for line in text.split("\n"))
    return "\n".join(lines)


def heading(text: str) -> None:
    """A heading on stdout, bold on a terminal."""
    click.echo("\n" + click.style(text, bold=True))


def width_of(text: str) -> int:
    """Columns a text takes on a terminal; Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """A text cut or filled to a width."""
    if width_of(text) > width:
        kept = ""
        for letter in text:
            if width_of(kept + letter) > width - 1:
                break
            kept += letter
        text = kept + "…"
    filling = " " * (width - width_of(text))
    return filling + text if right else text + filling


def wrapped(text: str, indent: str, width: int = WIDTH) -> str:
    """A text broken at spaces into lines that fit, each with an indent."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and width_of(indent + line + " " + word) > width:
            lines.append(indent + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, indent + line])


def say(text: str, indent: str = "") -> None:
    """A sentence on stdout, broken into lines that fit."""
    click.echo(wrapped(text, indent))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> None:
    """Print a table; columns named in ``right`` are set to the right; the first column gives way where it is wide."""
    found = [list(row) for row in rows]
    to_right = set(right)
    widths = [max(width_of(cell) for cell in column) for column in zip(headers, *found, strict=True)]
    spare = WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)
    widths[0] = min(widths[0], max(spare, 8))
    for position, cells in enumerate((headers, ["─" * width for width in widths], *found)):
        line = "  ".join(
            fitted(cell, width, right=index in to_right)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        click.echo(click.style(line, bold=True) if position == 0 else line)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print findings on stderr: file, line, what is wrong, next step."""
    for finding in findings[:FINDINGS_SHOWN]:
        where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
        kind = _("error") if finding.is_error else _("warning")
        note(f"{where}: {kind}: {finding_text(finding)}")
    if len(findings) > FINDINGS_SHOWN:
        note(_("{count} more findings; --json lists all.").format(count=len(findings) - FINDINGS_SHOWN))


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "file": finding.file,
        "line": finding.line,
        "rule": finding.rule,
        "is_error": finding.is_error,
        "message": finding_text(finding),
    }


@contextmanager
def counting(label: str, *, quiet: bool = False) -> Generator[Callable[[int], None]]:
    """Show on stderr how far something got, on a terminal and only when it takes over two seconds."""
    is_shown = sys.stderr.isatty() and not quiet and "NO_COLOR" not in os.environ
    started = last = time.monotonic()
    shown = False

    def tell(count: int) -> None:
        nonlocal last, shown
        now = time.monotonic()
        if is_shown and now - started > PROGRESS_AFTER_S and now - last > PROGRESS_EVERY_S:
            last, shown = now, True
            click.echo(f"\r{label} {count:,}", nl=False, err=True)

    yield tell
    if shown:
        click.echo("\r" + " " * (width_of(label) + 16) + "\r", nl=False, err=True)


@contextmanager
def underway(label: str, *, quiet: bool = False) -> Generator[Callable[[int, int], None]]:
    """Show on stderr how much of a whole is done and how long the rest takes, as `counting` does."""
    is_shown = sys.stderr.isatty() and not quiet and "NO_COLOR" not in os.environ
    started = last = time.monotonic()
    widest = 0

    def tell(done: int, whole: int) -> None:
        nonlocal last, widest
        now = time.monotonic()
        if is_shown and done and now - started > PROGRESS_AFTER_S and now - last > PROGRESS_EVERY_S:
            last, left = now, (now - started) * (whole - done) / done
            text = _("{label} {part} done, about {seconds} s left").format(
                label=label, part=f"{done / whole:.0%}", seconds=f"{left:,.0f}"
            )
            widest = max(widest, width_of(text))
            click.echo("\r" + fitted(text, widest), nl=False, err=True)

    yield tell
    if widest:
        click.echo("\r" + " " * widest + "\r", nl=False, err=True)


def pairs_json(pairs: Mapping[str, object]) -> dict[str, str | None]:
    """Keys of a line as JSON: times as ISO text."""
    return {name: None if value is None else _plain(value) for name, value in pairs.items()}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
