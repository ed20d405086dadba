"""Protocol Buffers on the wire, read by a declared shape: enough for telemetry, without generated code.

Source: protobuf.dev, "Encoding": a message is a sequence of records, each a varint key (field number, wire type) and a
value: varint, 64 bit, length-delimited, or 32 bit.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
DEEPEST = 32
"""Messages within messages; deeper is a broken or hostile file."""

_LONGEST_VARINT = 10
_BITS_PER_BYTE = 7
_TYPE_BITS = 3
_MORE = 0x80
_LOW = 0x7F
_SIGN_BIT = 63


class WireFaultError(ValueError):
    """The bytes are no message of the declared shape."""


Shape = Mapping[int, tuple[str, Any]]
"""Field number -> (name, kind); kind: "int", "double", "fixed", "text", "hex", a Shape, or a list of one of them."""


def records(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Field number, wire type and raw value of each record.

    Raises:
        WireFaultError: the bytes break off, or hold a wire type that does not exist.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> _TYPE_BITS, key & ((1 << _TYPE_BITS) - 1)
        if kind == VARINT:
            value, place = _varint(message, place)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, place = _varint(message, place)
        elif kind in {FIXED64, FIXED32}:
            size = 8 if kind == FIXED64 else 4
        else:
            raise WireFaultError(kind)
        if place + size > len(message):
            raise WireFaultError(number)
        yield number, kind, message[place : place + size]
        place += size


def decoded(message: bytes, shape: Shape, depth: int = 0) -> dict[str, Any]:
    """A message as names and values; fields that the shape does not name are passed over.

    Raises:
        WireFaultError: the bytes are no message of this shape.
    """
    if depth > DEEPEST:
        raise WireFaultError(depth)
    found: dict[str, Any] = {}
    for number, wire, raw in records(message):
        if number not in shape:
            continue
        name, kind = shape[number]
        if isinstance(kind, list):
            found.setdefault(name, []).append(_value(raw, wire, kind[0], depth))
        else:
            found[name] = _value(raw, wire, kind, depth)
    return found


def _value(raw: int | bytes, wire: int, kind: Any, depth: int) -> Any:  # noqa: ANN401  (any value a message can hold)
    if isinstance(raw, int):
        if kind != "int":
            raise WireFaultError(wire)
        return raw - (1 << (_SIGN_BIT + 1)) if raw >> _SIGN_BIT else raw
    if wire == BYTES and isinstance(kind, Mapping):
        return decoded(raw, kind, depth + 1)
    if isinstance(kind, Mapping):
        raise WireFaultError(wire)
    if wire == BYTES and kind in {"text", "hex"}:
        return raw.decode("utf-8", errors="replace") if kind == "text" else raw.hex()
    if wire == FIXED64 and kind in {"fixed", "double"}:
        return struct.unpack("<d" if kind == "double" else "<Q", raw)[0]
    raise WireFaultError(wire)


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for step, byte in enumerate(message[place : place + _LONGEST_VARINT]):
        value |= (byte & _LOW) << (_BITS_PER_BYTE * step)
        if not byte & _MORE:
            return value, place + step + 1
    raise WireFaultError(place)
