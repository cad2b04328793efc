"""Lists as rows, whatever their layout: types, slices, nulls, unequal lengths, and memory that is not theirs."""

import nanoarrow
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests.bindings.sources import DTYPES, FOUR, LAYOUTS, NUMBERS, struct

from habitus_bindings import columns


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_holds_any_type(layout, dtype):
    values = (NUMBERS % 3).astype(dtype)
    found = columns.matrix("counts", LAYOUTS[layout](values).slice(1, 4))
    assert found.dtype == dtype
    assert_array_equal(found, values[1:5])
    assert_array_equal(columns.array("counts", LAYOUTS[layout](values)), values)


@pytest.mark.parametrize("kind", [pa.list_(pa.int32()), pa.list_(pa.int32(), 2), pa.large_list(pa.int32())])
def test_a_null_row_is_refused_by_name(kind):
    column = pa.array([[1, 2], [3, 4], None, [5, 6]], kind)
    for values in (column.slice(1), pa.chunked_array([column.slice(1, 1), column.slice(2)]), struct(column.slice(1))):
        with pytest.raises(ValueError, match="counts: expected a list in every row, row 1 is null"):
            columns.matrix("counts", values, empty=-1)
    assert_array_equal(columns.matrix("counts", column.slice(0, 2)), [[1, 2], [3, 4]])


def test_a_null_row_of_a_struct_is_one_of_its_column():
    rows = pa.array([{"counts": [1]}, None, {"counts": [2]}], pa.struct({"counts": pa.list_(pa.int8())}))
    with pytest.raises(ValueError, match="counts: expected a list in every row, row 1 is null"):
        columns.matrix("counts", rows)
    with pytest.raises(ValueError, match="counts: expected a list in every row, row 0 is null"):
        columns.matrix("counts", rows.slice(1))
    assert_array_equal(columns.matrix("counts", rows.slice(2)), [[2]])


def test_a_null_inside_a_list_is_refused_by_name_or_empty():
    column = pa.array([[7, 7], [0, 1], [None, 3]], pa.list_(pa.int16()))
    for values in (column, column.cast(pa.list_(pa.int16(), 2)), pl.Series(column.to_pylist())):
        with pytest.raises(ValueError, match=r"rankings: expected int.. at every place, row 2 is null at place 0"):
            columns.matrix("rankings", values)
        assert_array_equal(columns.matrix("rankings", values, empty=-1), [[7, 7], [0, 1], [-1, 3]])
    with pytest.raises(ValueError, match="row 1 is null at place 0"):
        columns.matrix("rankings", pa.chunked_array([column.slice(1, 1), column.slice(2)]))
    with pytest.raises(ValueError, match="row 2 is null at place 0"):
        columns.matrix("rankings", column, empty=np.nan)
    assert_array_equal(columns.matrix("y", pa.array([[1.5, None]]), empty=np.nan), [[1.5, np.nan]])


@pytest.mark.parametrize(("kind", "wider"), [("uint8", "int16"), ("uint16", "int32"), ("uint32", "int64")])
def test_an_empty_slot_among_unsigned_integers_makes_them_signed(kind, wider):
    largest = np.iinfo(kind).max
    column = pa.array([[largest, None]], pa.list_(pa.from_numpy_dtype(np.dtype(kind))))
    found = columns.matrix("rankings", column, empty=-1)
    assert found.dtype == wider
    assert found.tolist() == [[largest, -1]]


def test_the_largest_unsigned_integer_does_not_become_an_empty_slot():
    column = pa.array([[2**64 - 1, None], [3, 4]], pa.list_(pa.uint64()))
    assert columns.matrix("rankings", column, empty=-1).tolist() == [[2**63 - 1, -1], [3, 4]]


def test_lists_of_unequal_length_are_refused_or_filled_up():
    ragged = pa.array([[9], [1, 2, 3], [4], [], [5, None]], pa.list_(pa.int16())).slice(1)
    for values in (ragged, pa.chunked_array([ragged.slice(0, 1), ragged.slice(1)]), pl.Series(ragged.to_pylist())):
        with pytest.raises(ValueError, match="rankings: expected lists of 3 in every row, row 1 holds 1"):
            columns.matrix("rankings", values, empty=-1)
        found = columns.matrix("rankings", values, empty=-1, length=3)
        assert_array_equal(found, [[1, 2, 3], [4, -1, -1], [-1, -1, -1], [5, -1, -1]])
        with pytest.raises(ValueError, match="rankings: expected lists of at most 2, row 0 holds 3"):
            columns.matrix("rankings", values, empty=-1, length=2)
        with pytest.raises(ValueError, match="rankings: expected lists of 4 in every row, row 0 holds 3"):
            columns.matrix("rankings", values, length=4)
    narrow = columns.matrix("rankings", pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)).slice(1), empty=-1, length=3)
    assert_array_equal(narrow, [[3, 4, -1]])


@pytest.mark.parametrize("width", [0, -3])
def test_lists_of_no_length_are_refused(width):
    with pytest.raises(ValueError, match=f"counts: expected lists of one number or more, got lists of {width}"):
        columns.matrix("counts", pa.array([[1]]), length=width)


def test_empty_lists_are_refused():
    for kind in (pa.list_(pa.int8(), 0), pa.list_(pa.int8())):
        with pytest.raises(ValueError, match="counts: expected lists of one number or more, got lists of 0"):
            columns.matrix("counts", pa.array([[], []], kind))


def test_no_rows_have_a_width_where_the_type_says_so():
    for values in (pa.array([], pa.list_(pa.int8(), 3)), pa.chunked_array([], pa.list_(pa.int8(), 3))):
        assert columns.matrix("counts", values).shape == (0, 3)
    assert columns.matrix("counts", pa.array([], pa.list_(pa.int8())), empty=-1, length=3).shape == (0, 3)
    assert columns.vector("task", pa.chunked_array([], pa.int8())).dtype == np.int8
    for values in (pa.array([], pa.list_(pa.int8())), pl.Series([], dtype=pl.List(pl.Int8))):
        with pytest.raises(ValueError, match="counts: expected one list or more, got no rows"):
            columns.matrix("counts", values)


def test_a_null_row_hides_its_values():
    valid = pa.py_buffer(np.packbits([1, 0, 1], bitorder="little"))
    offsets = pa.py_buffer(np.array([0, 2, 5, 7], np.int32))
    column = pa.Array.from_buffers(
        pa.list_(pa.int32()), 3, [valid, offsets], children=[pa.array(np.arange(7, dtype=np.int32))]
    )
    with pytest.raises(ValueError, match="row 1 is null"):
        columns.matrix("counts", column)
    assert_array_equal(columns.matrix("counts", column.slice(2)), [[5, 6]])


def test_values_beyond_the_lists_are_left_alone():
    longer = pa.array([*range(11), None], pa.int32()).slice(1)
    column = pa.Array.from_buffers(pa.list_(pa.int32(), 3), 2, [None], children=[longer], offset=1)
    assert_array_equal(columns.matrix("counts", column), [[4, 5, 6], [7, 8, 9]])


def test_memory_that_is_not_aligned_is_copied():
    packed = pa.py_buffer(b"\0" + NUMBERS.tobytes()).slice(1)
    numbers = pa.Array.from_buffers(pa.int32(), 60, [None, packed])
    found = columns.matrix("counts", pa.FixedSizeListArray.from_arrays(numbers, 10))
    assert found.flags.aligned
    assert_array_equal(found, NUMBERS)


def test_views_of_lists_in_any_order():
    starts, sizes = pa.array([4, 0, 2], pa.int32()), pa.array([2, 2, 2], pa.int32())
    values = pa.array([0, 1, None, 3, 4, 5], pa.int8())
    found = columns.matrix("rankings", pa.ListViewArray.from_arrays(starts, sizes, values), empty=-1)
    assert_array_equal(found, [[4, 5], [0, 1], [-1, 3]])


@pytest.mark.parametrize(
    ("kind", "buffers"),
    [
        (pa.list_(pa.int32(), 3), [None]),
        (pa.list_(pa.int32()), [None, np.array([0, 3, 6], np.int32)]),
        (pa.list_(pa.int32()), [None, np.array([-3, 0, 3], np.int32)]),
        (pa.list_(pa.int32()), [None, np.array([0, 3, 2], np.int32)]),
        (pa.list_(pa.int32()), [None, None]),
        (pa.large_list(pa.int32()), [None, np.array([0, 2**62, -(2**63)])]),
        (pa.large_list(pa.int32()), [None, np.array([2**62, 2**62 + 3, 2**62 + 6])]),
        (pa.list_view(pa.int32()), [None, np.array([0, 9], np.int32), np.array([3, 3], np.int32)]),
        (pa.list_view(pa.int32()), [None, np.array([0, 1], np.int32), np.array([3, 2**31 - 1], np.int32)]),
    ],
)
def test_lists_beyond_their_values_are_refused(kind, buffers):
    column = nanoarrow.c_array_from_buffers(
        kind, 2, buffers, 0, children=[nanoarrow.c_array(pa.array(FOUR))], validation_level="none"
    )
    for options in ({}, {"length": 3, "empty": -1}, {"length": 2, "empty": -1}):
        with pytest.raises(ValueError, match=r"counts: expected|expected memory for . values"):
            columns.matrix("counts", column, **options)


CELLS = st.one_of(st.none(), st.integers(0, 100))


@st.composite
def layouts_of(draw: st.DrawFn) -> tuple[list[list[int | None]], pa.ChunkedArray]:
    """Lists of one length, some cells null, in a random type and layout, cut, padded and sliced anywhere."""
    width, cells = draw(st.integers(1, 4)), draw(st.sampled_from([CELLS, st.integers(0, 100)]))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12))
    number = draw(st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]))
    value = pa.from_numpy_dtype(np.dtype(number))
    kinds = [pa.list_(value), pa.list_(value, width), pa.large_list(value), pa.list_view(value)]
    kind = draw(st.sampled_from(kinds))
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    chunks = []
    for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        before, after = (draw(st.lists(st.just([1] * width), max_size=9)) for _ in range(2))
        chunk = pa.array([*before, *rows[first:last], *after], kind)
        chunks.append(chunk.slice(len(before), last - first))
    return rows, pa.chunked_array(chunks, kind)


@given(layouts_of())
def test_any_layout_is_its_rows(case):
    rows, column = case
    expected = [[-1 if cell is None else cell for cell in row] for row in rows]
    assert columns.matrix("rankings", column, empty=-1).tolist() == expected
    named = pa.table({"rankings": column})
    assert columns.matrix("rankings", named, empty=-1, length=6).tolist() == [
        row + [-1] * (6 - len(row)) for row in expected
    ]
    if any(None in row for row in rows):
        with pytest.raises(ValueError, match="is null at place"):
            columns.matrix("rankings", column)
