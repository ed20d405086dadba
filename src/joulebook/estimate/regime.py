"""Who runs a service, and how such a service is run.

Two regimes: ``serving/regime-single`` is a service run like the benchmark, one copy of the weights on few accelerators;
``serving/regime-operator`` is a large operator's, with many requests at once, tuned kernels and experts spread over
many accelerators. Links of the relation ``serving_regime`` say which providers are which. A model of which nobody but
its developer has the weights is served by a large operator; an open model at an unknown host may be either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from joulebook.factors.choose import ModelFacts, choose
from joulebook.factors.edition import Edition
from joulebook.factors.place import provider_subject
from joulebook.terms.tier import Tier

SINGLE = "serving/regime-single"
OPERATOR = "serving/regime-operator"
RELATION = "serving_regime"
SHARE = "scenario_share_ratio"
SIZE = "parameters_total_billion"
LAYERS = "layer_count"


@dataclass(frozen=True, slots=True)
class Regime:
    """Which regimes a service may be under.

    Attributes:
        shares: regime -> probability; adds up to 1.
        operator: who runs it where a large operator does and is known, else None.
    """

    shares: Mapping[str, float]
    operator: str | None = None


def regime_of(edition: Edition, policy: str, provider: str | None, facts: ModelFacts, at: date) -> Regime:
    """The regime of a service.

    Args:
        edition: factors and links.
        policy: which factors may answer.
        provider: who hosts, as the record says; None is unknown.
        facts: what the registry knows of the model.
        at: day of the use.
    """
    developers = {candidate.partition("/")[0] for candidate in facts.candidates}
    developer = developers.pop() if len(developers) == 1 and not facts.is_unknown else None
    if developer is not None and is_closed(facts):
        return Regime({OPERATOR: 1.0}, developer)
    host = provider_subject(edition, provider, at)
    links = edition.links_for(host, RELATION, at) if host else ()
    if links:
        regime = links[-1].object
        return Regime({regime: 1.0}, host if regime == OPERATOR else None)
    shares = {name: choose(edition, SHARE, name, at, policy).factor.value for name in (SINGLE, OPERATOR)}
    return Regime({name: share / sum(shares.values()) for name, share in shares.items()}, host)


def is_closed(facts: ModelFacts) -> bool:
    """Whether nobody published the model: its layers are not known, and its size is an assumption."""
    is_open = facts.is_unknown or LAYERS in facts.ranges
    return not is_open and all(row.tier == Tier.ASSUMED.value for row in facts.factors.get(SIZE, ()))
