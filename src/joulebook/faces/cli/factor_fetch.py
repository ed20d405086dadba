"""`joulebook factors fetch | hours`: hourly values from a service into the user's cache, and what is there."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from joulebook.errors import UsageError
from joulebook.faces.cli import show
from joulebook.faces.cli.factors import command, edition_of
from joulebook.faces.text import _, error_text

if TYPE_CHECKING:
    from joulebook.factors.edition import Edition
    from joulebook.live.cache import Kept
    from joulebook.live.fetch import Fetched
    from joulebook.live.sources import LiveSource, Zone

DAY = click.DateTime(["%Y-%m-%d"])
HOURLY_POLICY = "ghgp-location-hourly-draft"


@command.command("fetch", help=_("Fetch hourly values of a zone from a service, into your cache; asks nobody else."))
@click.argument("source", metavar="SOURCE")
@click.option("--zone", required=True, help=_("The zone as the service writes it, such as DE_LU, CISO, KR, GB."))
@click.option("--from", "first", type=DAY, help=_("First day; default yesterday."))
@click.option("--to", "last", type=DAY, help=_("Last day, included; default the first day."))
@click.option("--subject", help=_("What the zone is called here, such as DEU; default from the table of zones."))
@click.option("--stage", type=click.Choice(["life-cycle", "direct"]), help=_("Where the service offers both."))
@click.option("--timezone", "timezone", default="UTC", show_default=True, help=_("Whose days are meant."))
@click.option("--url", help=_("Another address of the same service: a mirror or a sandbox."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
@click.pass_context
def fetch_command(
    ctx: click.Context,
    *,
    source: str,
    zone: str,
    first: datetime | None,
    last: datetime | None,
    subject: str | None,
    stage: str | None,
    timezone: str,
    url: str | None,
    is_json: bool,
) -> int:
    """Fetch, keep, and say what came."""
    from joulebook.live.ask import Ask  # noqa: PLC0415  (loaded when asked for)
    from joulebook.live.cache import kept_rows, new_rows  # noqa: PLC0415
    from joulebook.live.client import Client  # noqa: PLC0415
    from joulebook.live.fetch import fetch  # noqa: PLC0415
    from joulebook.live.sources import live_source, secrets_for, zone_of  # noqa: PLC0415

    service, now = live_source(source), datetime.now(UTC)
    start, end = _span(first, last, timezone, now)
    known = zone_of(source, zone, subject)
    ask = Ask(zone, known.subject, start, end, stage, known.code)
    client = Client(source, url or service.url, has_key=bool(service.keys))
    with show.counting(_("values read"), quiet=ctx.obj["quiet"]) as tell:
        found = fetch(service, ask, client, secrets_for(service), now.replace(microsecond=0), tell)
    fresh, changed = new_rows(found.rows, kept_rows())
    path = _kept(edition_of(ctx), service, known, fresh)
    if is_json:
        show.emit("factors fetch", **_fetched_json(service, known, found, len(fresh), changed, path))
    else:
        _print_fetched(service, known, found, len(fresh) - changed, changed, path)
    if found.error is not None:
        show.note(_("Error: {message}").format(message=error_text(found.error)))
    return 1 if found.error is not None or not found.rows else 0


def _span(first: datetime | None, last: datetime | None, timezone: str, now: datetime) -> tuple[datetime, datetime]:
    """The hours asked for (UTC), up to the last one that is over.

    Raises:
        UsageError: there is no such time zone, or the days are not in order, or not yet begun.
    """
    from joulebook.live.ask import whole_days  # noqa: PLC0415

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        what = _("There is no time zone {name}.").format(name=timezone)
        raise UsageError(what=what, next_step=_("give an IANA name such as Asia/Seoul.")) from None
    yesterday: date = (now.astimezone(zone) - timedelta(days=1)).date()
    begins = first.date() if first else yesterday
    start, end = whole_days(begins, last.date() if last else begins, zone)
    end = min(end, now.replace(minute=0, second=0, microsecond=0))
    if end <= start:
        what = _("No hour lies between these days, or none of them is over.")
        raise UsageError(what=what, next_step=_("give --from and --to in the past, in order."))
    return start, end


def _kept(edition: "Edition", service: "LiveSource", zone: "Zone", fresh: list[Any]) -> Path | None:
    """The file of what is new; None where nothing is."""
    from joulebook.live.cache import keep  # noqa: PLC0415

    if not fresh:
        return None
    source = edition.sources[fresh[0].source]
    facts = {name: getattr(source, name) for name in ("title", "publisher", "url", "licence", "ships")}
    return keep(fresh, service.name, zone.zone, facts)


def _print_fetched(
    service: "LiveSource", zone: "Zone", found: "Fetched", new: int, changed: int, path: Path | None
) -> None:
    show.heading(f"{service.name} {zone.zone} → {zone.subject}")
    counts = {
        "told": f"{found.hours_told:,}",
        "hours": f"{found.hours:,}",
        "new": f"{new:,}",
        "changed": f"{changed:,}",
    }
    show.say(_("{told} of {hours} hours; {new} values are new, {changed} were revised.").format(**counts))
    show.show_findings(found.findings)
    if path is not None:
        click.echo(_("Kept in {path}").format(path=path))
    if not zone.is_linked:
        show.say(_("No subject of the library is linked to this zone. Next: fetch with --subject, such as KOR."))
    if not found.rows:
        return
    if found.rows[0].quantity == "marginal_intensity_g_per_kwh":
        show.say(_("A marginal signal is for decisions: joulebook report --signal marginal."))
        return
    show.say(
        _("Used under --policy {policy}; what is booked already needs `joulebook restate`.").format(
            policy=HOURLY_POLICY
        )
    )


def _fetched_json(
    service: "LiveSource", zone: "Zone", found: "Fetched", fresh: int, changed: int, path: Path | None
) -> dict[str, Any]:
    return {
        "source": service.name,
        "zone": zone.zone,
        "subject": zone.subject,
        "hours": found.hours,
        "hours_told": found.hours_told,
        "values_new": fresh - changed,
        "values_revised": changed,
        "file": None if path is None else str(path),
        "findings": [show.finding_json(finding) for finding in found.findings],
        "error": None if found.error is None else error_text(found.error),
    }


@command.command("hours", help=_("What hourly values were fetched, and how old they are."))
@click.option("--json", "is_json", is_flag=True, help=_("Print JSON."))
def hours_command(*, is_json: bool) -> int:
    """List the cache."""
    from joulebook.live.cache import folder, kept_files  # noqa: PLC0415

    groups: dict[tuple[str, str], list[Kept]] = {}
    for kept in kept_files():
        groups.setdefault((kept.service, kept.zone), []).append(kept)
    rows = [_summary(*key, found) for key, found in groups.items()]
    if is_json:
        show.emit("factors hours", folder=str(folder()), zones=rows)
        return 0
    if not rows:
        show.say(_("No hour was fetched yet. Next: joulebook factors fetch uk-carbon-intensity --zone GB."))
        return 0
    now = datetime.now(UTC)
    cells = [
        [
            f"{row['source']} {row['zone']} → {row['subject']}",
            f"{row['hours']:,}",
            f"{row['first']:%Y-%m-%d}",
            f"{row['last']:%Y-%m-%d}",
            _("{days} days ago").format(days=(now - row["fetched_at"]).days),
        ]
        for row in rows
    ]
    show.table([_("zone"), _("hours"), _("from"), _("to"), _("fetched")], cells, right=(1, 4))
    click.echo(str(folder()))
    return 0


def _summary(service: str, zone: str, found: "list[Kept]") -> dict[str, Any]:
    told = [row for kept in found for row in kept.rows]
    hours = {row.valid_from for row in told}
    return {
        "source": service,
        "zone": zone,
        "subject": told[-1].subject,
        "quantity": told[-1].quantity,
        "hours": len(hours),
        "first": min(hours),
        "last": max(hours),
        "fetched_at": max(row.known_from for row in told),
        "licence": found[-1].licence,
        "files": [str(kept.path) for kept in found],
    }
