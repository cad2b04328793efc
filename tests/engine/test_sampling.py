"""habitus.sampling against its slow twin, and the laws of drawing without replacement."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.reference import sampling as reference

from habitus import interactions, sampling

# Run as plain Python (NUMBA_DISABLE_JIT=1), wrapping 64-bit products and 0 / 0 warn; compiled, they do not.
pytestmark = [pytest.mark.filterwarnings(f"ignore:{what}:RuntimeWarning") for what in ("overflow", "invalid value")]

USERS, ITEMS = 30, 40


@st.composite
def logs(draw: st.DrawFn) -> tuple[dict[int, set[int]], interactions.Interactions]:
    """A random log as sets, and the same as sparse matrices."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dense = rng.random((USERS, ITEMS)) < rng.choice([0.05, 0.3, 0.8]) * rng.random((USERS, 1))
    users, items = np.nonzero(dense)
    order = rng.permutation(len(users))
    log = {user: set(np.flatnonzero(dense[user]).tolist()) for user in range(USERS)}
    return log, interactions.index(users[order], items[order], (USERS, ITEMS))


def _drawn(
    log: interactions.Interactions, cell_of_user: np.ndarray, length: int, needed: int, seed: int, draws: int = 20
):
    seeds = sampling.seeds(seed, np.arange(draws))
    history = sampling.histories(seeds, np.arange(ITEMS), length)
    cell = np.arange(draws) % 3
    return seeds, history, cell, sampling.groups(log, cell_of_user, cell, history, needed)


@given(logs(), st.integers(0, 6), st.data())
def test_groups_and_counts_agree_with_the_twin(both, length, data):
    log, indexed = both
    needed = data.draw(st.integers(1, length)) if length else 0
    cell_of_user = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=USERS, max_size=USERS)))
    seeds, history, cell, groups = _drawn(indexed, cell_of_user, length, needed, data.draw(st.integers(0, 99)))
    candidates, complete = sampling.candidates(indexed, groups, history, seeds, np.arange(ITEMS), length=8)
    counted = sampling.counts(indexed, groups, candidates[complete]) if complete.all() else None
    for draw in range(len(seeds)):
        users = groups.users[groups.start[draw] : groups.start[draw + 1]].tolist()
        members = [user for user in range(USERS) if cell_of_user[user] == cell[draw]]
        assert users == reference.group(log, members, history[draw].tolist(), needed)
        if counted is not None:
            assert counted.counts[draw].tolist() == reference.counts(log, users, candidates[draw].tolist())
            bits = np.unpackbits(
                counted.incidence[groups.start[draw] : groups.start[draw + 1]], axis=1, count=8, bitorder="little"
            )
            assert bits.tolist() == [[item in log[user] for item in candidates[draw].tolist()] for user in users]


@given(logs(), st.sampled_from(sampling.RULES), st.integers(0, 4), st.integers(2, 20), st.integers(0, 99))
def test_candidates_follow_their_rule(both, rule, length, k, seed):
    log, indexed = both
    seeds, history, _, groups = _drawn(indexed, np.arange(USERS) % 3, length, min(length, 1), seed)
    inventory = np.arange(0, ITEMS - 4) if not length else np.arange(ITEMS)
    drawn, complete = sampling.candidates(indexed, groups, history, seeds, inventory, length=k, rule=rule)
    for draw in range(len(seeds)):
        users = groups.users[groups.start[draw] : groups.start[draw + 1]].tolist()
        pools = reference.pools(log, users, history[draw].tolist(), inventory.tolist(), rule)
        every = set().union(*pools)
        assert complete[draw] == (len(every) >= k)
        if not complete[draw]:
            assert (drawn[draw] == -1).all()
            continue
        chosen = set(drawn[draw].tolist())
        assert len(chosen) == k
        assert chosen <= every
        for pool, quota in zip(pools, reference.quotas(k, len(pools)), strict=True):
            assert len(chosen & pool) >= min(quota, len(pool))


def test_half_is_half_where_both_parts_are_large():
    log = interactions.index(np.repeat([0, 1, 2], 60), np.tile(np.arange(60), 3), (3, 200))
    seeds = sampling.seeds(1, np.arange(50))
    groups = sampling.groups(log, np.zeros(3), np.zeros(50), np.empty((50, 0), np.int32), 0)
    drawn, _ = sampling.candidates(log, groups, np.empty((50, 0), np.int32), seeds, np.arange(200))
    assert ((drawn < 60).sum(axis=1) == 25).all()


@given(logs(), st.integers(0, 99))
def test_user_mean_agrees_with_the_twin(both, seed):
    log, indexed = both
    seeds, history, _, groups = _drawn(indexed, np.arange(USERS) % 3, 0, 0, seed, draws=6)
    items, complete = sampling.candidates(indexed, groups, history, seeds, np.arange(ITEMS), length=6)
    assert complete.all()
    target = sampling.targets(indexed, groups, items, per_user=True)
    for draw in range(len(seeds)):
        users = groups.users[groups.start[draw] : groups.start[draw + 1]].tolist()
        expected = reference.user_mean(log, users, items[draw].tolist())
        assert np.allclose(target[draw], expected, rtol=1e-12, equal_nan=True)


@given(logs(), st.integers(0, 99))
def test_targets_without_values_are_the_counts_normalised(both, seed):
    _, indexed = both
    seeds, history, _, groups = _drawn(indexed, np.arange(USERS) % 3, 0, 0, seed, draws=6)
    items, _ = sampling.candidates(indexed, groups, history, seeds, np.arange(ITEMS), length=6)
    counts = sampling.counts(indexed, groups, items).counts.astype(float)
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        assert np.allclose(sampling.targets(indexed, groups, items), counts / total, rtol=1e-12, equal_nan=True)


@given(logs(), st.sampled_from(sampling.RULES), st.integers(2, 5))
def test_threads_and_order_of_draws_change_nothing(both, rule, threads):
    _, indexed = both
    seeds = sampling.seeds(3, np.arange(3000))
    cell, cells = np.arange(USERS) % 3, np.arange(3000) % 3

    def draw(which: np.ndarray, threads: int) -> tuple[np.ndarray, ...]:
        history = sampling.histories(seeds[which], np.arange(ITEMS), 3, threads=threads)
        groups = sampling.groups(indexed, cell, cells[which], history, 2, threads=threads)
        items, _ = sampling.candidates(
            indexed, groups, history, seeds[which], np.arange(ITEMS), length=10, rule=rule, threads=threads
        )
        found = np.flatnonzero(items[:, 0] >= 0)
        return history, groups.size, items, sampling.counts(indexed, groups.take(found), items[found]).counts

    one, many = draw(np.arange(3000), 1), draw(np.arange(3000), threads)
    assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True))
    backwards = draw(np.arange(3000)[::-1], threads)
    assert all(np.array_equal(a, b[::-1]) for a, b in zip(one, backwards, strict=True))


def test_histories_are_nested_and_distinct():
    seeds = sampling.seeds(5, np.arange(500))
    long = sampling.histories(seeds, np.arange(25), 20)
    assert np.array_equal(sampling.histories(seeds, np.arange(25), 5), long[:, :5])
    assert all(len(set(row.tolist())) == 20 for row in long)


def test_uniform_draws_are_uniform():
    drawn = sampling.histories(sampling.seeds(0, np.arange(60_000)), np.arange(20), 3)
    for place in range(3):
        assert stats.chisquare(np.bincount(drawn[:, place], minlength=20)).pvalue > 1e-4
    shuffled = sampling.shuffled(
        np.tile(np.arange(6, dtype=np.int32), (60_000, 1)), sampling.seeds(0, np.arange(60_000))
    )
    for place in range(6):
        assert stats.chisquare(np.bincount(shuffled[:, place])).pvalue > 1e-4


def test_weighted_draws_follow_their_weights():
    weights = np.array([1, 2, 3, 4])
    drawn = sampling.histories(sampling.seeds(0, np.arange(50_000)), np.arange(4), 2, weights=weights)
    first = np.bincount(drawn[:, 0])
    assert stats.chisquare(first, weights / weights.sum() * first.sum()).pvalue > 1e-4
    after_heaviest = np.bincount(drawn[drawn[:, 0] == 3, 1], minlength=4)[:3]
    assert stats.chisquare(after_heaviest, weights[:3] / 6 * after_heaviest.sum()).pvalue > 1e-4


def test_orders_of_a_seed_differ():
    rows, seeds = np.tile(np.arange(50, dtype=np.int32), (4, 1)), sampling.seeds(0, np.arange(4))
    assert (sampling.shuffled(rows, seeds, 0) != sampling.shuffled(rows, seeds, 1)).any(axis=1).all()


def test_taking_groups_keeps_their_users():
    groups = sampling.Groups(np.array([0, 2, 2, 5]), np.arange(5, dtype=np.int32))
    taken = groups.take(np.array([2, 0]))
    assert taken.users.tolist() == [2, 3, 4, 0, 1]
    assert taken.start.tolist() == [0, 3, 5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sampling.histories(sampling.seeds(0, [0]), [1, 2], 3), ValueError, "at most 2 items"),
        (lambda: sampling.histories(sampling.seeds(0, [0]), [1, 2], 1, weights=[0, 1]), ValueError, "weights >= 1"),
        (
            lambda: sampling.groups(_empty(), [0, 0], [0], np.zeros((1, 2), np.int32), 3),
            ValueError,
            "1 <= needed <= 2 items",
        ),
        (lambda: sampling.groups(_empty(), [0], [0], np.zeros((1, 2), np.int32), 1), ValueError, "expected 2 users"),
        (
            lambda: sampling.candidates(
                _empty(), _nobody(), np.empty((1, 0), np.int32), sampling.seeds(0, [0]), [0], rule="best"
            ),
            ValueError,
            "expected one of half",
        ),
        (lambda: sampling.counts(_empty(), _nobody(), np.zeros((2, 2), np.int32)), ValueError, "got 1 and 2"),
        (
            lambda: sampling.targets(_empty(), _nobody(), np.zeros((1, 2), np.int32), values=[1.0, 2.0]),
            ValueError,
            "expected 1 values",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def _empty() -> interactions.Interactions:
    return interactions.index([0], [0], (2, 2))


def _nobody() -> sampling.Groups:
    return sampling.Groups(np.zeros(2, np.int64), np.empty(0, np.int32))


def test_a_group_without_any_candidate_has_no_target():
    assert math.isnan(sampling.targets(_empty(), _nobody(), np.array([[0, 1]], np.int32))[0, 0])
