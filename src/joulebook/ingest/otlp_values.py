"""Attributes and times of OTLP, as plain values."""

from collections.abc import Mapping
from typing import Any

from joulebook.ingest.otlp_words import first_of
from joulebook.ingest.records import dicts, name_of

UNNAMED = "unknown_service"


def attributes(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as a plain dictionary; only single values are kept."""
    found: dict[str, Any] = {}
    for attribute in dicts(entry.get("attributes")):
        value = attribute.get("value")
        if isinstance(value, dict):
            kind, content = next(iter(value.items()), ("", None))
            found[str(attribute.get("key"))] = number(content) if kind == "intValue" else content
    return found


def number(value: object) -> object:
    """JSON writes 64-bit numbers as text; what is no whole number stays as it is and is refused later."""
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    return value


def nanoseconds(value: object) -> str | None:
    """A time in nanoseconds as text, which `joulebook.ingest.cells.instant` reads; 0 is unknown."""
    text = str(value or "")
    return text if text not in {"", "0"} else None


def owner(resource: Mapping[str, Any]) -> dict[str, object]:
    """Project, team and region that a resource names; the SDK's word for a service without a name is none."""
    service = name_of(first_of(resource, ("service.name",)))
    return {
        "project": None if service is not None and service.partition(":")[0] == UNNAMED else service,
        "team": name_of(first_of(resource, ("team", "team.id", "service.namespace"))),
        "region": name_of(resource.get("cloud.region")),
    }
