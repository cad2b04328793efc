"""The index of a log against plain sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus import interactions


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 5))), st.randoms())
def test_both_directions_hold_every_pair_in_order(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    users, items = np.array(shuffled, np.int64).reshape(-1, 2).T
    log = interactions.index(users, items, (9, 6))
    assert (log.users, log.items) == (9, 6)
    for user in range(9):
        known = log.user_items[log.user_start[user] : log.user_start[user + 1]].tolist()
        assert known == sorted(item for who, item in pairs if who == user)
    for item in range(6):
        known = log.item_users[log.item_start[item] : log.item_start[item + 1]].tolist()
        assert known == sorted(user for user, what in pairs if what == item)
        assert log.popularity[item] == len(known)


@pytest.mark.parametrize(
    ("users", "items", "shape", "error", "message"),
    [
        ([0, 0], [1, 1], (1, 2), ValueError, "user 0, item 1 twice"),
        ([0], [2], (1, 2), ValueError, r"items: expected numbers in \[0, 2\), got 2 to 2"),
        ([-1], [0], (1, 2), ValueError, r"users: expected numbers in \[0, 1\), got -1 to -1"),
        ([0.5], [0], (1, 1), TypeError, "users: expected integers, got float64"),
        ([0], [0, 1], (1, 2), ValueError, "as many users as items, got 1 and 2"),
    ],
)
def test_bad_arguments_are_named(users, items, shape, error, message):
    with pytest.raises(error, match=message):
        interactions.index(users, items, shape)
