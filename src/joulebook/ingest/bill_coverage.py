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
        cost, booked_cost: of all lines, and of those whose use is booked, as the bill states it.
        lines, booked_lines: how many they are.
        currencies: lines per currency.
        seen: lines per identity, for lines that say the same.
        taken_back: lines that take use back, which come after those they correct.
        units: what one unit of each kind of line uses.
        rules: why a kind of line on a hosted model counts no tokens.
        untold: per reason, how many such lines, where the first stands, and their cost.
    """

    cost: float = 0.0
    booked_cost: float = 0.0
    lines: int = 0
    booked_lines: int = 0
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

    def count(self, told: Mapping[str, str | None], cost: float, line: int, *, is_booked: bool) -> None:
        """Take in one line."""
        self.lines += 1
        if not is_booked and (told["quantity"] or "").strip("0."):
            self._count_untold(told, cost, line)
        self.cost += cost
        self.currencies[told["currency"] or "?"] += 1
        self.booked_lines += is_booked
        self.booked_cost += cost if is_booked else 0.0

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
            yield Finding(file, first, rule, {"count": f"{count:,}", "cost": f"{cost:,.2f}", "currency": currency})

    def told(self, file: str) -> Finding:
        """The coverage as a finding that refuses nothing; by cost, as the bill states it."""
        ratio = self.booked_cost / self.cost if self.cost > 0 else 0.0
        facts = {
            "ratio": f"{ratio:.1%}",
            "cost": f"{self.cost:,.2f}",
            "currency": "/".join(sorted(self.currencies)) or "?",
            "booked": f"{self.booked_lines:,}",
            "lines": f"{self.lines:,}",
        }
        rule = "bill-covered" if self.booked_lines == self.lines else "bill-coverage"
        return Finding(file, None, rule, facts, is_error=False)


def _times(name: str, cell: object, quantity: float) -> object:
    if not isinstance(cell, (int, float)):
        return cell
    return round(cell * quantity) if name in COUNTED else cell * quantity
