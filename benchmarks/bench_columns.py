"""A column of 10^6 lists of 50 as an array, by layout; and back: what is copied shows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from benchmarks.competitors import synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from habitus_bindings.columns import Column, matrix

ROWS = 1_000_000


def fixed(values: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def listed(values: np.ndarray) -> pa.ListArray:
    return fixed(values).cast(pa.list_(pa.from_numpy_dtype(values.dtype)))


def with_nulls(values: np.ndarray) -> pa.FixedSizeListArray:
    numbers = pa.array(values.reshape(-1), mask=np.arange(values.size) % 7 == 0)
    return pa.FixedSizeListArray.from_arrays(numbers, values.shape[1])


def chunked(values: np.ndarray) -> pa.ChunkedArray:
    return pa.chunked_array([fixed(part) for part in np.array_split(values, 100)])


LAYOUTS: Mapping[str, Callable[[np.ndarray], Any]] = {
    "FixedSizeList": fixed,
    "List": listed,
    "LargeList of Polars": lambda values: pl.Series(fixed(values)).arr.to_list(),
    "100 chunks": chunked,
    "one in seven null": with_nulls,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def bench_in(benchmark: BenchmarkFixture, layout: str) -> None:
    counts, _ = synthetic(ROWS)
    column = LAYOUTS[layout](counts)
    assert matrix("counts", column, empty=-1).shape == counts.shape
    benchmark.pedantic(matrix, ("counts", column), {"empty": -1}, rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_row"] = round(benchmark.stats.stats.median / ROWS * 1e9, 2)


def bench_out(benchmark: BenchmarkFixture) -> None:
    counts, _ = synthetic(ROWS)
    benchmark.pedantic(lambda: pa.array(Column(counts)), rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_row"] = round(benchmark.stats.stats.median / ROWS * 1e9, 2)
