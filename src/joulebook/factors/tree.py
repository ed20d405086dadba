"""YAML as a tree of texts with line numbers.

Only what a factor file needs: maps, lists and texts. What a text means (number, date, word) is decided by the key it
stands under, never by how it looks, so that Norway's ``NO`` stays a text. Anchors, tags and several documents in one
file are refused. Events of the C parser are read directly: three times faster than composing nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from joulebook.factors.faults import FactorFault

ADVICE = "write every value out; anchors, aliases and tags are not read"


@dataclass(slots=True)
class Text:
    """One scalar as written, and its line."""

    text: str
    line: int


@dataclass(slots=True)
class Items:
    """A list and the line it begins in."""

    line: int
    items: "list[Node]" = field(default_factory=list)


@dataclass(slots=True)
class Entries:
    """A map: key -> node, with the line of every key."""

    line: int
    entries: "dict[str, Node]" = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node = Text | Items | Entries


def read_tree(text: str, file: str, faults: list[FactorFault]) -> Node | None:
    """The tree of one file; None where the file is empty or not YAML (then a fault says so).

    Args:
        text: content of the file.
        file: its name, for the faults.
        faults: receives what is wrong: ``not-yaml``, ``duplicate-key``.
    """
    import yaml  # noqa: PLC0415  (keeps `import joulebook` light)

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = iter([event for event in yaml.parse(text, Loader=loader) if _is_content(event)])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        faults.append(FactorFault("not-yaml", file=file, line=line, reason=getattr(error, "problem", "") or "cut off"))
        return None
    return _Builder(events, file, faults).whole()


def _is_content(event: Any) -> bool:  # noqa: ANN401  (PyYAML's events carry no types)
    return type(event).__name__ not in {"StreamStartEvent", "StreamEndEvent", "DocumentStartEvent", "DocumentEndEvent"}


class _Builder:
    """Turns events into nodes and notes what the form forbids."""

    def __init__(self, events: Iterator[Any], file: str, faults: list[FactorFault]) -> None:
        self.events = events
        self.file = file
        self.faults = faults

    def whole(self) -> Node | None:
        first = next(self.events, None)
        if first is None:
            return None
        node = self.node(first)
        further = next(self.events, None)
        if further is not None:
            self.refuse(further.start_mark.line + 1, "a second document begins")
        return node

    def refuse(self, line: int, reason: str) -> None:
        self.faults.append(FactorFault("not-yaml", file=self.file, line=line, reason=reason))

    def node(self, event: Any) -> Node:  # noqa: ANN401
        line = event.start_mark.line + 1
        name = type(event).__name__
        if name == "AliasEvent" or getattr(event, "anchor", None) or getattr(event, "tag", None):
            self.refuse(line, ADVICE)
        if name == "ScalarEvent":
            return Text(event.value, line)
        if name == "SequenceStartEvent":
            items = Items(line)
            while type(event := next(self.events)).__name__ != "SequenceEndEvent":
                items.items.append(self.node(event))
            return items
        if name == "MappingStartEvent":
            return self.map(line)
        return Text("", line)

    def map(self, line: int) -> Entries:
        entries = Entries(line)
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            key = self.node(event)
            value = self.node(next(self.events))
            name = key.text if isinstance(key, Text) else ""
            if not isinstance(key, Text):
                self.refuse(key.line, "a key should be one word")
            elif name in entries.entries:
                first = entries.lines[name]
                self.faults.append(FactorFault("duplicate-key", file=self.file, line=key.line, key=name, first=first))
            else:
                entries.entries[name] = value
                entries.lines[name] = key.line
        return entries
