"""Coefficients for tokens that were summed over requests without saying how many: the requests' mean length stands in.

What a token takes depends on how long its request is (`joulebook.estimate.tokens`). Where a bill or a usage report does
not tell the number of requests, the terms of a request are folded into those of a token at the mean length of a
request; nothing per request remains, so the energy is as linear in the sum as what is known of it. The range of the
mean length widens the range of the energy.
"""

from collections.abc import Mapping

from joulebook.estimate.tokens import COEFFICIENTS
from joulebook.terms.range import Range

LENGTHS = ("input_tokens_per_request", "output_tokens_per_request")
"""Quantities that this needs: input with what came from a cache, and output with reasoning, of a mean request."""


def per_token(coefficients: Mapping[str, float], lengths: Mapping[str, float], *, is_cached: bool) -> dict[str, float]:
    """Coefficients of `joulebook.estimate.tokens` in which everything is per token.

    Args:
        coefficients: of one model as served, keys `COEFFICIENTS` [kWh].
        lengths: `LENGTHS` [tokens], above 0.
        is_cached: True where most of the input of a request came from a cache: fresh tokens then attend to all of it,
            else to the fresh ones before them.

    Returns:
        the same keys; those per request and per pair of tokens are 0.
    """
    entered, left = (lengths[name] for name in LENGTHS)
    attended = "input_context_kwh_per_token2" if is_cached else "input_own_context_kwh_per_token2"
    context = coefficients["context_kwh_per_token2"] * entered
    return {
        **dict.fromkeys(COEFFICIENTS, 0.0),
        "input_kwh_per_token": coefficients["input_kwh_per_token"] + coefficients[attended] * entered,
        "cache_read_kwh_per_token": coefficients["cache_read_kwh_per_token"],
        "output_kwh_per_token": coefficients["output_kwh_per_token"]
        + coefficients["request_kwh"] / left
        + context
        + coefficients["output_context_kwh_per_token2"] * left,
    }


def effects(
    coefficients: Mapping[str, float], lengths: Mapping[str, Range], *, is_cached: bool
) -> dict[str, tuple[float, float]]:
    """What each mean length makes uncertain: the widest multiple of any token's energy at its ends.

    A line of a bill has tokens of one class alone, so the class that moves most decides.

    Args:
        coefficients: of one model as served [kWh].
        lengths: `LENGTHS`, each with its range [tokens].
        is_cached: as of `per_token`.
    """
    mids = {name: value.mid for name, value in lengths.items()}
    middle = per_token(coefficients, mids, is_cached=is_cached)
    found = {}
    for name, value in lengths.items():
        ends = (per_token(coefficients, {**mids, name: end}, is_cached=is_cached) for end in (value.low, value.high))
        moved = [end[column] / middle[column] for end in ends for column in middle if middle[column]]
        found[name] = (min(1.0, *moved), max(1.0, *moved))
    return found
