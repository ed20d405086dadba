"""From what a record says about its place to a zone (grid) and a site (building)."""

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from joulebook.errors import translatable
from joulebook.factors.edition import UNKNOWN, Edition

REGION = translatable("region of the provider")
ZONE_ITSELF = translatable("the place is a zone")
PROVIDER_COUNTRY = translatable("country published by the provider")
NOT_GIVEN = translatable("place not given")
NOT_KNOWN = translatable("place not in the library")
SEVERAL = translatable("the provider's places differ")
REASONS = (REGION, ZONE_ITSELF, PROVIDER_COUNTRY, NOT_GIVEN, NOT_KNOWN, SEVERAL)

HINT_GIVE_REGION = translatable("Give the region with --region PROVIDER-REGION or a country such as KOR.")
HINT_UNKNOWN_REGION = translatable("Nearest known places: {nearest}. Give one of them, or add a link of your own.")


@dataclass(frozen=True)
class Place:
    """Where a use took place, as far as it is known.

    Attributes:
        zone: subject of grid factors; ``unknown`` where it is not known.
        site: subject of PUE and WUE: ``provider:region``, the provider (its fleet), or ``unknown``.
        country: ISO 3166-1 alpha-3, or None.
        chosen_because: one of `REASONS`.
        hint: what would give a better answer, ``{nearest}`` filled in; or None.
        hint_template: the hint's text before filling in, for the translators; or None.
        nearest: known places with a similar name, joined by commas; empty where the hint needs none.
    """

    zone: str
    site: str
    country: str | None
    chosen_because: str
    hint_template: str | None = None
    nearest: str = ""

    @property
    def hint(self) -> str | None:
        """The hint in English."""
        return None if self.hint_template is None else self.hint_template.format(nearest=self.nearest)

    @property
    def is_unknown(self) -> bool:
        """Whether the zone is not known."""
        return self.zone == UNKNOWN


def provider_subject(edition: Edition, provider: str | None, at: date) -> str | None:
    """The provider's subject: ``aws`` for ``aws.bedrock``; the name itself, in lower case, where no alias is known."""
    if not provider:
        return None
    name = provider.strip().lower()
    aliases = edition.links_for(name, "provider_alias", at)
    return aliases[-1].object if aliases else name


def resolve_place(edition: Edition, provider: str | None, region: str | None, at: date) -> Place:
    """The place of a use on a day.

    A region is looked up as the provider's region, then as a zone or country of its own (``KOR``, ``US-SRVC``). Without
    a region, the provider's published countries count, if they are one. Nothing is guessed: what is not found is
    ``unknown``, with a hint.

    Args:
        edition: the factors and links.
        provider: who hosts, as the record says: ``aws``, ``aws.bedrock``, ``openai``; None is unknown.
        region: the provider's name for the place, or a zone; None is unknown.
        at: the day of the use.
    """
    host = provider_subject(edition, provider, at)
    fleet = host if host is not None and host in edition.subjects else UNKNOWN
    name = (region or "").strip()
    if not name:
        return _without_region(edition, fleet, at)
    subject = f"{host}:{name.lower()}"
    zones = edition.links_for(subject, "grid_zone", at) or edition.links_for(subject, "grid_zone")
    if zones:
        return Place(zones[-1].object, subject, _country(edition, subject, at), REGION)
    for zone in (name, name.upper()):
        if edition.factors_for("intensity_g_per_kwh", zone):
            return Place(zone, fleet, _country_of_zone(edition, zone), ZONE_ITSELF)
    known = [link.subject for link in edition.links if link.relation == "grid_zone"]
    near = meant(edition, name) or get_close_matches(subject, known, n=3)
    near = near or [other for other in known if other.startswith(f"{host}:")][:3]
    return Place(UNKNOWN, fleet, None, NOT_KNOWN, HINT_UNKNOWN_REGION, ", ".join(near or known[:3]))


def meant(edition: Edition, name: str) -> list[str]:
    """Zones that a country's two letters or its name may stand for; for hints, since states have two letters, too."""
    codes = [link.object for link in edition.links_for(name.strip().upper(), "country_code")]
    spoken = name.strip().casefold()
    zones = (subject for subject in edition.names if edition.factors_for("intensity_g_per_kwh", subject))
    return codes or [zone for zone in zones if spoken in {text.casefold() for text in edition.names[zone].values()}]


def _without_region(edition: Edition, fleet: str, at: date) -> Place:
    zones = {link.object for link in edition.links_for(fleet, "grid_zone", at)}
    if len(zones) == 1:
        zone = zones.pop()
        return Place(zone, fleet, _country_of_zone(edition, zone), PROVIDER_COUNTRY, HINT_GIVE_REGION)
    return Place(UNKNOWN, fleet, None, SEVERAL if zones else NOT_GIVEN, HINT_GIVE_REGION)


def _country(edition: Edition, region: str, at: date) -> str | None:
    countries = edition.links_for(region, "country", at) or edition.links_for(region, "country")
    return countries[-1].object if countries else None


def _country_of_zone(edition: Edition, zone: str) -> str | None:
    parents = edition.links_for(zone, "parent")
    return parents[-1].object if parents else zone
