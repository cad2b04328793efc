"""99,999 sign flips of 12 models and 2,500 clusters, all 66 pairs: against NumPy in chunks, and scipy on one pair."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import stats

from habitus.permutation import sign_flips

MODELS, CLUSTERS, FLIPS, CHUNK = 12, 2500, 99_999, 2048

Reals = NDArray[np.float64]


def totals() -> Reals:
    """Models that differ by little beside their noise."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(MODELS, CLUSTERS)) + np.linspace(0, 0.1, MODELS)[:, None]


def with_habitus(scores: Reals) -> Reals:
    return sign_flips(scores, resamples=FLIPS, seed=0).p_value


def with_one_thread(scores: Reals) -> Reals:
    return sign_flips(scores, resamples=FLIPS, seed=0, threads=1).p_value


def with_numpy(scores: Reals) -> Reals:
    rng = np.random.default_rng(0)
    observed = np.abs(scores.sum(axis=1)[:, None] - scores.sum(axis=1))
    far = np.zeros((MODELS, MODELS), np.int64)
    for first in range(0, FLIPS, CHUNK):
        signs = rng.choice([-1.0, 1.0], (min(CHUNK, FLIPS - first), CLUSTERS))
        sums = signs @ scores.T
        far += (np.abs(sums[:, :, None] - sums[:, None]) >= observed).sum(axis=0)
    return (1 + far) / (1 + FLIPS)


def with_scipy(scores: Reals) -> Reals:
    """Of the first pair, a twentieth of the flips."""
    done = stats.permutation_test(
        (scores[0], scores[1]),
        lambda first, second, axis: (first - second).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS // 20,
        batch=CHUNK,
        rng=np.random.default_rng(0),
    )
    p_values = np.full((MODELS, MODELS), np.nan)
    p_values[0, 1] = done.pvalue
    return p_values


@pytest.mark.parametrize("test", [with_habitus, with_one_thread, with_numpy, with_scipy])
def bench_sign_flips(benchmark: BenchmarkFixture, test: Callable[[Reals], Reals]) -> None:
    scores = totals()
    expected, found = with_habitus(scores), test(scores)
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], expected[known], atol=0.03)
    benchmark.pedantic(test, args=(scores,), rounds=3)
