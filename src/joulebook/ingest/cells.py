"""Cells of other people's files: counts, amounts, instants. Shared by all readers, so that all refuse the same."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from joulebook.errors import UnknownName, translatable

LARGEST_COUNT = 2**63 - 1
"""What a 64-bit column can hold."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1980, 2199
"""Years outside are a wrong unit or a broken clock, not a use of AI."""

_EPOCH_NUMBER = re.compile(r"\d{9,19}(\.\d+)?\Z")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)\Z")
_STEPS = ((10**11, 10**6), (10**14, 10**3), (10**17, 1))
"""A number of seconds is below 1e11, of milliseconds below 1e14, of microseconds below 1e17, else nanoseconds."""


class CellFaultError(ValueError):
    """A cell breaks a rule of `joulebook.terms.finding.RULES`."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


def count(cell: object) -> int:
    """A whole number from 0 on: 12, "12", 12.0, "12.0".

    Raises:
        CellFaultError: "bad-number" or "negative".
    """
    kind = type(cell)
    try:
        number = int(cell) if kind is int or _is_plain(cell) else _whole(cell)  # ty: ignore[invalid-argument-type]
    except (ValueError, OverflowError):
        number = _whole(cell)
    if number < 0:
        raise CellFaultError("negative")
    if number > LARGEST_COUNT:
        raise CellFaultError("bad-number")
    return number


def amount(cell: object) -> float:
    """A finite number from 0 on.

    Raises:
        CellFaultError: "bad-number" or "negative".
    """
    number = money(cell)
    if number < 0:
        raise CellFaultError("negative")
    return number


def money(cell: object) -> float:
    """A finite number, which may be a credit.

    Raises:
        CellFaultError: "bad-number".
    """
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        raise CellFaultError("bad-number")
    if isinstance(cell, str) and not _is_plain(cell):
        raise CellFaultError("bad-number")
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        raise CellFaultError("bad-number") from None
    if not math.isfinite(number):
        raise CellFaultError("bad-number")
    return number


def text(cell: object) -> str | None:
    """A name; None where it is blank.

    Raises:
        CellFaultError: "bad-text" for what is no single value, and for what cannot be written as UTF-8.
    """
    if isinstance(cell, (dict, list, bool)):
        raise CellFaultError("bad-text")
    name = str(cell).strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise CellFaultError("bad-text")
    return name or None


LONGEST_NAME = 512
"""Characters of a model, team or project; longer is a wrong column, perhaps a prompt, and must not be kept."""

NAMES_KEPT = 10_000


class Names(dict[str | None, str | None]):
    """Names of models, tools and projects as `text` gives them: few, and each told many times."""

    def __missing__(self, cell: str) -> str | None:
        name = text(cell)
        if len(self) < NAMES_KEPT:
            self[cell] = name
        return name

    def text(self, cell: object) -> str | None:
        """As the function of that name."""
        return self[cell] if type(cell) is str else text(cell)


def instant(cell: object, zone: tzinfo | None) -> tuple[datetime, bool]:
    """A point in time in UTC, and whether its zone was known: from the cell, as a number, or from ``zone``.

    Reads ISO 8601 (digits beyond microseconds are cut off), the form with " UTC" at the end, and seconds, milli-,
    micro- or nanoseconds since 1970.

    Raises:
        CellFaultError: "bad-timestamp".
    """
    try:
        if isinstance(cell, str):
            cell = cell.strip()
        if type(cell) is str and (cell[4:5] == "-" or not _EPOCH_NUMBER.match(cell)):
            if cell[4:5] == "-" and not _is_iso(cell):
                raise CellFaultError("bad-timestamp")
            moment = datetime.fromisoformat(cell[:-4] + "+00:00" if cell[-4:] == " UTC" else cell)
        elif isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
            raise CellFaultError("bad-timestamp")
        else:
            moment = _since_epoch(cell)
        known = True
        if moment.tzinfo is None:
            known = zone is not None
            moment = moment.replace(tzinfo=zone or UTC)
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellFaultError("bad-timestamp") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise CellFaultError("bad-timestamp")
    return moment, known


def _is_iso(cell: str) -> bool:
    """Whether day and time end as they may: Python 3.11 passes over one other letter before an offset."""
    rest = cell[19 if cell[16:17] == ":" else 16 :]
    if rest[:1] in (".", ","):
        rest = rest[1:].lstrip("0123456789")
    return cell[10:11] in " Tt" and rest[:1] in "+-Zz "


def zone_named(name: str | None) -> tzinfo | None:
    """A zone by IANA name or offset (+09:00); None for None.

    Raises:
        UnknownName: there is no such zone.
    """
    if name is None:
        return None
    offset = _OFFSET.match(name)
    if offset:
        sign, hours, minutes = offset.groups()
        delta = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-delta if sign == "-" else delta)
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownName(kind=translatable("time zone"), name=name, nearest="UTC, Asia/Seoul, +09:00") from None


def key_text(value: object) -> str:
    """A value as part of a key: UTC microseconds for instants, nothing for unknown."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").removesuffix("+00:00")
    return str(value)


def hashable(parts: Iterable[str]) -> Iterator[str]:
    """Parts of a key without what UTF-8 cannot write (bytes that are no text, half characters)."""
    return (part.encode("utf-8", errors="replace").decode() for part in parts)


def _is_plain(cell: object) -> bool:
    """Whether a text has only what numbers are written with everywhere: no digits of other scripts, no underscores."""
    return type(cell) is str and cell.isascii() and "_" not in cell


Convert = Callable[[object], object]


def _whole(cell: object) -> int:
    number = money(cell)
    if number != int(number):
        raise CellFaultError("bad-number")
    return int(number)


def _since_epoch(cell: str | float) -> datetime:
    number = float(cell) if isinstance(cell, float) or (isinstance(cell, str) and "." in cell) else int(cell)
    scale = next((scale for limit, scale in _STEPS if abs(number) < limit), None)
    microseconds = number // 1000 if scale is None else number * scale
    return EPOCH + timedelta(microseconds=int(microseconds))
