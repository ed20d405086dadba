"""`joulebook import FORMAT PATH`: book other people's records."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from joulebook.errors import translatable
from joulebook.faces.cli import show
from joulebook.faces.cli.coverage import coverage_json, print_coverage
from joulebook.faces.cli.main import open_book
from joulebook.faces.text import _, error_text

if TYPE_CHECKING:
    from joulebook.book import Imported

CONSTANTS = ("model", "provider", "region", "team", "project", "tool", "service_tier")


def _constants(command: click.Command) -> click.Command:
    for name in reversed(CONSTANTS):
        text = translatable("Value for rows that name none.")
        command = click.option(f"--{name.replace('_', '-')}", name, help=_(text))(command)
    return command


@_constants
@click.command("import", help=_("Book usage from a file. FORMAT: see `joulebook import --list`."))
@click.argument("format_name", metavar="FORMAT", required=False)
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--list", "is_list", is_flag=True, help=_("List the formats."))
@click.option("--detect", "is_detect", is_flag=True, help=_("Name the format of a file and why."))
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help=_("Which column holds a field."))
@click.option("--source", help=_("Name of the source, to tell equal formats apart."))
@click.option("--timezone", help=_("Zone of times written without one, such as Asia/Seoul."))
@click.option("--encoding", help=_("Encoding of the text; default UTF-8 or its byte order mark."))
@click.option(
    "--add-overlaps", is_flag=True, help=_("Book sums beside requests of the same time: they are other uses.")
)
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def command(
    ctx: click.Context,
    format_name: str | None,
    paths: tuple[Path, ...],
    *,
    is_list: bool,
    is_detect: bool,
    pairs: tuple[str, ...],
    source: str | None,
    timezone: str | None,
    encoding: str | None,
    add_overlaps: bool,
    is_json: bool,
    **constants: str | None,
) -> int:
    """Book usage from files."""
    from joulebook.ingest.mapping import mapping_from  # noqa: PLC0415
    from joulebook.ingest.reader import ReadOptions  # noqa: PLC0415

    if is_list:
        return _list()
    if is_detect:
        return _detect(ctx, [*([Path(format_name)] if format_name else []), *paths])
    if format_name is None or not paths:
        raise click.UsageError(_("Name a format and at least one file."), ctx)
    given = {name: value for name, value in constants.items() if value is not None}
    columns = mapping_from(pairs)
    book = open_book(ctx)
    worst = 0
    results = []
    for path in paths:
        options = ReadOptions(str(path), source, given, columns, timezone, encoding, add_overlaps)
        with show.counting(_("Reading rows:"), quiet=ctx.obj["quiet"]) as tell:
            result = book.import_file(format_name, path, options, tell)
        worst = max(worst, int(any(finding.is_error for finding in result.findings)))
        results.append((path, result))
        if not is_json:
            _tell(path, result)
    if is_json:
        show.emit("import", files=[_json(path, result) for path, result in results])
    return worst


def _list() -> int:
    """Every format, its name first, and what its files look like; or why its reader cannot be loaded."""
    from joulebook.ingest.reader import PARQUET_SIGNS, loaded_readers  # noqa: PLC0415

    readers, broken = loaded_readers()
    formats = {name: _(one.signs) for name, one in readers.items()} | {"parquet": _(PARQUET_SIGNS)}
    formats |= {name: error_text(error) for name, error in broken.items()}
    most = max(map(len, formats)) + 2
    for name, text in formats.items():
        click.echo(name.ljust(most) + show.wrapped(text, " " * most).lstrip())
    return int(bool(broken))


def _tell(path: Path, result: "Imported") -> None:
    show.show_findings(result.findings)
    click.echo(
        _("{file}: {added} rows booked, {already} already there, {refused} refused").format(
            file=path.name, added=f"{result.added:,}", already=f"{result.already:,}", refused=f"{result.refused:,}"
        )
    )
    print_coverage(result.coverage)


def _json(path: Path, result: "Imported") -> dict[str, object]:
    return {
        "file": str(path),
        "added": result.added,
        "already": result.already,
        "refused": result.refused,
        "coverage": coverage_json(result.coverage),
        "findings": [show.finding_json(finding) for finding in result.findings],
    }


def _detect(ctx: click.Context, paths: list[Path]) -> int:
    from joulebook.ingest.reader import detect, is_parquet, loaded_readers  # noqa: PLC0415

    code = 0
    for error in loaded_readers()[1].values():
        show.note(error_text(error))
    for path in paths:
        found = detect(path, open_book(ctx).store.columns_of(path) if is_parquet(path) else ())
        if not found:
            click.echo(_("{file}: no known format. Next: name one with FORMAT and --map.").format(file=path))
            code = 1
        for one in found:
            click.echo(f"{path}: {one.name} ({one.certainty:.0%}) {_(one.signs)}")
    return code
