"""Read claim files strictly: every fault names file and line and says how to mend it."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from joulebook.disclose.claim import (
    Also,
    Claim,
    Figure,
    Input,
    Later,
    Link,
    Pledge,
    Restated,
)
from joulebook.disclose.claim_map import ClaimMap, claim_fault
from joulebook.disclose.quantity import parse_unit
from joulebook.errors import translatable
from joulebook.factors.edition import Source
from joulebook.factors.rows import read_sources
from joulebook.factors.tree import Entries, read_tree
from joulebook.factors.tree import Text as Leaf
from joulebook.terms.tier import Tier

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from joulebook.factors.faults import FactorFault

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
    top = ClaimMap(tree, file, {"claims", "sources"})
    own = _own_sources(text, top, file)
    known = {**sources, **own}
    claims: dict[str, Claim] = {}
    for node in top.items("claims"):
        claim = _claim(ClaimMap(node, file, _CLAIM_KEYS), known)
        if claim.claim_id in claims:
            raise claim_fault(
                file,
                claim.line,
                translatable("This claim stands here twice."),
                translatable("rename or remove one of them."),
            )
        claims[claim.claim_id] = claim
    return claims, own


def _own_sources(text: str, top: ClaimMap, file: str) -> dict[str, Source]:
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


_CLAIM_KEYS = {
    "id", "statement", "said_on", "said_in", "about", "figure", "says", "boundary", "basis", "pledge", "chain",
    "inputs", "formula", "unit", "recomputes", "direction", "scenarios", "depends_on", "rests_on", "superseded_by",
    "restated", "also", "note",
}  # fmt: skip


def _claim(each: ClaimMap, sources: Mapping[str, Source]) -> Claim:
    about = each.subject("about")
    if about is None:
        raise claim_fault(
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
        chain=tuple(_link(ClaimMap(node, each.file, _LINK_KEYS), sources) for node in each.items("chain")),
        inputs=inputs,
        formula=each.text("formula") if each.has("formula") else None,
        unit=each.read("unit", _unit) if each.has("unit") else "1",
        recomputes=each.subject("recomputes"),
        direction=each.one_of("direction", DIRECTIONS) if each.has("direction") else None,
        scenarios=_scenarios(each, {one.name for one in inputs}),
        depends_on=each.maybe_words("depends_on"),
        rests_on=tuple(node.text for node in each.items("rests_on") if isinstance(node, Leaf)),
        superseded_by=tuple(
            _later(ClaimMap(node, each.file, _LATER_KEYS), sources) for node in each.items("superseded_by")
        ),
        restated=tuple(
            _restated(ClaimMap(node, each.file, _RESTATED_KEYS), sources) for node in each.items("restated")
        ),
        also=tuple(_also(ClaimMap(node, each.file, {"what", "formula", "unit"})) for node in each.items("also")),
        note=each.maybe_words("note"),
        file=each.file,
        line=each.line,
    )


def _unit(written: str) -> str:
    return parse_unit(written).text


def _basis(each: ClaimMap) -> Mapping[str, str]:
    if not each.has("basis"):
        return {}
    inner = each.map("basis", {"scope", "method", "signal", "stage", "water", "statistic"})
    return {key: inner.text(key) for key in inner.node.entries}


def _pledge(each: ClaimMap) -> Pledge | None:
    if not each.has("pledge"):
        return None
    inner = each.map("pledge", {"year", "kind", "residual_ratio"})
    residual = inner.number("residual_ratio") if inner.has("residual_ratio") else None
    return Pledge(int(inner.number("year")), inner.text("kind"), residual)


def _inputs(each: ClaimMap, sources: Mapping[str, Source]) -> Iterable[Input]:
    node = each.node.entries.get("inputs")
    if node is None:
        return
    if not isinstance(node, Entries):
        raise claim_fault(
            each.file,
            each.line_of("inputs"),
            translatable("A map is missing here."),
            translatable("name: {value, source, cell}."),
        )
    for name, entry in node.entries.items():
        one = ClaimMap(entry, each.file, {"value", "source", "cell", "tier", "note"})
        tier = one.one_of("tier", [str(tier) for tier in Tier], "derived")
        yield Input(
            name, one.figure("value"), one.source("source", sources), one.text("cell"), tier, one.maybe_words("note")
        )


def _scenarios(each: ClaimMap, names: set[str]) -> Mapping[str, Mapping[str, Figure]]:
    node = each.node.entries.get("scenarios")
    if not isinstance(node, Entries):
        return {}
    found = {}
    for scenario, entry in node.entries.items():
        one = ClaimMap(entry, each.file, names)
        found[scenario] = {name: one.figure(name) for name in one.node.entries}
    return found


_LINK_KEYS = {"on", "source", "cell", "kind", "says", "figure", "about", "pledge"}


def _link(each: ClaimMap, sources: Mapping[str, Source]) -> Link:
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


def _later(each: ClaimMap, sources: Mapping[str, Source]) -> Later:
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


def _restated(each: ClaimMap, sources: Mapping[str, Source]) -> Restated:
    return Restated(
        what=each.words("what"),
        before=each.figure("before"),
        after=each.figure("after"),
        on=each.text("on"),
        source=each.source("source", sources),
    )


def _also(each: ClaimMap) -> Also:
    return Also(each.words("what"), each.text("formula"), each.read("unit", _unit))


def _check_references(claim: Claim, claims: Mapping[str, Claim]) -> None:
    wanted = [*claim.rests_on, *(later.claim for later in claim.superseded_by if later.claim)]
    for name in wanted:
        if name not in claims:
            raise claim_fault(
                claim.file, claim.line, translatable("This claim names another one that does not exist."), f"{name!r}."
            )
        if name == claim.claim_id:
            raise claim_fault(
                claim.file, claim.line, translatable("This claim rests on itself."), translatable("name another claim.")
            )
