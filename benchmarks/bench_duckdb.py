"""Scores in DuckDB's SQL beside scores of the same NumPy arrays: 10^6 rankings of 10 out of 50, on one thread.

`python -m benchmarks.bench_duckdb` prints the ratios, measured in turn on one core, and what they are made of: DuckDB
copies its vectors into Arrow and calls Python for every 2,048 rows, whatever is called.
"""

from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from benchmarks.competitors import synthetic
from benchmarks.timing import Contestant, beside, one_core
from duckdb.func import ARROW
from pytest_benchmark.fixture import BenchmarkFixture

import habitus
from habitus_bindings import duckdb as tongue

ROWS, VECTOR = 1_000_000, 2048
ARRAYS = "NumPy arrays"
Job = Callable[[], object]


def jobs(rows: int) -> dict[str, Job]:
    """The same rankings; sums, so that no result is fetched."""
    counts, rankings = synthetic(rows)
    expected = habitus.score(counts, rankings)
    connection = duckdb.connect(config={"threads": 1})
    tongue.register(connection)
    connection.create_function("nothing", lambda *given: pa.array(np.zeros(len(given[0]))), None, "DOUBLE", type=ARROW)
    arrays = [
        pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1]) for part in (counts, rankings)
    ]
    connection.register("given", pa.table(arrays, ["counts", "ranking"]))
    connection.execute("create table arrays as from given")
    connection.execute(
        "create table lists as select counts::INTEGER[] as counts, ranking::SMALLINT[] as ranking from given"
    )
    connection.unregister("given")

    def summed(expression: str, table: str) -> Job:
        query = f"select sum({expression}) from {table}"  # noqa: S608 - our own names
        return lambda: connection.execute(query).fetchall()

    found = {
        ARRAYS: lambda: habitus.score(counts, rankings, threads=1),
        "the same, 2,048 at a time": lambda: vectors(counts, rankings),
        "nothing(INTEGER[50], ...)": summed("nothing(counts, ranking)", "arrays"),
        "nothing(INTEGER[], ...)": summed("nothing(counts, ranking)", "lists"),
        "cross_entropy(INTEGER[50])": summed("habitus_cross_entropy(counts, ranking)", "arrays"),
        "cross_entropy(INTEGER[])": summed("habitus_cross_entropy(counts, ranking)", "lists"),
        "score(INTEGER[50])": summed("habitus_score(counts, ranking).cross_entropy", "arrays"),
    }
    for name in list(found)[4:]:
        assert np.isclose(found[name]()[0][0], expected.cross_entropy.sum(), rtol=1e-12)
    return found


def vectors(counts: np.ndarray, rankings: np.ndarray) -> None:
    """The engine on as many rows as DuckDB gives at a time."""
    for first in range(0, len(counts), VECTOR):
        habitus.score(counts[first : first + VECTOR], rankings[first : first + VECTOR], threads=1)


@pytest.mark.parametrize("name", jobs(100))
def bench_scores(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark.pedantic(jobs(100_000)[name], rounds=5, warmup_rounds=1)
    benchmark.extra_info["ns_per_ranking"] = round(benchmark.stats.stats.median / 100_000 * 1e9)


def main() -> None:
    one_core()
    beside({name: Contestant(job, ROWS) for name, job in jobs(ROWS).items()}, ARRAYS)


if __name__ == "__main__":
    main()
