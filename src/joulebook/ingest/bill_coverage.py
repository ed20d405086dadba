"""What came of the lines of a bill, by cost, and what a unit of each kind of line uses."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from joulebook.ingest.bill_use import untold_use, use_of
from joulebook.ingest.records import Record
from joulebook.terms.finding import Finding
from joulebook.terms.usage import TOKEN_CLASSES

LIKE = ("kind", "sku", "description", "service", "unit", "details", "machine", "vcpus")
"""Words in which lines are alike, so that one unit of them uses the same."""

MOST_KINDS = 1 << 16
"""Kinds of lines that are remembered at a time."""

COUNTED = (*TOKEN_CLASSES, "embedding_tokens")


@dataclass
class Coverage:
    """What came of the lines of a bill.

    Attributes:
        cost, told_cost: of all lines, and of those that tell a use, as the bill states it.
        lines, uses, inside, back: how many they are: all, those that tell a use, those whose use is inside another
            line's, and those that take use back, of which the book may refuse some.
        currencies: lines per currency.
        seen: lines per identity, for lines that say the same.
        taken_back: lines that take use back, which come after those they correct.
        units: what one unit of each kind of line uses.
        rules: why a kind of line on a hosted model counts no tokens.
        untold: per reason, how many such lines, where the first stands, and their cost.
    """

    cost: float = 0.0
    told_cost: float = 0.0
    lines: int = 0
    uses: int = 0
    inside: int = 0
    back: int = 0
    currencies: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    taken_back: list[Record] = field(default_factory=list)
    units: dict[tuple[str | None, ...], dict[str, object] | None] = field(default_factory=dict)
    rules: dict[tuple[str | None, ...], str | None] = field(default_factory=dict)
    untold: dict[str, tuple[int, int, float]] = field(default_factory=dict)

    def use(self, told: Mapping[str, str | None], quantity: float) -> dict[str, object] | None:
        """What a line used: what one unit of its like uses, which is told once, times its quantity."""
        if not quantity:
            return None
        key = tuple(told[name] for name in LIKE)
        if key not in self.units:
            if len(self.units) >= MOST_KINDS:
                self.units.clear()
            self.units[key] = use_of(told, 1.0)
        unit = self.units[key]
        if unit is None:
            return None
        return {name: _times(name, cell, quantity) for name, cell in unit.items()}

    def count(
        self, told: Mapping[str, str | None], cost: float, line: int, used: Mapping[str, object] | None, quantity: float
    ) -> None:
        """Take in one line, with what it used."""
        self.lines += 1
        self.cost += cost
        self.currencies[told["currency"] or "?"] += 1
        if used is None:
            if (told["quantity"] or "").strip("0."):
                self._count_untold(told, cost, line)
            return
        self.told_cost += cost
        self.inside += not used
        self.uses += bool(used) and quantity > 0
        self.back += bool(used) and quantity <= 0

    def _count_untold(self, told: Mapping[str, str | None], cost: float, line: int) -> None:
        key = tuple(told[name] for name in LIKE)
        if key not in self.rules:
            if len(self.rules) >= MOST_KINDS:
                self.rules.clear()
            self.rules[key] = untold_use(told)
        rule = self.rules[key]
        if rule is not None:
            count, first, before = self.untold.get(rule, (0, line, 0.0))
            self.untold[rule] = (count + 1, first, before + cost)

    def untold_lines(self, file: str) -> Iterator[Finding]:
        """What is told of lines on hosted models that count no tokens, a finding per reason."""
        for rule, (count, first, cost) in self.untold.items():
            currency = "/".join(sorted(self.currencies)) or "?"
            yield Finding(file, first, rule, {"count": count, "cost": f"{cost:,.2f}", "currency": currency})

    def told(self, file: str) -> Finding:
        """The coverage as a finding that refuses nothing; by cost, as the bill states it."""
        ratio = self.told_cost / self.cost if self.cost > 0 else 0.0
        counts = {name: f"{getattr(self, name):,}" for name in ("uses", "inside", "back", "lines")}
        facts = {
            "ratio": f"{ratio:.1%}",
            "cost": f"{self.cost:,.2f}",
            "currency": "/".join(sorted(self.currencies)) or "?",
            **counts,
        }
        is_all = self.uses + self.inside + self.back == self.lines
        return Finding(file, None, "bill-covered" if is_all else "bill-coverage", facts, is_error=False)


def _times(name: str, cell: object, quantity: float) -> object:
    if not isinstance(cell, (int, float)):
        return cell
    return round(cell * quantity) if name in COUNTED else cell * quantity
