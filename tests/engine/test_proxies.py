"""Groups against random ones: permutations, the entropy of images, and that all permutations together are exact."""

import math
from itertools import permutations as orders

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests.logs import Log, logs
from tests.reference import proxies as reference

from habitus import entropy, interactions, sampling
from habitus.groups import Groups
from habitus.proxies import ByActivity, permutations, permuted_entropies

# As plain Python (NUMBA_DISABLE_JIT=1) the kernels' generator warns that its 64-bit words wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")

SMALL = interactions.index([0, 0, 1, 2, 2, 4], [0, 1, 1, 0, 2, 2], (5, 3))
PAIR = Groups(np.array([0, 2]), np.array([0, 1], np.int32))
BOTH = np.array([[0, 1]], np.int32)
SAME = np.arange(5)[None]


def _tasks(log: Log, seed: int, candidates: int = 7) -> tuple[Groups, np.ndarray, np.ndarray]:
    """Groups of any size, and candidates and histories that share no item."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, log.indexed.users + 1, 4)
    members = [np.sort(rng.permutation(log.indexed.users)[:size]) for size in sizes]
    group = Groups(interactions.starts(sizes), np.concatenate(members).astype(np.int32))
    rows = [rng.permutation(log.indexed.items)[:candidates] for _ in range(4)]
    histories = [np.resize(np.append(np.setdiff1d(np.arange(log.indexed.items), row)[:3], -1), 3) for row in rows]
    return group, np.array(rows, np.int32), np.array(histories, np.int32)


@given(st.lists(st.integers(-3, 3), max_size=80), st.integers(0, 2**64 - 1))
def test_permutations_draw_what_their_twin_draws(strata: list[int], seed: int) -> None:
    found = permutations(np.array(strata, np.int64), resamples=3, seed=seed)
    assert found.tolist() == [reference.permutation(strata, seed, resample) for resample in range(3)]


@given(st.lists(st.integers(0, 5), max_size=300), st.integers(0, 2**64 - 1), st.integers(1, 4))
def test_permutations_keep_strata(strata: list[int], seed: int, threads: int) -> None:
    numbers = np.array(strata, np.int64)
    found = permutations(numbers, resamples=40, seed=seed, threads=threads)
    assert_array_equal(np.sort(found, axis=1), np.tile(np.arange(len(numbers)), (40, 1)))
    assert_array_equal(numbers[found], np.tile(numbers, (40, 1)))
    assert_array_equal(found[:7], permutations(numbers, resamples=7, seed=seed, threads=1))


def test_all_orders_are_alike_likely() -> None:
    found = permutations([0, 1, 0, 1, 0], resamples=12_000, seed=5)
    _, times = np.unique(found, axis=0, return_counts=True)
    assert len(times) == math.factorial(3) * math.factorial(2)
    assert np.abs(times - 1000).max() < 5 * math.sqrt(1000)


@given(logs(), st.integers(0, 1000), st.booleans(), st.booleans())
def test_entropies_are_those_of_their_twin(log: Log, seed: int, per_user: bool, ordered: bool) -> None:  # noqa: FBT001 - drawn
    group, candidates, history = _tasks(log, seed)
    alpha = 0.5 if seed % 2 else 1 / candidates.shape[1]
    pool = np.arange(log.indexed.users) % 2
    images = permutations(pool, resamples=3, seed=seed)
    order = ByActivity(pool, history) if ordered else None
    found = permuted_entropies(
        log.indexed, group, candidates, images, order=order, per_user=per_user, alpha=0.5 if seed % 2 else None
    )
    for task, row in enumerate(candidates.tolist()):
        users = group.users[group.start[task] : group.start[task + 1]].tolist()
        line = list(range(log.indexed.users))
        if ordered:
            line = reference.by_activity(log.sets, pool.tolist(), history[task].tolist())
        for resample, image in enumerate(images.tolist()):
            people = [line[image[line.index(user)]] for user in users]
            expected = reference.entropy(log.sets, people, row, per_user=per_user, alpha=alpha)
            assert_allclose(found[task, resample], expected, rtol=1e-12, atol=1e-12)


@given(logs(), st.integers(0, 1000), st.integers(1, 4))
def test_nothing_but_the_image_counts(log: Log, seed: int, threads: int) -> None:
    """Neither who took whose place, nor how many threads there are, changes a bit; bounds hold."""
    group, candidates, _ = _tasks(log, seed)
    users = log.indexed.users
    everyone = Groups(np.arange(5) * users, np.tile(np.arange(users, dtype=np.int32), 4))
    images = permutations(np.zeros(users, int), resamples=9, seed=seed)
    for per_user in (False, True):
        found = permuted_entropies(log.indexed, everyone, candidates, images, per_user=per_user, threads=threads)
        assert_array_equal(found, np.repeat(found[:, :1], 9, axis=1))
        one, many = (
            permuted_entropies(log.indexed, group, candidates, images, per_user=per_user, threads=n)
            for n in (1, threads)
        )
        assert_array_equal(one, many)
        known = one[~np.isnan(one)]
        assert ((known >= 0) & (known <= math.log(candidates.shape[1]) + 1e-12)).all()


@given(logs(), st.integers(0, 1000))
def test_the_identity_gives_the_group_itself(log: Log, seed: int) -> None:
    group, candidates, _ = _tasks(log, seed)
    counted = sampling.counts(log.indexed, group, candidates).counts
    known = counted.any(axis=1)
    found = permuted_entropies(log.indexed, group, candidates, np.arange(log.indexed.users)[None])[:, 0]
    assert_array_equal(np.isnan(found), ~known)
    if known.any():
        assert_allclose(found[known], entropy.plug_in(counted[known]), rtol=1e-12, atol=1e-12)


def test_every_permutation_together_is_the_mean_over_all_groups_of_the_size() -> None:
    """All 5! permutations put each pair of the five users in place of the group as often as any other."""
    every = np.array(list(orders(range(5))), np.int32)
    found = permuted_entropies(SMALL, PAIR, BOTH, every)[0]
    knows = {user: set(SMALL.user_items[SMALL.user_start[user] : SMALL.user_start[user + 1]]) for user in range(5)}
    pairs = [
        reference.entropy(knows, (first, second), [0, 1], per_user=False, alpha=0.5)
        for first in range(5)
        for second in range(5)
        if first != second
    ]
    assert_allclose(np.sort(found), np.sort(np.repeat(pairs, 6)))
    assert np.isnan(found).sum() == 12  # users 3 and 4 know neither candidate


def test_many_candidates() -> None:
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((90, 1100)) < 0.3)
    log = interactions.index(user, item, (90, 1100))
    group = Groups(np.array([0, 90]), np.arange(90, dtype=np.int32))
    candidates = rng.permutation(1100)[:1024].astype(np.int32)[None]
    found = permuted_entropies(log, group, candidates, np.arange(90)[None], per_user=True)
    target = sampling.targets(log, group, candidates, per_user=True) * 90 + 1 / 1024
    target /= target.sum()
    assert_allclose(found, -(target * np.log(target)).sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: permutations([0.5], resamples=1, seed=0), TypeError, "strata: expected integers, got float64"),
        (lambda: permutations([[0]], resamples=1, seed=0), ValueError, r"one number per user, got shape \(1, 1\)"),
        (lambda: permutations([0], resamples=-1, seed=0), ValueError, "resamples: expected at least 0, got -1"),
        (lambda: permutations([0], resamples=1, seed=-1), ValueError, r"seed: expected an integer in \[0, 2\*\*64\)"),
        (lambda: permuted_entropies(SMALL, PAIR, BOTH[[0, 0]], SAME), ValueError, "as many groups as rows"),
        (
            lambda: permuted_entropies(SMALL, PAIR, BOTH + 2, SAME),
            ValueError,
            r"candidates: expected items in \[0, 3\)",
        ),
        (lambda: permuted_entropies(SMALL, PAIR, BOTH, SAME / 2), TypeError, "permutations: expected integers"),
        (lambda: permuted_entropies(SMALL, PAIR, BOTH, SAME[:, 1:]), ValueError, r"shape \(R, 5\), got \(1, 4\)"),
        (lambda: permuted_entropies(SMALL, PAIR, BOTH, SAME + 1), ValueError, r"users in \[0, 5\), got 1 to 5"),
        (lambda: permuted_entropies(SMALL, PAIR, BOTH, SAME, alpha=0), ValueError, "alpha"),
        (
            lambda: permuted_entropies(SMALL, PAIR, BOTH, SAME, order=ByActivity(np.zeros(4, int), BOTH)),
            ValueError,
            "order: expected the pool of 5 users, got 4",
        ),
        (
            lambda: permuted_entropies(SMALL, PAIR, BOTH, SAME, order=ByActivity(np.zeros(5, int), BOTH[[0, 0]])),
            ValueError,
            r"order: expected histories \(tasks, h\) of 1 tasks, got shape \(2, 2\)",
        ),
    ],
)
def test_errors(call: object, error: type[Exception], message: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=message):
        call()
