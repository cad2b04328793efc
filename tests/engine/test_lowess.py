"""Locally weighted lines against a slow twin, statsmodels, and repeated points."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.nonparametric.smoothers_lowess import lowess as statsmodels_lowess
from tests.reference import lowess as reference

from habitus.curves import lowess

tenths = st.integers(0, 60).map(lambda n: n / 10)
clouds = st.lists(st.tuples(tenths, tenths), min_size=1, max_size=40)
fractions = st.sampled_from([0.1, 0.2, 0.5, 2 / 3, 1.0])


def noisy(points: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(4.5, 0.5, points)
    return x, x + 0.4 * (x - 4.4) ** 2 + rng.normal(0, 0.3, points)


@given(clouds, fractions)
def test_twin(cloud: list[tuple[float, float]], fraction: float) -> None:
    x, y = (list(column) for column in zip(*cloud, strict=True))
    grid = np.linspace(-0.5, 6.5, 29)
    expected = [reference.smooth(x, y, at, fraction) for at in grid]
    assert_allclose(lowess(x, y, grid, fraction=fraction), expected, rtol=0, atol=1e-8)


@given(clouds, fractions, st.data())
def test_whole_weights_are_repeated_points(
    cloud: list[tuple[float, float]], fraction: float, data: st.DataObject
) -> None:
    x, y = np.array(cloud).T
    times = data.draw(st.lists(st.integers(0, 4), min_size=len(x), max_size=len(x)))
    grid = np.linspace(0, 6, 25)
    once = lowess(x, y, grid, fraction=fraction, weights=times)
    again = lowess(np.repeat(x, times), np.repeat(y, times), grid, fraction=fraction)
    assert_allclose(once, again, rtol=0, atol=1e-8)


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("points", [50, 333, 5000])
def test_unit_weights_are_statsmodels(points: int, fraction: float) -> None:
    x, y = noisy(points)
    grid = np.linspace(x.min(), x.max(), 200)
    expected = statsmodels_lowess(y, x, frac=fraction, it=0, xvals=grid)
    assert_allclose(lowess(x, y, grid, fraction=fraction), expected, rtol=0, atol=1e-9)


@given(st.floats(0.1, 100), st.floats(-3, 3), st.floats(-5, 5), fractions)
def test_a_straight_line_stays_one(scale: float, slope: float, level: float, fraction: float) -> None:
    x, _ = noisy(80)
    grid = np.linspace(x.min(), x.max(), 30)
    weights = scale * np.random.default_rng(1).random(80)
    found = lowess(x, slope * x + level, grid, fraction=fraction, weights=weights)
    assert_allclose(found, slope * grid + level, rtol=0, atol=1e-9)


def test_real_weights_have_no_unit() -> None:
    x, y = noisy(200)
    grid, weights = np.linspace(3.5, 5.5, 20), np.random.default_rng(1).random(200)
    assert_allclose(lowess(x, y, grid, weights=weights), lowess(x, y, grid, weights=7.3 * weights), rtol=1e-9)


def test_the_order_of_points_and_places_does_not_matter() -> None:
    x, y = noisy(200)
    grid = np.array([5.0, 4.0, 4.5])
    ascending = lowess(np.sort(x), y[np.argsort(x)], np.sort(grid))
    assert_allclose(lowess(x, y, grid), ascending[[2, 0, 1]], rtol=1e-12)


def test_missing_points_are_left_out() -> None:
    x, y = noisy(200)
    grid = np.linspace(3.5, 5.5, 20)
    hidden, unplaced = np.where(np.arange(200) % 3, y, math.nan), np.where(np.arange(200) % 5, x, math.nan)
    known = (np.arange(200) % 3 > 0) & (np.arange(200) % 5 > 0)
    assert_array_equal(lowess(unplaced, hidden, grid), lowess(x[known], y[known], grid))


def test_a_narrow_cluster_far_from_the_place_keeps_its_digits() -> None:
    x = np.concatenate([[0.0], 1000 + np.arange(50) / 1e4])
    assert_allclose(lowess(x, 2 * x - 1, [999.0, 1000.002], fraction=0.5), [1997.0, 1999.004], rtol=0, atol=1e-6)


def test_no_line_no_number() -> None:
    assert np.isnan(lowess([], [], [1.0])).all()
    assert np.isnan(lowess([1, 2, 3], [1, 2, 3], [0.9, 3.1], fraction=1)).all()
    assert np.isnan(lowess([2, 2, 2, 2], [1, 2, 3, 4], [2.0], fraction=1)).all()
    assert np.isnan(lowess([0, 1, 1, 2], [1, 2, 3, 4], [1.0], fraction=1)).all()
    assert np.isnan(lowess([1, 2], [1, 2], [1.5], weights=[0, 0])).all()
    assert lowess([1, 2], [1, 2], []).shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lowess([1, 2], [1], [1]), "as many x as y and weights, got 2, 1 and 2"),
        (lambda: lowess([1], [1], [1], weights=[1, 1]), "got 1, 1 and 2"),
        (lambda: lowess([1], [1], [1], weights=[-1]), "weights: expected numbers >= 0, got -1.0 at 0"),
        (lambda: lowess([1], [1], [1], weights=[math.nan]), "weights: expected numbers >= 0, got nan at 0"),
        (lambda: lowess([1], [1], [1], fraction=0), r"fraction: expected a number in \(0, 1\], got 0"),
        (lambda: lowess([1], [1], [math.inf]), "grid: expected finite numbers"),
    ],
)
def test_errors(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("points", [20, 30, 64])
def test_the_bits_do_not_depend_on_where_memory_is_free(points, monkeypatch):
    """Arrays of scratch side by side are added up in another order: of 20 points half of the smooth differs."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(3, 5, points), rng.normal(size=points)
    grid = np.linspace(x.min(), x.max(), 200)
    expected = lowess(x, y, grid, fraction=0.4)
    for gap in (64, 1000):
        monkeypatch.setattr("habitus.lowess._GAP", gap)
        assert np.array_equal(lowess(x, y, grid, fraction=0.4), expected, equal_nan=True)
