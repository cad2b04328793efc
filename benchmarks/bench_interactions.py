"""Indexing logs both ways, beside SciPy's two sparse formats; `HABITUS_BENCH_LARGE=1` adds 10^8 pairs."""

import numpy as np
import pytest
import scipy.sparse
from benchmarks.sampled import SHAPES, Log, synthetic
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import interactions


@pytest.fixture(scope="module", params=SHAPES)
def log(request: pytest.FixtureRequest) -> Log:
    return synthetic(SHAPES[request.param])


def _pairs(log: Log) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """In random order."""
    user = np.repeat(np.arange(log.shape.users, dtype=np.int32), np.diff(log.indexed.user_start))
    order = np.random.default_rng(0).permutation(len(user))
    return user[order], log.indexed.user_items[order]


def bench_index(benchmark: BenchmarkFixture, log: Log) -> None:
    shape = (log.shape.users, log.shape.items)
    found = benchmark.pedantic(interactions.index, (*_pairs(log), shape), rounds=3, warmup_rounds=1)
    np.testing.assert_array_equal(found.item_users, log.indexed.item_users)


def bench_scipy(benchmark: BenchmarkFixture, log: Log) -> None:
    (user, item), shape = _pairs(log), (log.shape.users, log.shape.items)

    def run() -> scipy.sparse.csc_array:
        return scipy.sparse.csr_array((np.ones(len(user), np.int8), (user, item)), shape=shape).tocsc()

    assert benchmark.pedantic(run, rounds=3).nnz == len(user)
