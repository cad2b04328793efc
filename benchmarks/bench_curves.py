"""One curve of 5,000 tasks, 200 bins, window 30, order 4, against pandas."""

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

import habitus


def with_pandas(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    frame = pd.DataFrame({"bin": pd.cut(pd.Series(x), np.linspace(x.min(), x.max(), 201), include_lowest=True), "y": y})
    means = frame.groupby("bin", observed=True)["y"].mean()
    centers = pd.Series([interval.mid for interval in means.index])
    smooth = means.reset_index(drop=True).rolling(30).mean().dropna()
    return Polynomial.fit(centers.rolling(30).mean().dropna(), smooth, 4).convert().coef


def with_habitus(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    drawn = habitus.curves.curve(x, y)
    return Polynomial(drawn.coefficients, domain=drawn.domain).convert().coef


@pytest.mark.parametrize("draw", [with_habitus, with_pandas], ids=["habitus", "pandas"])
def bench_curve(benchmark: BenchmarkFixture, draw: object) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(3, 6, 5000)
    y = x + 0.4 * (x - 4.4) ** 2 + rng.normal(0, 0.1, 5000)
    assert callable(draw)
    places = np.linspace(3.5, 5.5, 20)
    np.testing.assert_allclose(Polynomial(draw(x, y))(places), Polynomial(with_habitus(x, y))(places), atol=1e-2)
    benchmark(draw, x, y)
