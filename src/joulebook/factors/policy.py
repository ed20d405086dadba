"""Which factors may answer a question, in what order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from joulebook.errors import BadValue, UnknownName, translatable

FOLDER = Path(__file__).parent / "data" / "policy"
POLICIES = (
    "sci",
    "ghgp-location",
    "ghgp-market-2015",
    "ghgp-location-hourly-draft",
    "ghgp-market-hourly-draft",
    "kets",
    "esrs",
)


@dataclass(frozen=True)
class Rule:
    """How one quantity is chosen under a policy.

    Attributes:
        bases: accepted bases, the best first; each is a set of words a factor's basis must contain. Empty: any.
        sources: keys of the bibliography, the best first; others follow with equal rank.
        max_age_years: how many years after its end (or before its start) a factor may still answer without the hint
            that it is older than the policy wants.
    """

    bases: tuple[Mapping[str, str], ...] = ()
    sources: tuple[str, ...] = ()
    max_age_years: int | None = None


@dataclass(frozen=True)
class Hourly:
    """How the value of an hour is chosen from hourly series.

    Attributes:
        sources: keys of the bibliography, the best first; others come before them, since the user brought them.
        earlier_days: how many days back the same hour may answer for one that is not told.
    """

    sources: tuple[str, ...] = ()
    earlier_days: int = 0


@dataclass(frozen=True)
class Policy:
    """A named set of rules.

    Attributes:
        name: its name on the command line.
        title: what it is for, per language.
        standard: the standard and clause it follows.
        rules: quantity -> rule; a quantity without one accepts any basis, which must then be the only one.
        hourly: how hours are chosen, or None where the policy speaks of days.
    """

    name: str
    title: Mapping[str, str]
    standard: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    hourly: Hourly | None = None

    def rule(self, quantity: str) -> Rule:
        """The rule of a quantity; an open one where the policy has none."""
        return self.rules.get(quantity, Rule())


@cache
def policy(name: str) -> Policy:
    """One policy by name, from ``data/policy/<name>.yaml``.

    Raises:
        UnknownName: there is no such policy.
        BadValue: its file is not as it should be.
    """
    import yaml  # noqa: PLC0415  (keeps `import joulebook` light)

    if name not in POLICIES:
        raise UnknownName(kind=translatable("policy"), name=name, nearest=", ".join(POLICIES))
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    if not isinstance(content, dict) or content.get("policy") != name:
        raise BadValue(
            value=f"policy/{name}.yaml", expected=translatable("a policy"), next_step=translatable("restore the file.")
        )
    rules = {quantity: _rule(entry) for quantity, entry in content["quantities"].items()}
    told = content.get("hourly")
    hourly = None if told is None else Hourly(tuple(told["sources"]), told["earlier_days"])
    return Policy(name, content["title"], content["standard"], rules, hourly)


def is_hourly(name: str) -> bool:
    """Whether a policy speaks of hours.

    Raises:
        UnknownName: there is no such policy.
    """
    return policy(name).hourly is not None


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        bases=tuple(entry.get("bases", ())),
        sources=tuple(entry.get("sources", ())),
        max_age_years=entry.get("max_age_years"),
    )
