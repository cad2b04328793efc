"""Scores of Arrow columns beside scores of the same NumPy arrays: 10^6 rankings of 10 out of 50, and a call of one.

`python -m benchmarks.bench_arrow` prints the ratios, measured in turn on one core; the bar is 1.10 for FixedSizeList.
"""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from benchmarks.bench_columns import chunked, fixed, listed
from benchmarks.competitors import synthetic
from benchmarks.timing import Contestant, in_turn, one_core
from pytest_benchmark.fixture import BenchmarkFixture

import habitus
from habitus_bindings import arrow

ROWS, CALLS = 1_000_000, 200
ARRAYS = "NumPy arrays"
Job = Callable[[], object]


def jobs(rows: int) -> dict[str, Job]:
    """The same rankings, scored on one thread."""
    counts, rankings = synthetic(rows)
    expected = habitus.score(counts, rankings, threads=1)

    def scored(*columns: object) -> Job:
        scores = arrow.score(*columns, threads=1)
        for found, array in zip(scores, expected, strict=True):
            assert np.array_equal(found, array)
        return lambda: arrow.score(*columns, threads=1)

    lists = fixed(counts), fixed(rankings)
    found = {
        ARRAYS: lambda: habitus.score(counts, rankings, threads=1),
        "FixedSizeList": scored(*lists),
        "List": scored(listed(counts), listed(rankings)),
        "Polars Array": scored(*map(pl.Series, lists)),
        "Polars List": scored(pl.Series(listed(counts)), pl.Series(listed(rankings))),
        "to a pyarrow table": lambda: pa.table(arrow.score(*lists, threads=1).table()),
    }
    if rows >= ROWS:
        found["100 chunks"] = scored(chunked(counts), chunked(rankings))
        found["100 chunks, joined"] = scored(chunked(counts), fixed(rankings))
    return found


LAYOUTS = (ARRAYS, "FixedSizeList", "List", "Polars Array", "Polars List", "to a pyarrow table")


@pytest.mark.parametrize("rows", [1, 100_000])
@pytest.mark.parametrize("layout", LAYOUTS)
def bench_scores(benchmark: BenchmarkFixture, layout: str, rows: int) -> None:
    job = jobs(rows)[layout]
    benchmark.pedantic(job, rounds=5, iterations=CALLS if rows == 1 else 1, warmup_rounds=1)
    benchmark.extra_info["ns_per_ranking"] = round(benchmark.stats.stats.median / rows * 1e9)


def repeated(job: Job) -> Job:
    """A call is too short for the clock."""

    def run() -> None:
        for _ in range(CALLS):
            job()

    return run


def table(found: Mapping[str, float], unit: str) -> None:
    for name, cost in found.items():
        print(f"{name:24} {cost:10.1f} {unit} {cost / found[ARRAYS]:8.3f} x NumPy")


def main() -> None:
    one_core()
    many = in_turn({name: Contestant(job, ROWS) for name, job in jobs(ROWS).items()}, rounds=9)
    table({name: cost.processor for name, cost in many.items()}, "ns per ranking")
    single = in_turn({name: Contestant(repeated(job), CALLS) for name, job in jobs(1).items()}, rounds=9)
    table({name: cost.processor / 1000 for name, cost in single.items()}, "us per call   ")


if __name__ == "__main__":
    main()
