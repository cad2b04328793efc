"""Columns of every library as arrays and back, by address where nothing is copied; nulls, ragged lists; refusals."""

import doctest
import gc
import subprocess
import sys
import weakref

import nanoarrow
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests.bindings.sources import DTYPES, FOUR, LAYOUTS, NUMBERS, SOURCES, fixed

from habitus_bindings import columns
from habitus_bindings.columns import Column, Table


def address(values: np.ndarray | pa.Array) -> int:
    """Where the first number lies, of lists the first of their own child."""
    if isinstance(values, np.ndarray):
        return values.__array_interface__["data"][0]
    numbers = values.values if hasattr(values, "values") else values  # noqa: PD011 - pyarrow's
    return numbers.buffers()[1].address


@pytest.mark.parametrize("source", SOURCES)
def test_a_column_of_any_library_is_its_matrix(source):
    found = columns.matrix("counts", SOURCES[source](NUMBERS))
    assert_array_equal(found, NUMBERS)
    assert found.dtype.kind == "i"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_column_of_numbers_is_its_vector(dtype):
    values = (np.arange(40) % 3).astype(dtype)
    for source in (pa.array(values), pl.Series(values), nanoarrow.Array(pa.array(values)), Column(values), values):
        found = columns.vector("task", source)
        assert found.dtype == dtype
        assert_array_equal(found, values)
        assert_array_equal(columns.array("task", source), values)
    assert_array_equal(columns.vector("task", pa.array(values).slice(3, 30)), values[3:33])
    assert_array_equal(columns.vector("task", pa.chunked_array([values[:9], values[9:]])), values)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_is_copied_on_the_way_in(layout):
    column = LAYOUTS[layout](NUMBERS)
    start = address(column)
    assert address(columns.matrix("counts", column)) == start
    assert address(columns.matrix("counts", column.slice(2, 3))) == start + 2 * 10 * 4
    assert address(columns.matrix("counts", pa.chunked_array([column]))) == start
    assert address(columns.matrix("counts", pa.record_batch({"counts": column}).slice(3))) == start + 3 * 10 * 4
    numbers = pa.array(FOUR)
    assert address(columns.vector("task", numbers.slice(2))) == address(numbers) + 2 * 4


@pytest.mark.parametrize("dtype", [pl.Array(pl.Int32, 10), pl.List(pl.Int32)])
def test_nothing_is_copied_out_of_polars(dtype):
    series = pl.Series(NUMBERS.tolist(), dtype=dtype)
    assert address(columns.matrix("counts", series)) == address(series.to_arrow())
    assert address(columns.matrix("counts", series.to_frame())) == address(series.to_arrow())


def test_nothing_is_copied_out_of_pandas():
    series = pd.Series(fixed(NUMBERS), dtype=pd.ArrowDtype(fixed(NUMBERS).type))
    (chunk,) = series.array.__arrow_array__().chunks
    assert address(columns.matrix("counts", series)) == address(chunk)


def test_a_view_owns_what_it_looks_at():
    before = pa.total_allocated_bytes()
    column = pa.FixedSizeListArray.from_arrays(pa.array(list(range(100_000)), pa.int64()), 10)
    held = pa.total_allocated_bytes() - before
    view = columns.matrix("counts", column)[5:, 2:]
    del column
    gc.collect()
    assert pa.total_allocated_bytes() - before >= held
    assert_array_equal(view[0], np.arange(52, 60))
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 0
    del view
    gc.collect()
    assert pa.total_allocated_bytes() - before < held


def test_nothing_is_copied_on_the_way_out():
    column = Column(NUMBERS)
    assert np.shares_memory(column.to_numpy(), NUMBERS)
    for exported in (pa.array(column), pa.chunked_array(column).chunk(0), pl.Series(column).to_arrow()):
        assert address(exported) == address(NUMBERS)
        assert exported.to_pylist() == NUMBERS.tolist()
    assert address(pa.array(Column(FOUR))) == address(FOUR)
    table = pa.table(Table({"task": FOUR, "counts": NUMBERS[:4]}))
    assert address(table["task"].chunk(0)) == address(FOUR)
    assert address(table["counts"].chunk(0)) == address(NUMBERS)


def test_what_is_exported_keeps_its_array_and_lets_it_go():
    array = NUMBERS.copy()
    kept = weakref.ref(array)
    exported = pl.Series(Column(array))
    del array
    gc.collect()
    assert kept() is not None
    assert_array_equal(exported.to_numpy(), NUMBERS)
    del exported
    gc.collect()
    assert kept() is None


def test_capsules_that_nobody_takes_let_go():
    array = NUMBERS.copy()
    kept = weakref.ref(array)
    capsules = Table({"counts": array}).__arrow_c_array__(), Column(array).__arrow_c_stream__()
    assert len(capsules) == 2
    del array, capsules
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(6,), (3, 2), (1, 2, 3), (0,), (0, 4), (2, 0)])
def test_an_array_comes_back_as_it_went(dtype, shape):
    array = (np.arange(np.prod(shape)) % 2).astype(dtype).reshape(shape)
    exported = pa.array(Column(array))
    exported.validate(full=True)
    assert exported.to_pylist() == array.tolist()
    assert pa.field(Column(array)).type == exported.type
    if 0 not in shape[1:] and len(shape) < 3:
        found = columns.array("values", exported)
        assert found.dtype == dtype
        assert_array_equal(found, array)


def test_arrays_in_any_order_of_memory_or_bytes_are_columns():
    for array in (NUMBERS.T, NUMBERS[:, ::2], NUMBERS[::-1], NUMBERS.astype(">i4")):
        assert pa.array(Column(array)).to_pylist() == array.tolist()


def test_a_column_is_an_array_to_numpy():
    column = Column(FOUR)
    assert_array_equal(np.asarray(column), FOUR)
    assert np.asarray(column, np.float64).dtype == np.float64
    assert_array_equal(column[1:], FOUR[1:])
    assert_array_equal(column + column, FOUR + FOUR)
    assert_array_equal(column >= 2, FOUR >= 2)
    assert len(column) == 4
    assert repr(column) == "Column(array([0, 1, 2, 3], dtype=int32))"
    with pytest.raises(ValueError, match="read-only"):
        column.to_numpy()[0] = 1
    assert FOUR.flags.writeable


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([1j]), np.zeros(2, np.float16), np.array([None])])
def test_other_arrays_are_no_columns(values):
    with pytest.raises(TypeError, match="expected integers, float32, float64 or booleans, got"):
        Column(values)


def test_a_number_is_no_column():
    with pytest.raises(ValueError, match="expected an array of one dimension or more"):
        Column(np.array(3))


def test_a_table_gives_its_columns_by_name():
    table = Table({"task": FOUR, "skill": Column(FOUR / 2)})
    assert (len(table), list(table), table.keys()) == (4, ["task", "skill"], ["task", "skill"])
    assert_array_equal(dict(table)["skill"], FOUR / 2)
    assert pa.record_batch(table).to_pydict() == {"task": [0, 1, 2, 3], "skill": [0, 0.5, 1, 1.5]}
    assert pa.schema(table).names == ["task", "skill"]
    assert pl.DataFrame(table).shape == pd.DataFrame.from_arrow(table).shape == (4, 2)
    assert repr(Table({"task": FOUR[:1]})) == "Table({'task': Column(array([0], dtype=int32))})"
    with pytest.raises(ValueError, match=r"expected columns of one length, got {'a': 4, 'b': 3}"):
        Table({"a": FOUR, "b": FOUR[:3]})
    with pytest.raises(ValueError, match=r"expected columns of one length, got {}"):
        Table({})


def test_a_null_among_numbers_is_refused_by_name_and_row_and_missing_among_floats():
    with pytest.raises(ValueError, match="task: expected int64 in every row, row 2 is null"):
        columns.vector("task", pa.array([9, 4, 1, None]).slice(1))
    with pytest.raises(ValueError, match="task: expected bool in every row, row 3 is null"):
        columns.vector("task", pa.chunked_array([[True, False], [True, None]]))
    assert_array_equal(columns.vector("x", pa.array([1.5, None, 2.5])), [1.5, np.nan, 2.5])
    assert columns.vector("x", pa.array([1.5, None], pa.float32())).dtype == np.float32


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (pa.array(["a"]), "string"),
        (pa.array([1]), "int64"),
        (pa.array([["a"]]), "list<item: string>"),
        (pa.array([[[1]]]), "list<item: list<item: int64>>"),
        (pa.array([1]).dictionary_encode(), r"dictionary\(int32\)<int64>"),
        (pa.array([[1]], pa.list_(pa.timestamp("s"))), "list<item: timestamp"),
        (pa.array([[1]], pa.list_(pa.float16())), "list<item: half_float>"),
        (pa.ListArray.from_arrays([0, 1], pa.array([1]).dictionary_encode()), "list<item: dictionary"),
        (pa.nulls(3), "na"),
        (pa.array([{"a": {"b": 1}}]), "struct"),
    ],
)
def test_other_types_are_refused_by_name(values, got):
    with pytest.raises(TypeError, match=f"counts: expected lists of numbers, got {got}"):
        columns.matrix("counts", values)


def test_lists_are_no_column_of_numbers():
    with pytest.raises(TypeError, match="task: expected a column of numbers, got list<item: int64>"):
        columns.vector("task", pa.array([[1]]))
    with pytest.raises(TypeError, match="task: expected a column of numbers, got string"):
        columns.array("task", pa.array(["a"]))


def test_a_table_of_several_columns_is_refused_by_their_names():
    for table in (
        pa.table({"a": FOUR, "b": FOUR}),
        pl.DataFrame({"a": FOUR, "b": FOUR}),
        Table({"a": FOUR, "b": FOUR}),
    ):
        with pytest.raises(ValueError, match=r"task: expected one column, got a table of \['a', 'b'\]; select one"):
            columns.vector("task", table)
    with pytest.raises(ValueError, match=r"got a table of \['a', 'a'\]"):
        columns.vector("task", pa.Table.from_arrays([FOUR, FOUR], ["a", "a"]))
    with pytest.raises(ValueError, match=r"got a table of \[\]"):
        columns.vector("task", pa.table({}))


class Exports:
    """An object that exports what it is given."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        """Anything."""
        return self.value


class Streams(Exports):
    """The same, as a stream."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Anything."""
        return self.value


@pytest.mark.parametrize("value", [None, 3, (1, 2), (None, None, None), pa.array(FOUR).__arrow_c_array__()[::-1]])
@pytest.mark.parametrize("kind", [Exports, Streams])
def test_what_is_no_capsule_is_refused(kind, value):
    assert columns.has_arrow(kind(value))
    with pytest.raises(TypeError, match=r"counts: expected an Arrow column, .* gave none: .") as refused:
        columns.matrix("counts", kind(value))
    assert "\n" not in str(refused.value)


def test_a_capsule_that_another_library_took_is_refused():
    capsules = pa.array(FOUR).__arrow_c_array__()
    assert pa.array(Exports(capsules)).to_pylist() == FOUR.tolist()
    with pytest.raises(TypeError, match="task: expected an Arrow column, Exports gave none"):
        columns.vector("task", Exports(capsules))


def test_a_stream_that_fails_says_why():
    def batches():
        yield pa.record_batch({"counts": fixed(NUMBERS)})
        raise ValueError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"counts": fixed(NUMBERS).type}), batches())
    with pytest.raises(TypeError, match=r"counts: expected an Arrow column, .*: .*the disk is gone"):
        columns.matrix("counts", reader)


def test_without_nanoarrow_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoarrow", None)
    with pytest.raises(ImportError, match="pip install 'nanoarrow"):
        columns.matrix("counts", pa.array([[1]]))
    assert_array_equal(columns.matrix("counts", [[1]]), [[1]])


def test_pyarrow_is_not_needed():
    code = """
import sys
sys.modules["pyarrow"] = None
import numpy, nanoarrow, habitus, habitus_bindings
assert "nanoarrow" in sys.modules and "habitus_bindings.columns" not in sys.modules
import polars
from habitus_bindings import arrow
frame = polars.DataFrame({"counts": [[9, 1, 0]], "ranking": [[0, None]]})
scores = arrow.score(frame["counts"], frame["ranking"])
assert polars.DataFrame(scores.table())["valid"].to_list() == [1]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_engine_alone_does_not_load_nanoarrow():
    code = "import sys, habitus, habitus_bindings.columns; sys.exit('nanoarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_docstrings():
    assert doctest.testmod(columns).failed == 0


PLAIN = [
    *(pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.float16(), pa.bool_(), pa.string(), pa.binary(2)),
    *(pa.null(), pa.timestamp("us", "UTC"), pa.date32(), pa.decimal128(5, 2), pa.string_view(), pa.duration("s")),
    *(pa.dictionary(pa.int8(), pa.string()), pa.run_end_encoded(pa.int32(), pa.int64())),
]
TYPES = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: st.one_of(
        st.builds(pa.list_, inner),
        st.builds(pa.list_, inner, st.integers(0, 3)),
        st.builds(pa.large_list, inner),
        st.builds(pa.list_view, inner),
        st.builds(lambda kinds: pa.struct({str(i): kind for i, kind in enumerate(kinds)}), st.lists(inner, max_size=2)),
        st.builds(lambda kind: pa.map_(pa.int8(), kind), inner),
    ),
    max_leaves=3,
)


@given(TYPES, st.integers(0, 5), st.data())
def test_no_type_crashes(kind, rows, data):
    column = pa.nulls(rows, kind).slice(data.draw(st.integers(0, rows)))
    for read in (columns.vector, columns.matrix, columns.array):
        for options in ({}, {"empty": -1}) if read is not columns.vector else ({},):
            try:
                found = read("values", column, **options)
            except (TypeError, ValueError) as error:
                said = str(error)
            else:
                said = f"values: expected {len(column)} rows, got {len(found)}" if len(found) != len(column) else ""
            assert said == "" or said.startswith("values: expected")
