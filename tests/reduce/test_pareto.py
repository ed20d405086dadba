"""The frontier of a result against energy."""

from hypothesis import given
from hypothesis import strategies as st

from joulebook.reduce.pareto import Trial, frontier
from joulebook.terms.range import Range

trials = st.lists(
    st.tuples(st.integers(1, 50), st.integers(0, 50)).map(
        lambda pair: Trial(f"{pair}", "t", Range(pair[0] / 2, pair[0], pair[0] * 2), pair[1] / 50)
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda trial: trial.run,
)


@given(trials)
def test_nobody_beats_the_frontier(found):
    """No trial is better for the same energy or as good for less, and every beaten one is beaten by somebody."""
    split = frontier(found)
    for one in split.trials:
        assert not any(
            other.energy_kwh.mid <= one.energy_kwh.mid and other.result >= one.result for other in found if other != one
        )
    for one in split.beaten:
        assert any(other.energy_kwh.mid <= one.energy_kwh.mid and other.result >= one.result for other in split.trials)
    assert len(split.trials) + len(split.beaten) == len(found)


def test_search_and_last_gain():
    """The search is the sum of all trials; the last gain is what the best cost beyond the one before it."""
    found = [
        Trial(name, name, Range(kwh / 2, kwh, kwh * 2), accuracy)
        for name, kwh, accuracy in (("a", 1.0, 0.8), ("b", 3.0, 0.9), ("c", 4.0, 0.85), ("d", 10.0, 0.91))
    ]
    split = frontier(found)
    assert [one.run for one in split.trials] == ["a", "b", "d"]
    assert split.search_kwh == Range(9.0, 18.0, 36.0)
    assert split.last_gain_kwh == 7.0
    assert round(split.last_gain, 9) == 0.01


def test_lower_is_better():
    """For a loss, less is better, and the gain is still positive."""
    found = [Trial(str(kwh), "t", Range.exact(kwh), loss) for kwh, loss in ((1.0, 2.0), (2.0, 1.5), (3.0, 1.7))]
    split = frontier(found, is_higher_better=False)
    assert [one.result for one in split.trials] == [2.0, 1.5]
    assert split.last_gain == 0.5


def test_one_trial():
    """One trial is the frontier and gained nothing."""
    split = frontier([Trial("a", "a", Range.exact(1), 0.5)])
    assert (len(split.trials), split.last_gain_kwh, split.last_gain) == (1, None, None)
