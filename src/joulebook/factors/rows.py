"""From the tree of one factor file to rows, strictly: every rule broken is a fault with file and line."""

import math
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from joulebook.factors.edition import NOTHING, Factor, Link, Source
from joulebook.factors.faults import FactorFault
from joulebook.factors.tree import Entries, Items, Node, Text, read_tree
from joulebook.terms.columns import columns
from joulebook.terms.tier import Tier

FILE_KEYS = ("kind", "defaults", "factors", "links")
FACTOR_KEYS = ("subject", "name", "values")
VALUE_KEYS = (
    "quantity", "unit", "basis", "valid_from", "valid_to", "known_from", "value", "low", "high", "exact", "tier",
    "source", "cell", "range_basis", "note",
)  # fmt: skip
LINK_KEYS = ("subject", "relation", "object", "valid_from", "valid_to", "known_from", "source", "cell", "note")
SOURCE_KEYS = ("title", "publisher", "url", "licence", "edition", "date_seen", "ships", "note")
LANGUAGES = ("en", "ko")

Place = tuple[Node, int]


class FileReader:
    """Reads one factor file.

    Attributes:
        factors: rows read.
        links: links read.
        names: subject -> language -> name.
        faults: everything that is wrong.
    """

    def __init__(self, text: str, file: str, kind: str, *, is_user: bool, package: str = "") -> None:
        self.file = file
        self.kind = kind
        self.is_user = is_user
        self.package = package
        self.factors: list[Factor] = []
        self.links: list[Link] = []
        self.names: dict[str, Mapping[str, str]] = {}
        self.faults: list[FactorFault] = []
        self._bases: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        tree = read_tree(text, file, self.faults)
        if tree is not None:
            self._file(tree)

    def fault(self, rule: str, line: int, **facts: object) -> None:
        """Note one fault."""
        self.faults.append(FactorFault(rule, file=self.file, line=line, **facts))

    def _file(self, tree: Node) -> None:
        top = self.entries_of(tree, "the file", FILE_KEYS)
        if "kind" in top:
            self.kind = self.word(top, "kind") or self.kind
        defaults = {}
        if "defaults" in top:
            defaults = self.entries_of(top["defaults"][0], "defaults", VALUE_KEYS)
        for node in self.items_of(top, "factors"):
            self._subject(node, defaults)
        for node in self.items_of(top, "links"):
            self._link(node, defaults)

    def entries_of(self, node: Node, where: str, allowed: tuple[str, ...]) -> dict[str, Place]:
        """The entries of a map with their lines; unknown keys and other shapes are faults."""
        if not isinstance(node, Entries):
            self.fault("not-a-map", node.line, where=where)
            return {}
        for key in node.entries:
            if key not in allowed:
                nearest = ", ".join(get_close_matches(key, allowed, n=3) or allowed)
                self.fault("unknown-key", node.lines[key], key=key, nearest=nearest)
        return {key: (value, node.lines[key]) for key, value in node.entries.items() if key in allowed}

    def items_of(self, entries: dict[str, Place], key: str) -> list[Node]:
        """The items under a key; none where the key is absent."""
        if key not in entries:
            return []
        node, line = entries[key]
        if not isinstance(node, Items):
            self.fault("not-a-list", line, where=key)
            return []
        return node.items

    def word(self, entries: dict[str, Place], key: str) -> str | None:
        """One text, or None where it is absent, empty or no text."""
        if key not in entries:
            return None
        node, line = entries[key]
        if not isinstance(node, Text):
            self.fault("not-a-word", line, key=key)
            return None
        return node.text or None

    def day(self, entries: dict[str, Place], key: str) -> date | None:
        """One date, or None."""
        return self._converted(entries, key, date.fromisoformat, "bad-date")

    def number(self, entries: dict[str, Place], key: str) -> float | None:
        """One finite number, or None."""
        return self._converted(entries, key, _finite, "bad-number")

    def flag(self, entries: dict[str, Place], key: str) -> bool | None:
        """True, false, or None."""
        return self._converted(entries, key, {"true": True, "false": False}.__getitem__, "bad-bool")

    def _converted(self, entries: dict[str, Place], key: str, convert: Callable[[str], Any], rule: str) -> Any:  # noqa: ANN401
        text = self.word(entries, key)
        if text is None:
            return None
        try:
            return convert(text)
        except (ValueError, KeyError):
            self.fault(rule, entries[key][0].line, key=key, text=text)
            return None

    def _subject(self, node: Node, defaults: dict[str, Place]) -> None:
        entries = self.entries_of(node, "a factor", FACTOR_KEYS + VALUE_KEYS)
        subject = self.word(entries, "subject")
        if subject is None:
            self.fault("missing-key", node.line, subject="this factor", key="subject")
            return
        if "name" in entries:
            named = self.entries_of(entries["name"][0], "name", LANGUAGES)
            self.names[subject] = {key: self.word(named, key) or subject for key in named}
        if "values" not in entries:
            self.fault("missing-key", node.line, subject=subject, key="values")
        common = {key: entries[key] for key in entries if key in VALUE_KEYS}
        for value in self.items_of(entries, "values"):
            own = self.entries_of(value, "a value", VALUE_KEYS)
            basis = self._basis(defaults, common, own)
            self._value(subject, {**defaults, **common, **own}, basis, value.line)

    def _basis(self, *levels: dict[str, Place]) -> Mapping[str, str]:
        merged: dict[str, str] = {}
        for level in levels:
            if "basis" in level:
                node = level["basis"][0]
                keys = tuple(node.entries) if isinstance(node, Entries) else ()
                words = self.entries_of(node, "basis", keys)
                merged |= {key: self.word(words, key) or "" for key in words}
        if not merged:
            return NOTHING
        return self._bases.setdefault(tuple(sorted(merged.items())), merged)

    def _value(self, subject: str, entries: dict[str, Place], basis: Mapping[str, str], line: int) -> None:
        before = len(self.faults)
        value = self.number(entries, "value")
        is_exact = self.flag(entries, "exact") is True
        low = value if is_exact else self.number(entries, "low")
        high = value if is_exact else self.number(entries, "high")
        row = {
            "quantity": self.word(entries, "quantity"),
            "unit": self.word(entries, "unit"),
            "value": value,
            "low": low,
            "high": high,
            "valid_from": self.day(entries, "valid_from"),
            "known_from": self.day(entries, "known_from"),
            "tier": self.word(entries, "tier"),
            "source": self.word(entries, "source"),
            "cell": self.word(entries, "cell"),
        }
        end = self.day(entries, "valid_to")
        if len(self.faults) == before:
            for key in [key for key, found in row.items() if found is None]:
                self.fault("missing-key", line, subject=subject, key=key)
        if len(self.faults) == before:
            self._check(row, end, line)
        if len(self.faults) == before:
            made: Any = row
            self.factors.append(
                Factor(
                    kind=self.kind,
                    subject=subject,
                    basis=basis,
                    valid_to=end,
                    range_basis=self.word(entries, "range_basis"),
                    note=self.word(entries, "note"),
                    file=self.file,
                    line=line,
                    is_user=self.is_user,
                    package=self.package,
                    **made,
                )
            )

    def _check(self, row: Mapping[str, Any], end: date | None, line: int) -> None:
        known = columns()
        if row["quantity"] not in known:
            nearest = ", ".join(get_close_matches(row["quantity"], known, n=3) or sorted(known)[:3])
            self.fault("unknown-quantity", line, quantity=row["quantity"], nearest=nearest)
        elif known[row["quantity"]].unit != row["unit"]:
            expected = known[row["quantity"]].unit
            self.fault("wrong-unit", line, quantity=row["quantity"], expected=expected, unit=row["unit"])
        if row["low"] > row["value"]:
            self.fault("low-above-value", line, low=row["low"], value=row["value"])
        if row["value"] > row["high"]:
            self.fault("high-below-value", line, high=row["high"], value=row["value"])
        if row["tier"] not in tuple(Tier):
            self.fault("bad-tier", line, text=row["tier"])
        self._check_validity(row["valid_from"], end, line)

    def _check_validity(self, start: date, end: date | None, line: int) -> None:
        if end is not None and end <= start:
            self.fault("validity-reversed", line, valid_from=start.isoformat(), valid_to=end.isoformat())

    def _link(self, node: Node, defaults: dict[str, Place]) -> None:
        before = len(self.faults)
        own = self.entries_of(node, "a link", LINK_KEYS)
        entries = {key: place for key, place in defaults.items() if key in LINK_KEYS} | own
        row: dict[str, Any] = {key: self.word(entries, key) for key in ("subject", "relation", "object")}
        row |= {key: self.day(entries, key) for key in ("valid_from", "known_from")}
        row |= {key: self.word(entries, key) for key in ("source", "cell")}
        end = self.day(entries, "valid_to")
        if len(self.faults) == before:
            for key in [key for key, found in row.items() if found is None]:
                self.fault("missing-key", node.line, subject=row["subject"] or "this link", key=key)
        if len(self.faults) == before:
            self._check_validity(row["valid_from"], end, node.line)
        if len(self.faults) == before:
            note = self.word(entries, "note")
            self.links.append(
                Link(valid_to=end, note=note, file=self.file, line=node.line, is_user=self.is_user, **row)
            )


def read_sources(text: str, file: str) -> tuple[list[Source], list[FactorFault]]:
    """The entries of one file of the bibliography, and what is wrong with it."""
    reader = FileReader("", file, "source", is_user=False)
    tree = read_tree(text, file, reader.faults)
    found: list[Source] = []
    if tree is None:
        return found, reader.faults
    if not isinstance(tree, Entries):
        reader.fault("not-a-map", tree.line, where="the bibliography")
        return found, reader.faults
    for key, node in tree.entries.items():
        before = len(reader.faults)
        entries = reader.entries_of(node, key, SOURCE_KEYS)
        row: dict[str, Any] = {name: reader.word(entries, name) for name in SOURCE_KEYS[:5]}
        row["edition"] = reader.word(entries, "edition")
        row["date_seen"] = reader.day(entries, "date_seen")
        row["ships"] = reader.flag(entries, "ships")
        if len(reader.faults) == before:
            for name in [name for name, value in row.items() if value is None]:
                reader.fault("missing-key", tree.lines[key], subject=key, key=name)
        if len(reader.faults) == before:
            note = reader.word(entries, "note")
            found.append(Source(source=key, note=note, file=file, line=tree.lines[key], **row))
    return found, reader.faults


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
