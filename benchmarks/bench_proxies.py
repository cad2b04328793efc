"""Random groups of a MovieLens-1M-shaped log: permutations against NumPy's, entropies against SciPy's matrices."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse
from benchmarks.sampled import SHAPES, Log, histories, synthetic
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import groups, proxies

TASKS, K, R = 200, 50, 50


class Case(NamedTuple):
    """Groups that know a history, their candidates, and permutations of all users."""

    log: Log
    group: groups.Groups
    candidates: NDArray[np.int32]
    images: NDArray[np.int32]


def case() -> Case:
    log = synthetic(SHAPES["movielens-1m"])
    history = histories(log, TASKS)
    group = groups.groups(log.indexed, np.zeros(log.shape.users), np.zeros(TASKS), history, log.shape.needed)
    rng = np.random.default_rng(0)
    items = np.array([rng.choice(log.shape.items, K, replace=False) for _ in range(TASKS)], np.int32)
    return Case(log, group, items, permuted(log.shape.users))


def permuted(users: int) -> NDArray[np.int32]:
    return proxies.permutations(np.zeros(users, np.int32), resamples=R, seed=0, threads=1)


def with_numpy(users: int) -> NDArray[np.int32]:
    rng = np.random.default_rng(0)
    return np.array([rng.permutation(users) for _ in range(R)], np.int32)


def with_habitus(told: Case) -> NDArray[np.float64]:
    return proxies.permuted_entropies(told.log.indexed, told.group, told.candidates, told.images, threads=1)


def with_scipy(told: Case) -> NDArray[np.float64]:
    """A task at a time: rows of users by candidates, and how often each image holds each user."""
    indexed = told.log.indexed
    ones = np.ones(len(indexed.item_users))
    shape = (told.log.shape.items, told.log.shape.users)
    columns = scipy.sparse.csr_array((ones, indexed.item_users, indexed.item_start), shape=shape)
    out = np.empty((TASKS, R))
    for task, items in enumerate(told.candidates):
        users = told.group.users[told.group.start[task] : told.group.start[task + 1]]
        image = np.zeros((R, shape[1]))
        np.put_along_axis(image, told.images[:, users], 1.0, axis=1)
        counts = (columns[items] @ image.T).T
        p = (counts + 1 / K) / (counts.sum(axis=1, keepdims=True) + 1)
        out[task] = np.where(counts.any(axis=1), -(p * np.log(p)).sum(axis=1), np.nan)
    return out


@pytest.mark.parametrize("draw", [permuted, with_numpy])
def bench_permutations(benchmark: BenchmarkFixture, draw: Callable[[int], NDArray[np.int32]]) -> None:
    users = SHAPES["movielens-1m"].users
    assert (np.sort(draw(users), axis=1) == np.arange(users)).all()
    benchmark.pedantic(draw, (users,), rounds=5)


@pytest.mark.parametrize("measure", [with_habitus, with_scipy])
def bench_permuted_entropies(benchmark: BenchmarkFixture, measure: Callable[[Case], NDArray[np.float64]]) -> None:
    told = case()
    np.testing.assert_allclose(measure(told), with_habitus(told), rtol=1e-10)
    benchmark.pedantic(measure, (told,), rounds=5)
