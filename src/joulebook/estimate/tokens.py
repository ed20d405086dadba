"""Energy of the accelerators for one row of token usage.

One formula prices one request on floats, a hundred million rows on table expressions, quantities with units in the
dimension test and names in `explain`. Its coefficients come from `joulebook.estimate.serving`.

A row may be a bucket of many requests. Reading the context is not linear in the row: each output token reads the
context of its own request only. The formula therefore takes the mean context of a request, tokens times
`per_request_ratio`, where `per_request_ratio` is one over `request_count` (resolved beforehand; 1 for a row that is one
request). Inside a bucket context and output are taken as unrelated and requests as alike: a bucket that mixes long
and short requests is a few percent low for typical contexts. Import requests, not buckets, where contexts are long.
"""

from joulebook.terms.arithmetic import N


def token_energy_kwh(
    request_count: N,
    per_request_ratio: N,
    uncached_input_tokens: N,
    cache_read_tokens: N,
    cache_write_tokens: N,
    visible_output_tokens: N,
    reasoning_output_tokens: N,
    request_kwh: N,
    input_kwh_per_token: N,
    input_context_kwh_per_token2: N,
    input_own_context_kwh_per_token2: N,
    cache_read_kwh_per_token: N,
    output_kwh_per_token: N,
    context_kwh_per_token2: N,
    output_context_kwh_per_token2: N,
) -> N:
    """Energy of the accelerators [kWh]: request + prefill + cache + decode, each with its context.

    Prefill: each fresh token is computed (`input_kwh_per_token`) and attends to the cached tokens of its request
    (`input_context_kwh_per_token2`) and to the fresh ones before it (`input_own_context_kwh_per_token2`, half).
    Cache: a hit costs `cache_read_kwh_per_token`; tokens written to the cache are computed like fresh ones.
    Decode: each output token streams weights (`output_kwh_per_token`) and reads the whole input of its request
    (`context_kwh_per_token2`) and the answer so far (`output_context_kwh_per_token2`, half).

    Source: roofline view of transformer serving; Pope et al. 2022, "Efficiently Scaling Transformer Inference"
    (arXiv:2211.05102), section 2.
    """
    fresh = uncached_input_tokens + cache_write_tokens
    output = visible_output_tokens + reasoning_output_tokens
    cached_mean = cache_read_tokens * per_request_ratio
    fresh_mean = fresh * per_request_ratio
    output_mean = output * per_request_ratio
    prefill = fresh * (
        input_kwh_per_token + input_context_kwh_per_token2 * cached_mean + input_own_context_kwh_per_token2 * fresh_mean
    )
    decode = output * (
        output_kwh_per_token
        + context_kwh_per_token2 * (cached_mean + fresh_mean)
        + output_context_kwh_per_token2 * output_mean
    )
    return request_count * request_kwh + prefill + cache_read_tokens * cache_read_kwh_per_token + decode


COEFFICIENTS = (
    "request_kwh",
    "input_kwh_per_token",
    "input_context_kwh_per_token2",
    "input_own_context_kwh_per_token2",
    "cache_read_kwh_per_token",
    "output_kwh_per_token",
    "context_kwh_per_token2",
    "output_context_kwh_per_token2",
)
"""What the formula needs of a model's serving, in its order."""
