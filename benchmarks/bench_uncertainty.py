"""Bootstraps of 5,000 tasks against NumPy, pandas and statsmodels: `python -m benchmarks.bench_uncertainty` for ratios.

Rounds alternate between the contestants, in time of this thread alone. All must find the engine's turning points on
its resamples before the clock starts.
"""

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from benchmarks import timing
from benchmarks.timing import Contestant
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from statsmodels.nonparametric.smoothers_lowess import lowess as statsmodels_lowess

from habitus import curves, resampling
from habitus.uncertainty import bootstrap_curves, bootstrap_lowess

Reals = NDArray[np.float64]
Contest = dict[str, tuple[Callable[[int], Reals], int]]  # what runs so many resamples, and how many at once
TASKS, BINS, WINDOW, MODELS, SEED, ROUNDS = 5000, 200, 30, 4, 1, 7


def study(models: int = MODELS) -> tuple[Reals, Reals]:
    """Entropies, ascending so that nobody has to sort resamples, and cross-entropies that turn in the middle."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(3, 6, TASKS))
    return x, 4.4 + 0.4 * (x - 4.4) ** 2 + rng.normal(0, 0.2, (models, TASKS))


def last_minimum(x: Reals, y: Reals) -> float:
    """Of the polynomial of order 4 through the points."""
    middle, half = (x[-1] + x[0]) / 2, (x[-1] - x[0]) / 2
    slope = np.polyder(np.polyfit((x - middle) / half, y, 4))
    roots = np.roots(slope)
    inside = roots.real[(np.abs(roots.imag) < 1e-9) & (np.abs(roots.real) < 1)]
    minima = inside[np.polyval(np.polyder(slope), inside) > 0]
    return float(middle + half * minima.max()) if len(minima) else np.nan


def with_habitus(resamples: int) -> Reals:
    x, y = study(1)
    return bootstrap_curves(x, y, resamples=resamples, seed=SEED, threads=1).turning_point[:, 0]


def with_numpy(resamples: int) -> Reals:
    """Bins of the tasks once; then bincount, cumulative sums and a fit for each resample."""
    x, (y,) = study(1)
    low, high = x.min(), x.max()
    place = np.minimum(((x - low) / (high - low) * BINS).astype(np.int64), BINS - 1)
    center = low + (np.arange(BINS) + 0.5) * (high - low) / BINS
    rng, found = np.random.default_rng(SEED), np.empty(resamples)
    drawn = iter(draws(resamples)) if resamples <= CHECKED else (rng.integers(0, TASKS, TASKS) for _ in found)
    for r, chosen in enumerate(drawn):
        bins = place[chosen]
        count = np.bincount(bins, minlength=BINS)
        filled = count > 0
        mean = np.bincount(bins, weights=y[chosen], minlength=BINS)[filled] / count[filled]
        across, up = (np.cumsum(np.concatenate(([0.0], part))) for part in (center[filled], mean))
        found[r] = last_minimum((across[WINDOW:] - across[:-WINDOW]) / WINDOW, (up[WINDOW:] - up[:-WINDOW]) / WINDOW)
    return found


def with_pandas(resamples: int) -> Reals:
    """The way a researcher writes it."""
    x, (y,) = study(1)
    frame, edges = pd.DataFrame({"x": x, "y": y}), np.linspace(x.min(), x.max(), BINS + 1)
    found = np.empty(resamples)
    drawn = iter(draws(resamples)) if resamples <= CHECKED else (None for _ in found)
    for r, chosen in enumerate(drawn):
        sample = frame.sample(TASKS, replace=True, random_state=r) if chosen is None else frame.iloc[chosen]
        place = pd.cut(sample["x"], edges, labels=False, include_lowest=True)
        mean = sample["y"].groupby(place).mean()
        center = pd.Series((edges[:-1] + edges[1:])[mean.index] / 2, mean.index)
        points = pd.DataFrame({"x": center, "y": mean}).rolling(WINDOW).mean().dropna()
        found[r] = last_minimum(points["x"].to_numpy(), points["y"].to_numpy())
    return found


def smooths_with_habitus(resamples: int) -> Reals:
    x, y = study()
    return bootstrap_lowess(x, y, resamples=resamples, seed=SEED, threads=1).turning_point.ravel()


def smooths_with_statsmodels(resamples: int) -> Reals:
    x, y = study()
    grid = np.linspace(x.min(), x.max(), 200)
    smooth = np.empty((resamples, MODELS, 200))
    for r, chosen in enumerate(draws(resamples)):
        across = x[chosen]
        inside = (grid >= across[0]) & (grid <= across[-1])
        for m in range(MODELS):
            smooth[r, m] = statsmodels_lowess(y[m, chosen], across, frac=0.2, it=0, xvals=grid, is_sorted=True)
            smooth[r, m, ~inside] = np.nan
    return curves.turning_points(grid, smooth).x.ravel()


def draws(resamples: int) -> list[NDArray[np.int64]]:
    times = resampling.multiplicities(resamples, TASKS, seed=SEED)
    return [np.repeat(np.arange(TASKS), row) for row in times]


CHECKED = 5
# Resamples per round, so that none takes much longer than a tenth of a second.
CURVES: Contest = {
    "habitus": (with_habitus, 10_000),
    "numpy": (with_numpy, 500),
    "pandas": (with_pandas, 50),
}
SMOOTHS: Contest = {
    "habitus": (smooths_with_habitus, 200),
    "statsmodels": (smooths_with_statsmodels, 5),
}


def agree(contestants: Contest) -> None:
    expected = contestants["habitus"][0](CHECKED)
    for contestant, _ in contestants.values():
        np.testing.assert_allclose(contestant(CHECKED), expected, atol=1e-6)


def measure(benchmark: BenchmarkFixture, contestants: Contest, name: str) -> None:
    agree(contestants)
    contestant, resamples = contestants[name]
    benchmark.pedantic(contestant, (resamples,), rounds=3)
    benchmark.extra_info["resamples_per_second"] = round(resamples / benchmark.stats.stats.median)


@pytest.mark.parametrize("name", CURVES)
def bench_curves(benchmark: BenchmarkFixture, name: str) -> None:
    measure(benchmark, CURVES, name)


@pytest.mark.parametrize("name", SMOOTHS)
def bench_smooths(benchmark: BenchmarkFixture, name: str) -> None:
    measure(benchmark, SMOOTHS, name)


def compare(title: str, contestants: Contest) -> None:
    agree(contestants)
    jobs = {name: Contestant(functools.partial(run, size), size) for name, (run, size) in contestants.items()}
    costs = timing.in_turn(jobs, ROUNDS)
    print(title)
    for name, cost in costs.items():
        each = cost.processor
        print(f"  {name:12}{1e9 / each:12,.0f} resamples/s {each / costs['habitus'].processor:8.1f} x")


def main() -> None:
    compare("order-4 curve, one model, one thread", CURVES)
    compare(f"LOWESS, {MODELS} models, one thread", SMOOTHS)
    x, y = study()
    both = {"order-4 curves": bootstrap_curves, "LOWESS": bootstrap_lowess}
    jobs = {
        f"{name}, 1,000 x {MODELS} models, {threads} threads": Contestant(
            functools.partial(bootstrap, x, y, resamples=1000, seed=SEED, threads=threads), 1, threads
        )
        for name, bootstrap in both.items()
        for threads in (1, 2)
    }
    for name, cost in timing.in_turn(jobs, ROUNDS).items():
        print(f"{name}: {cost.clock * 1e-9:.3f} s")


if __name__ == "__main__":
    main()
