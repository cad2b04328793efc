"""Indexing a MovieLens-1M-shaped log both ways, beside SciPy's two sparse formats."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import interactions

SHAPE, PAIRS = (6_040, 3_900), 1_000_000


def _pairs() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    chosen = np.random.default_rng(0).choice(SHAPE[0] * SHAPE[1], PAIRS, replace=False)
    user, item = np.divmod(chosen, SHAPE[1])
    return user, item


def bench_index(benchmark: BenchmarkFixture) -> None:
    log = benchmark.pedantic(interactions.index, (*_pairs(), SHAPE), rounds=3)
    assert len(log.user_items) == PAIRS


def bench_scipy(benchmark: BenchmarkFixture) -> None:
    pairs = _pairs()

    def run() -> scipy.sparse.csc_array:
        return scipy.sparse.csr_array((np.ones(PAIRS, np.int8), pairs), shape=SHAPE).tocsc()

    assert benchmark.pedantic(run, rounds=3).nnz == PAIRS
