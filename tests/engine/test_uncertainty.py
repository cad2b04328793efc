"""Bootstraps: every resample is the curve of the repeated points, whatever the threads, weights and missing points."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests.reference import lowess as lowess_reference
from tests.reference import uncertainty as reference

from habitus import curves, uncertainty
from habitus.resampling import multiplicities
from habitus.uncertainty import Bootstrap, bootstrap_curves, bootstrap_lowess

# As plain Python (NUMBA_DISABLE_JIT=1) the kernels' generator warns that its 64-bit words wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")

MODELS, TURN = 4, 4.4


def planted(tasks: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Four models: a turn inside, the same with missing tasks, a turn beyond the data, one before it."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(3, 6, tasks)
    y = np.stack([x + 0.4 * (x - turn) ** 2 - (x - turn) + rng.normal(0, 0.2, tasks) for turn in (TURN, TURN, 8, 1)])
    y[1, rng.random(tasks) < 0.3] = math.nan
    return x, y


def assert_same(one: Bootstrap, other: Bootstrap, atol: float = 0) -> None:
    assert_array_equal(one.outcome, other.outcome)
    assert_allclose(one.turning_point, other.turning_point, rtol=0, atol=atol)
    assert_allclose(one.fitted, other.fitted, rtol=0, atol=atol)


@pytest.mark.parametrize("tasks", [300, 2000])
def test_every_resample_is_the_curve_of_its_repeated_points(tasks: int) -> None:
    x, y = planted(tasks)
    grid, support = np.linspace(3, 6, 41), (x.min(), x.max())
    drawn = bootstrap_curves(x, y, resamples=30, seed=5, grid=grid)
    for r, times in enumerate(multiplicities(30, tasks, seed=5)):
        for m in range(MODELS):
            expected = curves.curve(np.repeat(x, times), np.repeat(y[m], times), support=support)
            assert curves.OUTCOMES[drawn.outcome[r, m]] == expected.outcome
            assert_allclose(drawn.turning_point[r, m], expected.inversion, rtol=0, atol=1e-9)
            assert_allclose(drawn.fitted[r, m], expected.at(grid), rtol=0, atol=1e-10)
    assert set(np.unique(drawn.outcome)) >= {0, 1, 2}


@st.composite
def small_studies(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    tasks = draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = rng.choice([rng.uniform(3, 6, tasks), rng.integers(3, 7, tasks).astype(float), rng.normal(0, 100, tasks)])
    y = x[None] * rng.normal(size=(MODELS, 1)) + rng.normal(size=(MODELS, tasks))
    y[rng.random((MODELS, tasks)) < draw(st.sampled_from([0, 0.2, 0.9]))] = math.nan
    keys = {"bins": st.integers(1, 60), "window": st.integers(1, 35), "degree": st.integers(0, 6)}
    return x, y, {name: draw(value) for name, value in keys.items()}


@given(small_studies(), st.integers(0, 2**64 - 1))
def test_small_studies_too(study: tuple[np.ndarray, np.ndarray, dict[str, int]], seed: int) -> None:
    x, y, keys = study
    assume(not np.isnan(y).all())
    known = x[~np.isnan(y).all(axis=0)]
    low, high = known.min(), known.max()
    assume(low < high)
    drawn = bootstrap_curves(x, y, resamples=3, seed=seed, **keys)
    for r, times in enumerate(multiplicities(3, len(x), seed=seed)):
        for m in range(MODELS):
            expected = curves.curve(np.repeat(x, times), np.repeat(y[m], times), support=(low, high), **keys)
            found = curves.OUTCOMES[drawn.outcome[r, m]]
            assert found == expected.outcome
            assert_allclose(drawn.turning_point[r, m], expected.inversion, rtol=0, atol=1e-6 * (high - low))


def test_twin() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(3, 6, 400)
    y = x + 0.4 * (x - 4.4) ** 2 - (x - 4.4) + rng.normal(0, 0.1, 400)
    weights = rng.integers(0, 4, (4, 400)) / 4
    drawn = bootstrap_curves(x, [y], weights=weights, bins=25, window=4, support=(3, 6))
    for r in range(4):
        points = list(zip(x.tolist(), y.tolist(), weights[r].tolist(), strict=True))
        turns = reference.turns(*reference.smoothed(points, 25, 4, 3.0, 6.0), 4)
        assert drawn.outcome[r, 0] == 0
        assert turns[-1][0] <= drawn.turning_point[r, 0] <= turns[-1][1]


def test_unevenly_spread_bins_are_fitted_as_well() -> None:
    x = np.concatenate([np.arange(5) / 1000, [1.0]]) + 0.0005
    y = 3 - x + 7 * x**4
    grid = np.linspace(0.001, 0.999, 7)
    drawn = bootstrap_curves(x, [y], weights=np.ones((1, 6)), bins=1000, window=1, support=(0, 1.001), grid=grid)
    expected = curves.curve(x, y, bins=1000, window=1, support=(0, 1.001))
    assert_allclose(drawn.fitted[0, 0], expected.at(grid), rtol=0, atol=1e-7)


def test_curves_that_do_not_turn() -> None:
    x, _ = planted(500)
    flat = bootstrap_curves(x, [np.full(500, 4.7), np.full(500, 0.1), x * 0], resamples=50, seed=1)
    assert_array_equal(flat.outcome, 1)
    few = bootstrap_curves(x, [np.full(500, math.nan), np.where(x < 3.05, x, math.nan)], resamples=5, seed=1)
    assert_array_equal(few.outcome, 3)
    assert np.isnan(few.turning_point).all()
    assert bootstrap_curves([], [[]], resamples=3, seed=0).outcome.tolist() == [[3], [3], [3]]
    one = bootstrap_curves([2.0, 2.0], [[1.0, 3.0]], resamples=2, seed=0, bins=3, window=1, degree=0, grid=[2.0])
    assert_array_equal(one.outcome, 1)


@pytest.mark.parametrize("bootstrap", [bootstrap_curves, bootstrap_lowess])
def test_nothing_but_the_seed_changes_a_resample(bootstrap: object) -> None:
    assert callable(bootstrap)
    x, y = planted(300)
    grid = np.linspace(3.1, 5.9, 20)
    drawn = bootstrap(x, y, resamples=150, seed=9, grid=grid, threads=1)
    assert_same(drawn, bootstrap(x, y, resamples=150, seed=9, grid=grid, threads=3))
    fewer = bootstrap(x, y[[2, 0]], resamples=70, seed=9, grid=grid)
    assert_same(Bootstrap(*(part[:70, [2, 0]] for part in drawn[:2]), grid, drawn.fitted[:70, [2, 0]]), fewer, 1e-9)
    assert (bootstrap(x, y, resamples=150, seed=10, grid=grid).fitted != drawn.fitted).any()


@pytest.mark.parametrize("bootstrap", [bootstrap_curves, bootstrap_lowess])
def test_weights_are_the_same_resamples(bootstrap: object) -> None:
    assert callable(bootstrap)
    x, y = planted(280)
    grid = np.linspace(3.1, 5.9, 20)
    times = multiplicities(80, 280, seed=3)
    drawn = bootstrap(x, y, resamples=80, seed=3, grid=grid)
    assert_same(drawn, bootstrap(x, y, weights=times, grid=grid), 1e-9)
    repeated = bootstrap(np.tile(x, (80, 1)), np.tile(y, (80, 1, 1)), weights=times, grid=grid)
    assert_same(drawn, repeated, 1e-9)
    assert_same(drawn, bootstrap(np.tile(x, (80, 1)), y, seed=3, grid=grid), 1e-9)
    clusters = np.arange(280) // 7
    assert_same(
        bootstrap(x, y, resamples=80, seed=3, clusters=clusters, grid=grid),
        bootstrap(x, y, weights=multiplicities(80, 280, seed=3, clusters=clusters), grid=grid),
    )


def test_points_may_move() -> None:
    rng = np.random.default_rng(0)
    x, y = planted(600)
    moved_x = x + rng.normal(0, 0.05, (3, 600))
    moved_y = y + rng.normal(0, 0.05, (3, 1, 600))
    ones, grid = np.ones((3, 600)), np.linspace(3.2, 5.8, 9)
    support = (moved_x.min(), moved_x.max())
    drawn, smooth = (move(moved_x, moved_y, weights=ones, grid=grid) for move in (bootstrap_curves, bootstrap_lowess))
    for r in range(3):
        for m in range(MODELS):
            expected = curves.curve(moved_x[r], moved_y[r, m], support=support)
            assert_allclose(drawn.fitted[r, m], expected.at(grid), rtol=0, atol=1e-10)
            assert curves.OUTCOMES[drawn.outcome[r, m]] == expected.outcome
            assert_allclose(smooth.fitted[r, m], curves.lowess(moved_x[r], moved_y[r, m], grid), rtol=0, atol=1e-10)


@given(st.integers(0, 2**64 - 1), st.sampled_from([0.2, 0.5, 1.0]))
def test_smooths_twin(seed: int, fraction: float) -> None:
    rng = np.random.default_rng(seed)
    x, grid = rng.uniform(3, 6, 40), np.linspace(3, 6, 13)
    y = rng.normal(size=(2, 40))
    y[1, ::3] = math.nan
    drawn = bootstrap_lowess(x, y, resamples=2, seed=seed, fraction=fraction, grid=grid)
    for r, times in enumerate(multiplicities(2, 40, seed=seed)):
        for m in range(2):
            held = np.where(np.isnan(y[m]), 0, times)
            repeated = np.repeat(x, held).tolist(), np.repeat(y[m], held).tolist()
            expected = [lowess_reference.smooth(*repeated, at, fraction) for at in grid]
            assert_allclose(drawn.fitted[r, m], expected, rtol=0, atol=1e-7)


def test_a_planted_turn_lies_among_the_resamples() -> None:
    x, y = planted(1500)
    for bootstrap in (bootstrap_curves, bootstrap_lowess):
        drawn = bootstrap(x, y, resamples=20, seed=1)
        assert abs(np.median(drawn.turning_point[:, 0]) - TURN) < 0.25
        assert (drawn.outcome[:, 2] == 2).all()
        assert (drawn.outcome[:, 3] == 1).mean() > 0.9
    assert len(drawn.grid) == drawn.fitted.shape[2] == 200


def test_many_tasks_take_the_other_way() -> None:
    x, y = planted(uncertainty._MANY)
    many = bootstrap_curves(x, y, resamples=2, seed=1)
    assert_allclose(many.turning_point[:, 0], TURN, atol=0.05)
    few = bootstrap_curves(x[:-1], y[:, :-1], resamples=2, seed=1)
    again = bootstrap_curves(x[:-1], y[:, :-1], weights=multiplicities(2, len(x) - 1, seed=1))
    assert_same(few, again, 1e-9)


@given(st.lists(st.integers(-1, 6), max_size=300), st.integers(7, 80))
def test_every_task_has_a_cell_of_its_bin(bins_of: list[int], bins: int) -> None:
    layout = uncertainty._layout(np.array(bins_of, np.int32), bins)
    inside = layout.place[np.array(bins_of, np.int64) >= 0]
    assert len(np.unique(inside)) == len(inside)
    assert (inside < layout.start[-1]).all()
    assert (layout.place[np.array(bins_of, np.int64) < 0] == layout.start[-1]).all()
    for place, number in zip(layout.place, bins_of, strict=True):
        if number >= 0:
            group = np.searchsorted(layout.start, place, side="right") - 1
            assert layout.bin_of_slot[32 * group + (place - layout.start[group]) % 32] == number


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({}, ValueError, "either seed= .* or weights="),
        ({"seed": 1, "weights": [[1, 1, 1]]}, ValueError, "either seed= .* or weights="),
        ({"weights": [[1, 1]]}, ValueError, r"weights: expected shape \(resamples, 3\), got \(1, 2\)"),
        ({"weights": [[1, -1, 1]]}, ValueError, r"weights: expected finite numbers >= 0, got -1"),
        ({"weights": [["a", "b", "c"]]}, TypeError, "weights: expected real numbers"),
        ({"weights": [[1, 1, 1]], "clusters": [1, 1, 1]}, ValueError, "clusters: expected with seed="),
        ({"weights": [[1, 1, 1]], "resamples": 4}, ValueError, r"one number of resamples, got \[1, 4\]"),
        ({"seed": 1, "resamples": -1}, ValueError, "one number of resamples"),
        ({"seed": 2**64}, ValueError, "seed: expected an integer"),
        ({"seed": 1, "grid": [2, 1]}, ValueError, "grid: expected ascending x"),
    ],
)
def test_errors(keys: dict[str, object], error: type[Exception], message: str) -> None:
    for bootstrap in (bootstrap_curves, bootstrap_lowess):
        with pytest.raises(error, match=message):
            bootstrap([1, 2, 3], [[1, 2, 3]], **keys)


@pytest.mark.parametrize(
    ("x", "y", "keys", "message"),
    [
        ([1, 2], [1, 2], {}, r"got shapes \(2,\) and \(2,\)"),
        ([1, 2], [[1, 2, 3]], {}, r"got shapes \(2,\) and \(1, 3\)"),
        ([1, math.inf], [[1, 2]], {}, "entropy: expected finite numbers or NaN"),
        ([1, 2], [[1, math.inf]], {}, "cross_entropies: expected finite numbers or NaN"),
        ([1, 2], [[1, 2]], {"bins": 0}, "bins: expected at least 1, got 0"),
        ([1, 2], [[1, 2]], {"window": 0}, "window: expected at least 1, got 0"),
        ([1, 2], [[1, 2]], {"degree": -1}, "degree: expected at least 0, got -1"),
        ([1, 2], [[1, 2]], {"support": (2, 1)}, r"support: .* got \(2, 1\)"),
    ],
)
def test_errors_of_curves(x: list[float], y: list[float], keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_curves(x, y, seed=0, **keys)


def test_the_reference_is_exact() -> None:
    x, y = reference.smoothed([(0.0, 1.0, 1.0), (1.0, 3.0, 2.0)], 2, 1, 0.0, 1.0)
    assert (x, y) == ([Fraction(1, 4), Fraction(3, 4)], [Fraction(1), Fraction(3)])


# As plain Python the kernel warns of what it then finds.
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_heights_that_overflow_are_no_curve() -> None:
    x = np.linspace(1, 5, 400)
    drawn = bootstrap_curves(x, [1.7e308 * np.linspace(-1, 1, 400) ** 4], weights=np.ones((1, 400)), window=1)
    assert curves.OUTCOMES[drawn.outcome[0, 0]] == "undefined"
    assert np.isnan(drawn.turning_point).all()
