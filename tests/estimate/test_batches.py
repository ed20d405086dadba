"""Coefficients for several batches at once are those of each batch."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from joulebook.estimate.deployment import serving_ranges
from joulebook.estimate.serving import coefficients_by_batch, coefficients_kwh
from joulebook.factors.read import read_edition


def values_of(active: float, total: float) -> dict[str, float]:
    """Plain numbers of a deployment of which nothing is known."""
    ranges = serving_ranges(read_edition(), "ghgp-location", date(2026, 10, 1))
    sizes = {"parameters_active_billion": active, "parameters_total_billion": total}
    return {name: value.mid for name, value in ranges.items()} | sizes


@given(
    st.lists(st.floats(1, 4096), min_size=1, max_size=5),
    st.floats(0.1, 500),
    st.floats(1, 30),
    st.sampled_from([{}, {"state_elements": 1e6}, {"kv_window_elements_per_token": 5e4, "window_tokens": 512.0}]),
)
def test_batches_together_are_batches_alone(
    batches: list[float], active: float, sparsity: float, known: dict[str, float]
) -> None:
    """To the last bit, for dense models and mixtures, and in the order that was asked for."""
    values = values_of(active, active * sparsity)
    alone = [coefficients_kwh({**values, "batch_requests": batch}, known) for batch in batches]
    assert coefficients_by_batch(values, known, batches) == alone
