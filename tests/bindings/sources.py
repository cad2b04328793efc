"""The same lists of numbers in every layout of Arrow, and from every library that exports it."""

from collections.abc import Callable

import nanoarrow
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from habitus_bindings.columns import Column

NUMBERS = np.arange(60, dtype=np.int32).reshape(6, 10)
DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bool"]
FOUR = np.arange(4, dtype=np.int32)


def fixed(values: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def listed(values: np.ndarray) -> pa.ListArray:
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(values.reshape(-1)))


def large(values: np.ndarray) -> pa.LargeListArray:
    offsets = np.arange(0, values.size + 1, values.shape[1], dtype=np.int64)
    return pa.LargeListArray.from_arrays(offsets, pa.array(values.reshape(-1)))


def viewed(values: np.ndarray) -> pa.ListViewArray:
    starts = pa.array(np.arange(0, values.size, values.shape[1], dtype=np.int32))
    sizes = pa.array(np.full(len(values), values.shape[1], np.int32))
    return pa.ListViewArray.from_arrays(starts, sizes, pa.array(values.reshape(-1)))


def large_viewed(values: np.ndarray) -> pa.LargeListViewArray:
    starts = pa.array(np.arange(0, values.size, values.shape[1], dtype=np.int64))
    sizes = pa.array(np.full(len(values), values.shape[1], np.int64))
    return pa.LargeListViewArray.from_arrays(starts, sizes, pa.array(values.reshape(-1)))


def struct(column: pa.Array) -> pa.StructArray:
    """A column of its own in a struct that is a slice."""
    padding = column.slice(0, 1)
    return pa.StructArray.from_arrays([pa.concat_arrays([padding, column, padding])], ["counts"]).slice(1, len(column))


def of_arro3(values: np.ndarray) -> object:
    return pytest.importorskip("arro3.core").Array(fixed(values))


def of_duckdb(values: np.ndarray) -> object:
    connection = pytest.importorskip("duckdb").connect()
    connection.register("source", pa.table({"counts": fixed(values)}))
    return connection.sql("select counts from source")


LAYOUTS: dict[str, Callable[[np.ndarray], pa.Array]] = {
    "FixedSizeList": fixed,
    "List": listed,
    "LargeList": large,
    "ListView": viewed,
    "LargeListView": large_viewed,
}
SOURCES: dict[str, Callable[[np.ndarray], object]] = LAYOUTS | {
    "pyarrow struct": lambda values: struct(fixed(values)),
    "pyarrow chunks": lambda values: pa.chunked_array([fixed(values[:2]), fixed(values[2:2]), fixed(values[2:])]),
    "pyarrow batch": lambda values: pa.record_batch({"counts": fixed(values)}),
    "pyarrow table": lambda values: pa.table({"counts": listed(values)}),
    "pyarrow reader": lambda values: pa.table({"counts": fixed(values)}).to_reader(max_chunksize=2),
    "Polars Array": lambda values: pl.Series(values, dtype=pl.Array(pl.Int32, values.shape[1])),
    "Polars List": lambda values: pl.Series(values.tolist(), dtype=pl.List(pl.Int32)),
    "Polars frame": lambda values: pl.DataFrame({"counts": values}),
    "pandas": lambda values: pd.Series(fixed(values), dtype=pd.ArrowDtype(fixed(values).type)),
    "pandas frame": lambda values: pd.DataFrame(
        {"counts": pd.array(listed(values), dtype=pd.ArrowDtype(listed(values).type))}, index=range(7, 7 + len(values))
    ),
    "nanoarrow": lambda values: nanoarrow.Array(fixed(values)),
    "nanoarrow stream": lambda values: nanoarrow.ArrayStream(fixed(values)),
    "arro3": of_arro3,
    "DuckDB": of_duckdb,
    "ours": Column,
    "NumPy": lambda values: values,
    "Python": lambda values: values.tolist(),
}
