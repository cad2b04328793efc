"""Tables of tasks and rankings in Parquet: written, read alone, scored alone, and by ``score_dataset``.

Measured with pyarrow 26, per ranking: reading row groups whole takes 62 ns of a core, nearly all of it to rebuild the
lists (of 10: 43), and a fifth less in batches; scoring takes 24, writing 14 and SHA-256 6. Dictionaries cost no time
and make the files four times smaller; compression on top saves a fifth of their size and costs up to a quarter of the
time; BYTE_STREAM_SPLIT reads as plain pages do. Row groups of 2^12 tasks are 20 % slower than those of 2^15.
"""

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.competitors import synthetic
from numpy.typing import NDArray

import habitus
from habitus_bindings.dataset import score_dataset

MODELS, K, N = 10, 50, 10
# Tasks in a row group: 8 MB of arrays with their rankings.
TASKS = 1 << 15
THREADS = os.cpu_count() or 1

Job = Callable[[], None]


def _lists(kind: pa.DataType, length: int) -> pa.DataType:
    return pa.list_(pa.field("element", kind, nullable=False), length)


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


TASK_TABLE = _schema(counts=_lists(pa.int32(), K))
RANKING_TABLE = _schema(task=pa.int64(), model=pa.int8(), ranking=_lists(pa.int16(), N))


class Group(NamedTuple):
    """The arrays of a row group."""

    counts: NDArray[np.int32]
    rankings: NDArray[np.int16]
    task: NDArray[np.int64]


def write(folder: Path, rankings: int, tasks: int = TASKS) -> None:
    """Input files: ten rankings of each task, in the order of the tasks, as many row groups in both.

    Groups are one block whose candidates are numbered anew and whose tasks are shifted, so that no two are alike.
    """
    total = -(-rankings // MODELS)
    block, rng = _block(min(total, tasks)), np.random.default_rng(0)
    encoded = {"use_dictionary": ["counts.list.element", "ranking.list.element", "model"], "compression": "none"}
    delta = {"column_encoding": {"task": "DELTA_BINARY_PACKED"}}
    with (
        pq.ParquetWriter(folder / "tasks.parquet", TASK_TABLE, **encoded) as of_tasks,
        pq.ParquetWriter(folder / "rankings.parquet", RANKING_TABLE, **encoded, **delta) as of_rankings,
    ):
        for first in range(0, total, tasks):
            size, number = min(tasks, total - first), rng.permutation(K)
            counts = np.roll(block.counts, first // tasks, axis=0)[:size, number]
            lists = number.argsort().astype(np.int16)[block.rankings[: size * MODELS]]
            of_tasks.write_table(pa.table([_column(counts)], schema=TASK_TABLE), tasks)
            task = np.arange(first, first + size).repeat(MODELS)
            model = np.tile(np.arange(MODELS, dtype=np.int8), size)
            table = pa.table([pa.array(task), pa.array(model), _column(lists)], schema=RANKING_TABLE)
            of_rankings.write_table(table, tasks * MODELS)


def reading(folder: Path) -> Job:
    """Read everything, on all threads, and forget it; each thread has files of its own, as one serves one reader."""
    held = threading.local()

    def read(number: int) -> None:
        for name in ("tasks", "rankings"):
            if name not in held.__dict__:
                held.__dict__[name] = pq.ParquetFile(folder / f"{name}.parquet")
            held.__dict__[name].read_row_group(number, use_threads=False)

    def run() -> None:
        groups = pq.ParquetFile(folder / "tasks.parquet").num_row_groups
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(read, range(groups)):
                pass

    return run


def scoring(folder: Path) -> Job:
    """Score as many rankings as there are, on all threads, from memory."""
    block = _block(TASKS)
    rankings = int(pq.ParquetFile(folder / "rankings.parquet").metadata.num_rows)

    def run() -> None:
        for first in range(0, rankings, len(block.rankings)):
            size = min(rankings - first, len(block.rankings))
            tasks = -(-size // MODELS)
            habitus.score(block.counts[:tasks], block.rankings[:size], task=block.task[:size])

    return run


def whole(folder: Path) -> Job:
    """The scores of both tables, as files in ``folder / "scores"``, which is made anew; removing it is not timed."""
    shutil.rmtree(folder / "scores", ignore_errors=True)

    def run() -> None:
        score_dataset(folder / "tasks.parquet", folder / "rankings.parquet", folder / "scores")

    return run


def warm() -> None:
    """Load the compiled loops, which is not timed."""
    block = _block(64)
    habitus.score(block.counts, block.rankings, task=block.task)


def _column(rows: NDArray[np.integer]) -> pa.FixedSizeListArray:
    kind = _lists(pa.from_numpy_dtype(rows.dtype), rows.shape[1])
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(rows).reshape(-1)), type=kind)


def _block(tasks: int) -> Group:
    counts, _ = synthetic(tasks, K, N)
    _, rankings = synthetic(tasks * MODELS, K, N, seed=1)
    return Group(counts, rankings, np.arange(tasks).repeat(MODELS))
