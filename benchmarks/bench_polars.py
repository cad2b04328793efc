"""Scores by Polars expressions beside scores of the same NumPy arrays: 10^6 rankings of 10 out of 50, on one thread.

`python -m benchmarks.bench_polars` prints the ratios, measured in turn on one core; the bar is 1.10 for Array columns.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from benchmarks.competitors import synthetic
from benchmarks.timing import Contestant, beside, one_core
from pytest_benchmark.fixture import BenchmarkFixture

import habitus
from habitus_bindings import polars as tongue

ROWS = 1_000_000
ARRAYS = "NumPy arrays"
SCORE = tongue.score("counts", "ranking")
Job = Callable[[], object]


def jobs(rows: int) -> dict[str, Job]:
    """The same rankings, whole and as a query cuts them."""
    counts, rankings = synthetic(rows)
    expected = habitus.score(counts, rankings)
    arrays = pl.DataFrame({"counts": counts, "ranking": rankings})
    lists = arrays.with_columns(pl.all().arr.to_list())
    pieces = pl.concat([arrays[first : first + rows // 50] for first in range(0, rows, rows // 50)], rechunk=False)

    def scored(query: Callable[[], pl.DataFrame]) -> Job:
        for name, values in query().unnest("counts").to_dict(as_series=False).items():
            assert np.array_equal(values, getattr(expected, name))
        return query

    return {
        ARRAYS: lambda: habitus.score(counts, rankings, threads=1),
        "Array, eager": scored(lambda: arrays.select(SCORE)),
        "Array, streaming": scored(lambda: arrays.lazy().select(SCORE).collect(engine="streaming")),
        "List, eager": scored(lambda: lists.select(SCORE)),
        "List, streaming": scored(lambda: lists.lazy().select(SCORE).collect(engine="streaming")),
        "50 chunks, streaming": scored(lambda: pieces.lazy().select(SCORE).collect(engine="streaming")),
        "cross_entropy alone": lambda: arrays.select(tongue.cross_entropy("counts", "ranking")),
        "a function of nothing": lambda: arrays.lazy().select(nothing()).collect(engine="streaming"),
    }


def nothing() -> pl.Expr:
    """What Polars takes for a call of Python."""
    return pl.map_batches(
        ["counts", "ranking"],
        lambda batch: pl.Series(np.empty(len(batch[0]))),
        return_dtype=pl.Float64,
        is_elementwise=True,
    )


@pytest.mark.parametrize("name", jobs(100))
def bench_scores(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark.pedantic(jobs(100_000)[name], rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_ranking"] = round(benchmark.stats.stats.median / 100_000 * 1e9)


def main() -> None:
    one_core()
    beside({name: Contestant(job, ROWS) for name, job in jobs(ROWS).items()}, ARRAYS)


if __name__ == "__main__":
    main()
