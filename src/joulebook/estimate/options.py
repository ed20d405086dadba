"""Ways to run that a service may have taken: accelerators, precisions, multiples, expert groups, with their shares."""

from datetime import date

from joulebook.errors import UnknownName, translatable
from joulebook.estimate.hardware import HARDWARE, find_accelerator, hardware_facts
from joulebook.estimate.hosted import Option
from joulebook.factors.choose import ModelFacts, choose
from joulebook.factors.edition import Edition

SHARE = "scenario_share_ratio"
PRECISION = "serving/precision-"
MULTIPLE = "serving/multiple-"
OPERATOR_PRECISION = "serving/operator-precision-"
OPERATOR_EXPERTS = "serving/operator-experts-"
WIDTHS = ("weight_bytes_per_parameter", "compute_speed_ratio")


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
    precisions = _with_share(edition, PRECISION)
    if precision is not None:
        if PRECISION + precision not in precisions:
            names = ", ".join(sorted(subject.removeprefix(PRECISION) for subject in precisions))
            raise UnknownName(kind=translatable("precision"), name=precision, nearest=names)
        precisions = {PRECISION + precision}
    found = {
        "accelerator": _accelerators(edition, policy, accelerator, at),
        "precision": as_published(_options(edition, policy, precisions, WIDTHS, at), facts),
        "accelerator_count": _options(edition, policy, _with_share(edition, MULTIPLE), ("accelerator_multiple",), at),
    }
    if count is not None:
        found["accelerator_count"] = [Option("given", 1.0, {"accelerator_count": count, "accelerator_multiple": 1.0})]
    return found


def operator_groups(edition: Edition, policy: str, facts: ModelFacts, at: date) -> dict[str, list[Option]]:
    """Options of a large operator: its own shares of precisions, and experts spread over several groups."""
    precisions = _options(edition, policy, _with_share(edition, OPERATOR_PRECISION), WIDTHS, at)
    multiples = _options(edition, policy, _with_share(edition, MULTIPLE), ("accelerator_multiple",), at)
    experts = _options(edition, policy, _with_share(edition, OPERATOR_EXPERTS), ("expert_parallel_groups",), at)
    return {
        "accelerator": _accelerators(edition, policy, None, at),
        "precision": as_published(precisions, facts),
        "accelerator_count": multiples,
        "expert_parallel_groups": experts,
    }


def as_published(options: list[Option], facts: ModelFacts) -> list[Option]:
    """The precision in which a model's weights were published, where they were published in less than 16 bits."""
    published = facts.ranges.get("weight_bytes_per_parameter")
    if published is None or len(options) == 1:
        return options
    return [one for one in options if one.facts["weight_bytes_per_parameter"] == published.mid] or options


def _with_share(edition: Edition, prefix: str) -> set[str]:
    return {row.subject for row in edition.factors_for(SHARE) if row.subject.startswith(prefix)}


def _accelerators(edition: Edition, policy: str, name: str | None, at: date) -> list[Option]:
    if name is not None:
        return _options(edition, policy, {find_accelerator(edition, name)}, HARDWARE, at)
    subjects = {row.subject for row in edition.factors_for(SHARE) if "/" in row.subject}
    return _options(edition, policy, {one for one in subjects if not one.startswith("serving/")}, HARDWARE, at)


def _options(edition: Edition, policy: str, subjects: set[str], names: tuple[str, ...], at: date) -> list[Option]:
    """Options that exist on the day, with their shares; a single one needs no share."""
    found = []
    for subject in sorted(subjects):
        shares = [row for row in edition.factors_for(SHARE, subject) if row.holds(at)]
        if not shares and len(subjects) > 1:
            continue
        share = choose(edition, SHARE, subject, at, policy).factor.value if shares else 1.0
        if names == HARDWARE:
            facts = hardware_facts(edition, policy, subject, at)
        else:
            facts = {name: choose(edition, name, subject, at, policy).factor.value for name in names}
        found.append(Option(subject, share, facts))
    return found
