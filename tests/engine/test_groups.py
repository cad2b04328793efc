"""habitus.groups against its slow twin, however the log is held."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.logs import REPRESENTATIONS, drawn, logs
from tests.reference import sampling as reference

from habitus import groups, interactions, sampling

# Run as plain Python (NUMBA_DISABLE_JIT=1), wrapping 64-bit products warn; compiled, they do not.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")


@given(logs(), st.integers(0, 30), st.data())
def test_groups_agree_with_the_twin(log, length, data):
    length = min(length, log.indexed.items)
    needed = data.draw(st.integers(1, length)) if length else 0
    draws = drawn(log.indexed, length, needed, data.draw(st.integers(0, 99)))
    for draw, cell in enumerate(draws.cells):
        members = np.flatnonzero(draws.cell_of_user == cell).tolist()
        assert draws.users(draw) == reference.group(log.sets, members, draws.history[draw].tolist(), needed)


@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 31, 32, 63, 64, 127, 128, 254, 255])
def test_histories_of_any_length_are_counted(representation, length):
    knowing = np.arange(256)  # user n knows the first n items
    users = np.repeat(knowing, knowing)
    log = interactions.index(
        users, np.arange(len(users)) - np.repeat(np.cumsum(knowing) - knowing, knowing), (256, 256)
    )
    history = np.tile(np.arange(length, dtype=np.int32), (1, 1))
    for needed in {min(length, 1), (length + 1) // 2, length}:
        found = sampling.groups(log.held_as(representation), np.zeros(256), [0], history, needed).users
        assert found.tolist() == list(range(needed, 256))


@pytest.mark.parametrize("representation", REPRESENTATIONS)
@pytest.mark.parametrize("room", [1, 40, 90])
def test_batches_are_as_many_groups_as_have_room(monkeypatch, representation, room):
    monkeypatch.setattr(groups, "_LEAST_ROOM", room)
    log = interactions.index(np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30), (30, 5))
    proxies = groups.checked(
        log.held_as(representation), sampling.Proxies(np.zeros(30), np.zeros(7), np.arange(7)[:, None] % 5, 1)
    )
    parts = [(a, b, group.size.tolist()) for a, b, group in groups.batches(log, proxies, 1, 7)]
    assert [size for _, _, sizes in parts for size in sizes] == [30, 30, 30, 0, 30, 30]
    assert [a for a, _, _ in parts] == [1, *(b for _, b, _ in parts[:-1])]
    assert all(sum(sizes) <= max(room, 30) for _, _, sizes in parts)


def test_who_is_in_no_cell_is_in_no_group():
    log = interactions.index([0, 1], [0, 0], (3, 1))
    for history, needed in ((np.empty((1, 0), np.int32), 0), (np.zeros((1, 1), np.int32), 1)):
        assert sampling.groups(log, [-1, 0, -1], [0], history, needed).users.tolist() == [1]


def test_taking_groups_keeps_their_users():
    ragged = sampling.Groups(np.array([0, 2, 2, 5]), np.arange(5, dtype=np.int32))
    taken = ragged.take(np.array([2, 0]))
    assert taken.users.tolist() == [2, 3, 4, 0, 1]
    assert taken.start.tolist() == [0, 3, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0], [0], np.zeros((1, 2), np.int32), 3), "1 <= needed <= 2 items"),
        (([0, 0], [0], np.zeros((1, 2), np.int32), 0), "1 <= needed <= 2 items"),
        (([0], [0], np.zeros((1, 2), np.int32), 1), "expected 2 users"),
        (([0, 0], [0, 0], np.zeros((1, 2), np.int32), 1), "as many cells as histories, got 2, 2, 1"),
        (([0, 0], [0], np.zeros((1, 256), np.int32), 1), "at most 255 items, got 256"),
        (([0, 0], [0], np.array([[0, 2]]), 1), r"history: expected items in \[0, 2\), got 0 to 2"),
        (([0, 0], [0], np.array([[-1, 0]]), 1), r"history: expected items in \[0, 2\), got -1 to 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampling.groups(interactions.index([0], [0], (2, 2)), *arguments)


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_nobody_is_in_a_log_without_users(representation):
    log = interactions.index([], [], (0, 3), representation=representation)
    assert groups.groups(log, [], [0, 0], np.array([[1], [2]], np.int32), 1).size.tolist() == [0, 0]
