"""Others' statements beside our figures: same rung, last version, never added up."""

from datetime import UTC, datetime

import pytest

from joulebook.ledger.balance import Amount, Line
from joulebook.ledger.reconcile import OURS, REASONS, reconcile
from joulebook.terms.range import Range
from joulebook.terms.statement import STATEMENT_COLUMNS

MAY, JUNE = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)


def statement(**told):
    """One statement of AWS for May."""
    whole = {"stated_by": "aws", "provider": "aws", "period_start": MAY, "period_end": JUNE, **told}
    return dict.fromkeys(STATEMENT_COLUMNS) | whole


def line(low, mid, high, **counts):
    """Our figure for AWS in May [g]."""
    numbers = {"row_count": 1, "unpriced_count": 0, "request_count": 1, "unknown_count": 0} | counts
    amounts = {OURS: Amount(Range(low, mid, high), 1.0, ())}
    return Line({"month": MAY, "provider": "aws"}, amounts, **numbers, tier="estimated", is_synthetic=False)


def test_the_same_rung_is_compared():
    """Where scopes are told apart, Scope 1 and 2 by location are compared, and Scope 3 stays out."""
    told = {"stated_co2e_scope1_g": 1.0, "stated_co2e_scope2_location_g": 9.0, "stated_co2e_location_g": 50.0}
    (found,) = reconcile([statement(service="EC2", **told)], [line(5, 20, 40)], [])
    assert (found.compared_g, found.location_g) == (10.0, 50.0)
    assert found.ratios == pytest.approx((0.25, 0.5, 2.0))
    assert "scope-3-inside" not in found.reasons
    assert "within" in found.reasons


def test_a_total_that_holds_scope_3_says_so():
    """Where only the whole is stated, it is compared with the reason that it holds more."""
    (found,) = reconcile([statement(service="EC2", stated_co2e_location_g=50.0)], [line(5, 20, 40)], [])
    assert found.compared_g == 50.0
    assert {"scope-3-inside", "whole-account"} <= set(found.reasons)


def test_the_last_version_counts():
    """Of two versions of a statement the later one is shown, and it is said that there were two."""
    old = statement(service="EC2", basis="v2.0.0", stated_co2e_location_g=10.0)
    new = statement(service="EC2", basis="v3.0.0", stated_co2e_location_g=30.0)
    for rows in ([old, new], [new, old]):
        (found,) = reconcile(rows, [], [])
        assert found.location_g == 30.0
        assert "restated" in found.reasons


def test_parts_are_not_added_to_their_whole():
    """Where the month as a whole is stated beside its parts, the whole is taken."""
    rows = [statement(stated_co2e_market_g=10.0), statement(service="a", stated_co2e_market_g=4.0)]
    (found,) = reconcile(rows, [], [])
    assert (found.market_g, found.ours_g, found.ratios) == (10.0, None, None)
    assert {"nothing-of-ours", "market-only"} <= set(found.reasons)


def test_unknown_is_not_zero():
    """What is not stated stays unknown; a stated zero is zero."""
    (found,) = reconcile([statement(stated_co2e_market_g=0.0)], [line(5, 20, 40, unknown_count=1)], [])
    assert (found.location_g, found.market_g) == (None, 0.0)
    assert "place-unknown" in found.reasons
    assert set(found.reasons) <= set(REASONS)
