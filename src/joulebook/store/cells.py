r"""Cells of a foreign table as SQL: the same rules as the readers' row by row parse, for the engine.

Each function turns an SQL expression and the engine's type of it into the value that is booked and the conditions under
which the cell is refused, in the order in which they are told. NULL and the empty text are unknown, never a fault.
"""

from dataclasses import dataclass
from datetime import timedelta

from joulebook.errors import UnknownName, translatable
from joulebook.store.schema import literal

LONGEST_NAME = 512
"""Characters; what is longer is a wrong column, perhaps a prompt, and must not be kept."""

FIRST_YEAR, LAST_YEAR = 1980, 2199
"""Years outside are a wrong unit or a broken clock."""

EPOCH_STEPS = ((10**11, "* 1000000"), (10**14, "* 1000"), (10**17, "* 1"))
"""Seconds since 1970 are below 1e11, milliseconds below 1e14, microseconds below 1e17, else nanoseconds."""

WHITE = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"
NEAT = "[!-~]([ -~]*[!-~])?"
"""Printable ASCII without white space around it; to ask costs a quarter of taking it off, and saves asking for strange
characters."""

DAY_TIME = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?"
OFFSET = r"( UTC| ?(Z|[+-]\d\d(:?\d\d)?))"
ZONED = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)"
"""The usual time with a zone, as the engine reads it: nothing to take off or to close up."""

_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
    "UHUGEINT",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What becomes of one cell.

    Attributes:
        value: SQL of the value that is booked.
        faults: (SQL condition, rule) in the order in which they are told.
        usual: SQL condition that the cell is written in the usual way, which value and faults ask for; None asks none.
    """

    value: str
    faults: tuple[tuple[str, str], ...]
    usual: str | None = None


def unquoted(raw: str, kind: str) -> str:
    """The cell, with the empty text as unknown."""
    return f"nullif({raw}, '')" if kind == "VARCHAR" else raw


def _family(kind: str) -> str:
    if kind in _WHOLE:
        return "whole"
    if kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL"):
        return "number"
    return "text" if kind == "VARCHAR" else "other"


def count_cell(raw: str, kind: str, value: str) -> Cell:
    """A whole number from 0 on: 12, "12", 12.0, "12.0"."""
    family = _family(kind)
    whole = f"TRY_CAST({raw} AS BIGINT)"
    if family == "number":
        whole = f"CASE WHEN {raw} = floor({raw}) THEN {whole} END"
    elif family == "text":
        number = _written(raw)
        whole = (
            rf"CASE WHEN regexp_full_match({raw}, '\s*[+-]?\d+\s*') THEN {whole} "
            f"WHEN {number} = floor({number}) THEN TRY_CAST({number} AS BIGINT) END"
        )
    elif family == "other":
        whole = "CAST(NULL AS BIGINT)"
    faults = ((f"{value} < 0", "negative"), (f"{value} IS NULL AND {raw} IS NOT NULL", "bad-number"))
    return Cell(whole, faults)


def _written(raw: str) -> str:
    """The number that a text is; underscores, which the engine passes over, are no part of numbers in a table."""
    return f"CASE WHEN NOT contains({raw}, '_') THEN TRY_CAST({raw} AS DOUBLE) END"


def amount_cell(raw: str, kind: str, value: str, *, may_be_negative: bool) -> Cell:
    """A finite number, from 0 on unless it is money."""
    family = _family(kind)
    number = _written(raw) if family == "text" else f"TRY_CAST({raw} AS DOUBLE)"
    if family == "other":
        number = "CAST(NULL AS DOUBLE)"
    faults = ((f"{value} IS NULL AND {raw} IS NOT NULL", "bad-number"),)
    if not may_be_negative:
        faults = ((f"{value} < 0", "negative"), *faults)
    return Cell(f"CASE WHEN isfinite({number}) THEN {number} END", faults)


def text_cell(raw: str, kind: str, value: str, usual: str) -> Cell:
    """A name: one printable line of at most 512 characters, without white space around it."""
    if kind == "BOOLEAN" or kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "BLOB")):
        return Cell("CAST(NULL AS VARCHAR)", ((f"{raw} IS NOT NULL", "bad-text"),))
    is_long = f"length({value}) > {LONGEST_NAME}"
    strange = (
        f"CASE WHEN {usual} THEN {is_long} "
        rf"ELSE {is_long} OR regexp_matches({value}, '[^\pL\pM\pN\pP\pS ]') END"
    )
    text = f"CAST({raw} AS VARCHAR)"
    trimmed = f"CASE WHEN {usual} THEN {text} ELSE nullif(trim({text}, {WHITE}), '') END"
    return Cell(trimmed, ((strange, "bad-text"),), f"regexp_full_match({text}, '{NEAT}')")


def time_cell(raw: str, kind: str, value: str, usual: str, zone: str | None) -> Cell:
    """An instant in UTC: a timestamp of any grain, ISO 8601, or s, ms, us, ns since 1970; a bare one is in ``zone``."""
    family, is_usual = _family(kind), None
    if family in {"whole", "number"}:
        moment = _since_epoch(raw, family)
    elif kind == "TIMESTAMP WITH TIME ZONE":
        moment = f"make_timestamp(epoch_us({raw}))"
    elif kind == "TIMESTAMPTZ_NS":
        moment = f"make_timestamp(epoch_ns({raw}) // 1000)"
    elif kind == "TIMESTAMP_NS":
        moment = _in_zone(f"make_timestamp(epoch_ns({raw}) // 1000)", zone)
    elif kind.startswith(("TIMESTAMP", "DATE")):
        moment = _in_zone(f"TRY_CAST({raw} AS TIMESTAMP)", zone)
    elif family == "text":
        text = f"trim({raw})"
        is_utc = zone is None or zone.upper() == "UTC"
        with_zone = f"{DAY_TIME}({OFFSET}){'?' if is_utc else ''}"
        bare = (
            f"WHEN regexp_full_match({text}, {literal(DAY_TIME)}) "
            f"THEN {_in_zone(f'TRY_CAST({text} AS TIMESTAMP)', zone)} "
        )
        is_usual = f"regexp_full_match({raw}, {literal(ZONED)})"
        moment = (
            f"CASE WHEN {usual} THEN make_timestamp(epoch_us(TRY_CAST({raw} AS TIMESTAMPTZ))) "
            f"{'' if is_utc else bare}"
            f"WHEN regexp_full_match({text}, {literal(with_zone)}) "
            f"THEN make_timestamp(epoch_us(TRY_CAST({_closed(text)} AS TIMESTAMPTZ))) "
            rf"WHEN regexp_full_match({text}, '\d{{9,19}}') "
            f"THEN {_since_epoch(f'TRY_CAST({text} AS BIGINT)', 'whole')} "
            rf"WHEN regexp_full_match({text}, '\d{{9,19}}\.\d+') "
            f"THEN {_since_epoch(f'TRY_CAST({text} AS DOUBLE)', 'number')} END"
        )
    else:
        moment = "CAST(NULL AS TIMESTAMP)"
    first, end = f"TIMESTAMP '{FIRST_YEAR}-01-01'", f"TIMESTAMP '{LAST_YEAR + 1}-01-01'"
    bounded = f"CASE WHEN {value} >= {first} AND {value} < {end} THEN 0 ELSE 1 END = 1"
    return Cell(moment, ((f"{raw} IS NOT NULL AND {bounded}", "bad-timestamp"),), is_usual)


def _closed(text: str) -> str:
    """A time without a space before its offset, which the engine does not read."""
    return f"replace(replace(replace({text}, ' Z', 'Z'), ' +', '+'), ' -', '-')"


def is_bare(raw: str, kind: str, usual: str) -> str | None:
    """SQL condition that a time says nothing of its zone; None where it always does."""
    if kind == "VARCHAR":
        return f"CASE WHEN {usual} THEN false ELSE regexp_full_match(trim({raw}), {literal(DAY_TIME)}) END"
    bare = kind in {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}
    return f"{raw} IS NOT NULL" if bare else None


def _since_epoch(number: str, family: str) -> str:
    nanos = f"{number} // 1000" if family == "whole" else f"floor({number} / 1000)"
    steps = " ".join(f"WHEN abs({number}) < {limit} THEN {number} {step}" for limit, step in EPOCH_STEPS)
    return f"make_timestamp(TRY_CAST(CASE {steps} ELSE {nanos} END AS BIGINT))"


def _in_zone(moment: str, zone: str | None) -> str:
    """A bare time, in UTC.

    Raises:
        UnknownName: there is no such zone.
    """
    if zone is None or zone.upper() in {"UTC", "Z"}:
        return moment
    sign, digits = zone[:1], zone[1:].replace(":", "")
    if sign in {"+", "-"} and len(digits) == len("0900") and digits.isdigit():
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        minutes = int(ahead.total_seconds()) // 60 * (-1 if sign == "+" else 1)
        return f"({moment} + INTERVAL ({minutes}) MINUTE)"
    from zoneinfo import available_timezones  # noqa: PLC0415  (reads a folder; rarely needed)

    if zone not in available_timezones():
        raise UnknownName(kind=translatable("time zone"), name=zone, nearest="UTC, Asia/Seoul, +09:00")
    return f"make_timestamp(epoch_us(timezone({literal(zone)}, {moment})))"
