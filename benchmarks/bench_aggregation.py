"""Ten million scores in 200 groups: `python -m benchmarks.bench_aggregation` for ratios of one run, wall clock.

Bins of equal width and rolling means (habitus.curves) of as many stand beside them.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from benchmarks import timing
from benchmarks.timing import Contestant
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from habitus import aggregation, curves

Reals = NDArray[np.float64]
Contest = dict[str, Callable[[], Reals]]
VALUES, GROUPS, WINDOW, ROUNDS = 10**7, 200, 1000, 5


def contests(values: int = VALUES) -> dict[str, Contest]:
    rng = np.random.default_rng(0)
    group, x, score = rng.integers(0, GROUPS, values), rng.uniform(3, 6, values), rng.random(values)
    frame, table = pd.DataFrame({"g": group, "s": score}), pl.DataFrame({"g": group, "s": score})

    def means(threads: int) -> Reals:
        return aggregation.group_means(group, score, threads=threads).mean

    def variances(threads: int) -> Reals:
        return aggregation.group_variances(group, score, threads=threads).variance

    def by_polars(moment: pl.Expr) -> Reals:
        return table.group_by("g").agg(moment, pl.len()).sort("g")["s"].to_numpy()

    def by_pandas(moment: str) -> Reals:
        return frame.groupby("g")["s"].agg([moment, "count"])[moment].to_numpy()

    def bins(threads: int) -> Reals:
        return curves.bin_means(x, score, bins=GROUPS, threads=threads).mean

    def by_bincount() -> Reals:
        low, high = x.min(), x.max()
        place = np.minimum(((x - low) / (high - low) * GROUPS).astype(np.int64), GROUPS - 1)
        return np.bincount(place, weights=score, minlength=GROUPS) / np.bincount(place, minlength=GROUPS)

    def rolling(threads: int) -> Reals:
        return curves.rolling_mean(score, WINDOW, threads=threads)

    def by_cumsum() -> Reals:
        total = np.cumsum(np.concatenate(([0.0], score)))
        return (total[WINDOW:] - total[:-WINDOW]) / WINDOW

    return {
        "group means": {
            **by_threads(means),
            "numpy bincount": lambda: np.bincount(group, weights=score) / np.bincount(group),
            "polars": partial(by_polars, pl.col("s").mean()),
            "pandas": partial(by_pandas, "mean"),
        },
        "group variances": {
            **by_threads(variances),
            "polars": partial(by_polars, pl.col("s").var()),
            "pandas": partial(by_pandas, "var"),
        },
        "bin means": {
            **by_threads(bins),
            "numpy bincount": by_bincount,
            "numpy histogram": lambda: np.histogram(x, GROUPS, weights=score)[0] / np.histogram(x, GROUPS)[0],
        },
        f"rolling mean of {WINDOW}": {
            **by_threads(rolling),
            "numpy cumsum": by_cumsum,
            "polars": lambda: pl.Series(score).rolling_mean(WINDOW).to_numpy()[WINDOW - 1 :],
            "pandas": lambda: pd.Series(score).rolling(WINDOW).mean().to_numpy()[WINDOW - 1 :],
        },
    }


def by_threads(run: Callable[[int], Reals]) -> Contest:
    return {"habitus": partial(run, 1), "habitus, two threads": partial(run, 2)}


def agree(contest: Contest) -> None:
    expected = contest["habitus"]()
    for run in contest.values():
        np.testing.assert_allclose(run(), expected, rtol=1e-9)


@pytest.mark.parametrize("name", contests(10))
def bench_group_of_contestants(benchmark: BenchmarkFixture, name: str) -> None:
    contest = contests(10**6)[name]
    agree(contest)
    benchmark(contest["habitus"])


def main() -> None:
    for title, contest in contests().items():
        agree(contest)
        costs = timing.in_turn({name: Contestant(run, 1, threads=2) for name, run in contest.items()}, ROUNDS)
        print(f"{title}, {VALUES:,} values")
        for name, cost in costs.items():
            print(f"  {name:22}{cost.clock * 1e-6:8.1f} ms {cost.clock / costs['habitus'].clock:8.2f} x")


if __name__ == "__main__":
    main()
