"""One smooth of 5,000 raw points at 200 places, window a fifth of them, against statsmodels."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from statsmodels.nonparametric.smoothers_lowess import lowess as statsmodels_lowess

from habitus import curves

Reals = NDArray[np.float64]


def with_habitus(x: Reals, y: Reals, grid: Reals) -> Reals:
    return curves.lowess(x, y, grid)


def with_statsmodels(x: Reals, y: Reals, grid: Reals) -> Reals:
    return statsmodels_lowess(y, x, frac=0.2, it=0, xvals=grid)


@pytest.mark.parametrize("smooth", [with_habitus, with_statsmodels], ids=["habitus", "statsmodels"])
def bench_lowess(benchmark: BenchmarkFixture, smooth: Callable[[Reals, Reals, Reals], Reals]) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(3, 6, 5000)
    y, grid = x + 0.4 * (x - 4.4) ** 2 + rng.normal(0, 0.3, 5000), np.linspace(x.min(), x.max(), 200)
    np.testing.assert_allclose(smooth(x, y, grid), with_habitus(x, y, grid), rtol=0, atol=1e-9)
    benchmark(smooth, x, y, grid)
