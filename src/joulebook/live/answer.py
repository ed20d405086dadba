"""Reading answers: JSON and XML of a service, checked before anything is believed."""

import json
import math
from typing import Any
from xml.etree import ElementTree as ET

from joulebook.errors import translatable
from joulebook.live.faults import LiveUnreadable
from joulebook.terms.finding import Finding


def json_object(source: str, body: bytes) -> dict[str, Any]:
    """The object that an answer is.

    Raises:
        LiveUnreadable: it is no JSON object.
    """
    try:
        found = json.loads(body)
    except ValueError:
        raise LiveUnreadable(source=source, reason=translatable("not JSON")) from None
    if not isinstance(found, dict):
        raise LiveUnreadable(source=source, reason=translatable("not a JSON object"))
    return found


def items(source: str, found: object, *path: str) -> list[Any]:
    """The list under a path of keys.

    Raises:
        LiveUnreadable: there is none.
    """
    for key in path:
        if not isinstance(found, dict) or key not in found:
            raise LiveUnreadable(source=source, reason=translatable("a part of it is missing"))
        found = found[key]
    if not isinstance(found, list):
        raise LiveUnreadable(source=source, reason=translatable("what should be a list is none"))
    return found


def xml_root(source: str, body: bytes) -> ET.Element:
    """The root of an XML answer, its names without their namespaces.

    Raises:
        LiveUnreadable: it is no XML, or it declares entities, which no answer needs.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise LiveUnreadable(source=source, reason=translatable("a document type declaration"))
    try:
        root = ET.fromstring(body)  # noqa: S314  (declarations are refused above, so nothing can expand)
    except ET.ParseError:
        raise LiveUnreadable(source=source, reason=translatable("not XML")) from None
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


def row_count(source: str, told: object) -> int:
    """How many rows there are on all pages.

    Raises:
        LiveUnreadable: the answer does not tell; further pages would be missed without a word.
    """
    if not str(told).isdecimal():
        raise LiveUnreadable(source=source, reason=translatable("a part of it is missing"))
    return int(str(told))


def number(value: object) -> float | None:
    """A finite number, from a number or its text; None for what is absent.

    Raises:
        ValueError: it is something else.
    """
    if value is None or value == "":
        return None
    found = math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    if not math.isfinite(found):
        msg = "not finite"
        raise ValueError(msg)
    return found


def bad_value(source: str, position: int) -> Finding:
    """A value of an answer that cannot be read; the others go on."""
    return Finding(source, position, "live-bad-value", {"source": source})
