"""Duration: the longest of what the limits ask for, and the limit that binds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.estimate.interval import Interval, exactly
from habitus_runners.estimate.waiting import duration
from habitus_runners.settings import Calls

TOKENS = st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("calls", "limit", "middle"),
    [
        (Calls(concurrency=10), "concurrency", 1000 / 10 * (0.6 + 60 / 60)),
        (Calls(concurrency=10_000), "concurrency", 0.6 + 60 / 60),
        (Calls(concurrency=1000, rpm=100), "rpm", 600),
        (Calls(concurrency=1000, rpm=10_000, tpm=56_000), "tpm", 600),
    ],
)
def test_the_limit_that_binds_is_named(calls, limit, middle):
    found = duration(1000, exactly(500_000), Interval(30_000, 60_000, 100_000), calls)
    assert found.limit == limit
    assert found.seconds.middle == pytest.approx(middle)


@given(st.integers(0, 10**5), TOKENS, TOKENS, st.integers(1, 999), st.integers(1, 999))
def test_a_tighter_limit_is_never_faster(prompts, tokens_in, tokens_out, rpm, tpm):
    outwards = Interval(tokens_out, 2 * tokens_out, 3 * tokens_out)
    free, by_calls, by_both = (
        duration(prompts, exactly(tokens_in), outwards, calls).seconds
        for calls in (Calls(), Calls(rpm=rpm), Calls(rpm=rpm, tpm=tpm))
    )
    for one, other in ((free, by_calls), (by_calls, by_both)):
        assert all(faster <= slower for faster, slower in zip(one, other, strict=True))
        assert one.low <= one.middle <= one.high
