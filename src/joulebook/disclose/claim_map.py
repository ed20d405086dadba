"""One map of a claim file: its keys are known beforehand, and every fault names file and line."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from joulebook.disclose.claim import Figure, Subject, Text
from joulebook.disclose.recompute import read_input
from joulebook.errors import FactorFileError, JoulebookError, translatable
from joulebook.factors.edition import Source
from joulebook.factors.tree import Entries, Items, Node
from joulebook.factors.tree import Text as Leaf
from joulebook.terms.boundary import Boundary

T = TypeVar("T")

LANGUAGES = ("en", "ko")


def claim_fault(file: str, line: int, what: str, next_step: str) -> FactorFileError:
    """What is wrong with a claim file, where, and how to mend it."""
    return FactorFileError(file=file, line=line, what=what, next_step=next_step)


class ClaimMap:
    """A map of a file, whose keys are known beforehand.

    Args:
        node: what stands there.
        file: its name, for faults.
        keys: the keys it may have.

    Raises:
        FactorFileError: from every method, where the map breaks a rule.
    """

    def __init__(self, node: Node | None, file: str, keys: set[str]) -> None:
        self.file = file
        if not isinstance(node, Entries):
            raise claim_fault(
                file, getattr(node, "line", 1), translatable("A map is missing here."), f"{', '.join(sorted(keys))}."
            )
        self.node = node
        for key, line in node.lines.items():
            if key not in keys:
                raise claim_fault(
                    file, line, translatable("This key is not known here."), f"{key!r} -> {', '.join(sorted(keys))}."
                )

    @property
    def line(self) -> int:
        """The line the map begins on."""
        return self.node.line

    def line_of(self, key: str) -> int:
        """The line of a key, or of the map where the key is absent."""
        return self.node.lines.get(key, self.node.line)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.node.entries

    def text(self, key: str, default: str | None = None) -> str:
        """The words of a key, on one line."""
        node = self.node.entries.get(key)
        if node is None and default is not None:
            return default
        if not isinstance(node, Leaf) or not node.text.strip():
            raise claim_fault(self.file, self.line_of(key), translatable("A text is missing here."), f"{key}: ...")
        return " ".join(node.text.split())

    def one_of(self, key: str, words: Iterable[str], default: str | None = None) -> str:
        """The word of a key, one of those that are known."""
        word = self.text(key, default)
        if word not in words:
            raise claim_fault(
                self.file,
                self.line_of(key),
                translatable("This word is not known here."),
                f"{key}: {word!r} -> {', '.join(sorted(words))}.",
            )
        return word

    def number(self, key: str) -> float:
        """The number of a key."""
        return self.read(key, float)

    def read(self, key: str, how: Callable[[str], T]) -> T:
        """What a key says, taken apart by a function that raises where it cannot."""
        written = self.text(key)
        try:
            return how(written)
        except JoulebookError:
            raise claim_fault(
                self.file, self.line_of(key), translatable("This value cannot be read."), f"{key}: {written!r}."
            ) from None
        except ValueError:
            raise claim_fault(
                self.file, self.line_of(key), translatable("This value is not a number."), f"{key}: {written!r}."
            ) from None

    def map(self, key: str, keys: set[str]) -> "ClaimMap":
        """The map of a key, with the keys it may have."""
        return ClaimMap(self.node.entries.get(key), self.file, keys)

    def items(self, key: str) -> list[Node]:
        """The entries of a list; none where the key is absent."""
        node = self.node.entries.get(key)
        if node is None:
            return []
        if not isinstance(node, Items):
            raise claim_fault(
                self.file,
                self.line_of(key),
                translatable("A list is missing here."),
                translatable("begin each entry with a dash."),
            )
        return node.items

    def words(self, key: str) -> Text:
        """A text in both languages."""
        inner = self.map(key, set(LANGUAGES))
        return {language: inner.text(language) for language in LANGUAGES}

    def maybe_words(self, key: str) -> Text | None:
        """A text in both languages, where it is there."""
        return self.words(key) if self.has(key) else None

    def figure(self, key: str) -> Figure:
        """A figure as written, with its value and unit."""
        return self.read(key, lambda written: Figure(written, read_input(written)))

    def maybe_figure(self, key: str) -> Figure | None:
        """A figure, where it is there."""
        return self.figure(key) if self.has(key) else None

    def subject(self, key: str) -> Subject | None:
        """What a figure is about, where it is said."""
        if not self.has(key):
            return None
        inner = self.map(key, {"id", *LANGUAGES})
        return Subject(inner.text("id"), {language: inner.text(language) for language in LANGUAGES})

    def boundary(self, key: str) -> Boundary | None:
        """What is inside a figure, where it is said."""
        return Boundary(self.one_of(key, [str(each) for each in Boundary])) if self.has(key) else None

    def source(self, key: str, sources: Mapping[str, Source]) -> str:
        """The name of a source of the bibliography."""
        return self.one_of(key, sources)
