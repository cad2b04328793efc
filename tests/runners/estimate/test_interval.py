"""Intervals: sums and shares keep their order, a hull holds what it is of."""

from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.estimate.interval import Interval, exactly, hull

INTERVALS = st.lists(st.floats(0, 1e9), min_size=3, max_size=3).map(lambda values: Interval(*sorted(values)))


@given(INTERVALS, INTERVALS, st.floats(0, 1e3))
def test_sums_and_shares_keep_their_order(one, other, factor):
    for interval in (one.plus(other), one.times(factor)):
        assert interval.low <= interval.middle <= interval.high
    assert one.plus(exactly(0)) == one
    assert one.plus(other) == other.plus(one)


@given(st.lists(INTERVALS, min_size=1))
def test_a_hull_holds_every_interval(intervals):
    whole = hull(intervals)
    assert all(whole.low <= one.low and one.high <= whole.high for one in intervals)
    assert any(whole.low == one.low for one in intervals)
    assert any(whole.high == one.high for one in intervals)
