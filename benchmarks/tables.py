"""Tables of tasks and rankings in Parquet, scored row group by row group; what whole_job.py times.

Measured with pyarrow 26, per ranking: reading takes 86 ns of a core, nearly all of it to rebuild the lists (of 10:
45), scoring 41 and writing 6. Dictionaries cost no time and make the files four times smaller; compression on top
saves a fifth of their size and costs up to a quarter of the time; BYTE_STREAM_SPLIT reads as plain pages do. Row
groups of 2^12 tasks are 20 % slower than those of 2^15.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.competitors import synthetic
from numpy.typing import NDArray

import habitus

MODELS, K, N = 10, 50, 10
# Tasks in a row group: 8 MB of arrays with their rankings.
TASKS = 1 << 15
THREADS = os.cpu_count() or 1

Result = TypeVar("Result")
Job = Callable[[], None]


def _lists(kind: pa.DataType, length: int) -> pa.DataType:
    return pa.list_(pa.field("element", kind, nullable=False), length)


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns.items()])


TASK_TABLE = _schema(counts=_lists(pa.int32(), K))
RANKING_TABLE = _schema(task=pa.int64(), model=pa.int8(), ranking=_lists(pa.int16(), N))
TASK_SCORES = _schema(entropy=pa.float64(), chance=pa.float64(), worst=pa.float64())
RANKING_SCORES = _schema(cross_entropy=pa.float64(), valid=pa.int8())


class Group(NamedTuple):
    """The arrays of a row group; ``task`` counts from the group's first task."""

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
    """Read everything, on all threads, and forget it."""

    def run() -> None:
        for _ in _in_order(_groups(folder), _Reader(folder)):
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
    """Threads read and score a row group each; one more writes them in order."""

    def score(number: int) -> habitus.Scores:
        group = reader(number)
        return habitus.score(group.counts, group.rankings, task=group.task, threads=1)

    def run() -> None:
        plain = {"use_dictionary": False, "compression": "none"}
        with (
            pq.ParquetWriter(folder / "task_scores.parquet", TASK_SCORES, **plain) as of_tasks,
            pq.ParquetWriter(folder / "ranking_scores.parquet", RANKING_SCORES, **plain) as of_rankings,
        ):
            for scores in _in_order(_groups(folder), score):
                tasks = [pa.array(scores.entropy), pa.array(scores.chance), pa.array(scores.worst)]
                rankings = [pa.array(scores.cross_entropy), pa.array(scores.valid.astype(np.int8))]
                of_tasks.write_table(pa.table(tasks, schema=TASK_SCORES), len(scores.entropy))
                of_rankings.write_table(pa.table(rankings, schema=RANKING_SCORES), len(scores.valid))

    reader = _Reader(folder)
    return run


def warm() -> None:
    """Load the compiled loops, which is not timed."""
    block = _block(64)
    habitus.score(block.counts, block.rankings, task=block.task)


class _Reader:
    """Reads row groups; each thread has files of its own, as one file serves one reader at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._of_thread = folder, threading.local()

    def __call__(self, number: int) -> Group:
        tasks = self._file("tasks").read_row_group(number, columns=["counts"], use_threads=False)
        rankings = self._file("rankings").read_row_group(number, columns=["task", "ranking"], use_threads=False)
        task = rankings["task"].chunk(0).to_numpy()
        return Group(_array(tasks["counts"]), _array(rankings["ranking"]), task - task[0])

    def _file(self, name: str) -> pq.ParquetFile:
        held = self._of_thread.__dict__
        if name not in held:
            held[name] = pq.ParquetFile(self._folder / f"{name}.parquet")
        return held[name]


def _groups(folder: Path) -> int:
    return int(pq.ParquetFile(folder / "tasks.parquet").num_row_groups)


def _in_order(size: int, work: Callable[[int], Result]) -> Iterator[Result]:
    """Results of work(0), work(1), ... in order; few are ever held, so a slow consumer costs no memory."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[Result]] = deque()
        for number in range(size):
            waiting.append(pool.submit(work, number))
            if len(waiting) > 2 * THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _column(rows: NDArray[np.integer]) -> pa.FixedSizeListArray:
    kind = _lists(pa.from_numpy_dtype(rows.dtype), rows.shape[1])
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(rows).reshape(-1)), type=kind)


def _array(column: pa.ChunkedArray) -> NDArray[np.integer]:
    """The column's memory as rows, without a copy."""
    chunk = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return chunk.flatten().to_numpy(zero_copy_only=True).reshape(len(chunk), -1)


def _block(tasks: int) -> Group:
    counts, _ = synthetic(tasks, K, N)
    _, rankings = synthetic(tasks * MODELS, K, N, seed=1)
    return Group(counts, rankings, np.arange(tasks).repeat(MODELS))
