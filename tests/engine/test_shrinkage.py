"""The weight of the population: against SciPy, on simulated groups, at the ends; shares that are shrunk; errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from scipy.stats import dirichlet, dirichlet_multinomial
from tests.reference import shrinkage as reference

from habitus.kernels import shrinkage as kernels
from habitus.shrinkage import HIGHEST, LOWEST, concentration, shrink

Reals = NDArray[np.float64]


def populations(rng: np.random.Generator, tasks: int, candidates: int) -> Reals:
    share = rng.dirichlet(np.ones(candidates), tasks) + 1e-3
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def planted(seed: int, kappa: float, tasks: int = 150, candidates: int = 10) -> tuple[Reals, Reals]:
    """Counts of 5 to 100 draws from shares that vary about the population's."""
    rng = np.random.default_rng(seed)
    population = populations(rng, tasks, candidates)
    totals = rng.integers(5, 100, tasks)
    shares = np.stack([rng.dirichlet(kappa * row) for row in population])
    counts = np.stack([rng.multinomial(total, row) for total, row in zip(totals, shares, strict=True)])
    return counts.astype(np.float64), population


@st.composite
def tables(draw: st.DrawFn) -> tuple[Reals, Reals]:
    """Counts, whole or not, of few tasks and candidates; the shares of the population."""
    tasks, candidates = draw(st.integers(1, 6)), draw(st.integers(2, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    population = populations(rng, tasks, candidates)
    scale = draw(st.sampled_from([0.5, 3.0, 40.0]))
    counts = rng.gamma(draw(st.sampled_from([0.2, 2.0])), scale, (tasks, candidates))
    return np.floor(counts) if draw(st.booleans()) else counts, population


@given(tables(), st.floats(math.log(LOWEST), math.log(1e6)))
def test_likelihood_is_scipys(table: tuple[Reals, Reals], logarithm: float) -> None:
    counts, population = np.floor(table[0]), table[1]
    kappa, out, without_counts = math.exp(logarithm), np.empty(len(counts)), np.empty(len(counts))
    kernels.log_likelihoods(counts, population, kappa, out)
    kernels.log_likelihoods(counts, population, 1.0, without_counts)
    n = counts.sum(axis=1).astype(np.int64)
    expected = dirichlet_multinomial(kappa * population, n).logpmf(counts.astype(np.int64))
    at_one = dirichlet_multinomial(population, n).logpmf(counts.astype(np.int64))
    assert_allclose(out - without_counts, expected - at_one, rtol=1e-9, atol=1e-7)


@given(tables(), st.floats(math.log(LOWEST), math.log(1e4)))
def test_slope_twin(table: tuple[Reals, Reals], logarithm: float) -> None:
    counts, population = table
    kappa, out = math.exp(logarithm), np.empty(len(counts))
    kernels.slopes(counts, population, kappa, out)
    expected = reference.slope(counts, population, kappa)
    assert_allclose(out.sum(), expected, rtol=1e-9, atol=1e-11 * counts.size * (1 + 1 / kappa))


@given(tables())
def test_concentration_twin(table: tuple[Reals, Reals]) -> None:
    counts, population = table
    found = concentration(counts, population)
    assert LOWEST <= found <= HIGHEST
    if (counts.sum(axis=1) <= 1).all():
        assert found == HIGHEST
        return
    informative = counts.sum(axis=1) > 1
    expected = reference.concentration(counts[informative], population[informative], LOWEST, 1e4)
    if expected < 1e4:
        assert_allclose(found, expected, rtol=1e-6)
    else:
        assert found > 9.9e3


@pytest.mark.parametrize("kappa", [0.3, 5.0, 80.0])
def test_a_planted_concentration_is_recovered(kappa: float) -> None:
    z = []
    for seed in range(12):
        counts, population = planted(seed, kappa, tasks=80)
        found = concentration(counts, population)
        assert_allclose(found, reference.concentration(counts, population, LOWEST, 1e5), rtol=1e-6)
        step = 1e-3  # of log kappa, for the curvature and so the standard error
        around = [reference.log_likelihood(counts, population, found * math.exp(d)) for d in (-step, 0, step)]
        error = step / math.sqrt(2 * around[1] - around[0] - around[2])
        z.append((math.log(found) - math.log(kappa)) / error)
    assert np.abs(z).max() < 4
    assert abs(np.mean(z)) < 4 / math.sqrt(12)
    assert 0.4 < np.std(z) < 1.8


def test_groups_that_are_the_population_let_it_weigh_most() -> None:
    population = np.tile([0.5, 0.3, 0.2], (4, 1))
    assert concentration(100 * population, population) == HIGHEST


def test_groups_that_each_do_one_thing_let_it_weigh_least() -> None:
    population = np.full((3, 3), 1 / 3)
    assert concentration(10 * np.eye(3), population) == LOWEST


def test_the_greater_of_two_maxima_is_found() -> None:
    """Small groups that do one thing each have their maximum at 0.03; a large one, half and half, at infinity."""
    small, large = [[4.0, 0.0]] * 40, [[50_000.0, 50_100.0]]
    few, many = np.array(small + large), np.array(small[:1] + large * 3)
    expected = reference.concentration(few, np.full((41, 2), 0.5), LOWEST, 1e5)
    assert expected < 0.1
    assert_allclose(concentration(few, np.full((41, 2), 0.5)), expected, rtol=1e-6)
    assert concentration(many, np.full((4, 2), 0.5)) == HIGHEST


@pytest.mark.parametrize("counts", [[[0, 0]], [[1, 0], [0, 1]], [[math.nan, math.nan]], np.empty((0, 2))])
def test_no_task_says_anything(counts: object) -> None:
    assert concentration(np.array(counts), np.full((len(np.array(counts)), 2), 0.5)) == HIGHEST


def test_tasks_without_counts_are_left_out() -> None:
    counts, population = planted(0, 5.0)
    with_holes = np.vstack([counts, np.zeros((2, 10)), np.full((3, 10), math.nan)])
    longer = np.vstack([population, np.full((5, 10), 0.1)])
    assert_allclose(concentration(with_holes, longer), concentration(counts, population), rtol=1e-9)


def test_candidates_in_any_order() -> None:
    counts, population = planted(1, 20.0)
    order = np.random.default_rng(0).permutation(10)
    assert_allclose(concentration(counts[:, order], population[:, order]), concentration(counts, population), rtol=1e-8)


def test_threads_do_not_change_a_bit() -> None:
    counts, population = planted(2, 7.0, tasks=400, candidates=100)
    one, many = (concentration(counts, population, threads=threads) for threads in (1, 5))
    assert one == many


@given(tables(), st.floats(math.log(LOWEST), math.log(HIGHEST)))
def test_shrunk_shares_are_a_distribution_between_both(table: tuple[Reals, Reals], logarithm: float) -> None:
    counts, population = table
    counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, population)
    found = shrink(counts, population, math.exp(logarithm))
    own = counts / counts.sum(axis=1, keepdims=True)
    assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    assert (found > 0).all()
    assert (found >= np.minimum(own, population) * (1 - 1e-9)).all()
    assert (found <= np.maximum(own, population) * (1 + 1e-9)).all()


def test_shrink_weighs_each_task_by_its_own_kappa() -> None:
    counts, population = planted(3, 5.0, tasks=3)
    kappa = [0.5, 5.0, 1e6]
    found = shrink(counts, population, kappa)
    for task in range(3):
        assert_array_equal(found[task], shrink(counts[[task]], population[[task]], kappa[task])[0])
    posterior = dirichlet(counts[1] + 5 * population[1])
    assert_allclose(found[1], posterior.mean(), rtol=1e-12)


def test_shrink_of_nothing_is_the_population_and_of_missing_is_missing() -> None:
    population = np.array([[0.25, 0.75]] * 2)
    found = shrink([[0, 0], [math.nan, math.nan]], population, 3.0)
    assert_allclose(found[0], population[0])
    assert np.isnan(found[1]).all()


HALF = [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: concentration([["a", "b"]], HALF), TypeError, "counts: expected real numbers"),
        (lambda: concentration([[1, 2]], [[0.5, 0.25, 0.25]]), ValueError, r"one shape, got \(1, 2\) and \(1, 3\)"),
        (lambda: concentration([[1, -2]], HALF), ValueError, "got -2.0 for task 0, candidate 1"),
        (lambda: concentration([[1, math.inf]], HALF), ValueError, "counts: expected finite numbers >= 0, got inf"),
        (lambda: concentration([[1, math.nan]], HALF), ValueError, "counts: expected no NaN, or a row of it"),
        (lambda: concentration([[1, 2]], [[1.0, 0.0]]), ValueError, "population: expected finite numbers > 0, got 0"),
        (lambda: concentration([[1, 2]], [[0.5, 0.6]]), ValueError, "population: expected rows that sum to 1"),
        (lambda: concentration([[1, 2]], HALF, threads=0), ValueError, "threads: expected at least 1"),
        (lambda: shrink([[1, 2]], HALF, 0.0), ValueError, "kappa: expected finite numbers > 0, got 0.0"),
        (lambda: shrink([[1, 2]], HALF, math.nan), ValueError, "kappa: expected finite numbers > 0, got nan"),
        (lambda: shrink([[1, 2]], HALF, [1, 2]), ValueError, r"one number or shape \(1,\), got \(2,\)"),
    ],
)
def test_errors(call: object, error: type[Exception], message: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=message):
        call()
