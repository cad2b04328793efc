"""habitus.sampling: tasks are their stages, the same for any threads, order and representation; histories."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.logs import REPRESENTATIONS, drawn, logs

from habitus import interactions, sampling

# Run as plain Python (NUMBA_DISABLE_JIT=1), wrapping 64-bit products warn; compiled, they do not.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")


@given(logs(), st.sampled_from(sampling.RULES), st.integers(0, 4), st.integers(1, 20), st.integers(0, 9), st.data())
def test_tasks_are_their_stages_however_the_log_is_held(log, rule, length, k, min_users, data):
    length = min(length, log.indexed.items)
    draws = drawn(log.indexed, length, min(length, 1), data.draw(st.integers(0, 99)))
    inventory = np.arange(data.draw(st.integers(0, log.indexed.items)))
    proxies = sampling.Proxies(draws.cell_of_user, draws.cells, draws.history, draws.needed)
    expected, _ = sampling.candidates(
        log.indexed, draws.groups, draws.history, draws.seed, inventory, length=k, rule=rule
    )
    expected[draws.groups.size < min_users] = -1
    counts = sampling.counts(log.indexed, draws.groups, expected).counts
    for representation in REPRESENTATIONS:
        tasks = sampling.tasks(
            log.indexed.held_as(representation), proxies, draws.seed, inventory,
            min_users=min_users, length=k, rule=rule,
        )  # fmt: skip
        assert np.array_equal(tasks.size, draws.groups.size)
        assert np.array_equal(tasks.candidates, expected)
        assert np.array_equal(tasks.counts, counts)
        assert np.array_equal(tasks.complete, expected[:, 0] >= 0)


@given(logs(), st.sampled_from(sampling.RULES), st.integers(2, 5))
def test_threads_and_order_of_draws_change_nothing(log, rule, threads):
    draws = 2500
    cell, cells, seeds = np.arange(log.indexed.users) % 3, np.arange(draws) % 3, sampling.seeds(3, np.arange(draws))
    length = min(3, log.indexed.items)

    def draw(which: np.ndarray, threads: int) -> tuple[np.ndarray, ...]:
        history = sampling.histories(seeds[which], np.arange(log.indexed.items), length, threads=threads)
        proxies = sampling.Proxies(cell, cells[which], history, min(length, 2))
        inventory = np.arange(log.indexed.items)
        return history, *sampling.tasks(
            log.indexed, proxies, seeds[which], inventory, length=10, rule=rule, threads=threads
        )

    one, many = draw(np.arange(draws), 1), draw(np.arange(draws), threads)
    assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True))
    backwards = draw(np.arange(draws)[::-1], threads)
    assert all(np.array_equal(a, b[::-1]) for a, b in zip(one, backwards, strict=True))


def test_as_many_seeds_as_histories_are_asked_for():
    log = interactions.index([0], [0], (2, 2))
    proxies = sampling.Proxies(np.zeros(2), np.zeros(1), np.zeros((1, 1), np.int32), 1)
    with pytest.raises(ValueError, match="as many seeds as cells and histories, got 2 and 1"):
        sampling.tasks(log, proxies, sampling.seeds(0, [0, 1]), [0, 1])


def test_histories_are_nested_and_distinct():
    seeds = sampling.seeds(5, np.arange(500))
    long = sampling.histories(seeds, np.arange(25), 20)
    assert np.array_equal(sampling.histories(seeds, np.arange(25), 5), long[:, :5])
    assert all(len(set(row.tolist())) == 20 for row in long)


def test_equal_weights_change_nothing():
    seeds = sampling.seeds(6, np.arange(500))
    equal = sampling.histories(seeds, np.arange(25), 20, weights=np.ones(25, int))
    assert np.array_equal(sampling.histories(seeds, np.arange(25), 20), equal)


def test_uniform_draws_are_uniform():
    histories = sampling.histories(sampling.seeds(0, np.arange(60_000)), np.arange(20), 3)
    for place in range(3):
        assert stats.chisquare(np.bincount(histories[:, place], minlength=20)).pvalue > 1e-4


def test_weighted_draws_follow_their_weights():
    weights = np.array([1, 2, 3, 4])
    histories = sampling.histories(sampling.seeds(0, np.arange(50_000)), np.arange(4), 2, weights=weights)
    first = np.bincount(histories[:, 0])
    assert stats.chisquare(first, weights / weights.sum() * first.sum()).pvalue > 1e-4
    after_heaviest = np.bincount(histories[histories[:, 0] == 3, 1], minlength=4)[:3]
    assert stats.chisquare(after_heaviest, weights[:3] / 6 * after_heaviest.sum()).pvalue > 1e-4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"length": 3}, "at most 2 items"), ({"length": 1, "weights": [0, 1]}, "weights >= 1")],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampling.histories(sampling.seeds(0, [0]), [1, 2], **arguments)
