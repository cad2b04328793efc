"""Arrow columns as arrays: lists of fixed or varying length, packed bits, rows found by their id. Knows no model."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus.interactions import starts
from habitus_runners.errors import HabitusError

Integers = NDArray[np.int64]


class Ragged(NamedTuple):
    """Row t is ``values[start[t]:start[t + 1]]``."""

    start: Integers
    values: Integers

    @property
    def size(self) -> Integers:
        """(rows,) values per row."""
        return np.diff(self.start)

    @property
    def row(self) -> Integers:
        """(values,) the row of each value."""
        return np.repeat(np.arange(len(self.start) - 1), self.size)

    def part(self, rows: slice) -> "Ragged":
        """Some consecutive rows."""
        start = self.start[rows.start : rows.stop + 1]
        return Ragged(start - start[0], self.values[start[0] : start[-1]])


def fixed(column: pa.ChunkedArray) -> NDArray[Any]:
    """(rows, length) of a column of fixed-size lists without nulls."""
    return _flat(column).reshape(len(column), column.type.list_size)


def ragged(column: pa.ChunkedArray) -> Ragged:
    """A column of lists of integers without nulls."""
    size = pc.list_value_length(column).to_numpy().astype(np.int64)
    return Ragged(starts(size), _flat(column).astype(np.int64))


def packed(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    """(rows, bytes) of a column of fixed-size binary without nulls."""
    whole = column.combine_chunks()
    width = whole.type.byte_width
    data = np.frombuffer(whole.buffers()[1], np.uint8)[whole.offset * width :]
    return data[: len(whole) * width].reshape(len(whole), width)


def places(names: pa.ChunkedArray, ids: pa.ChunkedArray) -> Integers:
    """The row in ``ids`` of each of the dictionary-encoded ``names``.

    Raises:
        HabitusError: a name that is not among the ids.
    """
    whole = names.unify_dictionaries().combine_chunks()
    row = pc.index_in(whole.dictionary, value_set=ids.combine_chunks()).take(whole.indices)
    if row.null_count:
        strange = whole.filter(row.is_null())[0]
        raise HabitusError(f"members: expected task ids of the tasks table, got {strange}")
    return np.asarray(row.to_numpy(), np.int64)


def by_owner(names: pa.ChunkedArray, ids: pa.ChunkedArray) -> Ragged:
    """Row t: the places in ``names``, ascending, of those that are the t-th of the ids.

    Raises:
        HabitusError: as ``places``.
    """
    owner = places(names, ids)
    size = np.bincount(owner, minlength=len(ids)).astype(np.int64)
    return Ragged(starts(size), np.argsort(owner, kind="stable"))


def _flat(column: pa.ChunkedArray) -> NDArray[Any]:
    values: NDArray[Any] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values
