"""Reading, scoring and writing at once, and in order; few results are ever held, so memory does not grow."""

import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus_bindings.dataset import scoring
from habitus_bindings.dataset.inputs import Inputs, Lists
from habitus_bindings.dataset.joining import Batch, Part, Window
from habitus_bindings.dataset.parts import Position
from habitus_bindings.dataset.scoring import Settings

# Tasks read at a time for so many rankings: the same memory, about.
_RANKINGS_PER_TASK = 8

_Result = TypeVar("_Result")


class Scored(NamedTuple):
    """Rows of the table of tasks or of rankings."""

    name: str
    rows: pa.Table


# Where a part ends comes after its rows.
Event = Scored | Position
_Job = Callable[[], list[Event]]


class InOrder:
    """Calls jobs on a pool of threads; results come in the order of the jobs, of which few are under way."""

    def __init__(self, pool: ThreadPoolExecutor, ahead: int) -> None:
        self._pool, self._ahead = pool, ahead

    def __call__(self, jobs: Iterable[Callable[[], _Result]]) -> Iterator[_Result]:
        """Results of the jobs; the iterator of jobs is advanced by the caller's thread."""
        waiting: deque[Future[_Result]] = deque()
        try:
            for job in jobs:
                waiting.append(self._pool.submit(job))
                if len(waiting) > self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Stream:
    """Scores of ``inputs``, in the order of their rows, in parts of ``part`` rankings."""

    def __init__(self, inputs: Inputs, settings: Settings, in_order: InOrder, chunk: int, part: int) -> None:
        self._inputs, self._settings, self._in_order = inputs, settings, in_order
        self._chunk, self._part = chunk, part

    def events(self, start: Position, stop: Position | None) -> Iterator[Event]:
        """All parts from ``start`` on, or one, which is known to end at ``stop``."""
        return itertools.chain.from_iterable(self._in_order(self._jobs(start, stop)))

    def _jobs(self, start: Position, stop: Position | None) -> Iterator[_Job]:
        rankings, tasks = stop[:2] if stop else self._inputs.size
        window = Window(self._inputs.size.tasks, self._batches(start.cursor), start, self._alone, tasks)
        end = start
        for lists in itertools.chain.from_iterable(
            self._in_order(self._inputs.chunks(start.rankings, self._chunk, self._part))
        ):
            if lists.piece.start >= rankings:
                break
            found = (
                [_own(lists, lists.counts)]
                if lists.counts is not None
                else (yield from window.parts(lists.keys, lists.piece))
            )
            yield functools.partial(self._scored, scoring.Chunk(lists.piece, lists.lists, found, self._inputs.joined))
            end = _position(lists, window)
            if end.rankings % self._part == 0 and end.rankings < rankings:
                yield functools.partial(_known, end)
        yield from window.read_on(tasks)
        yield functools.partial(_known, end._replace(tasks=tasks, task_files=window.files))

    def _batches(self, first: int) -> Iterator[Batch]:
        while True:
            yield from self._in_order(self._inputs.batches(first, max(1, self._chunk // _RANKINGS_PER_TASK)))
            first = 0

    def _alone(self, part: Part) -> _Job:
        lists = np.empty((0, self._settings.length), np.int16)
        return functools.partial(self._scored, scoring.Chunk(None, lists, [part], joined=False))

    def _scored(self, chunk: scoring.Chunk) -> list[Event]:
        scores = scoring.score(chunk, self._settings)
        events: list[Event] = [
            Scored("tasks", scoring.table(columns, self._inputs.named(piece))) for piece, columns in scores.tasks
        ]
        if chunk.piece:
            carried = self._inputs.carried(chunk.piece)
            events.append(Scored("rankings", scoring.table(scores.rankings, carried)))
        return events


def _own(lists: Lists, counts: NDArray[np.integer]) -> Part:
    """Each ranking has counts of its own."""
    rows = len(lists.lists)
    whole = slice(0, rows)
    return Part(lists.piece.place, counts, whole, whole, np.arange(rows), 0)


def _known(end: Position) -> list[Event]:
    return [end]


def _position(lists: Lists, window: Window[_Job]) -> Position:
    return Position(lists.piece.stop, window.seen, window.cursor, lists.piece.file + 1, window.files)
