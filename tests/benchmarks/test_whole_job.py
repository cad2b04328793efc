"""The whole job writes what scoring everything at once returns, however the files are cut."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmarks import tables, whole_job
from numpy.testing import assert_array_equal

import habitus


@pytest.mark.parametrize("tasks", [70, 100, 1_000])
def test_scores_are_those_of_everything_at_once(tmp_path: Path, tasks: int) -> None:
    tables.write(tmp_path, 3_000, tasks)
    tables.whole(tmp_path)()
    given, listed = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("tasks", "rankings"))
    of_tasks, of_rankings = (
        pq.read_table(tmp_path / "scores" / f"{name}-00000.parquet") for name in ("tasks", "rankings")
    )
    counts = np.array(given["counts"].to_pylist())
    rankings = np.array(listed["ranking"].to_pylist())
    assert counts.shape == (300, tables.K)
    assert rankings.shape == (3_000, tables.N)
    expected = habitus.score(counts, rankings, task=listed["task"].to_numpy())
    for name in ("entropy", "chance", "worst"):
        assert_array_equal(of_tasks[name].to_numpy(), getattr(expected, name))
    for name in ("cross_entropy", "valid"):
        assert_array_equal(of_rankings[name].to_numpy(), getattr(expected, name))
    assert of_rankings["model"].equals(listed["model"])


def test_row_groups_differ(tmp_path: Path) -> None:
    tables.write(tmp_path, 2_000, 100)
    counts = np.array(pq.read_table(tmp_path / "tasks.parquet")["counts"].to_pylist())
    assert not np.array_equal(counts[:100], counts[100:])
    assert_array_equal(np.sort(counts[:100].sum(axis=1)), np.sort(counts[100:].sum(axis=1)))


def test_reading_and_scoring_alone_run(tmp_path: Path) -> None:
    tables.write(tmp_path, 1_000)
    tables.reading(tmp_path)()
    tables.scoring(tmp_path)()


def test_bars() -> None:
    read, score, whole = whole_job.Spent(2, 3, 100), whole_job.Spent(1, 1, 100), whole_job.Spent(5, 6, 2_000)
    outcome = whole_job.Outcome(10, read, score, whole)
    assert outcome.within == 2.5
    assert [line.split()[-1] for line in outcome.lines()[-2:]] == ["MISSED", "MISSED"]
