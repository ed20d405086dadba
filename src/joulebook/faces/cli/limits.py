"""Limits of a run: where it is asked to end (``--until``), and what it may use at most (``--budget``)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joulebook.errors import BudgetExceeded, UsageError, translatable
from joulebook.faces.text import _, error_text
from joulebook.terms.display import in_digits, unit_for
from joulebook.terms.units import convert, quantity_of

if TYPE_CHECKING:
    from joulebook.runs import RunAccount

EXCEEDED = 3
"""Exit code where a budget was exceeded and the command itself ended well."""

UNKNOWN = 4
"""Exit code where a budget could not be checked and the command itself ended well."""

WRITTEN = re.compile(r"^(?P<amount>\d+(\.\d+)?)\s*(?P<unit>s|min|h|d|J|kJ|MJ|mWh|Wh|kWh|MWh|mg|g|kg|t)(CO2e?)?$")
"""A duration, an energy, or CO2e."""

METRICS = {"energy": ("it_energy_kwh", "kWh"), "mass": ("co2e_operational_location_g", "g")}
"""Kind of a limit -> the figure it is about, with its unit."""

NAMES = {"it_energy_kwh": translatable("energy, IT"), "co2e_operational_location_g": "CO2e"}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        written: as the user wrote it.
        kind: time, energy or mass.
        amount: in s, kWh or g.
    """

    written: str
    kind: str
    amount: float

    @property
    def metric(self) -> str:
        """The figure it is about; "" for a time."""
        return METRICS[self.kind][0] if self.kind in METRICS else ""


def read_limit(written: str, option: str) -> Limit:
    """A limit from what was written after an option.

    Raises:
        UsageError: it is none.
    """
    found = WRITTEN.match(written.strip())
    kind = quantity_of(found["unit"]) if found else ""
    if found is None or (kind == "time" and option != "--until"):
        raise UsageError(
            what=_("{option} cannot be {written}.").format(option=option, written=repr(written)),
            next_step=translatable("write a time (--until only) such as 30min, an energy such as 1.5kWh, or 200gCO2e."),
        )
    unit = {"time": "s", "energy": "kWh", "mass": "g"}[kind]
    return Limit(written.strip(), kind, convert(float(found["amount"]), found["unit"], unit))


def is_over(limits: Sequence[Limit], duration_s: float, account: "Callable[[], RunAccount]") -> bool:
    """Whether a run has come to one of its limits.

    Args:
        limits: the limits.
        duration_s: how long it has run [s].
        account: gives what it used so far; asked only where a limit is an energy or CO2e.
    """
    if any(limit.kind == "time" and duration_s >= limit.amount for limit in limits):
        return True
    used = [limit for limit in limits if limit.metric]
    metrics = account().metrics if used else {}
    amounts = [(metrics[limit.metric], limit.amount) for limit in used]
    return any(value is not None and value.mid >= amount for value, amount in amounts)


@dataclass(frozen=True, slots=True)
class Checked:
    """A budget beside what was used.

    Attributes:
        budget: the limit.
        amount: the middle of what was used [kWh or g]; None where that is unknown.
    """

    budget: Limit
    amount: float | None

    @property
    def code(self) -> int:
        """Exit code: 0, `EXCEEDED` or `UNKNOWN`."""
        if self.amount is None:
            return UNKNOWN
        return EXCEEDED if self.amount > self.budget.amount else 0

    @property
    def text(self) -> str:
        """What is wrong and the next step; "" where nothing is."""
        name = _(NAMES[self.budget.metric])
        if self.amount is None:
            text = _("The budget of {budget} cannot be checked: {figure} is unknown.")
            return text.format(budget=self.budget.written, figure=name)
        if not self.code:
            return ""
        unit = METRICS[self.budget.kind][-1]
        shown = unit_for(self.amount, unit)
        amount = f"{in_digits(convert(self.amount, unit, shown))} {shown}"
        return error_text(BudgetExceeded(what=name, amount=amount, budget=self.budget.written))

    def as_json(self) -> dict[str, object]:
        """The budget as JSON."""
        return {
            "budget": self.budget.written,
            "metric": self.budget.metric,
            "amount": self.amount,
            "is_exceeded": None if self.amount is None else self.amount > self.budget.amount,
        }


def check(budgets: Sequence[Limit], account: "RunAccount") -> list[Checked]:
    """Every budget beside what the run used."""
    used = [account.metrics[budget.metric] for budget in budgets]
    return [Checked(one, None if value is None else value.mid) for one, value in zip(budgets, used, strict=True)]


def exit_code(checks: Sequence[Checked]) -> int:
    """Exit code by the budgets of a run: exceeded before unknown before 0."""
    return min((one.code for one in checks if one.code), default=0)
