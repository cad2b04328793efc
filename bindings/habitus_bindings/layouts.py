"""Where the numbers of an Arrow column lie in memory, and arrays that look at them there.

Formats are those of https://arrow.apache.org/docs/format/CDataInterface.html. What a column may be and what becomes of
nulls is decided in columns.py. An array made here owns what it looks at: the column that it was taken from may go.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
Mask = NDArray[np.bool_]

NUMBERS: Mapping[str, np.dtype[Any]] = {
    "b": np.dtype(np.bool_),
    "c": np.dtype(np.int8),
    "C": np.dtype(np.uint8),
    "s": np.dtype(np.int16),
    "S": np.dtype(np.uint16),
    "i": np.dtype(np.int32),
    "I": np.dtype(np.uint32),
    "l": np.dtype(np.int64),
    "L": np.dtype(np.uint64),
    "f": np.dtype(np.float32),
    "g": np.dtype(np.float64),
}
_BOOLEAN = NUMBERS["b"]
_OFFSETS: Mapping[str, np.dtype[Any]] = {
    "+l": np.dtype(np.int32),
    "+L": np.dtype(np.int64),
    "+vl": np.dtype(np.int32),
    "+vL": np.dtype(np.int64),
}
_FIXED = "+w:"
# Lists looked at together, so that their offsets stay in the cache.
_BLOCK = 1 << 14


class Schema(Protocol):
    """A type, as nanoarrow shows it."""

    format: str
    name: str
    dictionary: object | None
    children: Iterable["Schema"]


class Array(Protocol):
    """An array of Arrow, as nanoarrow shows it. ``buffers`` are addresses, 0 where there is none."""

    length: int
    offset: int
    null_count: int
    buffers: tuple[int, ...]

    def child(self, i: int) -> "Array":
        """The values of lists, or a column of a table."""


class Part(NamedTuple):
    """Rows ``first`` to ``first + length`` of an array's memory; ``within``: which rows of its table are not null."""

    array: Array
    first: int
    length: int
    within: Mask | None = None


def whole(array: Array) -> Part:
    """All rows of an array."""
    return Part(array, array.offset, array.length)


def column(table: Part, number: int) -> Part:
    """A column of a table; it starts where the table starts."""
    child = table.array.child(number)
    return Part(child, child.offset + table.first, table.length, valid_rows(table))


def valid_rows(part: Part) -> Mask | None:
    """Which rows are not null; None if all are. Asked only of types that can say it: some have no such memory."""
    own = _valid(part.array, part.first, part.length)
    if own is None or part.within is None:
        return part.within if own is None else own
    return own & part.within


def is_list(schema: Schema) -> bool:
    """Whether its rows are lists."""
    return schema.format in _OFFSETS or schema.format.startswith(_FIXED)


def fixed_width(schema: Schema) -> int | None:
    """The length of all lists, None where each has its own."""
    return int(schema.format.removeprefix(_FIXED)) if schema.format.startswith(_FIXED) else None


def first_width(schema: Schema, part: Part) -> int:
    """The length of the part's first list."""
    return int(_extents(schema.format, part._replace(length=1))[1][0])


def numbers(part: Part, dtype: np.dtype[Any]) -> AnyArray:
    """(rows,) the numbers of a column without lists."""
    return _numbers(part.array, dtype, part.first, part.length)


class Lists(NamedTuple):
    """How lists become rows of one width. ``padded``: shorter ones are filled up."""

    name: str
    format: str
    dtype: np.dtype[Any]
    width: int
    padded: bool

    def block(self, part: Part, row: int) -> tuple[AnyArray, Mask | None]:
        """(rows, width) values, and which of them are valid (None: all); ``row`` is the first one's in the column."""
        child = part.array.child(0)
        start = self._side_by_side(part)
        if start is None:
            return self._gathered(part, child, row)
        size = part.length * self.width
        if not 0 <= start <= child.length - size:
            raise ValueError(f"{self.name}: expected {start + size} numbers for its lists, got {child.length}")
        valid = _valid(child, child.offset + start, size)
        values = _numbers(child, self.dtype, child.offset + start, size).reshape(part.length, self.width)
        return values, None if valid is None else valid.reshape(values.shape)

    def _side_by_side(self, part: Part) -> int | None:
        """Where the values start if each list has the width and follows upon the one before; None if not."""
        if self.format.startswith(_FIXED):
            return part.first * self.width if self.format == f"{_FIXED}{self.width}" else None
        starts, sizes = _extents(self.format, part)
        for at in range(0, part.length, _BLOCK):
            block = starts[at : at + _BLOCK + 1]
            if (sizes[at : at + _BLOCK] != self.width).any() or (block[1:] - block[:-1] != self.width).any():
                return None
        return int(starts[0]) if part.length else 0

    def _gathered(self, part: Part, child: Array, row: int) -> tuple[AnyArray, Mask | None]:
        starts, sizes = (column.astype(np.int64) for column in _extents(self.format, part))
        outside = (starts < 0) | (starts > child.length) | (sizes < 0) | (sizes > child.length - starts)
        if outside.any():
            wrong = row + int(outside.argmax())
            raise ValueError(f"{self.name}: expected lists within {child.length} numbers, row {wrong} is not")
        refused = sizes > self.width if self.padded else sizes != self.width
        if refused.any():
            limit = f"lists of at most {self.width}" if self.padded else f"lists of {self.width} in every row"
            wrong = int(refused.argmax())
            raise ValueError(f"{self.name}: expected {limit}, row {row + wrong} holds {sizes[wrong]}")
        slots = np.arange(self.width)
        inside = slots < sizes[:, None]
        places = (starts[:, None] + slots)[inside]
        values = np.zeros(inside.shape, self.dtype)
        values[inside] = _numbers(child, self.dtype, child.offset, child.length)[places]
        own = _valid(child, child.offset, child.length)
        if own is not None:
            inside[inside] = own[places]
        return values, None if inside.all() else inside


class _Memory:
    """Memory of another library, for NumPy, which keeps this object; it keeps the owner."""

    def __init__(self, owner: object, address: int, dtype: np.dtype[Any], length: int) -> None:
        self.owner = owner
        self.__array_interface__ = {"data": (address, True), "shape": (length,), "typestr": dtype.str, "version": 3}


def _extents(layout: str, part: Part) -> tuple[AnyArray, AnyArray]:
    """Where each list starts among the child's values, and how long it is."""
    if layout.startswith(_FIXED):
        size = int(layout.removeprefix(_FIXED))
        return (part.first + np.arange(part.length)) * size, np.full(part.length, size)
    dtype, buffers = _OFFSETS[layout], part.array.buffers
    if layout.startswith("+v"):
        starts, sizes = (_memory(part.array, address, dtype, part.first, part.length) for address in buffers[1:3])
        return starts, sizes
    edges = _memory(part.array, buffers[1], dtype, part.first, part.length + 1 if part.length else 0)
    return edges[:-1], edges[1:] - edges[:-1]


def _valid(owner: Array, first: int, length: int) -> Mask | None:
    """Which values are not null, counted from the start of the memory; None if all are."""
    if owner.null_count == 0 or not owner.buffers[0]:
        return None
    valid = _bits(owner, owner.buffers[0], first, length)
    return None if valid.all() else valid


def _numbers(owner: Array, dtype: np.dtype[Any], first: int, length: int) -> AnyArray:
    address = owner.buffers[1]
    if dtype == _BOOLEAN:
        return _bits(owner, address, first, length)
    return _memory(owner, address, dtype, first, length)


def _bits(owner: Array, address: int, first: int, length: int) -> Mask:
    """Bits ``first`` to ``first + length``, the least significant of a byte first."""
    byte, bit = divmod(first, 8)
    held = _memory(owner, address, NUMBERS["C"], byte, (bit + length + 7) // 8)
    return np.unpackbits(held, count=bit + length, bitorder="little")[bit:].view(np.bool_)


def _memory(owner: Array, address: int, dtype: np.dtype[Any], first: int, length: int) -> AnyArray:
    if length == 0:
        return np.empty(0, dtype)
    if address == 0:
        raise ValueError(f"expected memory for {length} values of {dtype}, got none")
    seen = np.asarray(_Memory(owner, address + first * dtype.itemsize, dtype, length))
    # Arrow recommends aligned memory and does not demand it; compiled loops do.
    return seen if seen.flags.aligned else seen.copy()
