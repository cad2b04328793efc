"""What can be spent together never passes the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.calls.purse import Purse


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=60), st.floats(0, 3))
def test_the_limit_holds_whatever_is_open(calls, limit):
    purse, open_calls, spent = Purse(limit), [], 0.0
    for worst, share in calls:
        if purse.reserve(worst):
            open_calls.append((worst, worst * share))
        elif open_calls:
            reserved, actual = open_calls.pop(0)
            purse.settle(reserved, actual)
            spent += actual
        assert purse.spent == pytest.approx(spent)
        assert spent + sum(reserved for reserved, _ in open_calls) <= limit + 1e-9


def test_without_a_limit_everything_is_affordable():
    purse = Purse()
    assert purse.reserve(1e9)
    purse.settle(1e9, 5.0)
    assert purse.spent == 5.0
