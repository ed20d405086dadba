"""Ways to run that a service may have taken: accelerators, precisions, multiples, expert groups, with their shares."""

from dataclasses import dataclass, field
from datetime import date
from functools import cache

from joulebook.errors import UnknownName, translatable
from joulebook.estimate.hardware import HARDWARE, find_accelerator, hardware_facts, limited
from joulebook.estimate.hosted import Option
from joulebook.factors.choose import ModelFacts, choose
from joulebook.factors.edition import Edition

SHARE = "scenario_share_ratio"
PRECISION = "serving/precision-"
MULTIPLE = "serving/multiple-"
OPERATOR_PRECISION = "serving/operator-precision-"
OPERATOR_EXPERTS = "serving/operator-experts-"
WIDTHS = ("weight_bytes_per_parameter", "compute_speed_ratio")
KERNELS = "narrow_expert_compute_ratio"
"""Quantity that a precision may have of its own: what its kernels for experts cost beyond arithmetic."""


@dataclass(frozen=True)
class Asked:
    """An edition, a policy and a day, to answer for all models of that day at once.

    Attributes:
        edition: factors to choose from.
        policy: which of them may answer.
        at: day of the use.
        edition_id: what tells editions apart.
    """

    edition: Edition = field(compare=False, repr=False)
    policy: str
    at: date
    edition_id: str

    @classmethod
    def of(cls, edition: Edition, policy: str, at: date) -> "Asked":
        """The three together."""
        return cls(edition, policy, at, edition.edition_id)


def single_groups(
    edition: Edition, policy: str, given: tuple[str | None, float | None, str | None], facts: ModelFacts, at: date
) -> dict[str, list[Option]]:
    """Options of a service run like the benchmark: one copy of the weights on few accelerators.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        given: accelerator, number of accelerators and precision where they are known.
        facts: what the registry knows of the model; weights published in less than 16 bits are served so.
        at: day of the use.

    Raises:
        UnknownName: there is no such accelerator or precision.
    """
    accelerator, count, precision = given
    asked = Asked.of(edition, policy, at)
    precisions = list(_sharing(asked, PRECISION, WIDTHS))
    if precision is not None:
        precisions = [_precision(asked, precision)]
    found = {
        "accelerator": _accelerators(asked, accelerator),
        "precision": as_published(precisions, facts),
        "accelerator_count": list(_sharing(asked, MULTIPLE, ("accelerator_multiple",))),
    }
    if count is not None:
        found["accelerator_count"] = [Option("given", 1.0, {"accelerator_count": count, "accelerator_multiple": 1.0})]
    return found


def operator_groups(edition: Edition, policy: str, facts: ModelFacts, at: date) -> dict[str, list[Option]]:
    """Options of a large operator: its own shares of precisions, and experts spread over several groups."""
    asked = Asked.of(edition, policy, at)
    return {
        "accelerator": _accelerators(asked, None),
        "precision": as_published(list(_sharing(asked, OPERATOR_PRECISION, WIDTHS)), facts),
        "accelerator_count": list(_sharing(asked, MULTIPLE, ("accelerator_multiple",))),
        "expert_parallel_groups": list(_sharing(asked, OPERATOR_EXPERTS, ("expert_parallel_groups",))),
    }


def given_facts(
    edition: Edition, policy: str, given: tuple[str | None, float | None, str | None], at: date
) -> dict[str, float]:
    """What an accelerator, a number of accelerators and a precision mean, as far as they are given.

    Raises:
        UnknownName: there is no such accelerator or precision.
    """
    accelerator, count, precision = given
    asked, facts = Asked.of(edition, policy, at), {}
    if accelerator is not None:
        facts |= hardware_facts(edition, policy, find_accelerator(edition, accelerator), at)
    if precision is not None:
        facts |= _precision(asked, precision).facts
    if count is not None:
        facts["accelerator_count"] = count
    return limited(facts)


def _precision(asked: Asked, name: str) -> Option:
    """The one precision that is named."""
    known = {row.subject for row in asked.edition.factors_for(WIDTHS[0]) if row.subject.startswith(PRECISION)}
    if PRECISION + name not in known:
        names = ", ".join(sorted(subject.removeprefix(PRECISION) for subject in known))
        raise UnknownName(kind=translatable("precision"), name=name, nearest=names)
    return _options(asked, {PRECISION + name}, WIDTHS)[0]


def as_published(options: list[Option], facts: ModelFacts) -> list[Option]:
    """The precision in which a model's weights were published, where they were published in less than 16 bits."""
    published = facts.ranges.get("weight_bytes_per_parameter")
    if published is None or len(options) == 1:
        return options
    return [one for one in options if one.facts["weight_bytes_per_parameter"] == published.mid] or options


def _with_share(edition: Edition, prefix: str) -> set[str]:
    return {row.subject for row in edition.factors_for(SHARE) if row.subject.startswith(prefix)}


def _accelerators(asked: Asked, name: str | None) -> list[Option]:
    if name is None:
        return list(_fleet(asked))
    return _options(asked, {find_accelerator(asked.edition, name)}, HARDWARE)


@cache
def _fleet(asked: Asked) -> tuple[Option, ...]:
    """Accelerators that have a share of services on the day."""
    subjects = {row.subject for row in asked.edition.factors_for(SHARE) if "/" in row.subject}
    return tuple(_options(asked, {one for one in subjects if not one.startswith("serving/")}, HARDWARE))


@cache
def _sharing(asked: Asked, prefix: str, names: tuple[str, ...]) -> tuple[Option, ...]:
    """Options whose subjects begin alike."""
    return tuple(_options(asked, _with_share(asked.edition, prefix), names))


def _options(asked: Asked, subjects: set[str], names: tuple[str, ...]) -> list[Option]:
    """Options that exist on the day, with their shares; a single one needs no share."""
    edition, policy, at = asked.edition, asked.policy, asked.at
    found = []
    for subject in sorted(subjects):
        shares = [row for row in edition.factors_for(SHARE, subject) if row.holds(at)]
        if not shares and len(subjects) > 1:
            continue
        share = choose(edition, SHARE, subject, at, policy).factor.value if shares else 1.0
        if names == HARDWARE:
            facts = hardware_facts(edition, policy, subject, at)
        else:
            own = (KERNELS,) if edition.factors_for(KERNELS, subject) else ()
            facts = {name: choose(edition, name, subject, at, policy).factor.value for name in (*names, *own)}
        found.append(Option(subject, share, facts))
    return found
