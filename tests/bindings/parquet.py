"""Tasks and rankings as Parquet files, cut in many ways, and what was made of them."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.testing import assert_array_equal
from tests.strategies import Case

import habitus

OF_TASKS, OF_RANKINGS = ("entropy", "chance", "worst"), ("cross_entropy", "valid")


def random_case(seed: int, tasks: int, rankings: int, candidates: int = 12, length: int = 5) -> Case:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.5, 6, (tasks, candidates))).astype(np.int32)
    counts[:, 0] += 1
    lists = rng.permuted(np.tile(np.arange(candidates), (rankings, 1)), axis=1)[:, :length].astype(np.int16)
    lists[rng.random(lists.shape) < 0.1] = -1
    return Case(counts, lists, np.sort(rng.integers(0, tasks, rankings)), 1 / candidates)


def lists(rows: np.ndarray, *, fixed: bool = True) -> pa.Array:
    kind = pa.from_numpy_dtype(rows.dtype)
    return pa.array(rows.tolist(), pa.list_(kind, rows.shape[1]) if fixed else pa.list_(kind))


def task_name(task: int) -> str:
    return f"task {task * 7919 % 1_000_003}"


def write(folder: Path, case: Case, *, group: int = 1 << 20, files: int = 1, by_id: bool = False) -> tuple[Path, Path]:
    """Folders of so many files each, whose row groups have ``group`` rows."""
    numbers = np.arange(len(case.counts))
    keys = {"task_id": lambda tasks: pa.array([task_name(task) for task in tasks])} if by_id else {"task": pa.array}
    ((key, named),) = keys.items()
    of_tasks = pa.table({"task_id": named(numbers), "counts": lists(case.counts, fixed=not by_id)})
    rows = {key: named(case.task), "ranking": lists(case.rankings), "answer": np.arange(len(case.task))}
    for table, under in ((of_tasks, "tasks"), (pa.table(rows), "rankings")):
        (folder / under).mkdir()
        edges = np.linspace(0, len(table), files + 1).astype(int)
        for number, (first, last) in enumerate(itertools.pairwise(edges)):
            pq.write_table(table.slice(first, last - first), folder / under / f"{number:03}.parquet", group)
    return folder / "tasks", folder / "rankings"


def results(out: Path, table: str) -> pa.Table:
    found = sorted(out.glob(f"{table}-*.parquet"))
    return pa.concat_tables([pq.read_table(file) for file in found])


def assert_scores(out: Path, case: Case, expected: habitus.Scores) -> None:
    of_tasks, of_rankings = results(out, "tasks"), results(out, "rankings")
    assert_array_equal(of_rankings["answer"], np.arange(len(case.rankings)))
    for column in OF_TASKS:
        assert_array_equal(of_tasks[column], getattr(expected, column))
    for column in OF_RANKINGS:
        assert_array_equal(of_rankings[column], getattr(expected, column))


def in_memory(case: Case, **options: Any) -> habitus.Scores:
    return habitus.score(case.counts, case.rankings, task=case.task, **options)
