"""Entropy and cross-entropy of complete lists with data frames and SQL: pandas, Polars in two ways, DuckDB.

Each function prepares its input and returns the job that is timed; see competitors.py.
"""

from typing import TYPE_CHECKING

import numpy as np
from benchmarks.arrays import Counts, Job, Pair, Rankings
from numpy.typing import NDArray
from tests.reference import pandas_scores

if TYPE_CHECKING:
    import polars as pl

_SQL = """
    with target as (
        select task, slot, (n + $alpha) / (sum(n) over (partition by task) + $alpha * $candidates) as p
        from counted left join listed using (task, candidate)
    ), sorted as (
        select
            task,
            list(p order by p desc) as own,
            list(p order by slot nulls last, p desc) as given,
            list_transform(own, lambda x: -ln(x)) as surprisal
        from target group by task
    )
    select list_dot_product(own, surprisal) as entropy, list_dot_product(given, surprisal) as cross_entropy
    from sorted order by task
"""


def pandas(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """The way a researcher writes it; the twin of the tests."""

    def run() -> Pair:
        frame = pandas_scores.score(counts, rankings, alpha)
        return frame["entropy"].to_numpy(), frame["cross_entropy"].to_numpy()

    return run


def polars_lists(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """Polars with a list per task; integers are sorted, and logarithms taken once."""
    import polars as pl  # noqa: PLC0415 - as DuckDB and torch

    K = counts.shape[1]
    frame = pl.DataFrame({"n": counts, "ranking": rankings}).select(
        pl.col("n").arr.to_list(), pl.col("ranking").arr.to_list().cast(pl.List(pl.UInt32))
    )
    n, total, logs = pl.col("n"), pl.col("total"), pl.col("logs")
    candidates = pl.lit(pl.Series([list(range(K))], dtype=pl.List(pl.UInt32)))
    rest = n.list.gather(candidates.list.set_difference("ranking")).list.sort(descending=True)
    query = (
        frame.lazy()
        .select(
            own=n.list.sort(descending=True),
            given=pl.concat_list(n.list.gather("ranking"), rest),
            total=n.list.sum() + alpha * K,
        )
        .with_columns(logs=pl.col("own").list.eval((pl.element() + alpha).log()))
        .with_columns(common=total.log() - alpha * logs.list.sum() / total)
        .select(
            entropy=pl.col("common") - (pl.col("own") * logs).list.sum() / total,
            cross_entropy=pl.col("common") - (pl.col("given") * logs).list.sum() / total,
        )
    )
    return lambda: _columns(query)


def polars_long(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """Polars, lazy, with a row per candidate: join, group, sort."""
    import polars as pl  # noqa: PLC0415

    counted, listed = (pl.DataFrame(table) for table in _long(counts, rankings))
    n = pl.col("n")
    p = (n + alpha) / (n.sum() + alpha * counts.shape[1])
    given = p.sort_by(["slot", n], descending=[False, True], nulls_last=True)
    surprisal = pl.col("own").list.eval(-pl.element().log())
    query = (
        counted.lazy()
        .join(listed.lazy(), on=["task", "candidate"], how="left")
        .group_by("task")
        .agg(own=p.sort(descending=True), given=given)
        .with_columns(surprisal=surprisal)
        .select(
            "task",
            entropy=(pl.col("own") * pl.col("surprisal")).list.sum(),
            cross_entropy=(pl.col("given") * pl.col("surprisal")).list.sum(),
        )
        .sort("task")
    )
    return lambda: _columns(query)


def duckdb(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """SQL with a row per candidate, on one thread and on DuckDB's own tables."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    connection = duckdb.connect(config={"threads": 1})
    for name, columns in zip(("counted", "listed"), _long(counts, rankings), strict=True):
        connection.register("columns", pa.table(columns))
        connection.execute(f"create table {name} as from columns")
        connection.unregister("columns")
    parameters = {"alpha": alpha, "candidates": counts.shape[1]}

    def run() -> Pair:
        found = connection.execute(_SQL, parameters).fetchnumpy()
        return np.asarray(found["entropy"]), np.asarray(found["cross_entropy"])

    return run


def _columns(query: "pl.LazyFrame") -> Pair:
    found = query.collect()
    return found["entropy"].to_numpy(), found["cross_entropy"].to_numpy()


def _long(counts: Counts, rankings: Rankings) -> tuple[dict[str, NDArray[np.integer]], dict[str, NDArray[np.integer]]]:
    """A row per candidate, and a row per slot."""
    (tasks, K), N = counts.shape, rankings.shape[1]
    task = np.arange(tasks, dtype=np.int32)
    return (
        {"task": task.repeat(K), "candidate": np.tile(np.arange(K, dtype=np.int16), tasks), "n": counts.reshape(-1)},
        {
            "task": task.repeat(N),
            "candidate": rankings.reshape(-1),
            "slot": np.tile(np.arange(N, dtype=np.int16), tasks),
        },
    )
