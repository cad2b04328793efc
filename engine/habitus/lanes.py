"""Lists by integer counts, 32 or 16 tasks at a time: prepares what kernels/lanes.py needs, and reports what is left.

Which method scores what is decided in scoring.py; nothing here checks arguments.
"""

import functools
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from habitus.interactions import starts

# More candidates are left to kernels/scoring.py: the band below grows with K N.
MOST_CANDIDATES = 4096
# Larger networks take longer to compile than a first call may (50: 1.5 s, 128: 2.5 s, 192: 4 s), so one kernel for any
# number of candidates sorts by a table instead.
_MOST_WRITTEN_OUT = 128
# A lane scores up to this many rankings of its task; so one task with very many fills many lanes.
_ROUNDS = 16
# Lanes of 512 bits, for counts of 16 bits and of 32.
NARROW, WIDE = 32, 16
_TABLE = 1 << 15

_Number = TypeVar("_Number", np.int16, np.int32, np.float64)


def hold(candidates: int) -> bool:
    """Whether lanes are there for so many candidates; as plain Python (NUMBA_DISABLE_JIT=1) there are no vectors."""
    import numba  # noqa: PLC0415 - `import habitus` must not load it

    return candidates <= MOST_CANDIDATES and not numba.config.DISABLE_JIT  # type: ignore[attr-defined]  # set as numba loads


class Assignment(NamedTuple):
    """Lane j scores rankings order[first[j]:first[j + 1]] of task[j]; tasks ascend, a task may have several lanes."""

    task: NDArray[np.int64]
    first: NDArray[np.int64]
    order: NDArray[np.int64]

    def rankings(self) -> NDArray[np.int64]:
        """The rankings in these lanes, lane after lane."""
        return self.order[self.first[0] : self.first[-1]]

    def take(self, which: NDArray[np.bool_]) -> "Assignment":
        """Some of the lanes."""
        size = np.diff(self.first)
        return Assignment(self.task[which], starts(size[which]), self.rankings()[np.repeat(which, size)])


class Part(NamedTuple):
    """Some lanes, whose numbers count from the start of ``tasks`` and ``rows``, slices of the caller's arrays."""

    lanes: Assignment
    tasks: slice
    rows: slice

    def rankings(self) -> NDArray[np.int64]:
        """The caller's numbers of the rankings in these lanes."""
        return self.lanes.rankings() + (self.rows.start or 0)


class OfTasks(NamedTuple):
    """(tasks,) ``scored``, 0 = not, and scores."""

    scored: NDArray[np.uint8]
    entropy: NDArray[np.float64]
    chance: NDArray[np.float64]
    worst: NDArray[np.float64]


class OfRankings(NamedTuple):
    """(rankings,) ``cross_entropy``, and ``valid``, -1 = not scored."""

    cross_entropy: NDArray[np.float64]
    valid: NDArray[np.int32]


class InOrder:
    """One ranking per task, in order: every part looks the same."""

    def __init__(self, tasks: int) -> None:
        self.size = tasks

    def part(self, first: int, last: int) -> Part:
        """Lanes first..last - 1."""
        numbers, here = np.arange(last - first + 1), slice(first, last)
        return Part(Assignment(numbers[:-1], numbers, numbers[:-1]), here, here)


class ByTask:
    """Several rankings of a task, or none; ``of`` says which task each is about."""

    def __init__(self, of: NDArray[np.int64], tasks: int) -> None:
        held = np.bincount(of, minlength=tasks)
        lanes = np.maximum(1, -(-held // _ROUNDS))
        start, lane = np.cumsum(held) - held, np.cumsum(lanes) - lanes
        within = np.arange(lanes.sum()) - np.repeat(lane, lanes)
        self.size = len(within)
        self._task = np.repeat(np.arange(tasks), lanes)
        self._first = np.append(np.repeat(start, lanes) + within * _ROUNDS, len(of))
        self._order = np.argsort(of, kind="stable") if (of[1:] < of[:-1]).any() else None

    def part(self, first: int, last: int) -> Part:
        """Lanes first..last - 1."""
        task, rankings = self._task[first:last], self._first[first : last + 1]
        tasks = slice(task[0], task[-1] + 1)
        if self._order is not None:
            return Part(Assignment(task - task[0], rankings, self._order), tasks, slice(None))
        rows, numbers = slice(rankings[0], rankings[-1]), np.arange(rankings[-1] - rankings[0])
        return Part(Assignment(task - task[0], rankings - rankings[0], numbers), tasks, rows)


class Scorer:
    """Scores lists of one length against counts of one number of candidates; a call may come from any thread.

    ``fill``: a number of scoring.FILLS. ``partly``: whether lists may have empty slots.
    """

    def __init__(self, candidates: int, length: int, alpha: float, fill: int, *, partly: bool) -> None:
        self._candidates, self._length, self._fill, self._partly = candidates, length, fill, partly
        self._tables = _logs(alpha, alpha), _logs(alpha * candidates, alpha), alpha
        self._band = _band(candidates, length)
        self._fixed = candidates if candidates <= _MOST_WRITTEN_OUT else 0
        self._network = np.empty(0, np.int64) if self._fixed else _network(candidates)

    def __call__(
        self, counts: NDArray[np.integer], lists: NDArray[np.integer], part: Assignment, out: tuple[OfTasks, OfRankings]
    ) -> bool:
        """Write the scores of these lanes; whether all tasks and rankings have theirs."""
        if self._run(NARROW, counts, lists, part, out) == 0:
            return True
        large = out[0].scored[part.task] == 0
        if large.any():
            self._run(WIDE, counts, lists, part.take(large), out)
        return bool(out[0].scored.all() and (out[1].valid[part.rankings()] >= 0).all())

    def _run(
        self,
        lanes: int,
        counts: NDArray[np.integer],
        lists: NDArray[np.integer],
        part: Assignment,
        out: tuple[OfTasks, OfRankings],
    ) -> int:
        from habitus.kernels import lanes as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

        left = np.zeros(1, np.int64)
        kernels.score[self._fixed, lanes, self._partly](
            (_bytes(counts), counts.itemsize, self._candidates),
            (_bytes(lists), lists.itemsize, np.issubdtype(lists.dtype, np.signedinteger), self._length),
            tuple(part),
            self._tables,
            self._band,
            self._network,
            self._fill,
            _scratch(self._candidates, lanes),
            *map(tuple, out),
            left,
        )
        return int(left[0])


def _scratch(candidates: int, lanes: int) -> tuple[NDArray[np.generic], ...]:
    """Blocks for the kernel. They begin with a cache line: vectors that straddle two are half as fast."""
    size = (candidates // lanes + 2) * lanes * lanes
    counts = _aligned(5, size, np.int16) if lanes == NARROW else _aligned(5, size, np.int32)
    return (*counts, *_aligned(3, size, np.float64), *np.empty((2, lanes), np.int64))


@functools.lru_cache(maxsize=16)
def _logs(added: float, base: float) -> NDArray[np.float64]:
    """log(n + added) - log(base) for every count that a lane of 16 bits can hold."""
    from habitus.kernels import tables  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    table = np.empty(_TABLE)
    tables.logarithms(added, base, table)
    table.flags.writeable = False
    return table


@functools.lru_cache(maxsize=16)
def _network(size: int) -> NDArray[np.int64]:
    """(2 * comparators,) places, the larger first."""
    from habitus.kernels import tables  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    pairs = np.empty(2 * tables.network(size, np.empty(0, np.int64)), np.int64)
    tables.network(size, pairs)
    return pairs


@functools.lru_cache(maxsize=64)
def _band(candidates: int, length: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Shares, starts and slots: where a candidate that a random list of N does not hold ends up."""
    from habitus.kernels import tables  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    pairs = (candidates + 1) // 2
    start, slot = np.empty(pairs + 1, np.int64), np.empty(pairs, np.int64)
    tables.band_rows(candidates, length, start, slot)
    share = np.zeros(2 * start[-1])
    tables.band(candidates, length, start, slot, share)
    return share, start, slot


def _bytes(array: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The array's memory where it is contiguous and of the machine's byte order, else a copy's."""
    if array.size == 0:
        return np.empty(0, np.uint8)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(-1).view(np.uint8)


def _aligned(blocks: int, size: int, kind: type[_Number]) -> NDArray[_Number]:
    total = blocks * size * np.dtype(kind).itemsize
    memory = np.empty(total + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + total].view(kind).reshape(blocks, size)
