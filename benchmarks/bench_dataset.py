"""What a ranking costs in ``score_dataset``, by how it is joined to its task, beside reading the same files alone.

Run: python -m benchmarks.bench_dataset. Processor time of all threads, in ns per ranking; ratios to reading alone.
"""

import functools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks import tables

from habitus_bindings.dataset import score_dataset

ROUNDS, RANKINGS = 5, 2_000_000
TASKS = RANKINGS // tables.MODELS
READING = "reading alone"


def variants(folder: Path) -> dict[str, Callable[[Path], object]]:
    """Each scores the same rankings into a folder that is not there yet."""
    tasks, rankings = folder / "tasks.parquet", folder / "rankings.parquet"
    listed = pq.read_table(rankings)
    by_model = np.argsort(listed["model"], kind="stable")
    no_order = np.random.default_rng(0).permutation(len(listed))
    names = pa.array([f"{number * 2_654_435_761 % 2**64:016x}" for number in range(TASKS)])
    named = folder / "named.parquet", folder / "named_rankings.parquet"
    pq.write_table(pq.read_table(tasks).append_column("task_id", names), named[0], tables.TASKS)
    with_names = listed.drop(["task"]).append_column("task_id", names.take(listed["task"].combine_chunks()))
    pq.write_table(with_names, named[1], tables.TASKS * tables.MODELS)
    one = folder / "one.parquet"
    counts = pq.read_table(tasks)["counts"].take(listed["task"].combine_chunks())
    pq.write_table(listed.append_column("counts", counts), one, tables.TASKS * tables.MODELS)
    ordered = {"one model after the other": by_model, "in no order": no_order}
    for name, order in ordered.items():
        pq.write_table(listed.take(order), folder / f"{name}.parquet", tables.TASKS * tables.MODELS)
    return {
        "by row number": functools.partial(score_dataset, tasks, rankings),
        "... nothing carried": functools.partial(score_dataset, tasks, rankings, carry=[]),
        "... tasks' scores beside": functools.partial(score_dataset, tasks, rankings, joined=True),
        **{f"... {name}": functools.partial(score_dataset, tasks, folder / f"{name}.parquet") for name in ordered},
        "by an id of 16 letters": functools.partial(score_dataset, *named),
        "counts in each row": functools.partial(score_dataset, one, None),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables.write(folder, RANKINGS)
        tables.warm()
        read = tables.reading(folder)
        jobs = {READING: lambda _: read(), **variants(folder)}
        spent: dict[str, list[float]] = {job: [] for job in jobs}
        for turn in range(ROUNDS + 1):
            for job, run in jobs.items():
                start = time.process_time()
                run(folder / f"{job} {turn}")
                spent[job].append((time.process_time() - start) / RANKINGS * 1e9)
    alone = statistics.median(spent[READING][1:])
    print(f"{RANKINGS:,} rankings of {TASKS:,} tasks, {os.cpu_count()} threads; ns of processor time per ranking")
    for job, values in spent.items():
        cost = statistics.median(values[1:])
        print(f"{job:36}{cost:8.0f}{cost / alone:8.2f} x reading")


if __name__ == "__main__":
    main()
