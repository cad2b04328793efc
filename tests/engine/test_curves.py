"""Bins, rolling means, fits, turning points and areas against twins and planted answers (method, section 5)."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial
from numpy.testing import assert_allclose, assert_array_equal
from tests.reference import curves as reference

from habitus.curves import (
    OUTCOMES,
    Curve,
    Fit,
    TurningPoint,
    area,
    bin_means,
    curve,
    fit,
    rolling_mean,
    turning_point,
    turning_points,
)

numbers = st.floats(-100, 100, allow_subnormal=False)
clouds = st.lists(st.tuples(numbers, st.one_of(numbers, st.just(math.nan))), min_size=1, max_size=40)


def with_slope(roots: list[float], scale: float, low: float = 0.0, high: float = 5.0) -> Fit:
    """A fit on [low, high] whose f' has these roots on [-1, 1]."""
    antiderivative = (scale * Polynomial.fromroots(roots)).integ()
    return Fit(antiderivative.coef, (low, high))


@given(clouds, st.integers(1, 30), st.tuples(numbers, numbers).map(sorted))
def test_bins_twin(cloud: list[tuple[float, float]], bins: int, support: list[float]) -> None:
    x, y = (list(column) for column in zip(*cloud, strict=True))
    low, high = support
    found, expected = bin_means(x, y, bins=bins, support=(low, high)), reference.bin_means(x, y, bins, low, high)
    assert_allclose(found.center, expected[0], rtol=0, atol=1e-11)
    assert_allclose(found.mean, expected[1], rtol=0, atol=1e-11)
    assert_array_equal(found.count, expected[2])


def test_bins_by_hand() -> None:
    found = bin_means([0, 1, 1.9, 2, 4, 10], [1, 2, 3, 4, 5, math.nan], bins=2)
    assert_array_equal(found.center, [1, 3])
    assert_array_equal(found.mean, [2, 4.5])
    assert_array_equal(found.count, [3, 2])
    assert_array_equal(bin_means([0, 10], [1, 2], bins=10).center, [0.5, 9.5])
    assert_array_equal(bin_means([0, 5, 11], [1, 2, 3], bins=1, support=(0, 10)).count, [2])


@given(clouds, st.integers(1, 30))
def test_every_known_point_is_in_one_bin(cloud: list[tuple[float, float]], bins: int) -> None:
    x, y = np.array(cloud).T
    found = bin_means(x, y, bins=bins)
    assert found.count.sum() == (~np.isnan(y)).sum()
    assert_allclose((found.mean * found.count).sum(), np.nansum(y), rtol=0, atol=1e-9)


def test_one_place_is_one_bin() -> None:
    assert [field.tolist() for field in bin_means([3, 3], [1, 2])] == [[3.0], [1.5], [2]]


def test_nothing_known_is_no_bin() -> None:
    for x, y in [([], []), ([1.0], [math.nan]), ([math.nan], [1.0])]:
        assert [len(field) for field in bin_means(x, y)] == [0, 0, 0]


@given(st.lists(numbers, max_size=60), st.integers(1, 40))
def test_rolling_mean_twin(values: list[float], window: int) -> None:
    found = rolling_mean(values, window)
    assert_allclose(found, reference.rolling_mean(values, window), rtol=0, atol=1e-11)
    assert len(found) == max(0, len(values) - window + 1)


def test_rolling_mean_is_centred() -> None:
    x = np.linspace(0, 5, 101)
    assert_allclose(rolling_mean(3 * x - 2, 30), 3 * rolling_mean(x, 30) - 2, rtol=0, atol=1e-12)
    assert rolling_mean(x, 30)[0] == pytest.approx((x[0] + x[29]) / 2)


@given(st.lists(st.tuples(st.floats(3.5, 5.5), st.floats(3, 7)), min_size=8, max_size=30), st.integers(0, 4))
def test_fit_is_least_squares(cloud: list[tuple[float, float]], degree: int) -> None:
    x, y = np.array(cloud).T
    assume(len(np.unique(np.round(x, 1))) > degree + 2)
    exact = reference.least_squares(x.tolist(), y.tolist(), degree)
    assert_allclose(fit(x, y, degree).at(x), [reference.value(exact, place) for place in x], rtol=0, atol=1e-7)


def test_fit_recovers_a_polynomial_far_from_zero() -> None:
    x = np.linspace(1000, 1001, 50)
    y = 3 - (x - 1000.5) + 40 * (x - 1000.5) ** 4
    assert_allclose(fit(x, y, 4).at(x), y, rtol=0, atol=1e-9)


def test_fit_says_nothing_outside_its_data() -> None:
    fitted = fit([0, 1, 2], [0, 1, 4], 2)
    assert_allclose(fitted.at([0, 1.5, 2]), [0, 2.25, 4], atol=1e-12)
    assert np.isnan(fitted.at([-0.01, 2.01])).all()


@given(st.lists(st.integers(-19, 19), min_size=1, max_size=4, unique=True), st.sampled_from([-3.0, -0.01, 0.5, 20.0]))
def test_planted_critical_points(places: list[int], scale: float) -> None:
    roots = sorted(place / 10 for place in places)
    fitted = with_slope(roots, scale)
    rising = [math.prod(u - root for root in roots) * scale > 0 for u in (root + 0.05 for root in roots)]
    minima = [root for root, up in zip(roots, rising, strict=True) if up and -1 < root < 1]
    found = turning_point(fitted)
    if minima:
        assert found == (pytest.approx((minima[-1] + 1) * 2.5, abs=1e-6), "value")
    else:
        falls = math.prod(0.99 - root for root in roots) * scale < 0
        assert found.outcome == ("censored" if falls else "none")
        assert math.isnan(found.x)


@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.integers(-18, 0)).map(lambda c: c[0] * 10.0 ** c[1]), min_size=5, max_size=5
    )
)
def test_turning_point_is_the_last_dip_of_the_drawn_curve(coefficients: list[float]) -> None:
    fitted = Fit(np.array(coefficients), (2.0, 6.0))
    x = np.linspace(2, 6, 4001)
    place = reference.last_minimum(fitted.at(x).tolist())
    found = turning_point(fitted)
    scale = np.abs(coefficients).max()
    if found.outcome == "value":
        assert fitted.at(found.x) <= fitted.at(np.clip([found.x - 1e-3, found.x + 1e-3], 2, 6)).min() + 1e-9 * scale
    dip = (
        place is not None and min(fitted.at(x[[place - 9, min(place + 9, 4000)]])) - fitted.at(x[place]) > 1e-9 * scale
    )
    if dip and place > 9:
        assert found.x >= x[place] - 2e-3


def test_an_inflection_is_no_turn() -> None:
    assert turning_point(with_slope([0.3, 0.3], -1.0)).outcome == "censored"
    assert turning_point(with_slope([0.3, 0.3], 1.0)).outcome == "none"
    assert turning_point(with_slope([0.2, 0.2, 0.2], 1.0)).outcome == "value"


def test_a_constant_has_no_turn() -> None:
    x = np.linspace(3, 5, 60)
    assert turning_point(fit(x, np.full(60, 4.7), 4)) == TurningPoint(pytest.approx(math.nan, nan_ok=True), "none")


def planted(turn: float, points: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(3, 6, points)
    return x, x + 0.4 * (x - turn) ** 2 - (x - turn) + rng.normal(0, 0.01, points)


def test_a_planted_turn_is_found() -> None:
    drawn = curve(*planted(4.4))
    assert drawn.outcome == "value"
    assert drawn.inversion == pytest.approx(4.4, abs=0.02)
    assert len(drawn.x) == len(drawn.y) == 171
    assert drawn.domain == (drawn.x.min(), drawn.x.max())
    assert_allclose(drawn.at(drawn.x), drawn.y, atol=0.01)


def test_a_turn_beyond_the_data_is_censored_and_before_it_none() -> None:
    assert curve(*planted(7.0)).outcome == "censored"
    assert curve(*planted(1.0)).outcome == "none"


def test_a_support_makes_models_comparable() -> None:
    x, y = planted(4.4)
    few = x > 4
    drawn = curve(x[few], y[few], support=(3.0, 6.0))
    assert_allclose(np.diff(drawn.x), 3 / 200, rtol=1e-9)


def test_missing_points_are_left_out() -> None:
    x, y = planted(4.4)
    hidden = np.where(np.arange(len(x)) % 3 == 0, math.nan, y)
    known = ~np.isnan(hidden)
    one, other = curve(x, hidden, support=(3, 6)), curve(x[known], y[known], support=(3, 6))
    assert one.inversion == other.inversion
    assert_array_equal(one.y, other.y)


@pytest.mark.parametrize("bins", [3, 33])
def test_too_few_bins_are_undefined(bins: int) -> None:
    x = np.arange(bins) + 0.5
    drawn = curve(x, x, support=(0, 200))
    assert drawn.outcome == "undefined"
    assert math.isnan(drawn.inversion)
    assert len(drawn.x) == len(drawn.y) == len(drawn.coefficients) == 0
    assert np.isnan(drawn.at([1.0, 2.0])).all()
    assert turning_point(drawn.fit).outcome == "undefined"
    assert math.isnan(area(drawn, drawn))


def test_window_plus_degree_bins_are_enough() -> None:
    x = np.arange(34) + 0.5
    assert curve(x, x, support=(0, 200)).outcome != "undefined"


def line(slope: float, at_zero: float, low: float, high: float) -> Curve:
    x = np.linspace(low, high, 20)
    y = slope * x + at_zero
    return Curve(x, y, *fit(x, y, 1), math.nan, "none")


def test_area_of_lines() -> None:
    chance = line(1.0, 2.0, 3, 6)
    assert area(chance, chance) == pytest.approx(1)
    assert area(line(1.0, 0.0, 3, 6), chance) == pytest.approx(0, abs=1e-12)
    assert area(line(1.0, 0.5, 2, 7), chance) == pytest.approx(0.25)
    # f - x = x - 4 on the common [4, 6]: 2; chance: 4.
    assert area(line(2.0, -4.0, 4, 8), chance) == pytest.approx(0.5)


def test_area_is_undefined_without_a_common_support_or_a_gap() -> None:
    chance = line(1.0, 2.0, 3, 6)
    assert math.isnan(area(line(1.0, 0.5, 6, 8), chance))
    assert math.isnan(area(chance, line(1.0, 0.0, 3, 6)._replace(coefficients=np.array([4.5, 1.5]))))
    assert math.isnan(area(chance, line(1.0, -0.5, 3, 6)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bin_means([1, 2], [1]), "as many x as y, got 2 and 1"),
        (lambda: bin_means([1], [1], bins=0), "bins: expected at least 1, got 0"),
        (lambda: bin_means([1], [1], support=(2, 1)), r"support: .* got \(2, 1\)"),
        (lambda: bin_means([1], [1], support=(math.nan, 1)), "support: "),
        (lambda: bin_means([math.inf], [1]), "x: expected finite numbers, got inf at 0"),
        (lambda: bin_means([[1]], [[1]]), r"x: expected a 1-d array, got shape \(1, 1\)"),
        (lambda: rolling_mean([1, 2], 0), "window: expected at least 1, got 0"),
        (lambda: fit([1, 1, 1], [1, 2, 3], 1), r"3 x \(1 distinct\)"),
        (lambda: fit([1, 2, 3], [1, 2], 1), "2 y"),
        (lambda: fit([1, 2, 3], [1, 2, math.nan], 1), "known points, got NaN"),
    ],
)
def test_errors(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()


def test_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 140_000))
    for one, many in zip(bin_means(x, y, threads=1), bin_means(x, y, threads=5), strict=True):
        assert_array_equal(one, many)
    for window in (1, 7, 1000, 70_000):
        assert_array_equal(rolling_mean(y, window, threads=1), rolling_mean(y, window, threads=5))


def test_a_rolling_mean_of_many_values_keeps_its_digits() -> None:
    values = np.concatenate([np.full(300_000, 1e12), np.full(300_000, 1e-3)])
    found = rolling_mean(values, 1000)
    assert_allclose(found[300_000:], 1e-3, rtol=1e-12)
    values[150_000] = math.nan
    assert np.flatnonzero(np.isnan(rolling_mean(values, 1000))).tolist() == list(range(149_001, 150_001))


@given(st.lists(st.integers(0, 6), min_size=3, max_size=30))
def test_turning_point_of_heights(heights: list[int]) -> None:
    grid = np.arange(len(heights)) / 2 + 3
    found = turning_points(grid, heights)
    place = reference.last_valley(heights)
    steps = [b - a for a, b in itertools.pairwise(heights) if a != b]
    if place is None:
        assert OUTCOMES[int(found.outcome)] == ("censored" if steps and steps[-1] < 0 else "none")
        assert math.isnan(found.x)
    else:
        assert OUTCOMES[int(found.outcome)] == "value"
        first, last = place
        assert abs(found.x - (grid[first] + grid[last]) / 2) <= (0.25 if first == last else 1e-12)


@given(st.floats(0.1, 3.9), st.floats(0.1, 10), st.floats(-5, 5))
def test_a_parabola_turns_at_its_vertex(vertex: float, scale: float, level: float) -> None:
    grid = np.array([0, 0.05, 0.5, 1, 1.2, 2, 3, 3.5, 3.95, 4])
    assert turning_points(grid, scale * (grid - vertex) ** 2 + level).x == pytest.approx(vertex, abs=0.5)
    even = np.linspace(-0.5, 4.5, 51)
    assert turning_points(even, scale * (even - vertex) ** 2 + level).x == pytest.approx(vertex, abs=1e-9)


def test_turning_points_of_many_curves() -> None:
    nan = math.nan
    grid = [0, 1, 2, 3, 4]
    heights = [
        [[3, 1, 2, 1, 2], [5, 4, 3, 2, 1], [1, 2, 3, 4, 5], [1, 1, 1, 1, 1]],
        [[nan, 3, 1, 3, nan], [nan, nan, 1, 2, nan], [3, 1, nan, 1, 3], [nan] * 5],
    ]
    found = turning_points(grid, heights)
    assert found.outcome.tolist() == [[0, 2, 1, 1], [0, 3, 3, 3]]
    assert_array_equal(found.x, [[3, nan, nan, nan], [2, nan, nan, nan]])
    assert turning_points([0, 1], [[1, 2]]).outcome.tolist() == [3]
    assert turning_points(grid, [0.1, 0.1 + 1e-17, 0.1, 0.1 + 1e-16, 0.2]).outcome == 1
    assert turning_points(grid, np.empty((0, 5))).x.shape == (0,)


@pytest.mark.parametrize("grid", [[0, 1], [0, 2, 1]])
def test_turning_points_need_an_ascending_grid(grid: list[float]) -> None:
    with pytest.raises(ValueError, match="expected an ascending grid and heights"):
        turning_points(grid, [1.0, 2.0, 3.0])
