"""DuckDB's functions against the engine: golden vectors in SQL over Parquet, types, NULL, threads, lines of errors."""

import doctest
import importlib
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests import strategies
from tests.strategies import Case

import habitus
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS, Fill
from habitus_bindings import duckdb as tongue

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as opened:
        tongue.register(opened)
        yield opened


def rows_of(connection: duckdb.DuckDBPyConnection, query: str, parameters: Any = None) -> list[Any]:
    return connection.execute(query, parameters).fetchall()


def assert_same(found: dict[str, Any], expected: habitus.Scores, row: int = 0) -> None:
    for name, values in expected._asdict().items():
        assert_array_equal(math.nan if found[name] is None else found[name], values[row], err_msg=name)


def random_file(folder: Path, rows: int) -> tuple[Path, habitus.Scores]:
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(0.35, 8, (rows, 50))).astype(np.int32)
    counts[:, 0] += 1
    rankings = rng.permuted(np.tile(np.arange(50, dtype=np.int16), (rows, 1)), axis=1)[:, :10].copy()
    rankings[rng.random((rows, 10)) < 0.1] = -1
    lists = [pa.FixedSizeListArray.from_arrays(array.reshape(-1), array.shape[1]) for array in (counts, rankings)]
    table = pa.table({"row": np.arange(rows), "model": np.arange(rows) % 3, "counts": lists[0], "ranking": lists[1]})
    pq.write_table(table, folder / "scores.parquet", row_group_size=3000)
    return folder / "scores.parquet", habitus.score(counts, rankings)


def test_docstrings():
    assert doctest.testmod(importlib.import_module("habitus_bindings.duckdb")).failed == 0


@pytest.mark.parametrize("fill", FILLS)
def test_golden_vectors(connection: duckdb.DuckDBPyConnection, fill: Fill) -> None:
    query = "select counts, ranking, alpha, habitus_score(counts, ranking, alpha, ?) from read_parquet(?)"
    rows = rows_of(connection, query, [fill, str(GOLDEN)])
    assert len(rows) == 600
    for counts, ranking, alpha, found in rows:
        assert_same(found, habitus.score([counts], [ranking], alpha=alpha, fill=fill))


@given(strategies.cases(), st.sampled_from(FILLS))
def test_engine(case: Case, fill: Fill) -> None:
    expected = habitus.score(case.counts[case.task], case.rankings, alpha=case.alpha, fill=fill)
    lists = [[None if item < 0 else item for item in row] for row in case.rankings.tolist()]
    table = pa.table({"counts": case.counts[case.task].tolist(), "ranking": lists})
    # Not the fixture: hypothesis keeps what it is given, and DuckDB complains of connections that outlive it.
    with duckdb.connect() as connection:
        tongue.register(connection)
        connection.register("cases", table)
        found = rows_of(connection, "select habitus_score(counts, ranking, ?, ?) from cases", [fill, case.alpha])
    for row, (scores,) in enumerate(found):
        assert_same(scores, expected, row)


def test_a_query_over_parquet_on_several_threads(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path, expected = random_file(tmp_path, 20_000)
    scored = rows_of(connection, "select habitus_score(counts, ranking) from read_parquet(?) order by row", [str(path)])
    for name, values in expected._asdict().items():
        assert_array_equal([scores[name] for (scores,) in scored], values)
    query = (
        "select model, avg(habitus_cross_entropy(counts, ranking)) from read_parquet(?) group by model order by model"
    )
    means = [expected.cross_entropy[model::3].mean() for model in range(3)]
    assert_allclose([mean for _, mean in rows_of(connection, query, [str(path)])], means, rtol=1e-12)


def test_skill_of_each_model(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path, expected = random_file(tmp_path, 5000)
    query = """
        with scored as (select model, unnest(habitus_score(counts, ranking)) from read_parquet(?))
        select
            habitus_skill(entropy, chance, cross_entropy),
            habitus_bounded_skill(entropy, chance, worst, cross_entropy)
        from scored group by model order by model
    """
    for model, (skill, bounded) in enumerate(rows_of(connection, query, [str(path)])):
        own = habitus.Scores(*(values[model::3] for values in expected))
        assert_allclose([skill, bounded], [habitus.skill(own).value, habitus.bounded_skill(own).value], rtol=1e-12)


def test_skill_excludes_what_the_engine_excludes(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select habitus_skill(h, c, ce), habitus_bounded_skill(h, c, w, ce), habitus_skill(h, c, null)
        from (values (1, 2, 3, 1.5), (1, 1, 1, 1), (0, 0.01, 9, 9), (0, 1, 9, 'nan'::double)) t(h, c, w, ce)
    """
    columns = np.array([[1.0, 1, 0, 0], [2, 1, 0.01, 1], [3, 1, 9, 9], [1.5, 1, 9, math.nan]])
    own = habitus.Scores(*columns, np.ones(4, np.int32))
    assert rows_of(connection, query) == [(habitus.skill(own).value, habitus.bounded_skill(own).value, None)]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator(connection: duckdb.DuckDBPyConnection, estimator: str) -> None:
    found = rows_of(connection, "select habitus_entropy([3, 0, 1, 4], ?)", [estimator])
    assert found == [(ESTIMATORS[estimator]([[3, 0, 1, 4]])[0],)]


@pytest.mark.parametrize(
    "kind", ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"]
)
@pytest.mark.parametrize("sizes", [("[]", "[]"), ("[3]", "[2]")])
def test_types(connection: duckdb.DuckDBPyConnection, kind: str, sizes: tuple[str, str]) -> None:
    counts, ranking = f"[3, 0, 1]::{kind}{sizes[0]}", f"[2, null]::{kind}{sizes[1]}"
    ((found,),) = rows_of(connection, f"select habitus_score({counts}, {ranking})")
    assert_same(found, habitus.score([[3, 0, 1]], [[2, -1]]))


def test_options_in_any_order_as_columns_and_by_default(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select fill, alpha,
            habitus_score([3, 0, 1], [2, null], fill, alpha), habitus_score([3, 0, 1], [2, -1], alpha, fill)
        from (values (null, null), ('worst', 0.5), ('worst', null), (null, 2), ('optimistic', 0.5)) t(fill, alpha)
    """
    for fill, alpha, found, also in rows_of(connection, query):
        options = {"fill": fill or "chance", "alpha": None if alpha is None else float(alpha)}
        expected = habitus.score([[3, 0, 1]], [[2, -1]], **options)
        assert_same(found, expected)
        assert_same(also, expected)


def test_chance_and_worst_by_length(connection: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select n, habitus_chance([3, 0, 1], n, 0.5), habitus_worst([3, 0, 1], n) from (values (1), (null), (3)) t(n)"
    )
    for length, chance, worst in rows_of(connection, query):
        if length is None:
            assert chance is worst is None
        else:
            ranking = [list(range(length))]
            assert chance == habitus.score([[3, 0, 1]], ranking, alpha=0.5).chance[0]
            assert worst == habitus.score([[3, 0, 1]], ranking).worst[0]


def test_null_rows_are_null(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select habitus_score(counts, ranking), habitus_cross_entropy(counts, ranking), habitus_entropy(counts)
        from (values (1, [1, 2], [0]), (2, null, [0]), (3, [1, 2], null), (4, [2, 2], [1])) t(row, counts, ranking)
        order by row
    """
    found = rows_of(connection, query)
    assert [[value is None for value in row] for row in found] == [
        [False, False, False],
        [True, True, True],
        [True, True, False],
        [False, False, False],
    ]
    assert rows_of(connection, "select habitus_score(null, [1]), habitus_entropy(null)") == [(None, None)]
    array = "select habitus_entropy(counts) from (values ([1, 2]::INTEGER[2]), (null)) t(counts)"
    assert [entropy is None for (entropy,) in rows_of(connection, array)] == [False, True]


def test_rows_of_different_sizes(connection: duckdb.DuckDBPyConnection) -> None:
    query = """
        select *, habitus_score(counts, ranking)
        from (values ([5, 1], [1]), ([1, 2, 3], [0, 2]), ([4, 4], [0, 1])) t(counts, ranking)
    """
    for counts, ranking, found in rows_of(connection, query):
        assert_same(found, habitus.score([counts], [ranking]))


def test_a_list_made_longer_has_empty_slots(connection: duckdb.DuckDBPyConnection) -> None:
    ((found,),) = rows_of(connection, "select habitus_score([5, 1, 1], list_resize([1], 3))")
    assert_same(found, habitus.score([[5, 1, 1]], [[1, -1, -1]]))


def test_dropped_is_null(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select avg(habitus_cross_entropy([5, 1], ranking, 'drop')) from (values ([1, -1]), ([0, 1])) t(ranking)"
    assert rows_of(connection, query) == [(habitus.score([[5, 1]], [[0, 1]]).cross_entropy[0],)]


def test_registering_again_and_on_a_cursor(connection: duckdb.DuckDBPyConnection) -> None:
    tongue.register(connection)
    cursor = connection.cursor()
    tongue.register(cursor)
    assert rows_of(cursor, "select habitus_entropy([1, 0], 0), habitus_skill(0.0, 1.0, 0.5)") == [(0.0, 0.5)]


ROW = "row 0 of its batch"
BAD = [
    (
        "habitus_score([1, -5], [0])",
        f"counts: expected counts >= 0, got -5 for {ROW}, candidate 1 (counts [1, -5], ranking [0])",
    ),
    ("habitus_entropy([1, -5])", f"counts: expected counts >= 0, got -5 for {ROW}, candidate 1 (counts [1, -5])"),
    (
        "habitus_entropy([0, 0])",
        f"counts: expected a positive count in every row, {ROW} has none; leave it out (counts [0, 0])",
    ),
    ("habitus_entropy([1, null])", f"counts: expected a number for every candidate, {ROW} has none for candidate 1"),
    (
        "habitus_score([1, 2], [1, 1])",
        f"rankings: expected each candidate once, {ROW} lists 1 twice (counts [1, 2], ranking [1, 1])",
    ),
    (
        "habitus_score([1, 2], [2])",
        f"rankings: expected -1 or candidates in [0, 2), {ROW} holds 2 (counts [1, 2], ranking [2])",
    ),
    (
        "habitus_score([1, 2], [0, 1, -1])",
        f"rankings: expected lists of at most 2 candidates, got 3 slots, in {ROW} (counts [1, 2], ranking [0, 1, -1])",
    ),
    (
        "habitus_score([1, 2], [])",
        f"rankings: expected at least one slot, got none, in {ROW} (counts [1, 2], ranking [])",
    ),
    ("habitus_entropy([1.5, 2])", "counts: expected lists of integers, got list<l: decimal128(11, 1)>"),
    ("habitus_entropy([1.5::DOUBLE])", "counts: expected integers, got float64"),
    ("habitus_entropy('a')", "counts: expected lists of integers, got string"),
    ("habitus_entropy(['a'])", "counts: expected lists of integers, got list<l: string>"),
    ("habitus_entropy([1], 'best')", f"estimator: expected one of {', '.join(ESTIMATORS)}, got 'best'"),
    ("habitus_entropy([1], 'nsb', 1)", "alpha: expected none for nsb; only plug-in and dirichlet have a pseudo-count"),
    (
        "habitus_entropy([1], 'nsb', 'nsb')",
        "expected habitus_entropy(counts [, estimator] [, alpha]), got a further argument of string",
    ),
    ("habitus_score([1], [0], 'no')", "fill: expected one of chance, optimistic, worst, drop, got 'no'"),
    ("habitus_score([1], [0], 0)", "alpha: expected a finite pseudo-count > 0, got 0"),
    ("habitus_score([1], [0], 'nan'::double)", "alpha: expected a finite pseudo-count > 0, got nan"),
    (
        "habitus_score([1], [0], [1])",
        "expected habitus_score(counts, ranking [, fill] [, alpha]), got a further argument of list<l: int32>",
    ),
    ("habitus_score([1])", "expected habitus_score(counts, ranking [, fill] [, alpha]), got 1 of these"),
    ("habitus_chance([1, 2], 0)", "length: expected a whole number of slots >= 1, got 0"),
    (
        "habitus_chance([1, 2], 1, 'worst')",
        "expected habitus_chance(counts, length [, alpha]), got a further argument of string",
    ),
    (
        "habitus_chance([1, 2], 3)",
        f"rankings: expected lists of at most 2 candidates, got 3 slots, in {ROW} (counts [1, 2])",
    ),
]


@pytest.mark.parametrize(("expression", "line"), BAD)
def test_a_bad_row_is_one_clear_line(connection: duckdb.DuckDBPyConnection, expression: str, line: str) -> None:
    with pytest.raises(duckdb.InvalidInputException) as caught:
        rows_of(connection, f"select {expression}")
    # DuckDB 1.4 adds lines that say where in Python.
    first, *rest = str(caught.value).splitlines()
    assert first.split("Error: ", 2)[-1] == line
    assert rest == [] or duckdb.__version__.startswith("1.")


def test_without_duckdb() -> None:
    program = "import sys; sys.modules['duckdb'] = None; import habitus_bindings.duckdb"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].startswith(
        "ImportError: habitus_bindings.duckdb: expected duckdb >= 1.4 and pyarrow"
    )
