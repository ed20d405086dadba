"""Factors of tokens whose number of requests nobody told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from joulebook.account.kinds import BUCKET, CACHED_BUCKET
from joulebook.account.resolution import Part, Resolution, part_of
from joulebook.account.resolve import UNKNOWN, resolve_model_factors
from joulebook.errors import translatable
from joulebook.estimate.buckets import LENGTHS, effects, per_token
from joulebook.estimate.deployment import Deployment
from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.factors.choose import choose
from joulebook.factors.edition import Edition
from joulebook.terms.tier import Tier

WORKLOADS: Mapping[str, str] = {BUCKET: "workload/requests", CACHED_BUCKET: "workload/agents"}
"""Kind -> subject of the mean length of its requests."""

HINT = translatable(
    "The record does not tell how many requests it sums, so their mean length is that of published traces. "
    "Next: import the requests themselves, or a record with their number."
)


def resolve_bucket_factors(
    edition: Edition, policy: str, key: Mapping[str, Any], at: date, deployment: Deployment = UNKNOWN
) -> Resolution:
    """Factors of a hosted model on a day, for tokens of an untold number of requests.

    Args:
        edition: factors to choose from.
        policy: which of them may answer.
        key: ``kind_key`` (one of `joulebook.account.kinds.BUCKETS`), ``provider_key`` and ``model_key``.
        at: day of the use.
        deployment: what is known of the servers.

    Returns:
        values for `joulebook.account.resolve.MODEL_COLUMNS`, with nothing per request.

    Raises:
        FactorMissing: the library lacks the mean length of requests.
    """
    kind = key["kind_key"]
    is_cached = kind == CACHED_BUCKET
    known = resolve_model_factors(edition, policy, key["provider_key"], key["model_key"], at, deployment)
    choices = {name: choose(edition, name, WORKLOADS[kind], at, policy) for name in LENGTHS}
    lengths = {name: choice.factor.range for name, choice in choices.items()}
    single = {name: float(known.values[name] or 0) for name in COEFFICIENTS}
    moved = effects(single, lengths, is_cached=is_cached)
    told: tuple[Part, ...] = tuple(
        part_of(choice.factor, choice.chosen_because, HINT if name == LENGTHS[0] else None, effect=moved[name])
        for name, choice in choices.items()
    )
    folded = per_token(single, {name: value.mid for name, value in lengths.items()}, is_cached=is_cached)
    parts = {name: (*found, *told) if name in COEFFICIENTS else found for name, found in known.parts.items()}
    names = {**known.names, "tier": str(Tier.ASSUMED), "use": json.dumps({"kind_key": kind})}
    return replace(known, values={**known.values, **folded}, parts=parts, names=names)
