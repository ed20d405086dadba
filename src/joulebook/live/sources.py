"""Which live sources there are, what their zones are called here, and where their keys come from."""

import importlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from joulebook.errors import BadValue, UnknownName, translatable
from joulebook.live.ask import Ask, Meaning, Point
from joulebook.live.client import Client
from joulebook.live.faults import LiveKeyMissing
from joulebook.terms.finding import Finding

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "electricity-maps": "joulebook.live.electricity_maps:ElectricityMaps",
        "watttime": "joulebook.live.watttime:WattTime",
        "uk-carbon-intensity": "joulebook.live.uk_carbon_intensity:UkCarbonIntensity",
        "entsoe": "joulebook.live.entsoe:Entsoe",
        "entsoe-units": "joulebook.live.entsoe:EntsoeUnits",
        "eia": "joulebook.live.eia:Eia",
        "kpx": "joulebook.live.kpx:Kpx",
    }
)
"""Name -> "module:Class", loaded when asked for."""


class LiveSource(Protocol):
    """A service for hourly values.

    Attributes:
        name: its name on the command line.
        url: its address.
        keys: name of each secret -> environment variables that may hold it.
    """

    name: str
    url: str
    keys: Mapping[str, tuple[str, ...]]

    def meaning(self, ask: Ask) -> Meaning:
        """What the values are."""
        ...

    def fetch(self, ask: Ask, client: Client, secrets: Mapping[str, str]) -> Iterator[Point | Finding]:
        """Ask, and read what comes."""
        ...


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of a source.

    Attributes:
        zone: in the source's words.
        subject: in the library's words.
        code: what the interface wants, where it differs.
        is_linked: False where no subject of the library is known to be the same place.
    """

    zone: str
    subject: str
    code: str = ""
    is_linked: bool = True


def live_source(name: str) -> LiveSource:
    """One source.

    Raises:
        UnknownName: there is no such source.
    """
    if name not in SOURCES:
        near = get_close_matches(name, SOURCES, n=3, cutoff=0.3) or list(SOURCES)
        raise UnknownName(kind=translatable("live source"), name=name, nearest=", ".join(near))
    module, cls = SOURCES[name].split(":")
    return getattr(importlib.import_module(module), cls)()


def zone_of(source: str, zone: str, subject: str | None = None) -> Zone:
    """What a zone of a source is called here.

    Args:
        source: name of the source.
        zone: the zone in the source's words; one that is not in the table is passed on as it is.
        subject: what the user calls it, which then counts.
    """
    entry = _zones().get(source, {}).get(zone, {})
    found = subject or entry.get("subject")
    return Zone(zone, found or f"{source}:{zone}", entry.get("code", ""), is_linked=found is not None)


def zones(source: str) -> list[str]:
    """Zones of a source that are in the table."""
    return list(_zones().get(source, {}))


@cache
def _zones() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    import yaml  # noqa: PLC0415  (keeps starting quick)

    return yaml.safe_load(files("joulebook.live").joinpath("zones.yaml").read_text(encoding="utf-8"))


def key_file() -> Path:
    """Where keys may be written: under the XDG config home."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "joulebook" / "keys.toml"


def secrets_for(source: LiveSource) -> dict[str, str]:
    """The keys of a source: from the environment, else from the user's key file.

    Raises:
        LiveKeyMissing: one is in neither.
        BadValue: the key file is no TOML.
    """
    written = _written(source.name) if source.keys else {}
    found: dict[str, str] = {}
    for name, variables in source.keys.items():
        told = next((os.environ[variable] for variable in variables if os.environ.get(variable)), written.get(name))
        if not told:
            raise LiveKeyMissing(source=source.name, key=name, variable=variables[0], file=str(key_file()))
        found[name] = str(told).strip()
    return found


def _written(source: str) -> Mapping[str, Any]:
    try:
        content = tomllib.loads(key_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BadValue(
            value=str(key_file()),
            expected=translatable("a file of keys"),
            next_step=translatable('write it as TOML: a line [eia], then key = "...".'),
        ) from None
    section = content.get(source, {})
    return section if isinstance(section, dict) else {}
