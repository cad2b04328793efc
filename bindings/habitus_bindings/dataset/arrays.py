"""Columns of a piece as arrays. A value that may not be there is refused, with the file and the row that hold it."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus_bindings.dataset.sources import Piece


def matrix(piece: Piece, column: str, width: int, *, empty: int | None = None) -> NDArray[np.integer]:
    """(rows, width) of a column of lists, a view where memory allows. ``empty`` stands for a null inside a list.

    Raises:
        DatasetError: a null, or a list of another length.
    """
    lists = _whole(piece.table[column])
    if lists.null_count:
        raise piece.fault(_first(lists.is_null()), f"expected {column} to be a list, got null; leave the row out")
    if not pa.types.is_fixed_size_list(lists.type):
        lengths = pc.list_value_length(lists).to_numpy()
        other = np.flatnonzero(lengths != width)
        if len(other):
            raise piece.fault(
                int(other[0]), f"expected {column} to be lists of {width}, got one of {lengths[other[0]]}"
            )
    values = lists.flatten()
    if values.null_count and empty is None:
        row, place = divmod(_first(values.is_null()), width)
        raise piece.fault(row, f"expected {column} to hold {width} numbers, got null at {place}")
    if values.null_count:
        # The largest uint64 would become -1, an empty slot; the cast refuses it.
        signed = values.cast(pa.int64()) if pa.types.is_unsigned_integer(values.type) else values
        values = signed.fill_null(pa.scalar(empty, signed.type))
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(len(lists), width)


def row_numbers(piece: Piece, column: str, rows: int) -> NDArray[np.int64]:
    """A column of numbers in [0, rows).

    Raises:
        DatasetError: a null, or a number out of range.
    """
    values = _present(piece, column)
    numbers = np.asarray(values.to_numpy(zero_copy_only=False))
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= rows):
        row = int(((numbers < 0) | (numbers >= rows)).argmax())
        raise piece.fault(row, f"expected {column} to be a row of the tasks, 0 to {rows - 1}, got {numbers[row]}")
    return numbers.astype(np.int64, copy=False)


def ids(piece: Piece, column: str) -> pa.Array:
    """A column of identifiers; text and bytes lose their several layouts, integers their several widths.

    Raises:
        DatasetError: a null.
    """
    values = _present(piece, column)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(plain(values.type))


def distinct_ids(piece: Piece, column: str) -> pa.Array:
    """As ``ids``, no two the same.

    Raises:
        DatasetError: two are.
    """
    values = ids(piece, column)
    if pc.count_distinct(values).as_py() < len(values):
        encoded = values.dictionary_encode()
        indices = encoded.indices.to_numpy()
        row = int((np.maximum.accumulate(indices)[:-1] >= indices[1:]).argmax()) + 1
        raise piece.fault(row, f"expected every {column} once, {values[row].as_py()!r} is twice; leave one out")
    return values


def plain(kind: pa.DataType) -> pa.DataType:
    """The layout in which identifiers of this type are compared."""
    if pa.types.is_dictionary(kind):
        return plain(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        return pa.int64()
    return kind


def _present(piece: Piece, column: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    values = _whole(piece.table[column])
    if values.null_count:
        raise piece.fault(_first(values.is_null()), f"expected {column} to name a task, got null; leave the row out")
    return values


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _first(mask: pa.BooleanArray) -> int:
    return int(pc.index(mask, pa.scalar(value=True)).as_py())
