"""Cursor's exported usage events: what the columns mean, and what they leave open."""

import io

import pytest

from joulebook.ingest.reader import ReadOptions, reader
from joulebook.terms.finding import Finding

INPUTS = "Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens"
HEADER = f"Date,Kind,Model,Max Mode,{INPUTS},Total Tokens,Cost\n"


def parse(*events, header=HEADER):
    """Rows, and rules of the findings with their lines."""
    text = header + "".join(f"2026-08-28T17:49:12.795Z,{event}\n" for event in events)
    found = list(reader("cursor-usage").parse(io.BytesIO(text.encode()), ReadOptions(file="f")))
    rows = [row for row in found if not isinstance(row, Finding)]
    return rows, [(row.line, row.rule) for row in found if isinstance(row, Finding)]


def counts(row):
    """Written, afresh, read and given."""
    names = ("cache_write_tokens", "uncached_input_tokens", "cache_read_tokens", "visible_output_tokens")
    return tuple(row[name] for name in names)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("120957,611,1452080,15625,1589273", (120957, 611, 1452080, 15625)),
        ("4000,3189,194368,1815,200183", (811, 3189, 194368, 1815)),
        ("4000,3189,194368,1815,", (4000, 3189, 194368, 1815)),
    ],
    ids=["beside each other", "one inside the other", "no total"],
)
def test_the_total_says_what_contains_what(cells, expected):
    """The two columns of input stand beside each other, unless the total says that one holds the other."""
    (row,), findings = parse(f"Included,gpt-5.3-codex,No,{cells},Included")
    assert (counts(row), findings) == (expected, [])


def test_counts_that_do_not_add_up_are_refused():
    """A row whose counts make no total is told by its line and not booked."""
    assert parse("Included,gpt-5.3-codex,No,1,2,3,4,11,-") == ([], [(2, "counts-disagree")])


def test_events_without_counts_are_told_unless_they_failed():
    """A free event without counts used something nobody tells; one that failed used nothing."""
    failed = ("Errored No Charge,auto,No,,,,,,-", "Aborted Not Charged,auto,No,,,,,,-")
    assert parse(*failed) == ([], [])
    assert parse("Included,grok-4.6,No,,,,,,Free", *failed) == ([], [(None, "events-without-counts")])


@pytest.mark.parametrize(("cost", "usd"), [("$0.32", 0.32), ("0.11", 0.11), ("Included", None), ("-", None)])
def test_costs_are_money_or_words(cost, usd):
    """A cost is taken where it is money."""
    (row,), _ = parse(f"On-Demand,composer-2,No,0,1,0,1,2,{cost}")
    assert row.get("cost_usd") == usd


def test_no_model_is_guessed():
    """The label auto names no model; a user is kept as a hash alone."""
    (row,), _ = parse("Included,auto,No,0,1,0,1,2,Included")
    assert row.get("model") is None
    (row,), _ = parse("kim@example.org,auto,0,1,0,1", header=f"Date,User,Model,{INPUTS}\n")
    assert "kim" not in str(row)
    assert row["user_hash"]


def test_equal_events_are_two_uses_and_overlapping_exports_one():
    """Two equal lines are two events; the same two lines in a later export have their keys."""
    event = "Included,composer-2,No,0,1,0,1,2,Included"
    first, _ = parse(event, event)
    second, _ = parse(event, "Included,composer-2,No,0,7,0,1,8,Included", event)
    assert len({row["usage_key"] for row in (*first, *second)}) == 3
