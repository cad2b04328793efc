"""Scores by the pandas accessor beside scores of the same NumPy arrays: 10^6 rankings of 10 out of 50, on one thread.

`python -m benchmarks.bench_pandas` prints the ratios, measured in turn on one core.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from benchmarks.competitors import synthetic
from benchmarks.timing import Contestant, beside, one_core
from pytest_benchmark.fixture import BenchmarkFixture

import habitus
from habitus_bindings import pandas as tongue

ROWS = 1_000_000
# Cells that are Python objects take microseconds each.
OBJECTS = 50_000
ARRAYS = "NumPy arrays"
Job = Callable[[], object]


def jobs(rows: int, objects: int) -> dict[str, tuple[Job, int]]:
    """The same rankings, and how many of them."""
    counts, rankings = synthetic(rows)
    expected, columns = habitus.score(counts, rankings), np.asfortranarray(counts)

    def scored(held: Callable[[np.ndarray], object], size: int = rows) -> tuple[Job, int]:
        accessor, lists = tongue.Habitus(held(counts[:size])), held(rankings[:size])
        for found, values in zip(np.asarray(accessor.score(lists), float).T, expected, strict=True):
            assert np.array_equal(found, values[:size])
        return lambda: accessor.score(lists, threads=1), size

    return {
        ARRAYS: (lambda: habitus.score(counts, rankings, threads=1), rows),
        "NumPy, column by column": (lambda: habitus.score(columns, rankings, threads=1), rows),
        "Arrow fixed-size lists": scored(fixed),
        "Arrow lists": scored(listed),
        "a column per candidate": scored(pd.DataFrame),
        "arrays in cells": scored(lambda array: pd.Series(list(array)), objects),
        "Python lists in cells": scored(lambda array: pd.Series(array.tolist()), objects),
    }


def fixed(values: np.ndarray) -> object:
    """The Arrow type of polars' and DuckDB's arrays."""
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
    return pd.Series(pd.arrays.ArrowExtensionArray(lists))


def listed(values: np.ndarray) -> object:
    """The Arrow type of lists in Parquet."""
    return fixed(values).astype(pd.ArrowDtype(pa.list_(pa.from_numpy_dtype(values.dtype))))


@pytest.mark.parametrize("name", jobs(100, 100))
def bench_scores(benchmark: BenchmarkFixture, name: str) -> None:
    job, size = jobs(100_000, 10_000)[name]
    benchmark.pedantic(job, rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_ranking"] = round(benchmark.stats.stats.median / size * 1e9)


def main() -> None:
    one_core()
    beside({name: Contestant(job, size) for name, (job, size) in jobs(ROWS, OBJECTS).items()}, ARRAYS)


if __name__ == "__main__":
    main()
