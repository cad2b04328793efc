"""The tongues of Python's world: each a function that scores a case, and one that makes a job of a table."""

import math
from collections.abc import Callable
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from benchmarks.tongues.cases import Answer, Case
from numpy.typing import NDArray

import habitus
import habitus_bindings.pandas  # registers the accessor
from habitus_bindings import arrow
from habitus_bindings import duckdb as sql
from habitus_bindings import polars as expressions

Counts, Lists = NDArray[np.int32], NDArray[np.int16]
Call = Callable[[], object]
Values = tuple[float, ...]


class Tongue(NamedTuple):
    """``scored``: a case's five numbers; ``job``: scores a table on one thread; ``bad``: what must be refused."""

    scored: Callable[[Case], Values]
    job: Callable[[Counts, Lists], Call]
    bad: tuple[Call, ...]

    def score(self, case: Case) -> Answer:
        """The values, or what was said."""
        values: list[float] = []
        said = refused(lambda: values.extend(self.scored(case)))
        return Answer(tuple(values), said)


def refused(call: Call) -> str:
    """What was said, in the first line; empty if nothing was refused. A panic of Polars is no Exception: it ends it."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever a tongue raises
        return str(error).splitlines()[0]
    return ""


def _alpha(case: Case) -> float | None:
    return None if math.isnan(case.alpha) else case.alpha


def _columns(counts: Counts, lists: Lists) -> list[pa.Array]:
    return [pa.FixedSizeListArray.from_arrays(pa.array(each.reshape(-1)), each.shape[1]) for each in (counts, lists)]


def _numpy(case: Case) -> Values:
    ranking = np.array([case.ranking], np.int64)
    scores = habitus.score([case.counts], ranking, alpha=_alpha(case), fill=case.fill)  # type: ignore[arg-type]
    return tuple(float(field[0]) for field in scores)


def _numpy_job(counts: Counts, lists: Lists) -> Call:
    return lambda: habitus.score(counts, lists, threads=1)


def _arrow(case: Case) -> Values:
    counts, ranking = pa.array([case.counts], pa.list_(pa.int32())), pa.array([case.ranking], pa.list_(pa.int16()))
    scores = arrow.score(counts, ranking, alpha=_alpha(case), fill=case.fill)  # type: ignore[arg-type]
    return tuple(pa.array(field)[0].as_py() for field in scores)


def _arrow_job(counts: Counts, lists: Lists) -> Call:
    columns = _columns(counts, lists)
    return lambda: arrow.score(*columns, threads=1)


def _polars(case: Case) -> Values:
    kinds = {"counts": pl.List(pl.Int32), "ranking": pl.List(pl.Int16)}
    frame = pl.DataFrame({"counts": [case.counts], "ranking": [case.ranking]}, schema=kinds)
    scores = expressions.score("counts", "ranking", fill=case.fill, alpha=_alpha(case))  # type: ignore[arg-type]
    return frame.select(scores.alias("scores")).unnest("scores").row(0)


def _polars_job(counts: Counts, lists: Lists) -> Call:
    frame = pl.DataFrame({"counts": counts, "ranking": lists})
    return lambda: frame.select(expressions.score("counts", "ranking"))


def _pandas(case: Case) -> Values:
    counts, ranking = pd.Series([case.counts]), pd.Series([case.ranking])
    scores = counts.habitus.score(ranking, alpha=_alpha(case), fill=case.fill)
    return tuple(float(scores[name].iloc[0]) for name in habitus.Scores._fields)


def _pandas_job(counts: Counts, lists: Lists) -> Call:
    held, rankings = (pd.Series(pd.arrays.ArrowExtensionArray(column)) for column in _columns(counts, lists))
    return lambda: held.habitus.score(rankings, threads=1)


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    sql.register(connection)
    return connection


def _duckdb(case: Case) -> Values:
    options = [case.fill, *([] if math.isnan(case.alpha) else [case.alpha])]
    marks = ", ".join("?" * len(options))
    query = f"select unnest(habitus_score(?::INTEGER[], ?::SMALLINT[], {marks}))"
    with _connection() as connection:
        return tuple(connection.execute(query, [case.counts, case.ranking, *options]).fetchone() or ())


def _duckdb_job(counts: Counts, lists: Lists) -> Call:
    connection = _connection()
    connection.register("given", pa.table(_columns(counts, lists), ["counts", "ranking"]))
    connection.execute("create table kept as from given")
    connection.unregister("given")
    return lambda: connection.execute("select sum(habitus_score(counts, ranking).cross_entropy) from kept").fetchall()


def _refused_by_duckdb(call: str) -> Call:
    def run() -> object:
        with _connection() as connection:
            return connection.execute(f"select {call}").fetchall()

    return run


def _of_polars(counts: list[object], **options: str) -> Call:
    return lambda: pl.DataFrame({"counts": counts}).select(expressions.entropy("counts", **options))  # type: ignore[arg-type]


NUMPY = Tongue(
    _numpy,
    _numpy_job,
    (
        lambda: habitus.score([["a"]], [[0]]),
        lambda: habitus.score([[1.5, 1.0]], [[0]]),
        lambda: habitus.score([1, 2], [[0]]),
        lambda: habitus.score([[1, 2]], [[0], [1]]),
        lambda: habitus.score([[1, 2]], [[0]], task=[1]),
    ),
)
TONGUES = {
    "Arrow": Tongue(
        _arrow,
        _arrow_job,
        (
            lambda: arrow.score(pa.array([[1, None]]), pa.array([[0]])),
            lambda: arrow.score(pa.array([[1, 2], None]), pa.array([[0], [1]])),
            lambda: arrow.score(pa.array([[1, 2], [1]]), pa.array([[0], [0]])),
            lambda: arrow.score(pa.array([["a", "b"]]), pa.array([[0]])),
            lambda: arrow.score(pa.array([1, 2]), pa.array([[0]])),
            lambda: arrow.score(pa.table({"a": [[1]], "b": [[1]]}), pa.array([[0]])),
        ),
    ),
    "Polars": Tongue(
        _polars,
        _polars_job,
        (
            _of_polars([[1, None]]),
            _of_polars(["a"]),
            _of_polars([[1.5, 2.0]]),
            _of_polars([[1, 2]], estimator="nonsense"),
        ),
    ),
    "pandas": Tongue(
        _pandas,
        _pandas_job,
        (
            lambda: pd.Series([[1, None]]).habitus.score(pd.Series([[0]])),
            lambda: habitus_bindings.pandas.Habitus(pd.Series(["a"])).entropy(),
            lambda: habitus_bindings.pandas.Habitus(pd.Series([[1.5, 2.0]])).entropy(),
            lambda: habitus_bindings.pandas.Habitus(pd.DataFrame({"a": ["x"], "b": ["y"]})).entropy(),
        ),
    ),
    "DuckDB": Tongue(
        _duckdb,
        _duckdb_job,
        tuple(
            map(
                _refused_by_duckdb,
                (
                    "habitus_score([1, NULL], [0])",
                    "habitus_score('a', [0])",
                    "habitus_score([1.5, 2.5], [0])",
                    "habitus_entropy([1, 2], 'nonsense')",
                ),
            )
        ),
    ),
}
