"""Tests of an inversion on 5,000 tasks: two lines, and the trend of skill beside statsmodels."""

from collections.abc import Callable

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus.inversion import trend, two_lines

TASKS = 5000

Reals = NDArray[np.float64]


def tasks() -> tuple[Reals, Reals, Reals]:
    """Gap, loss and entropy of a model that loses its skill below 4.5 bits."""
    rng = np.random.default_rng(0)
    x = rng.uniform(3, 5.5, TASKS)
    gap = 0.75 * (5.6 - x) ** 1.6
    return gap, np.where(rng.random(TASKS) < 0.9 * np.clip(x - 3.5, 0, 1), 0, gap), x


def trend_with_habitus(gap: Reals, loss: Reals, x: Reals) -> Reals:
    told = trend(gap, loss, x)
    return np.array([told.slope, told.error])


def trend_with_statsmodels(gap: Reals, loss: Reals, x: Reals) -> Reals:
    design = np.column_stack([gap, -gap * (x - np.average(x, weights=gap))])
    fitted = sm.WLS(loss, design, 1 / gap).fit(cov_type="HC3")
    return np.array([fitted.params[1], fitted.bse[1]])


def lines_with_habitus(loss: Reals, x: Reals) -> Reals:
    told = two_lines(x, x + loss)
    return np.array([told.left.slope, told.left.error, told.right.slope, told.right.error])


def lines_with_statsmodels(loss: Reals, x: Reals) -> Reals:
    """The regression alone, its break given."""
    left = (x <= two_lines(x, x + loss).break_x).astype(float)
    design = np.column_stack([left, 1 - left, left * x, (1 - left) * x])
    fitted = sm.OLS(x + loss, design).fit(cov_type="HC3")
    return np.array([fitted.params[2], fitted.bse[2], fitted.params[3], fitted.bse[3]])


@pytest.mark.parametrize("test", [trend_with_habitus, trend_with_statsmodels], ids=["habitus", "statsmodels"])
def bench_trend(benchmark: BenchmarkFixture, test: Callable[[Reals, Reals, Reals], Reals]) -> None:
    drawn = tasks()
    np.testing.assert_allclose(test(*drawn), trend_with_habitus(*drawn), rtol=1e-8)
    benchmark(test, *drawn)


def bench_two_lines(benchmark: BenchmarkFixture) -> None:
    _, *drawn = tasks()
    np.testing.assert_allclose(lines_with_statsmodels(*drawn), lines_with_habitus(*drawn), rtol=1e-6)
    benchmark(lines_with_habitus, *drawn)
