"""habitus.candidates: its rules and its random numbers against the slow twin, and every set of candidates as likely."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.logs import REPRESENTATIONS, drawn, logs
from tests.reference import sampling as reference

from habitus import interactions, sampling

# Run as plain Python (NUMBA_DISABLE_JIT=1), wrapping 64-bit products warn; compiled, they do not.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")


@given(logs(), st.sampled_from(sampling.RULES), st.integers(0, 6), st.integers(1, 30), st.data())
def test_every_draw_is_the_twins(log, rule, length, k, data):
    length = min(length, log.indexed.items)
    draws = drawn(log.indexed, length, min(length, 1), data.draw(st.integers(0, 99)), draws=6)
    inventory = data.draw(st.permutations(range(log.indexed.items)))[data.draw(st.integers(0, 9)) :]
    items, complete = sampling.candidates(
        log.indexed, draws.groups, draws.history, draws.seed, np.array(inventory, int), length=k, rule=rule
    )
    for draw, seed in enumerate(draws.seed.tolist()):
        pools = reference.pools(log.sets, draws.users(draw), draws.history[draw].tolist(), inventory, rule)
        expected = reference.candidates(seed, pools, inventory, k)
        assert complete[draw] == (len(set().union(*pools)) >= k) == (len(expected) == k)
        assert items[draw].tolist() == (reference.shuffled(seed, expected) if complete[draw] else [-1] * k)
        for pool, quota in zip(pools, reference.quotas(k, len(pools)), strict=True):
            assert not complete[draw] or len(pool & set(expected)) >= min(quota, len(pool))


@pytest.mark.parametrize("rule", sampling.RULES)
@pytest.mark.parametrize("known", [{0, 2, 3, 6, 7, 9}, {2}, set(range(12)), set()], ids=len)
def test_every_set_is_as_likely_as_the_rule_says(rule, known):
    log = interactions.index(np.zeros(len(known), int), sorted(known), (1, 12))
    history = np.array([[0, 5]], np.int32)
    pools = reference.pools({0: known}, [0], [0, 5], range(12), rule)
    expected = reference.outcomes(pools, 4)
    draws = 8_000
    group = sampling.Groups(np.arange(draws + 1), np.zeros(draws, np.int32))
    rows, complete = sampling.candidates(
        log, group, np.repeat(history, draws, axis=0), sampling.seeds(1, np.arange(draws)), np.arange(12),
        length=4, rule=rule,
    )  # fmt: skip
    if len(set().union(*pools)) < 4:
        assert not complete.any()
        return
    found = Counter(frozenset(row) for row in rows.tolist())
    assert set(found) <= set(expected)
    frequencies = [found[items] for items in expected]
    assert stats.chisquare(frequencies, [float(p) * draws for p in expected.values()]).pvalue > 1e-4


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_a_rare_part_is_listed_and_drawn_uniformly(representation):
    log = interactions.index(np.zeros(12, int), np.arange(12) * 150, (1, 2000)).held_as(representation)
    draws = 6_000
    group = sampling.Groups(np.arange(draws + 1), np.zeros(draws, np.int32))
    rows, _ = sampling.candidates(
        log, group, np.empty((draws, 0), np.int32), sampling.seeds(2, np.arange(draws)), np.arange(2000), length=10
    )
    known = rows % 150 == 0
    known &= rows < 1800
    assert (known.sum(axis=1) == 5).all()
    assert stats.chisquare(np.bincount(rows[known] // 150, minlength=12)).pvalue > 1e-4
    assert stats.chisquare(np.bincount(rows[~known] // 100, minlength=20) / np.r_[[99, 98] * 9, 100, 100]).pvalue > 1e-4


def test_half_is_half_where_both_parts_are_large():
    log = interactions.index(np.repeat([0, 1, 2], 60), np.tile(np.arange(60), 3), (3, 200))
    seeds = sampling.seeds(1, np.arange(50))
    groups = sampling.groups(log, np.zeros(3), np.zeros(50), np.empty((50, 0), np.int32), 0)
    items, _ = sampling.candidates(log, groups, np.empty((50, 0), np.int32), seeds, np.arange(200))
    assert ((items < 60).sum(axis=1) == 25).all()


def test_shuffling_is_uniform():
    rows = np.tile(np.arange(6, dtype=np.int32), (20_000, 1))
    shuffled = sampling.shuffled(rows, sampling.seeds(0, np.arange(20_000)))
    for place in range(6):
        assert stats.chisquare(np.bincount(shuffled[:, place])).pvalue > 1e-4


def test_orders_of_a_seed_differ():
    rows, seeds = np.tile(np.arange(50, dtype=np.int32), (4, 1)), sampling.seeds(0, np.arange(4))
    assert (sampling.shuffled(rows, seeds, 0) != sampling.shuffled(rows, seeds, 1)).any(axis=1).all()
    assert sampling.shuffled(rows, seeds, 3)[2].tolist() == reference.shuffled(int(seeds[2]), range(50), 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": "best"}, "rule: expected one of half, quintiles, literal, inventory, got 'best'"),
        ({"inventory": [0, 2]}, r"inventory: expected items in \[0, 2\), got 0 to 2"),
        ({"inventory": [1, 0, 1]}, "inventory: expected distinct items, got 1 twice"),
        ({"seed": sampling.seeds(0, [0, 1])}, "as many groups as histories and seeds, got 1, 1, 2"),
        ({"history": np.array([[7]])}, r"history: expected items in \[0, 2\), got 7 to 7"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    nobody = sampling.Groups(np.zeros(2, np.int64), np.empty(0, np.int32))
    given_ = {"history": np.empty((1, 0), np.int32), "seed": sampling.seeds(0, [0]), "inventory": [0]} | changes
    with pytest.raises(ValueError, match=message):
        sampling.candidates(interactions.index([0], [0], (2, 2)), nobody, **given_)
