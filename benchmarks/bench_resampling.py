"""1,000 resamples of 5,000 tasks, as how often each comes: against NumPy's integers and its multinomial."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import resampling

RESAMPLES, TASKS = 1000, 5000


def with_habitus() -> NDArray[np.int32]:
    return resampling.multiplicities(RESAMPLES, TASKS, seed=0)


def with_bincount() -> NDArray[np.int64]:
    rng = np.random.default_rng(0)
    return np.stack([np.bincount(rng.integers(0, TASKS, TASKS), minlength=TASKS) for _ in range(RESAMPLES)])


def with_multinomial() -> NDArray[np.int64]:
    return np.random.default_rng(0).multinomial(TASKS, np.full(TASKS, 1 / TASKS), RESAMPLES)


@pytest.mark.parametrize("draw", [with_habitus, with_bincount, with_multinomial])
def bench_multiplicities(benchmark: BenchmarkFixture, draw: Callable[[], NDArray[np.integer]]) -> None:
    drawn = draw()
    assert (drawn.sum(axis=1) == TASKS).all()
    np.testing.assert_allclose(drawn.var(axis=1).mean(), 1, atol=0.01)
    benchmark.pedantic(draw, rounds=5)
