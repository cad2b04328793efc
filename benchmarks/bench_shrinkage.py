"""The concentration of 5,000 tasks of 50 candidates, against SciPy's optimiser on SciPy's likelihood; and shrinking."""

import functools
import math

import numpy as np
import pytest
from benchmarks import timing
from benchmarks.timing import Contestant
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from habitus.shrinkage import HIGHEST, LOWEST, concentration, shrink

TASKS, K, KAPPA, ROUNDS = 5_000, 50, 20.0, 5
Reals = NDArray[np.float64]


@functools.cache
def planted() -> tuple[Reals, Reals]:
    rng = np.random.default_rng(0)
    population = rng.dirichlet(np.ones(K), TASKS) + 1e-4
    population /= population.sum(axis=1, keepdims=True)
    shares = rng.gamma(KAPPA * population)
    shares /= shares.sum(axis=1, keepdims=True)
    return rng.multinomial(rng.integers(5, 300, TASKS), shares).astype(np.float64), population


def with_habitus() -> float:
    return concentration(*planted(), threads=1)


def with_scipy() -> float:
    counts, population = planted()
    total = counts.sum(axis=1)

    def loss(logarithm: float) -> float:
        kappa = math.exp(logarithm)
        of_cells = gammaln(counts + kappa * population) - gammaln(kappa * population)
        return -float((gammaln(kappa) - gammaln(total + kappa)).sum() + of_cells.sum())

    bounds = math.log(LOWEST), math.log(HIGHEST)
    return math.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x)


@pytest.mark.parametrize("estimate", [with_habitus, with_scipy])
def bench_concentration(benchmark: BenchmarkFixture, estimate: object) -> None:
    assert callable(estimate)
    assert math.isclose(estimate(), with_habitus(), rel_tol=1e-5)
    assert math.isclose(estimate(), KAPPA, rel_tol=0.1)
    benchmark.pedantic(estimate, rounds=3, warmup_rounds=1)


def bench_shrink(benchmark: BenchmarkFixture) -> None:
    counts, population = planted()
    np.testing.assert_allclose(benchmark(shrink, counts, population, KAPPA).sum(axis=1), 1)


def main() -> None:
    jobs = {"habitus": Contestant(with_habitus, TASKS), "scipy": Contestant(with_scipy, TASKS)}
    costs = timing.in_turn(jobs, ROUNDS)
    for name, cost in costs.items():
        print(f"{name:10}{cost.processor * TASKS * 1e-6:8.1f} ms {cost.processor / costs['habitus'].processor:8.2f} x")


if __name__ == "__main__":
    timing.one_core()
    main()
