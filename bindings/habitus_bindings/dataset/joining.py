"""Which task each ranking is about, with a few of the tasks in memory.

A window goes over the tasks, and round again where rankings are of tasks that it has left. So rankings may come in any
order: in the order of the tasks, or several times over (a model after the other), each task is read once a round; in no
order at all, every chunk of rankings takes a round, unless all counts fit into the window.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from habitus_bindings.dataset.parts import Position
from habitus_bindings.dataset.sources import LIMIT, Piece, Place

Rows = NDArray[np.int64]
Job = TypeVar("Job")

# Rankings of a part: the engine's arrays stay in the cache and are allocated from what the part before left. With all
# of a chunk at once, a fifth of the time goes to the system for fresh pages.
_BLOCK = 1 << 15


class Batch(NamedTuple):
    """Consecutive tasks. ``ids``: None where rankings give the tasks' row numbers."""

    piece: Piece
    counts: NDArray[np.integer]
    ids: pa.Array | None

    def first(self, rows: int) -> "Batch":
        """The first rows, at most as many as there are."""
        if rows >= len(self.counts):
            return self
        return Batch(
            self.piece.part(0, rows), self.counts[:rows], None if self.ids is None else self.ids.slice(0, rows)
        )


class Keys(Protocol):
    """What the rankings of a chunk say of their tasks; ``left``: how much was not found yet. No batch comes twice."""

    left: int

    def within(self, batch: Batch) -> tuple[Rows | slice, Rows]:
        """Rankings that are about a task of the batch, as a slice if their tasks ascend, and which task of it."""

    def first_left(self) -> tuple[int, object]:
        """A ranking whose task was not found, and what it calls it."""


class Numbers:
    """Tasks by the number of their row."""

    def __init__(self, tasks: Rows) -> None:
        self._tasks, self.left = tasks, len(tasks)
        self._ordered = bool((tasks[1:] >= tasks[:-1]).all())

    def within(self, batch: Batch) -> tuple[Rows | slice, Rows]:
        """See ``Keys``."""
        tasks, start, stop = self._tasks, batch.piece.start, batch.piece.stop
        if self._ordered:
            rows: Rows | slice = slice(*np.searchsorted(tasks, (start, stop)))
        else:
            rows = np.flatnonzero((tasks >= start) & (tasks < stop))
        local = tasks[rows] - start
        self.left -= len(local)
        return rows, local

    def first_left(self) -> tuple[int, object]:
        """See ``Keys``."""
        return 0, int(self._tasks[0])


class Ids:
    """Tasks by an identifier."""

    def __init__(self, ids: pa.Array) -> None:
        encoded = ids.dictionary_encode()
        self._names, self._name = encoded.dictionary, encoded.indices.to_numpy()
        self._open = np.arange(len(self._names))
        self.left = len(self._names)

    def within(self, batch: Batch) -> tuple[Rows | slice, Rows]:
        """See ``Keys``."""
        found = pc.index_in(self._names.take(pa.array(self._open)), value_set=batch.ids)
        missed = np.asarray(found.is_null().to_numpy(zero_copy_only=False))
        place = np.full(len(self._names), -1)
        place[self._open[~missed]] = found.drop_null().to_numpy()
        self._open = self._open[missed]
        self.left = len(self._open)
        at = place[self._name]
        rows = np.flatnonzero(at >= 0)
        return rows, at[rows]

    def first_left(self) -> tuple[int, object]:
        """See ``Keys``."""
        name = int(self._open[0])
        return int((self._name == name).argmax()), self._names[name].as_py()


class Part(NamedTuple):
    """Rankings ``rows`` of a chunk, the counts that they need, and which of them: ``task``.

    ``tasks``: where the counts stand after ``origin``.
    """

    origin: Place
    counts: NDArray[np.integer]
    tasks: Rows | slice
    rows: Rows | slice
    task: Rows

    def place(self, task: int) -> int:
        """The row after ``origin`` of one of the tasks."""
        return task + self.tasks.start if isinstance(self.tasks, slice) else int(self.tasks[task])


class Window(Generic[Job]):
    """The last tasks that were read, and those to come.

    Args:
        rows: how many tasks there are.
        batches: all of them, in order, again and again; the first need not be the first task.
        start: the rows and files of tasks that were read before.
        fresh: makes a job of tasks that are read for the first time; of a batch, rows first to last - 1.
        limit: of later tasks no job is made.
    """

    def __init__(
        self, rows: int, batches: Iterator[Batch], start: Position, fresh: Callable[[Batch, int, int], Job], limit: int
    ) -> None:
        self._rows, self._batches, self._fresh, self._limit = rows, batches, fresh, limit
        self._held: deque[Batch] = deque()
        self._size = 0
        self.seen, self.files, self._cursor = start.tasks, start.task_files, start.cursor

    def parts(self, keys: Keys, chunk: Piece) -> Generator[Job, None, list[Part]]:
        """The rankings of a chunk, by batches of tasks; meanwhile, jobs for tasks that are read for the first time.

        Raises:
            DatasetError: a ranking of a task that is not there.
        """
        found, passed = [], 0
        for batch in reversed(tuple(self._held)):
            passed += len(batch.counts)
            found += _parts(batch, keys)
            if not keys.left:
                return found
        while passed < self._rows and keys.left:
            batch = yield from self._next()
            found += _parts(batch.first(self._rows - passed), keys)
            passed += len(batch.counts)
        if keys.left:
            row, name = keys.first_left()
            raise chunk.fault(row, f"expected the task of a row of the tasks, found none called {name!r}; leave it out")
        return found

    def read_on(self, row: int) -> Iterator[Job]:
        """Jobs for the tasks before ``row`` that were not read yet."""
        while self.seen < row:
            yield from self._next()

    @property
    def cursor(self) -> int:
        """From where on the tasks of the next rankings are likely to be."""
        return self._held[-1].piece.start if self._held else self._cursor

    def _next(self) -> Generator[Job, None, Batch]:
        batch = next(self._batches)
        self._held.append(batch)
        self._size += batch.counts.nbytes
        while self._size > LIMIT and len(self._held) > 1:
            self._size -= self._held.popleft().counts.nbytes
        self.files = max(self.files, batch.piece.file + 1)
        start, stop = batch.piece.start, batch.piece.stop
        first, last = max(start, self.seen), min(stop, self._limit)
        self.seen = max(self.seen, last)
        if first < last:
            yield self._fresh(batch, first - start, last - start)
        return batch


def _parts(batch: Batch, keys: Keys) -> list[Part]:
    rows, local = keys.within(batch)
    return [
        _part(batch, _sliced(rows, first, first + _BLOCK), local[first : first + _BLOCK])
        for first in range(0, len(local), _BLOCK)
    ]


def _sliced(rows: Rows | slice, first: int, last: int) -> Rows | slice:
    if isinstance(rows, slice):
        return slice(rows.start + first, min(rows.start + last, rows.stop))
    return rows[first:last]


def _part(batch: Batch, rows: Rows | slice, local: Rows) -> Part:
    """A view of the counts where they lie close together; else a copy, which does not keep the batch in memory."""
    ends = local[[0, -1]] if isinstance(rows, slice) else local
    first, last = int(ends.min()), int(ends.max()) + 1
    if last - first <= 2 * len(local):
        tasks = slice(first, last)
        return Part(batch.piece.place, batch.counts[tasks], tasks, rows, local - first)
    needed, task = np.unique(local, return_inverse=True)
    return Part(batch.piece.place, batch.counts[needed], needed, rows, task)
