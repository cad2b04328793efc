"""Every entropy estimator per task, K = 50, and what NumPy and SciPy need for three of them."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from benchmarks.competitors import synthetic
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.special import digamma, gammaln, polygamma

from habitus.entropy import ESTIMATORS

Counts = NDArray[np.int32]
Reals = NDArray[np.float64]


def with_numpy(counts: Counts) -> Reals:
    smoothed = counts + 1 / counts.shape[1]
    p = smoothed / smoothed.sum(axis=1, keepdims=True)
    return np.asarray(-(p * np.log(p)).sum(axis=1))


def dirichlet_with_scipy(counts: Counts, alpha: float = 0.5) -> Reals:
    a = counts + alpha
    total = a.sum(axis=1)
    return np.asarray(digamma(total + 1) - (a * digamma(a + 1)).sum(axis=1) / total)


def nsb_with_scipy(counts: Counts) -> Reals:
    """The trapezoidal rule at 161 places of log beta, the same for all tasks."""
    n, K = counts.sum(axis=1), counts.shape[1]
    log_weights, means = [], []
    for beta in np.exp(np.linspace(-20, 20, 161)):
        slope = beta * (K * polygamma(1, K * beta + 1) - polygamma(1, beta + 1))
        rises = (gammaln(counts + beta) - gammaln(beta)).sum(axis=1)
        log_weights.append(gammaln(K * beta) - gammaln(n + K * beta) + rises + np.log(slope))
        means.append(dirichlet_with_scipy(counts, beta))
    weights = np.exp(log_weights - np.max(log_weights, axis=0))
    return np.asarray((weights * means).sum(axis=0) / weights.sum(axis=0))


COMPETITORS: Mapping[str, Callable[[Counts], Reals]] = {
    "plug-in": with_numpy,
    "dirichlet": dirichlet_with_scipy,
    "nsb": nsb_with_scipy,
}
TASKS = {"nsb": 2_000}


def _bench(benchmark: BenchmarkFixture, estimate: Callable[[Counts], Reals], tasks: int) -> None:
    counts, _ = synthetic(tasks)
    benchmark.pedantic(estimate, (counts,), rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_task"] = round(benchmark.stats.stats.median / tasks * 1e9)


@pytest.mark.parametrize("name", ESTIMATORS)
def bench_habitus(benchmark: BenchmarkFixture, name: str) -> None:
    _bench(benchmark, lambda counts: ESTIMATORS[name](counts, threads=1), TASKS.get(name, 50_000))


@pytest.mark.parametrize("name", COMPETITORS)
def bench_numpy_and_scipy(benchmark: BenchmarkFixture, name: str) -> None:
    counts, _ = synthetic(100)
    np.testing.assert_allclose(COMPETITORS[name](counts), ESTIMATORS[name](counts), rtol=0, atol=1e-6)
    _bench(benchmark, COMPETITORS[name], TASKS.get(name, 50_000))
