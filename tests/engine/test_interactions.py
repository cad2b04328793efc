"""The index of a log, as lists and as bitmaps, against plain sets."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import logs

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


@given(logs())
def test_bitmaps_hold_every_pair(log):
    of_user, of_item = (
        np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little").astype(bool) for bits in log.indexed.bitmaps
    )
    for user, items in log.sets.items():
        assert set(np.flatnonzero(of_user[user]).tolist()) == items
    assert np.array_equal(of_item[:, : log.indexed.users], of_user[:, : log.indexed.items].T)
    assert not of_item[:, log.indexed.users :].any()
    assert log.indexed.bitmap_bytes == sum(bits.nbytes for bits in log.indexed.bitmaps)


def test_bitmaps_are_built_once_for_all_threads_and_ways_to_hold_a_log():
    log = interactions.index(np.arange(1000), np.arange(1000), (1000, 1000))
    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(lambda _: log.bitmaps, range(8)))
    assert all(bitmaps is built[0] for bitmaps in built)
    assert log.held_as("bitmaps").bitmaps is built[0]


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64, np.uint64])
def test_any_integers_index_the_same(dtype):
    log = interactions.index(np.array([2, 0, 2], dtype), np.array([1, 1, 0], dtype), (3, 2))
    assert log.user_items.tolist() == [1, 0, 1]
    assert log.item_users.tolist() == [2, 0, 2]


def test_a_log_is_held_as_bitmaps_where_they_are_dense_and_fit():
    dense = interactions.index(np.repeat(np.arange(100), 10), np.tile(np.arange(10), 100), (100, 100))
    assert dense.as_bitmaps
    sparse = interactions.index([0], [0], (100, 100))
    assert not sparse.as_bitmaps
    assert sparse.held_as("bitmaps").as_bitmaps
    assert not dense.held_as("counters").as_bitmaps
    wide = interactions.BITMAP_BUDGET // 8
    large = dataclasses.replace(
        dense, item_start=np.zeros(wide + 1, np.int64), user_items=np.broadcast_to(np.int32(0), 100 * wide)
    )
    assert large.bitmap_bytes > interactions.BITMAP_BUDGET
    assert not large.as_bitmaps


def test_an_unknown_representation_is_named():
    with pytest.raises(ValueError, match="expected one of bitmaps, probes, counters, or None, got 'rows'"):
        interactions.index([0], [0], (1, 1), representation="rows")


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
