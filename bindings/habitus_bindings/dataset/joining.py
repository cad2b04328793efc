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
from habitus_bindings.dataset.sources import BLOCK, LIMIT, Piece, Place

Rows = NDArray[np.int64]
Job = TypeVar("Job")
_NO_ROWS = np.empty(0, np.int64)


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
        """Rankings of tasks of the batch, as a slice if their tasks ascend, and their tasks' numbers among all."""

    def first_left(self) -> tuple[int, object]:
        """A ranking whose task was not found, and what it calls it."""


class Numbers:
    """Tasks by the number of their row."""

    def __init__(self, tasks: Rows, *, ordered: bool) -> None:
        self._tasks, self._ordered, self.left = tasks, ordered, len(tasks)

    def within(self, batch: Batch) -> tuple[Rows | slice, Rows]:
        """See ``Keys``."""
        tasks, start, stop = self._tasks, batch.piece.start, batch.piece.stop
        if self._ordered:
            rows: Rows | slice = slice(*np.searchsorted(tasks, (start, stop)))
        else:
            rows = np.flatnonzero((tasks >= start) & (tasks < stop))
        found = tasks[rows]
        self.left -= len(found)
        return rows, found

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
        place[self._open[~missed]] = found.drop_null().to_numpy() + batch.piece.start
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
    """Rankings ``rows`` of a chunk, the counts that they need, and which of them: ``task``, counted from ``first``.

    ``tasks``: where the counts stand after ``origin``. ``fresh``: the last of them, whose scores nobody computed yet.
    """

    origin: Place
    counts: NDArray[np.integer]
    tasks: Rows | slice
    rows: Rows | slice
    task: Rows
    first: int
    fresh: Piece | None = None

    def place(self, task: int) -> int:
        """The row after ``origin`` of one of the tasks."""
        return task + self.tasks.start if isinstance(self.tasks, slice) else int(self.tasks[task])


class Window(Generic[Job]):
    """The last tasks that were read, and those to come.

    Tasks that are read for the first time are scored with the rankings that need them, or else alone: ``seen`` are.

    Args:
        rows: how many tasks there are.
        batches: all of them, in order, again and again; the first need not be the first task.
        start: the rows and files of tasks that were read before.
        alone: makes a job of tasks without rankings.
        limit: later tasks are not scored.
    """

    def __init__(
        self, rows: int, batches: Iterator[Batch], start: Position, alone: Callable[[Part], Job], limit: int
    ) -> None:
        self._rows, self._batches, self._alone, self._limit = rows, batches, alone, limit
        self._held: deque[Batch] = deque()
        self._size = 0
        self.seen, self.files, self._cursor = start.tasks, start.task_files, start.cursor

    def parts(self, keys: Keys, chunk: Piece) -> Generator[Job, None, list[Part]]:
        """The rankings of a chunk, by batches of tasks; meanwhile, jobs for tasks that it has left behind.

        Raises:
            DatasetError: a ranking of a task that is not there.
        """
        found, passed = [], 0
        for batch in reversed(tuple(self._held)):
            passed += len(batch.counts)
            found += self._parts(batch, keys)
            if not keys.left:
                return found
        while passed < self._rows and keys.left:
            batch = yield from self._next()
            found += self._parts(batch.first(self._rows - passed), keys)
            passed += len(batch.counts)
        if keys.left:
            row, name = keys.first_left()
            raise chunk.fault(row, f"expected the task of a row of the tasks, found none called {name!r}; leave it out")
        return found

    def read_on(self, row: int) -> Iterator[Job]:
        """Jobs for the tasks before ``row`` that were not scored yet."""
        yield from self._rest()
        while self.seen < row:
            yield from self._next()
            yield from self._rest()

    @property
    def cursor(self) -> int:
        """From where on the tasks of the next rankings are likely to be."""
        return self._held[-1].piece.start if self._held else self._cursor

    def _next(self) -> Generator[Job, None, Batch]:
        yield from self._rest()
        batch = next(self._batches)
        self._held.append(batch)
        self._size += batch.counts.nbytes
        while self._size > LIMIT and len(self._held) > 1:
            self._size -= self._held.popleft().counts.nbytes
        self.files = max(self.files, batch.piece.file + 1)
        return batch

    def _rest(self) -> Iterator[Job]:
        """A job for what was not scored of the last batch."""
        if not self._held:
            return
        batch = self._held[-1]
        start, first, last = batch.piece.start, max(batch.piece.start, self.seen), min(batch.piece.stop, self._limit)
        if first < last:
            tasks = slice(first - start, last - start)
            fresh = batch.piece.part(tasks.start, tasks.stop)
            self.seen = last
            part = Part(batch.piece.place, batch.counts[tasks], tasks, slice(0, 0), _NO_ROWS, first, fresh)
            yield self._alone(part)

    def _parts(self, batch: Batch, keys: Keys) -> list[Part]:
        rows, task = keys.within(batch)
        # Tasks are written in order, and those that a batch leaves over come before the chunk that needs the next.
        fresh = not keys.left and batch.piece.start == self._held[-1].piece.start
        return [
            self._part(batch, _sliced(rows, first, first + BLOCK), task[first : first + BLOCK], fresh=fresh)
            for first in range(0, len(task), BLOCK)
        ]

    def _part(self, batch: Batch, rows: Rows | slice, task: Rows, *, fresh: bool) -> Part:
        """A view of the counts where they lie close together; else a copy, which does not keep the batch in memory."""
        start, seen = batch.piece.start, self.seen
        ends = task[[0, -1]] if isinstance(rows, slice) else task
        first, last = int(ends.min()), int(ends.max()) + 1
        until = min(last, self._limit)
        fresh = fresh and start <= seen < until
        if fresh:
            first = min(first, seen)
        if last - first <= 2 * len(task):
            tasks = slice(first - start, last - start)
            part = Part(batch.piece.place, batch.counts[tasks], tasks, rows, task, first)
            if not fresh:
                return part
            self.seen = until
            return part._replace(fresh=batch.piece.part(seen - start, until - start))
        needed, index = np.unique(task, return_inverse=True)
        needed -= start
        return Part(batch.piece.place, batch.counts[needed], needed, rows, index, 0)


def _sliced(rows: Rows | slice, first: int, last: int) -> Rows | slice:
    if isinstance(rows, slice):
        return slice(rows.start + first, min(rows.start + last, rows.stop))
    return rows[first:last]
