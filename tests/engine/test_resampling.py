"""Resamples: what is drawn, that it depends on the seed and its number alone, and what callers are told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests.reference import resampling as reference

from habitus import resampling
from habitus.resampling import multiplicities

# As plain Python (NUMBA_DISABLE_JIT=1) the kernels' generator warns that its 64-bit words wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")


@given(st.integers(0, 2**64 - 1), st.integers(1, 3000))
def test_draws_twin(seed: int, tasks: int) -> None:
    found = multiplicities(2, tasks, seed=seed)
    expected = [np.bincount(reference.draws(seed, resample, tasks), minlength=tasks) for resample in range(2)]
    assert_array_equal(found, expected)


@given(st.integers(0, 2**64 - 1), st.integers(0, 300), st.integers(0, 130))
def test_a_resample_is_as_large_as_the_sample(seed: int, tasks: int, resamples: int) -> None:
    found = multiplicities(resamples, tasks, seed=seed)
    assert found.shape == (resamples, tasks)
    assert_array_equal(found.sum(axis=1), tasks)
    assert found.min(initial=0) >= 0


def test_more_resamples_begin_with_the_same() -> None:
    assert_array_equal(multiplicities(200, 50, seed=4)[:70], multiplicities(70, 50, seed=4))
    assert (multiplicities(2, 50, seed=4) != multiplicities(2, 50, seed=5)).any()


def test_a_cluster_comes_whole() -> None:
    clusters = np.repeat([7, -2, 9, 4], [1, 2, 3, 4])
    found = multiplicities(50, 10, seed=1, clusters=clusters)
    first = found[:, [0, 1, 3, 6]]
    assert_array_equal(found, np.repeat(first, [1, 2, 3, 4], axis=1))
    assert_array_equal(first.sum(axis=1), 4)
    assert_array_equal(multiplicities(50, 10, seed=1, clusters=np.arange(10)), multiplicities(50, 10, seed=1))


def test_each_task_is_drawn_as_often_as_any_other() -> None:
    tasks, resamples = 50, 2000
    drawn = multiplicities(resamples, tasks, seed=8)
    # Binomial: mean 1 and variance 1 - 1/50 each; the covariance of two is -1/50.
    assert np.abs(drawn.mean(axis=0) - 1).max() < 5 / np.sqrt(resamples)
    covariance = np.cov(drawn.T)
    assert np.abs(np.diag(covariance) - 0.98).max() < 0.2
    assert abs(covariance[~np.eye(tasks, dtype=bool)].mean() + 0.02) < 1e-3


def test_models_with_the_same_missing_points_are_one_pattern() -> None:
    assert resampling.patterns(np.array([[1, 0], [0, 0], [1, 0], [0, 1]], np.bool_)).tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: multiplicities(-1, 2, seed=0), ValueError, "resamples and tasks >= 0, got -1 and 2"),
        (lambda: multiplicities(1, 2, seed=-1), ValueError, r"seed: expected an integer in \[0, 2\*\*64\), got -1"),
        (lambda: multiplicities(1, 2, seed=0, clusters=[0.5, 1]), TypeError, "clusters: expected integers"),
        (
            lambda: multiplicities(1, 2, seed=0, clusters=[0]),
            ValueError,
            r"clusters: expected shape \(2,\), got \(1,\)",
        ),
    ],
)
def test_errors(call: object, error: type[Exception], message: str) -> None:
    assert callable(call)
    with pytest.raises(error, match=message):
        call()
