"""The token formula: each term on its own, and rows that are buckets."""

import pytest

from joulebook.estimate.boundary import it_energy_kwh, node_energy_kwh
from joulebook.estimate.tokens import COEFFICIENTS, token_energy_kwh

NO_TOKENS = {
    "uncached_input_tokens": 0,
    "cache_read_tokens": 0,
    "cache_write_tokens": 0,
    "visible_output_tokens": 0,
    "reasoning_output_tokens": 0,
}


def energy(coefficients: dict[str, float], requests: int = 1, **tokens: float) -> float:
    """Energy of one row, absent coefficients and tokens being 0."""
    return token_energy_kwh(
        request_count=requests,
        per_request_ratio=1 / requests,
        **(NO_TOKENS | tokens),
        **(dict.fromkeys(COEFFICIENTS, 0.0) | coefficients),
    )


@pytest.mark.parametrize(
    ("coefficient", "tokens", "expected"),
    [
        ("request_kwh", {}, 1),
        ("input_kwh_per_token", {"uncached_input_tokens": 3, "cache_write_tokens": 4, "cache_read_tokens": 9}, 7),
        ("input_context_kwh_per_token2", {"uncached_input_tokens": 3, "cache_read_tokens": 9}, 27),
        ("input_own_context_kwh_per_token2", {"uncached_input_tokens": 3, "cache_read_tokens": 9}, 9),
        ("cache_read_kwh_per_token", {"cache_read_tokens": 9}, 9),
        ("output_kwh_per_token", {"visible_output_tokens": 2, "reasoning_output_tokens": 5}, 7),
        (
            "context_kwh_per_token2",
            {"visible_output_tokens": 2, "uncached_input_tokens": 3, "cache_read_tokens": 9},
            24,
        ),
        ("output_context_kwh_per_token2", {"visible_output_tokens": 2, "reasoning_output_tokens": 5}, 49),
    ],
)
def test_each_term_counts_its_own_tokens(coefficient, tokens, expected):
    """Prefill, cache, decode and both contexts are separate terms, worked out by hand."""
    assert energy({coefficient: 1.0}, **tokens) == pytest.approx(expected)


def test_a_bucket_of_equal_requests_costs_their_sum():
    """Ten equal requests in one row cost ten times one of them, context included."""
    coefficients = {name: 0.5 + index for index, name in enumerate(COEFFICIENTS)}
    tokens = {"uncached_input_tokens": 30, "cache_read_tokens": 90, "visible_output_tokens": 20}
    one = energy(coefficients, **tokens)
    ten = energy(coefficients, requests=10, **{name: 10 * count for name, count in tokens.items()})
    assert ten == pytest.approx(10 * one)


def test_boundary_ladder_multiplies_up():
    """Google's median prompt (arXiv:2508.15734): accelerators 0.14 Wh, host 0.20 Wh, idle machines 0.22 Wh."""
    node = node_energy_kwh(0.14, 0.20 / 0.14, 0)
    assert node == pytest.approx(0.20)
    assert it_energy_kwh(node, 1.1) == pytest.approx(0.22)
