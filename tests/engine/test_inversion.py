"""Two lines and the trend of skill: against statsmodels, their laws, and their size and power in simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from tests.reference import inversion as reference

from habitus.inversion import trend, two_lines

Reals = NDArray[np.float64]

numbers = st.one_of(st.floats(-100, 100, allow_subnormal=False), st.just(math.nan), st.integers(-2, 2).map(float))
seeds = st.integers(0, 2**32 - 1)


def bent(rng: np.random.Generator, points: int = 200, noise: float = 0.3) -> tuple[Reals, Reals]:
    """A V at 0.2 with noise that grows to the right."""
    x = rng.uniform(-1, 1, points)
    return x, np.abs(x - 0.2) + noise * (1.5 + x) * rng.standard_normal(points)


def played(rng: np.random.Generator, tasks: int = 800, skill_at: float | None = None) -> tuple[Reals, Reals, Reals]:
    """Gap, loss and x of a mixture: perfect with the probability of its skill, else random; gap shrinks to 0 at 5.6.

    Skill is 0.1, or 0.9 from ``skill_at`` on and linear to 0 one bit below.
    """
    x = np.clip(rng.choice([4.4, 5.2], tasks) + rng.normal(0, 0.25, tasks), 3.5, 5.55)
    gap = 0.75 * (5.6 - x) ** 1.6
    skill = np.full(tasks, 0.1) if skill_at is None else 0.9 * np.clip(x - skill_at + 1, 0, 1)
    return gap, np.where(rng.random(tasks) < skill, 0, gap * rng.gamma(8, 1 / 8, tasks)), x


@given(seeds, st.sampled_from([0.2, 0.35]), st.sampled_from([0, 1]))
@settings(max_examples=25)
def test_two_lines_twin(seed: int, fraction: float, clustered: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = bent(rng, 80)
    x, y = x[np.argsort(x)], y[np.argsort(x)]
    clusters = np.arange(80) % 11 if clustered else None
    told = two_lines(x, y, fraction=fraction, clusters=clusters)
    twin = reference.two_lines(x, y, fraction, clusters)
    assert told.break_x == pytest.approx(twin.place, abs=1e-9)
    assert_allclose([told.left.slope, told.right.slope], twin.slopes, rtol=1e-8)
    assert_allclose([told.left.error, told.right.error], twin.errors, rtol=1e-8)
    assert told.left.points + told.right.points == 80


@given(seeds, st.sampled_from([0, 1]))
def test_trend_twin(seed: int, clustered: int) -> None:
    rng = np.random.default_rng(seed)
    gap, loss, x = played(rng, 60, 4.8)
    clusters = rng.integers(5, 17, 60) if clustered else None
    told, twin = trend(gap, loss, x, clusters=clusters), reference.trend(gap, loss, x, clusters)
    assert_allclose((told.center, told.skill, told.slope), (twin.place, *twin.slopes), rtol=1e-9, atol=1e-12)
    assert told.error == pytest.approx(twin.errors[1], rel=1e-8)


def test_p_is_that_of_the_normal_distribution() -> None:
    told = two_lines(*bent(np.random.default_rng(1)))
    assert told.left.z == told.left.slope / told.left.error
    for z, p in ((1.959963984540054, 0.05), (2.5758293035489004, 0.01)):
        assert math.erfc(z / math.sqrt(2)) == pytest.approx(p)
    assert told.left.p == pytest.approx(math.erfc(-told.left.z / math.sqrt(2)))
    assert told.p == max(told.left.p, told.right.p)


def test_a_planted_v_is_found_and_a_line_is_not() -> None:
    rng = np.random.default_rng(0)
    x, y = bent(rng)
    told = two_lines(x, y)
    assert told.exists
    assert told.break_x == pytest.approx(0.2, abs=0.35)
    assert not two_lines(x, x + rng.standard_normal(200)).exists
    assert not two_lines(x, -y).exists
    assert two_lines(x, -y).p > 0.05


@given(seeds, st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=30)
def test_neither_unit_nor_origin_nor_order_matters(seed: int, unit: float, origin: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = bent(rng, 60)
    told, order = two_lines(x, y), rng.permutation(60)
    moved = two_lines(unit * x[order] + origin, unit * y[order] - origin)
    assert moved.break_x == pytest.approx(unit * told.break_x + origin, rel=1e-6, abs=1e-6)
    assert (moved.left.z, moved.right.z) == pytest.approx((told.left.z, told.right.z), rel=1e-6)
    gap, loss, at = played(rng, 60)
    assert trend(unit * gap[order], unit * loss[order], at[order] + origin).z == pytest.approx(
        trend(gap, loss, at).z, rel=1e-6, abs=1e-9
    )


@given(st.lists(st.tuples(numbers, numbers, numbers), max_size=30), st.sampled_from([0, 1]))
def test_no_number_is_invented(points: list[tuple[float, float, float]], clustered: int) -> None:
    x, y, gap = (np.array(column, dtype=float) for column in (zip(*points, strict=True) if points else ([], [], [])))
    clusters = np.arange(len(x)) % 3 if clustered else None
    told, tested = two_lines(x, y, clusters=clusters), trend(gap, y, x, clusters=clusters)
    known = ~(np.isnan(x) | np.isnan(y))
    if len(np.unique(x[known])) < 4:
        assert not told.exists
    if told.exists:
        assert told.left.z < -1.9
        assert told.right.z > 1.9
        assert x[known].min() <= told.break_x <= x[known].max()
    counted = known & (gap > 0)
    assert tested.tasks == counted.sum()
    for line in (told.left, told.right, tested):
        assert math.isnan(line.p) or 0 <= line.p <= 1
        assert not math.isinf(line.z)


def test_missing_points_are_left_out() -> None:
    rng = np.random.default_rng(3)
    x, y = bent(rng)
    hole = rng.random(200) < 0.3
    assert two_lines(np.where(hole, np.nan, x), y) == two_lines(x[~hole], y[~hole])
    assert two_lines(x, np.where(hole, np.nan, y)) == two_lines(x[~hole], y[~hole])
    gap, loss, at = played(rng, 200)
    assert trend(np.where(hole, 0, gap), loss, at) == trend(gap[~hole], loss[~hole], at[~hole])


@pytest.mark.parametrize("y", [lambda x: 0 * x + 3.7, lambda x: 0.3 * x + 0.1, np.exp])
def test_what_does_not_turn_has_no_inversion(y: object) -> None:
    x = np.linspace(0.1, 3, 50)
    assert callable(y)
    assert not two_lines(x, y(x)).exists


def test_perfect_and_hopeless_models_have_a_skill_and_no_trend() -> None:
    x = np.linspace(3, 5, 40)
    gap = 5.6 - x
    perfect, chance = trend(gap, 0 * gap, x), trend(gap, gap, x)
    assert (perfect.skill, chance.skill) == (1, pytest.approx(0, abs=1e-12))
    assert math.isnan(perfect.p)
    assert math.isnan(chance.p)


def test_skill_is_the_ratio_of_sums() -> None:
    gap, loss, x = played(np.random.default_rng(0))
    told = trend(gap, loss, x)
    assert told.skill == pytest.approx(1 - loss.sum() / gap.sum())
    assert told.center == pytest.approx(np.average(x, weights=gap))


def test_one_cluster_says_nothing() -> None:
    x, y = bent(np.random.default_rng(0))
    told = two_lines(x, y, clusters=np.zeros(200, int))
    assert math.isnan(told.left.p)
    assert not told.exists


def test_constant_skill_inverts_but_has_no_trend() -> None:
    """In 2,000 simulations trend found something in 4.9 % of them, two lines in 49 % of 300: why both are asked."""
    found = [played(np.random.default_rng(seed)) for seed in range(400)]
    size = np.mean([trend(*drawn).p < 0.05 for drawn in found])
    assert 0.03 < size < 0.08
    assert np.mean([two_lines(x, x + loss).exists for _, loss, x in found[:40]]) > 0.25


def test_a_planted_breakpoint_has_both() -> None:
    drawn = [played(np.random.default_rng(seed), 800, 4.8) for seed in range(40)]
    assert all(trend(*one).p < 0.05 and trend(*one).slope > 0 for one in drawn)
    assert np.mean([two_lines(x, x + loss).exists for _, loss, x in drawn]) > 0.9


@pytest.mark.parametrize(
    ("call", "problem", "message"),
    [
        (lambda: two_lines([1, 2], [1]), ValueError, "as many x as y, got 2 and 1"),
        (lambda: two_lines([1, math.inf], [1, 2]), ValueError, "x: expected finite numbers, got inf at 1"),
        (lambda: two_lines([1, 2], [1, 2], clusters=[0.5, 1]), TypeError, "clusters: expected integers, got float64"),
        (lambda: two_lines([1, 2], [1, 2], clusters=[0]), ValueError, r"clusters: expected shape \(2,\), got \(1,\)"),
        (lambda: two_lines(range(9), range(9), fraction=0), ValueError, r"fraction: expected a number in \(0, 1\]"),
        (lambda: trend([1], [1, 2], [1]), ValueError, "as many gap as loss and x, got 1, 2 and 1"),
    ],
)
def test_what_is_wrong_is_named(call: object, problem: type[Exception], message: str) -> None:
    assert callable(call)
    with pytest.raises(problem, match=message):
        call()
