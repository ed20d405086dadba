"""Published calculations, computed again by the product's own functions."""

import re

from joulebook.disclose.check import Agreement

WANTED = {True: Agreement.CONSISTENT, False: Agreement.INCONSISTENT, None: Agreement.UNPUBLISHED}


def test_every_published_case_agrees_or_is_reported(published):
    """Each case is within its tolerance, or reported as inconsistent exactly where the publication is."""
    given = published.cases
    wrong = {
        case["id"]: (str(found.agreement), case["expected"], found.computed)
        for case in given
        if (found := published.verdict(case)).agreement is not WANTED[case["ok"]]
    }
    assert not wrong
    assert len(given) >= 167


def test_our_deviation_is_the_one_that_was_recorded(published):
    """Where a deviation was recorded for a case, ours is the same to a thousandth: the same calculation was made."""
    far = {}
    for case in published.cases:
        if case["rel_dev"] is not None and case["ok"] is not None:
            found = published.verdict(case).deviation_ratio
            if found is not None and abs(found - case["rel_dev"]) > 1.2e-3 + 5e-3 * abs(case["rel_dev"]):
                far[case["id"]] = (found, case["rel_dev"])
    assert not far


def test_most_cases_are_checked_for_dimension(published):
    """Cases go through formulas with units; none is taken as plain numbers that could mean anything."""
    assert all(published.evaluate(case).is_checked for case in published.cases)


def test_a_wrong_publication_is_not_waved_through(published):
    """Ten per cent more than published is reported for every consistent case with a tolerance below that."""
    for case in published.cases:
        tight = case["rel_tol"] is not None and case["rel_tol"] <= 0.02 and not case["abs_tol"]
        if case["ok"] and tight:
            moved = case | {"expected": case["expected"] * 1.1}
            assert published.verdict(moved).agreement is Agreement.INCONSISTENT, case["id"]


def test_every_reading_is_used(published):
    """A reading that matches no case is dead text."""
    given = published.cases
    for reading in published.readings:
        assert any(
            re.fullmatch(reading.get("id", ".*"), case["id"])
            and re.fullmatch(reading.get("written", ".*"), case["formula"], re.DOTALL)
            for case in given
        ), reading
