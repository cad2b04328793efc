"""Complete lists of integer counts, 32 tasks at a time: prepares what kernels/lanes.py needs, and reports what is left.

Which method scores what is decided in scoring.py; nothing here checks arguments.
"""

import functools
import math
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

# Larger networks take longer to compile than a first call may (50: 1.5 s, 128: 2.5 s, 192: 4 s).
MOST_CANDIDATES = 128
# A lane scores up to this many rankings of its task; so one task with very many fills many lanes.
_ROUNDS = 16
_LANES = 32
_TABLE = 1 << 15

_Number = TypeVar("_Number", np.int16, np.float64)


def hold(candidates: int) -> bool:
    """Whether lanes are there for so many candidates; as plain Python (NUMBA_DISABLE_JIT=1) there are no vectors."""
    import numba  # noqa: PLC0415 - `import habitus` must not load it

    return candidates <= MOST_CANDIDATES and not numba.config.DISABLE_JIT  # type: ignore[attr-defined]  # set as numba loads


class Assignment(NamedTuple):
    """Lane j scores rankings order[first[j]:first[j + 1]] of task[j]; tasks ascend, a task may have several lanes."""

    task: NDArray[np.int64]
    first: NDArray[np.int64]
    order: NDArray[np.int64]


class Part(NamedTuple):
    """Some lanes, whose numbers count from the start of ``tasks`` and ``rows``, slices of the caller's arrays."""

    lanes: Assignment
    tasks: slice
    rows: slice

    def rankings(self) -> NDArray[np.int64]:
        """The caller's numbers of the rankings in these lanes."""
        first = self.lanes.first
        return self.lanes.order[first[0] : first[-1]] + (self.rows.start or 0)


class Outputs(NamedTuple):
    """(tasks,) ``scored``, 0 = not, and scores; (rankings,) ``cross_entropy``, and ``valid``, -1 = not scored.

    ``left`` is one number, to which those that are not scored are added.
    """

    scored: NDArray[np.uint8]
    entropy: NDArray[np.float64]
    chance: NDArray[np.float64]
    worst: NDArray[np.float64]
    left: NDArray[np.int64]
    cross_entropy: NDArray[np.float64]
    valid: NDArray[np.int32]


class InOrder:
    """One ranking per task, in order: every part looks the same."""

    def __init__(self, tasks: int, step: int) -> None:
        self.size = tasks
        self._numbers = np.arange(min(tasks, step) + 1)

    def part(self, first: int, last: int) -> Part:
        """Lanes first..last - 1."""
        numbers, here = self._numbers[: last - first + 1], slice(first, last)
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
        task, starts = self._task[first:last], self._first[first : last + 1]
        tasks = slice(task[0], task[-1] + 1)
        if self._order is not None:
            return Part(Assignment(task - task[0], starts, self._order), tasks, slice(None))
        numbers = np.arange(starts[-1] - starts[0])
        return Part(Assignment(task - task[0], starts - starts[0], numbers), tasks, slice(starts[0], starts[-1]))


class Scorer:
    """Scores lists of one length against counts of one number of candidates; a call may come from any thread."""

    def __init__(self, candidates: int, length: int, alpha: float) -> None:
        from habitus.kernels import lanes as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

        self._kernel = kernels.score[candidates]
        self._candidates, self._length, self._alpha = candidates, length, alpha
        self._logs, self._total_logs = _logs(alpha), _logs(alpha * candidates)
        self._band = _band(candidates, length)

    def __call__(
        self, counts: NDArray[np.integer], lists: NDArray[np.integer], lanes: Assignment, out: Outputs
    ) -> None:
        """Write the scores of these lanes."""
        self._kernel(
            (_bytes(counts), counts.itemsize),
            (_bytes(lists), lists.itemsize, self._length),
            tuple(lanes),
            (self._logs, self._total_logs, self._alpha),
            self._band,
            _scratch(self._candidates),
            tuple(out),
        )


def _scratch(candidates: int) -> tuple[NDArray[np.int16] | NDArray[np.float64] | NDArray[np.int64], ...]:
    """Blocks for the kernel. They begin with a cache line: vectors that straddle two are half as fast."""
    rows = candidates // _LANES * _LANES + 2 * _LANES
    return (*_aligned(5, rows, np.int16), *_aligned(2, rows, np.float64), np.empty(_LANES, np.int64))


@functools.lru_cache(maxsize=8)
def _logs(added: float) -> NDArray[np.float64]:
    """log(n + added) for every count that a lane can hold."""
    table: NDArray[np.float64] = np.log(np.arange(_TABLE) + added)
    table.flags.writeable = False
    return table


@functools.lru_cache(maxsize=64)
def _band(candidates: int, length: int) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Where a candidate that a random list of N does not hold ends up: a constant of K and N (method, section 4).

    The i-th in order, i = 0..K-1, takes slot N + i - x with probability (1 - N/K) Hyp(x; K-1, i, N), when x of the i
    before it are listed. Only slots max(N, i)..min(N + i, K - 1) can occur, so the rows of probabilities are a band.
    """
    K, N = candidates, length
    slots = [range(max(N, i), min(N + i, K - 1) + 1) for i in range(K)]
    share = [
        (1 - N / K) * (math.comb(i, N + i - slot) * math.comb(K - 1 - i, slot - i) / math.comb(K - 1, N))
        for i in range(K)
        for slot in slots[i]
    ]
    start = np.cumsum([0, *map(len, slots)])
    return np.array(share), start, np.array([row.start for row in slots])


def _bytes(array: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The array's memory where it is contiguous and of the machine's byte order, else a copy's."""
    if array.size == 0:
        return np.empty(0, np.uint8)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(-1).view(np.uint8)


def _aligned(blocks: int, rows: int, kind: type[_Number]) -> NDArray[_Number]:
    size = blocks * rows * _LANES * np.dtype(kind).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(kind).reshape(blocks, rows * _LANES)
