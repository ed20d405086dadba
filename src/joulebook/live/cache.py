"""Fetched hours in the user's cache: one file per fetch, dated and named by its hash, never changed afterwards.

``<cache>/joulebook/live/<source>/<zone>-<time of the fetch>-<12 hex of the SHA-256>.json``. The rows have the form of a
factor file: what all of them share stands under ``defaults``, the rest under ``values``. A later fetch that says the
same adds nothing; one that says something else adds rows with a later ``known_from``.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from joulebook.live.faults import SeriesDamaged, SeriesUnwritable
from joulebook.terms.series import SeriesRow

SCHEMA_VERSION = 1
HASH_DIGITS = 12
SHARED = ("subject", "quantity", "unit", "source")
ODD = re.compile(r"[^A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of the cache.

    Attributes:
        path: the file.
        service: name of the live source.
        zone: the zone in its words.
        licence: under which the values stand; none of them is shipped.
        rows: the rows.
    """

    path: Path
    service: str
    zone: str
    licence: str
    rows: tuple[SeriesRow, ...]


def folder() -> Path:
    """Where fetched hours are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joulebook" / "live"


def kept_files(where: Path | None = None) -> Iterator[Kept]:
    """Every file of the cache, in the order of service, zone and time.

    Raises:
        SeriesDamaged: a file is not what its name says.
    """
    for path in sorted((where or folder()).glob("*/*.json")):
        yield _read(path)


def kept_rows(where: Path | None = None) -> Iterator[SeriesRow]:
    """Every row of the cache.

    Raises:
        SeriesDamaged: a file is not what its name says.
    """
    for kept in kept_files(where):
        yield from kept.rows


def new_rows(rows: Iterable[SeriesRow], known: Iterable[SeriesRow]) -> tuple[list[SeriesRow], int]:
    """Rows that say something the cache does not say yet, and how many of them restate an hour."""
    latest: dict[tuple[object, ...], SeriesRow] = {}
    for row in known:
        other = latest.get(row.identity)
        if other is None or other.known_from <= row.known_from:
            latest[row.identity] = row
    fresh = [row for row in rows if row.identity not in latest or latest[row.identity].statement != row.statement]
    return fresh, sum(row.identity in latest for row in fresh)


def keep(
    rows: Sequence[SeriesRow], service: str, zone: str, bibliography: Mapping[str, Any], where: Path | None = None
) -> Path:
    """Write one file.

    Args:
        rows: rows of one fetch, at least one.
        service: name of the live source.
        zone: the zone in its words.
        bibliography: title, publisher, url, licence of the source, and ``ships: false``.
        where: the cache; the user's if None.

    Returns:
        the file.

    Raises:
        SeriesUnwritable: the folder cannot be written.
    """
    content = _content(rows, service, zone, bibliography)
    digest = hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
    name = f"{ODD.sub('_', zone)}-{rows[0].known_from:%Y%m%dT%H%M%SZ}-{digest}.json"
    path = (where or folder()) / service / name
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise SeriesUnwritable(path=str(path.parent), reason=error.strerror or type(error).__name__) from None
    return path


def _content(rows: Sequence[SeriesRow], service: str, zone: str, bibliography: Mapping[str, Any]) -> bytes:
    first = rows[0]
    common = {key: word for key, word in first.basis.items() if key != "fuel"}
    document = {
        "schema_version": SCHEMA_VERSION,
        "service": service,
        "zone": zone,
        "bibliography": dict(bibliography),
        "kind": "grid",
        "defaults": {
            **{name: getattr(first, name) for name in SHARED},
            "basis": common,
            "known_from": first.known_from.isoformat(),
        },
        "values": [_value(row) for row in rows],
    }
    return json.dumps(document, ensure_ascii=False, indent=0, default=str).encode()


def _value(row: SeriesRow) -> dict[str, Any]:
    found = {
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "value": row.value,
        "tier": row.tier,
        "cell": row.cell,
        "note": row.note,
        "fuel": row.basis.get("fuel"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _read(path: Path) -> Kept:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest()[:HASH_DIGITS] != path.stem.rpartition("-")[2]:
        raise SeriesDamaged(file=str(path))
    document = json.loads(content)
    defaults = document["defaults"]
    basis, known_from = defaults["basis"], datetime.fromisoformat(defaults["known_from"])
    shared = {name: defaults[name] for name in SHARED}
    bases = {None: basis}
    rows = []
    for value in document["values"]:
        fuel = value.pop("fuel", None)
        start, end = (datetime.fromisoformat(value.pop(name)) for name in ("valid_from", "valid_to"))
        words = bases.setdefault(fuel, {**basis, "fuel": fuel})
        rows.append(SeriesRow(basis=words, valid_from=start, valid_to=end, known_from=known_from, **shared, **value))
    return Kept(path, document["service"], document["zone"], document["bibliography"].get("licence", ""), tuple(rows))
