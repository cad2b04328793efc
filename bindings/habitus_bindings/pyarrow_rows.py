"""pyarrow's columns of lists, row by row: what DuckDB hands over, and what pandas holds in columns of Arrow's types."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import types

from habitus_bindings.rows import Lists


def lists(name: str, column: Any) -> Lists:  # noqa: ANN401 - pyarrow has no types
    """A pyarrow array of List, LargeList or FixedSizeList, or of nulls alone."""
    kind = column.type
    if types.is_null(kind):
        return Lists(name, np.empty(0, np.int16), np.full(len(column), -1))
    if not (types.is_fixed_size_list(kind) or types.is_list(kind) or types.is_large_list(kind)):
        raise TypeError(f"{name}: expected lists of integers, got {kind}")
    if not (types.is_integer(kind.value_type) or types.is_floating(kind.value_type) or types.is_null(kind.value_type)):
        raise TypeError(f"{name}: expected lists of integers, got {kind}")
    if hasattr(column, "chunks"):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    held, sizes = column.flatten(), _sizes(column)
    holes = held.is_null().to_numpy(zero_copy_only=False) if held.null_count else None
    if types.is_null(held.type):
        return Lists(name, np.zeros(len(held), np.int16), sizes, holes)
    return Lists(name, (held if holes is None else held.fill_null(0)).to_numpy(), sizes, holes)


def _sizes(column: Any) -> NDArray[np.integer]:  # noqa: ANN401 - pyarrow has no types
    """A batch of DuckDB is 2,048 rows: whatever takes 10 microseconds is a tenth of their scores."""
    if hasattr(column.type, "list_size"):
        sizes: NDArray[np.integer] = np.broadcast_to(np.int64(column.type.list_size), len(column))
    else:
        lengths = column.value_lengths()
        sizes = (lengths.fill_null(-1) if column.null_count else lengths).to_numpy()
    return np.where(column.is_null(), -1, sizes) if column.null_count else sizes
