"""A parsed edition: shipped beside the factors, or kept under the XDG cache home, by the hash of what went into it.

Nothing depends on it: a missing, unwritable or damaged file only means that the YAML is read again. The file begins
with the SHA-256 of its own payload, and the payload is JSON, so that a cache can never run code.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from joulebook.factors.edition import NOTHING, Edition, Factor, Link, Source

SUFFIX = ".factors.json"
SHIPPED = Path(__file__).with_name("compiled.json")
"""Written when the package is built; a source tree has none."""


def fingerprint(parts: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 over names and contents."""
    whole = hashlib.sha256()
    for name, content in parts:
        whole.update(f"{name}\x1f{len(content)}\x1f".encode())
        whole.update(content)
    return whole.hexdigest()


def folder() -> Path:
    """Where parsed editions are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joulebook"


def load(key: str) -> Edition | None:
    """The edition of a key, shipped or kept, or None where it is absent or does not match its own hash."""
    return _load(SHIPPED, key) or _load(folder() / f"{key}{SUFFIX}", key)


def _load(path: Path, key: str) -> Edition | None:
    wanted = f" {key}\n".encode()
    try:
        with path.open("rb") as stream:
            head = stream.readline()
            payload = stream.read() if head.endswith(wanted) else b""
    except OSError:
        return None
    if not payload or hashlib.sha256(payload).hexdigest().encode() != head.removesuffix(wanted):
        return None
    from msgspec.json import decode  # noqa: PLC0415  (a third of the time that the standard library takes)

    return _unpack(decode(payload))


def ship(key: str, edition: Edition) -> Path:
    """Write an edition to where it is shipped from."""
    SHIPPED.write_bytes(_written(key, edition))
    return SHIPPED


def _written(key: str, edition: Edition) -> bytes:
    payload = json.dumps(_pack(edition), ensure_ascii=False, separators=(",", ":")).encode()
    return f"{hashlib.sha256(payload).hexdigest()} {key}\n".encode() + payload


def save(key: str, edition: Edition) -> None:
    """Keep an edition; where the folder cannot be written, nothing is kept. Older parses are removed."""
    target = folder() / f"{key}{SUFFIX}"
    draft = target.with_suffix(f".{os.getpid()}.draft")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(_written(key, edition))
        draft.replace(target)
        for old in sorted(target.parent.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


KEPT = 8
"""How many parsed editions stay: the shipped one and some with folders of the user's own."""


def _pack(edition: Edition) -> dict[str, Any]:
    words: dict[str, int] = {}
    bases: list[dict[str, str]] = []

    def word(text: str | None) -> int:
        return -1 if text is None else words.setdefault(text, len(words))

    def basis(row: Factor) -> int:
        plain = dict(row.basis)
        if plain not in bases:
            bases.append(plain)
        return bases.index(plain)

    def ends(row: Factor | Link) -> tuple[int, int, int]:
        return row.valid_from.toordinal(), row.valid_to.toordinal() if row.valid_to else 0, row.known_from.toordinal()

    factors = [
        (
            *(word(text) for text in (row.kind, row.subject, row.quantity, row.unit, row.tier, row.source)),
            *(row.value, row.low, row.high, basis(row), *ends(row), row.cell),
            *(
                word(row.range_basis),
                word(row.note),
                word(row.file),
                row.line,
                row.is_user,
                word(row.package),
                row.factor_id,
            ),
        )
        for row in edition.factors
    ]
    links = [
        (
            *(word(text) for text in (row.subject, row.relation, row.object, row.source)),
            *(*ends(row), row.cell, word(row.note), word(row.file), row.line, row.is_user),
        )
        for row in edition.links
    ]
    sources = [[getattr(entry, key) for key in Source.__slots__] for entry in edition.sources.values()]
    for entry in sources:
        entry[6] = entry[6].isoformat()
    return {
        "name": edition.name,
        "edition_id": edition.edition_id,
        "factors": factors,
        "links": links,
        "sources": sources,
        "names": edition.names,
        "words": list(words),
        "bases": bases,
    }


def _unpack(kept: dict[str, Any]) -> Edition:
    words: list[str | None] = [*kept["words"], None]
    bases = [basis or NOTHING for basis in kept["bases"]]
    day = date.fromordinal
    factors = tuple(
        Factor(
            words[kind], words[subject], words[quantity], value, low, high, words[unit], bases[basis], day(start),
            day(end) if end else None, day(known), words[tier], words[source], cell, words[why], words[note],
            words[file], line, is_user, words[package], [factor_id],
        )
        for kind, subject, quantity, unit, tier, source, value, low, high, basis, start, end, known, cell, why, note,
        file, line, is_user, package, factor_id in kept["factors"]
    )  # fmt: skip
    links = tuple(
        Link(
            words[subject], words[relation], words[target], day(start), day(end) if end else None, day(known),
            words[source], cell, words[note], words[file], line, is_user,
        )
        for subject, relation, target, source, start, end, known, cell, note, file, line, is_user in kept["links"]
    )  # fmt: skip
    sources = {}
    for entry in kept["sources"]:
        entry[6] = date.fromisoformat(entry[6])
        sources[entry[0]] = Source(*entry)
    edition = Edition(kept["name"], factors, links, sources, kept["names"])
    edition.__dict__["edition_id"] = kept["edition_id"]
    return edition
