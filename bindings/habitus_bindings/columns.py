"""Arrow columns as NumPy arrays, and NumPy arrays as Arrow columns, without a copy where memory allows.

Whatever has ``__arrow_c_array__`` or ``__arrow_c_stream__`` is a column. No score, no tongue and no library of data
frames belongs here; how columns lie in memory is in layouts.py.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from habitus_bindings import layouts
from habitus_bindings.layouts import AnyArray, Mask, Part, Schema

_TYPES = frozenset(layouts.NUMBERS.values())


class _Exporter:
    """Arrow's three protocols, of whatever nanoarrow makes of it."""

    def _exported(self) -> Any:  # noqa: ANN401 - nanoarrow has no types
        raise NotImplementedError

    def __arrow_c_schema__(self) -> object:
        return self._exported().schema.__arrow_c_schema__()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """The pair of capsules; another type may be asked for, but is not given, as the interface allows."""
        exported: tuple[object, object] = self._exported().__arrow_c_array__()
        return exported

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A stream of one chunk."""
        return _stream(self._exported())


class Column(_Exporter, NDArrayOperatorsMixin):
    """One array as an Arrow column, zero copies: 1-d as numbers, each further dimension as a FixedSizeList.

    NumPy takes it for the array that it holds; arithmetic, comparisons and indices give plain arrays.

    Args:
        values: (rows, ...) integers, floats or booleans. Copied only where it is not contiguous, of another byte
            order, or of booleans, which Arrow packs into bits. Nobody may write into it through the column.

    Raises:
        TypeError: values are none of these.
        ValueError: values have no dimension.

    Example:
        >>> import pyarrow
        >>> pyarrow.array(Column(np.array([[1, 2], [3, 4]], np.int16))).type
        FixedSizeListType(fixed_size_list<item: int16>[2])
    """

    def __init__(self, values: AnyArray) -> None:
        array = np.asarray(values)
        if array.dtype.newbyteorder("=") not in _TYPES:
            raise TypeError(f"expected integers, float32, float64 or booleans, got {array.dtype}")
        if array.ndim == 0:
            raise ValueError("expected an array of one dimension or more, got a single number")
        self._array = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).view()
        self._array.flags.writeable = False

    def to_numpy(self) -> AnyArray:
        """The array itself, read-only."""
        return self._array

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> AnyArray:  # noqa: FBT001 - NumPy's
        return np.array(self._array, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: Any) -> Any:  # noqa: ANN401 - NumPy's
        plain = (values.to_numpy() if isinstance(values, Column) else values for values in inputs)
        return getattr(ufunc, method)(*plain, **options)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - NumPy's
        return self._array[place]

    def __len__(self) -> int:
        return len(self._array)

    def __repr__(self) -> str:
        return f"Column({self._array!r})"

    def _exported(self) -> Any:  # noqa: ANN401 - nanoarrow has no types
        nanoarrow = _nanoarrow()
        array = self._array
        flat = array.reshape(-1)
        buffer = np.packbits(flat, bitorder="little") if array.dtype == bool else flat
        schema = getattr(nanoarrow, "bool_" if array.dtype == bool else array.dtype.name)()
        exported = nanoarrow.c_array_from_buffers(schema, flat.size, [None, buffer], 0, validation_level="none")
        for axis in range(array.ndim - 1, 0, -1):
            schema = nanoarrow.fixed_size_list(schema, array.shape[axis])
            lists = math.prod(array.shape[:axis])
            exported = nanoarrow.c_array_from_buffers(
                schema, lists, [None], 0, children=[exported], validation_level="none", move=True
            )
        return exported


class Table(_Exporter):
    """Columns of one length by name, as an Arrow table of one record batch. ``dict(table)`` gives the columns.

    Raises:
        ValueError: the columns are not of one length, or there are none.

    Example:
        >>> import pyarrow
        >>> pyarrow.table(Table({"task": np.arange(3), "entropy": np.ones(3)})).column_names
        ['task', 'entropy']
    """

    def __init__(self, columns: Mapping[str, Column | AnyArray]) -> None:
        self._columns = {name: as_column(values) for name, values in columns.items()}
        lengths = {name: len(column) for name, column in self._columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"expected columns of one length, got {lengths}")
        self._length = next(iter(lengths.values()))

    def keys(self) -> list[str]:
        """The columns' names."""
        return list(self._columns)

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """Rows."""
        return self._length

    def __repr__(self) -> str:
        return f"Table({self._columns!r})"

    def _exported(self) -> Any:  # noqa: ANN401 - nanoarrow has no types
        nanoarrow = _nanoarrow()
        children = [column._exported() for column in self._columns.values()]  # noqa: SLF001 - of the same file
        schema = nanoarrow.struct({name: part.schema for name, part in zip(self._columns, children, strict=True)})
        return nanoarrow.c_array_from_buffers(
            schema, self._length, [None], 0, children=children, validation_level="none", move=True
        )


def as_column(values: Column | AnyArray) -> Column:
    """A column as it is, an array as one."""
    return values if isinstance(values, Column) else Column(values)


def has_arrow(values: object) -> bool:
    """Whether ``values`` export Arrow."""
    return hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")


def array(name: str, values: object, *, empty: float | None = None) -> AnyArray:
    """``matrix`` of a column of lists, ``vector`` of any other; for arguments that may be either."""
    if isinstance(values, Column) or not has_arrow(values):
        return np.asarray(values)
    schema, parts = _imported(name, values)
    if layouts.is_list(schema):
        return joined(_matrices(name, schema, parts, empty, None))
    return _vector(name, schema, parts)


def vector(name: str, values: object) -> AnyArray:
    """A column of numbers as a 1-d array: a view of one chunk, a copy of several.

    Args:
        name: the argument's, for messages.
        values: an Arrow column of integers, floats or booleans, or a table of one column; anything else goes through
            ``numpy.asarray``. A null among floats becomes NaN.

    Raises:
        TypeError: the column is of another type.
        ValueError: a null among integers or booleans (names the row); a table of several columns.

    Example:
        >>> import pyarrow
        >>> vector("task", pyarrow.array([0, 2, 1]))
        array([0, 2, 1])
    """
    if isinstance(values, Column) or not has_arrow(values):
        return np.asarray(values)
    return _vector(name, *_imported(name, values))


def matrix(name: str, values: object, *, empty: float | None = None, length: int | None = None) -> AnyArray:
    """A column of lists as a (rows, width) array: a view where memory allows, that is one chunk of lists side by side.

    Args:
        name: the argument's, for messages.
        values: an Arrow column of FixedSizeList, List, LargeList or ListView of integers, floats or booleans, or a
            table of one such column; anything else goes through ``numpy.asarray``.
        empty: what a null inside a list becomes (-1, an empty slot of a ranking); the result is then a copy, of a
            signed type if ``empty`` is negative. NaN fills floats alone. Default: a null is refused.
        length: width of the result; shorter lists are filled up with ``empty``. Default: the width of the first list.

    Raises:
        TypeError: the column is of another type.
        ValueError: a null row; a null inside a list (names row and place); lists of unequal length or of no length; a
            table of several columns.

    Example:
        >>> import pyarrow
        >>> matrix("rankings", pyarrow.array([[4, 0], [1, None]]), empty=-1)
        array([[ 4,  0],
               [ 1, -1]])
    """
    return joined(matrices(name, values, empty=empty, length=length))


def matrices(name: str, values: object, *, empty: float | None = None, length: int | None = None) -> list[AnyArray]:
    """``matrix`` in pieces, at least one: an array for each chunk that has rows, so that none is copied."""
    if isinstance(values, Column) or not has_arrow(values):
        return [np.asarray(values)]
    return _matrices(name, *_imported(name, values), empty, length)


def joined(pieces: Sequence[AnyArray]) -> AnyArray:
    """One array of all; a single one as it is."""
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _nanoarrow() -> ModuleType:
    try:
        import nanoarrow  # type: ignore[import-untyped]  # noqa: PLC0415 - `import habitus` stays light
    except ImportError as error:
        raise ImportError("Arrow columns: expected nanoarrow>=0.7; pip install 'nanoarrow>=0.7'") from error
    module: ModuleType = nanoarrow
    return module


def _stream(exported: Any) -> object:  # noqa: ANN401 - nanoarrow has no types
    streams = _nanoarrow().c_array_stream
    return streams(exported).__arrow_c_stream__()


def _imported(name: str, values: object) -> tuple[Schema, list[Part]]:
    """The column's schema, and its chunks; of a table its only column."""
    nanoarrow = _nanoarrow()
    try:
        if hasattr(values, "__arrow_c_stream__"):
            stream = nanoarrow.c_array_stream(values)
            schema, arrays = stream.get_schema(), list(stream)
        else:
            arrays = [nanoarrow.c_array(values)]
            schema = arrays[0].schema
        parts, named = [layouts.whole(one) for one in arrays], schema.format == "+s"
    except (TypeError, ValueError, RuntimeError) as error:
        line = " ".join(str(error).split())
        raise TypeError(f"{name}: expected an Arrow column, {type(values).__name__} gave none: {line}") from error
    if not named:
        return schema, parts
    columns = list(enumerate(schema.children))
    # pandas exports the index of a filtered data frame under this name.
    found = [(place, child) for place, child in columns if child.name != "__index_level_0__"] or columns
    if len(found) != 1:
        names = [child.name for _, child in columns]
        raise ValueError(f"{name}: expected one column, got a table of {names}; select one of them")
    place, child = found[0]
    return child, [layouts.column(part, place) for part in parts]


def _number(schema: Schema) -> np.dtype[Any] | None:
    """The type of a column of numbers; a dictionary's format is that of its indices, which are none."""
    return None if schema.dictionary is not None else layouts.NUMBERS.get(schema.format)


def _refused(name: str, wanted: str, schema: Any) -> TypeError:  # noqa: ANN401 - nanoarrow has no types
    # The public text spreads over lines.
    return TypeError(f"{name}: expected {wanted}, got {schema._to_string(recursive=True)}")  # noqa: SLF001


def _vector(name: str, schema: Schema, parts: list[Part]) -> AnyArray:
    dtype = _number(schema)
    if dtype is None:
        raise _refused(name, "a column of numbers", schema)
    values = joined([layouts.numbers(part, dtype) for part in parts] or [np.empty(0, dtype)])
    valid = _valid_rows(parts)
    if valid is None:
        return values
    if dtype.kind != "f":
        raise ValueError(f"{name}: expected {dtype} in every row, row {valid.argmin()} is null")
    return np.where(valid, values, dtype.type(math.nan))


def _matrices(name: str, schema: Schema, parts: list[Part], empty: float | None, length: int | None) -> list[AnyArray]:
    dtype = _number(next(iter(schema.children))) if layouts.is_list(schema) else None
    if dtype is None:
        raise _refused(name, "lists of numbers", schema)
    rows = _valid_rows(parts)
    if rows is not None:
        raise ValueError(f"{name}: expected a list in every row, row {rows.argmin()} is null")
    width = _width(name, schema, parts) if length is None else length
    if width < 1:
        raise ValueError(f"{name}: expected lists of one number or more, got lists of {width}")
    lists = layouts.Lists(name, schema.format, dtype, width, length is not None and empty is not None)
    blocks, row = [], 0
    for part in parts:
        if part.length:
            blocks.append(lists.block(part, row))
            row += part.length
    if all(valid is None for _, valid in blocks):
        return [values for values, _ in blocks] or [np.empty((0, width), dtype)]
    return _filled(name, blocks, empty)


def _width(name: str, schema: Schema, parts: list[Part]) -> int:
    fixed = layouts.fixed_width(schema)
    if fixed is not None:
        return fixed
    for part in parts:
        if part.length:
            return layouts.first_width(schema, part)
    raise ValueError(f"{name}: expected one list or more, got no rows, so that their length is unknown")


def _valid_rows(parts: list[Part]) -> Mask | None:
    """Which rows of all parts are not null; None if all are."""
    masks = [layouts.valid_rows(part) for part in parts]
    if all(mask is None for mask in masks):
        return None
    whole = [np.ones(part.length, np.bool_) if mask is None else mask for part, mask in zip(parts, masks, strict=True)]
    return np.concatenate(whole)


def _filled(name: str, blocks: list[tuple[AnyArray, Mask | None]], empty: float | None) -> list[AnyArray]:
    dtype, row = blocks[0][0].dtype, 0
    if empty is None or (math.isnan(empty) and dtype.kind != "f"):
        for values, valid in blocks:
            if valid is not None:
                wrong, place = np.argwhere(~valid)[0]
                raise ValueError(f"{name}: expected {dtype} at every place, row {row + wrong} is null at place {place}")
            row += len(values)
    elif empty < 0 and dtype.kind == "u":
        blocks = [(_signed(values), valid) for values, valid in blocks]
    return [values if valid is None else np.where(valid, values, values.dtype.type(empty)) for values, valid in blocks]


def _signed(values: AnyArray) -> AnyArray:
    if values.dtype == np.uint64:
        # NumPy would promote to floats; as int64 the largest number would become -1, an empty slot.
        return np.minimum(values, np.iinfo(np.int64).max).astype(np.int64)
    return values.astype(np.promote_types(values.dtype, np.int8))
