"""Ranges of totals: they contain, they do not average out, and the closed form agrees with drawing."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulebook.account.interval import Share, Spread, total
from joulebook.terms.range import Z90, Range

SPREADS = [Spread(name, sigma, sigma) for name, sigma in zip("abcd", (0.05, 0.1, 0.2, 0.3), strict=True)]

shares = st.lists(
    st.builds(Share, st.floats(0.01, 1000), st.lists(st.sampled_from(SPREADS), max_size=4, unique=True)),
    min_size=1,
    max_size=8,
)


@given(shares)
def test_the_range_contains_the_sum_and_the_sum_is_exact(parts):
    """The mid of a total is the sum of its parts, and lies between low and high."""
    found = total(parts).range
    assert found.mid == pytest.approx(sum(part.amount for part in parts))
    assert found.low <= found.mid * (1 + 1e-12)
    assert found.high >= found.mid * (1 - 1e-12)


@given(shares, st.floats(0.001, 1000))
def test_a_total_scales_with_its_unit(parts, scale):
    """Amounts in another unit give the range in that unit."""
    scaled = total([Share(part.amount * scale, part.spreads) for part in parts]).range
    for one, other in zip(scaled, total(parts).range, strict=True):
        assert one == pytest.approx(other * scale, rel=1e-9)


@given(st.integers(1, 50))
def test_shared_factors_do_not_average_out(count):
    """However many rows share a factor, their total is as uncertain as one row."""
    one = total([Share(1.0, SPREADS[:2])]).range
    many = total([Share(1.0, SPREADS[:2])] * count).range
    assert many.high / many.mid == pytest.approx(one.high / one.mid)


def test_independent_factors_average_out():
    """Rows with factors of their own have a total that is relatively less uncertain."""
    many = total([Share(1.0, [Spread(str(number), 0.2, 0.2)]) for number in range(100)]).range
    assert math.log(many.high / many.mid) == pytest.approx(0.02 * Z90)


@given(shares)
def test_the_parts_of_the_variance_sum_to_one(parts):
    """What makes a total uncertain is divided up completely."""
    ratios = total(parts).variance_ratio
    assert not ratios or sum(ratios.values()) == pytest.approx(1)


def test_the_closed_form_agrees_with_drawing():
    """First-order propagation lies within 6 % of 10,000 draws of the same log-normal factors."""
    parts = [
        Share(10.0, [SPREADS[0], SPREADS[2]]),
        Share(5.0, [SPREADS[1], SPREADS[2]]),
        Share(2.0, [SPREADS[0], SPREADS[3]]),
    ]
    chance = random.Random(7)
    drawn = []
    for _draw in range(10_000):
        factors = {spread.factor_id: math.exp(chance.gauss(0, spread.sigma_high)) for spread in SPREADS}
        drawn.append(
            sum(part.amount * math.prod(factors[spread.factor_id] for spread in part.spreads) for part in parts)
        )
    drawn.sort()
    found = total(parts).range
    assert found.low == pytest.approx(drawn[1_000], rel=0.06)
    assert found.high == pytest.approx(drawn[9_000], rel=0.06)


def test_a_range_down_to_zero_takes_its_whole_share_off():
    """A factor that may be zero lets the low end of a total fall by all it stands behind, not below zero."""
    open_low = Range(0.0, 1.0, 2.0)
    spread = Spread("maybe", open_low.sigma_low, open_low.sigma_high)
    found = total([Share(3.0, [spread]), Share(7.0, [])]).range
    assert found.low == pytest.approx(7.0)
    assert total([]).range == Range(0.0, 0.0, 0.0)


def test_a_factor_may_act_on_one_part_more_than_on_another():
    """The part on which a shared factor acts strongly keeps its range inside a total, in whatever order parts come."""
    strong, weak = Share(10.0, [Spread("batch", 0.9, 0.9)]), Share(0.1, [Spread("batch", 0.1, 0.1)])
    for parts in ([strong, weak], [weak, strong]):
        assert total(parts).range.high > 0.99 * total([strong]).range.high
