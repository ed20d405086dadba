"""Read claim files strictly: every fault names file and line and says how to mend it."""

from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from joulebook.disclose.claim import (
    Also,
    Claim,
    Figure,
    Input,
    Later,
    Link,
    Pledge,
    Restated,
    Subject,
    Text,
)
from joulebook.disclose.quantity import parse_unit
from joulebook.disclose.recompute import read_input
from joulebook.errors import FactorFileError, JoulebookError, translatable
from joulebook.factors.edition import Source
from joulebook.factors.rows import read_sources
from joulebook.factors.tree import Entries, Items, Node, read_tree
from joulebook.factors.tree import Text as Leaf
from joulebook.terms.boundary import Boundary
from joulebook.terms.tier import Tier

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from joulebook.factors.faults import FactorFault

T = TypeVar("T")

LANGUAGES = ("en", "ko")
KINDS = ("study", "report", "card", "remark", "press", "post", "data")
SAYS = ("equals", "more-than", "less-than")
DIRECTIONS = ("above", "below")


def read_claims(sources: Mapping[str, Source], *extra_files: Path) -> tuple[dict[str, Claim], dict[str, Source]]:
    """The shipped claims with those of the user's files.

    Args:
        sources: the bibliography of the factors.
        extra_files: files of the user's own; a claim of the same name replaces the shipped one.

    Returns:
        claims by name, in the order of the files, and the bibliography with the files' own sources.

    Raises:
        FactorFileError: a file breaks a rule.
    """
    claims: dict[str, Claim] = {}
    data = files("joulebook.disclose").joinpath("data")
    known = {**sources, **_bibliography(data.joinpath("sources.yaml").read_text(encoding="utf-8"), "sources.yaml")}
    shipped = data.joinpath("claims")
    folder: Iterable[Traversable] = sorted(shipped.iterdir(), key=lambda path: path.name)
    for path in [*(each for each in folder if each.name.endswith(".yaml")), *extra_files]:
        name = str(path) if isinstance(path, Path) and path in extra_files else path.name
        found, own = parse_claims(path.read_text(encoding="utf-8"), name, known)
        known |= own
        claims |= found
    for claim in claims.values():
        _check_references(claim, claims)
    return claims, known


def parse_claims(text: str, file: str, sources: Mapping[str, Source]) -> tuple[dict[str, Claim], dict[str, Source]]:
    """The claims and own sources of one file.

    Raises:
        FactorFileError: the file breaks a rule.
    """
    faults: list[FactorFault] = []
    tree = read_tree(text, file, faults)
    if faults:
        raise faults[0]
    top = _Map(tree, file, {"claims", "sources"})
    own = _own_sources(text, top, file)
    known = {**sources, **own}
    claims: dict[str, Claim] = {}
    for node in top.items("claims"):
        claim = _claim(_Map(node, file, _CLAIM_KEYS), known)
        if claim.claim_id in claims:
            raise _fault(
                file,
                claim.line,
                translatable("This claim stands here twice."),
                translatable("rename or remove one of them."),
            )
        claims[claim.claim_id] = claim
    return claims, own


def _own_sources(text: str, top: "_Map", file: str) -> dict[str, Source]:
    if not top.has("sources"):
        return {}
    lines = text.splitlines()
    start = top.line_of("sources")
    end = next((i for i in range(start, len(lines)) if lines[i][:1] not in ("", " ", "#")), len(lines))
    block = "\n" * start + "\n".join(line[2:] for line in lines[start:end])
    return _bibliography(block, file)


def _bibliography(text: str, file: str) -> dict[str, Source]:
    entries, faults = read_sources(text, file)
    if faults:
        raise faults[0]
    return {entry.source: entry for entry in entries}


def _fault(file: str, line: int, what: str, next_step: str) -> FactorFileError:
    return FactorFileError(file=file, line=line, what=what, next_step=next_step)


class _Map:
    """A map of a file, whose keys are known beforehand."""

    def __init__(self, node: Node | None, file: str, keys: set[str]) -> None:
        self.file = file
        if not isinstance(node, Entries):
            raise _fault(
                file, getattr(node, "line", 1), translatable("A map is missing here."), f"{', '.join(sorted(keys))}."
            )
        self.node = node
        for key, line in node.lines.items():
            if key not in keys:
                raise _fault(
                    file, line, translatable("This key is not known here."), f"{key!r} -> {', '.join(sorted(keys))}."
                )

    @property
    def line(self) -> int:
        return self.node.line

    def line_of(self, key: str) -> int:
        return self.node.lines.get(key, self.node.line)

    def has(self, key: str) -> bool:
        return key in self.node.entries

    def text(self, key: str, default: str | None = None) -> str:
        node = self.node.entries.get(key)
        if node is None and default is not None:
            return default
        if not isinstance(node, Leaf) or not node.text.strip():
            raise _fault(self.file, self.line_of(key), translatable("A text is missing here."), f"{key}: ...")
        return " ".join(node.text.split())

    def one_of(self, key: str, words: Iterable[str], default: str | None = None) -> str:
        word = self.text(key, default)
        if word not in words:
            raise _fault(
                self.file,
                self.line_of(key),
                translatable("This word is not known here."),
                f"{key}: {word!r} -> {', '.join(sorted(words))}.",
            )
        return word

    def number(self, key: str) -> float:
        return self.read(key, float)

    def read(self, key: str, how: Callable[[str], T]) -> T:
        written = self.text(key)
        try:
            return how(written)
        except JoulebookError:
            raise _fault(
                self.file, self.line_of(key), translatable("This value cannot be read."), f"{key}: {written!r}."
            ) from None
        except ValueError:
            raise _fault(
                self.file, self.line_of(key), translatable("This value is not a number."), f"{key}: {written!r}."
            ) from None

    def map(self, key: str, keys: set[str]) -> "_Map":
        return _Map(self.node.entries.get(key), self.file, keys)

    def items(self, key: str) -> list[Node]:
        node = self.node.entries.get(key)
        if node is None:
            return []
        if not isinstance(node, Items):
            raise _fault(
                self.file,
                self.line_of(key),
                translatable("A list is missing here."),
                translatable("begin each entry with a dash."),
            )
        return node.items

    def words(self, key: str) -> Text:
        inner = self.map(key, set(LANGUAGES))
        return {language: inner.text(language) for language in LANGUAGES}

    def maybe_words(self, key: str) -> Text | None:
        return self.words(key) if self.has(key) else None

    def figure(self, key: str) -> Figure:
        return self.read(key, lambda written: Figure(written, read_input(written)))

    def maybe_figure(self, key: str) -> Figure | None:
        return self.figure(key) if self.has(key) else None

    def subject(self, key: str) -> Subject | None:
        if not self.has(key):
            return None
        inner = self.map(key, {"id", *LANGUAGES})
        return Subject(inner.text("id"), {language: inner.text(language) for language in LANGUAGES})

    def boundary(self, key: str) -> Boundary | None:
        return Boundary(self.one_of(key, [str(each) for each in Boundary])) if self.has(key) else None

    def source(self, key: str, sources: Mapping[str, Source]) -> str:
        return self.one_of(key, sources)


_CLAIM_KEYS = {
    "id", "statement", "said_on", "said_in", "about", "figure", "says", "boundary", "basis", "pledge", "chain",
    "inputs", "formula", "unit", "recomputes", "direction", "scenarios", "depends_on", "rests_on", "superseded_by",
    "restated", "also", "note",
}  # fmt: skip


def _claim(each: _Map, sources: Mapping[str, Source]) -> Claim:
    about = each.subject("about")
    if about is None:
        raise _fault(
            each.file,
            each.line,
            translatable("The claim does not say what its figure is about."),
            translatable("say what the figure is about: id, en, ko."),
        )
    inputs = tuple(_inputs(each, sources))
    return Claim(
        claim_id=each.text("id"),
        statement=each.words("statement"),
        said_on=each.text("said_on"),
        said_in=each.source("said_in", sources),
        about=about,
        figure=each.maybe_figure("figure"),
        says=each.one_of("says", SAYS, "equals"),
        boundary=each.boundary("boundary"),
        basis=_basis(each),
        pledge=_pledge(each),
        chain=tuple(_link(_Map(node, each.file, _LINK_KEYS), sources) for node in each.items("chain")),
        inputs=inputs,
        formula=each.text("formula") if each.has("formula") else None,
        unit=each.read("unit", _unit) if each.has("unit") else "1",
        recomputes=each.subject("recomputes"),
        direction=each.one_of("direction", DIRECTIONS) if each.has("direction") else None,
        scenarios=_scenarios(each, {one.name for one in inputs}),
        depends_on=each.maybe_words("depends_on"),
        rests_on=tuple(node.text for node in each.items("rests_on") if isinstance(node, Leaf)),
        superseded_by=tuple(
            _later(_Map(node, each.file, _LATER_KEYS), sources) for node in each.items("superseded_by")
        ),
        restated=tuple(_restated(_Map(node, each.file, _RESTATED_KEYS), sources) for node in each.items("restated")),
        also=tuple(_also(_Map(node, each.file, {"what", "formula", "unit"})) for node in each.items("also")),
        note=each.maybe_words("note"),
        file=each.file,
        line=each.line,
    )


def _unit(written: str) -> str:
    return parse_unit(written).text


def _basis(each: _Map) -> Mapping[str, str]:
    if not each.has("basis"):
        return {}
    inner = each.map("basis", {"scope", "method", "signal", "stage", "water", "statistic"})
    return {key: inner.text(key) for key in inner.node.entries}


def _pledge(each: _Map) -> Pledge | None:
    if not each.has("pledge"):
        return None
    inner = each.map("pledge", {"year", "kind", "residual_ratio"})
    residual = inner.number("residual_ratio") if inner.has("residual_ratio") else None
    return Pledge(int(inner.number("year")), inner.text("kind"), residual)


def _inputs(each: _Map, sources: Mapping[str, Source]) -> Iterable[Input]:
    node = each.node.entries.get("inputs")
    if node is None:
        return
    if not isinstance(node, Entries):
        raise _fault(
            each.file,
            each.line_of("inputs"),
            translatable("A map is missing here."),
            translatable("name: {value, source, cell}."),
        )
    for name, entry in node.entries.items():
        one = _Map(entry, each.file, {"value", "source", "cell", "tier", "note"})
        tier = one.one_of("tier", [str(tier) for tier in Tier], "derived")
        yield Input(
            name, one.figure("value"), one.source("source", sources), one.text("cell"), tier, one.maybe_words("note")
        )


def _scenarios(each: _Map, names: set[str]) -> Mapping[str, Mapping[str, Figure]]:
    node = each.node.entries.get("scenarios")
    if not isinstance(node, Entries):
        return {}
    found = {}
    for scenario, entry in node.entries.items():
        one = _Map(entry, each.file, names)
        found[scenario] = {name: one.figure(name) for name in one.node.entries}
    return found


_LINK_KEYS = {"on", "source", "cell", "kind", "says", "figure", "about", "pledge"}


def _link(each: _Map, sources: Mapping[str, Source]) -> Link:
    return Link(
        on=each.text("on"),
        source=each.source("source", sources),
        cell=each.text("cell"),
        kind=each.one_of("kind", KINDS),
        says=each.words("says"),
        figure=each.maybe_figure("figure"),
        about=each.subject("about"),
        pledge=_pledge(each),
    )


_LATER_KEYS = {"claim", "on", "source", "figure", "boundary", "about"}


def _later(each: _Map, sources: Mapping[str, Source]) -> Later:
    if each.has("claim"):
        return Later(claim=each.text("claim"))
    return Later(
        on=each.text("on"),
        source=each.source("source", sources),
        figure=each.figure("figure"),
        boundary=each.boundary("boundary"),
        about=each.subject("about"),
    )


_RESTATED_KEYS = {"what", "before", "after", "on", "source"}


def _restated(each: _Map, sources: Mapping[str, Source]) -> Restated:
    return Restated(
        what=each.words("what"),
        before=each.figure("before"),
        after=each.figure("after"),
        on=each.text("on"),
        source=each.source("source", sources),
    )


def _also(each: _Map) -> Also:
    return Also(each.words("what"), each.text("formula"), each.read("unit", _unit))


def _check_references(claim: Claim, claims: Mapping[str, Claim]) -> None:
    wanted = [*claim.rests_on, *(later.claim for later in claim.superseded_by if later.claim)]
    for name in wanted:
        if name not in claims:
            raise _fault(
                claim.file, claim.line, translatable("This claim names another one that does not exist."), f"{name!r}."
            )
        if name == claim.claim_id:
            raise _fault(
                claim.file, claim.line, translatable("This claim rests on itself."), translatable("name another claim.")
            )
