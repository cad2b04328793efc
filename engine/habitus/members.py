"""Who in a group did what: sums over its users, over random halves of them, over those that a resample keeps.

For cross-fitting and for resampling users (method, section 6).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus.threads import over_chunks, share

_TASKS_PER_CHUNK = 64
_RESAMPLES_PER_CHUNK = 16
_LARGEST_SEED = 2**64 - 1
# Users whose rows are all the same differ by rounding alone.
_SPREAD = 1e-12


class Members(NamedTuple):
    """The users of each task's group, and which candidates each of them interacted with.

    ``start`` (tasks + 1,) int64: rows of task t are start[t]:start[t + 1]. ``users`` (rows,) int32. ``incidence``
    (rows, ceil(K / 8)) uint8: candidate i in bit i % 8 of byte i // 8; bits from K on do not count. ``candidates``: K.
    """

    start: NDArray[np.int64]
    users: NDArray[np.int32]
    incidence: NDArray[np.uint8]
    candidates: int


class Sums(NamedTuple):
    """What some of each group's users did, together.

    ``total`` (tasks, K) float64: sum of the users' rows of 0 and 1, each divided by its own sum if per_user; an empty
    row adds 0. ``users`` (tasks,) int64; ``active``: those with any candidate; ``incidences``: users times candidates.
    ``squares`` (tasks,) float64: sum over users of |row / its sum|**2.
    """

    total: NDArray[np.float64]
    users: NDArray[np.int64]
    active: NDArray[np.int64]
    incidences: NDArray[np.int64]
    squares: NDArray[np.float64]


class Halves(NamedTuple):
    """Both halves of each group. ``redrawn`` (tasks,) int32: draws thrown away because a half did nothing.

    -1 where there are no halves: then total and squares are NaN and the numbers 0.
    """

    first: Sums
    second: Sums
    redrawn: NDArray[np.int32]


def halves(
    members: Members, seed: ArrayLike, split: int, *, per_user: bool = False, threads: int | None = None
) -> Halves:
    """Sums over random halves of each task's users, whose sizes differ by at most one.

    Every such halving is equally likely, and which half gets an odd user is random. If a half has no candidate at all
    it is drawn again; after 100 draws, or with fewer than two active users at once, there are no halves.

    Args:
        members: who is in which group, and did what.
        seed: (tasks,) integers in [0, 2**64). A task's halves depend on its own seed and on ``split`` alone.
        split: which of its halvings, >= 0.
        per_user: divide each user's row by its sum, so that each user counts the same.
        threads: default one per core.

    Raises:
        TypeError: seeds are not integers, or the incidence not bytes.
        ValueError: a shape or a number is not as said.

    Example:
        >>> pair = Members(np.array([0, 2]), np.array([7, 8], np.int32), np.array([[1], [2]], np.uint8), 2)
        >>> drawn = halves(pair, [1], 0)
        >>> (drawn.first.total + drawn.second.total).tolist(), drawn.first.users.tolist()
        ([[1.0, 1.0]], [1])
    """
    from habitus.kernels import members as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    given = _checked(members)
    tasks, K = len(given.start) - 1, given.candidates
    seeds = _seeds(seed, tasks)
    if not 0 <= split <= _LARGEST_SEED:
        raise ValueError(f"split: expected an integer in [0, 2**64), got {split}")
    bits = given.incidence.reshape(-1)
    total, numbers, squares = np.empty((tasks, 2, K)), np.empty((tasks, 2, 3), np.int64), np.empty((tasks, 2))
    redrawn = np.empty(tasks, np.int32)

    def work(a: int, b: int) -> None:
        scratch = _scratch(given, kernels.WORD, sides=2)
        kernels.halves(
            given.start[a : b + 1], bits, seeds[a:b], np.uint64(split), per_user, *scratch,
            total[a:b], numbers[a:b], squares[a:b], redrawn[a:b],
        )  # fmt: skip

    over_chunks(work, tasks, share(tasks, _TASKS_PER_CHUNK, threads), threads)
    first, second = (_sums(total[:, side], numbers[:, side], squares[:, side]) for side in range(2))
    return Halves(first, second, redrawn)


def subsample(members: Members, kept: ArrayLike, *, per_user: bool = False, threads: int | None = None) -> Sums:
    """Sums over those of each task's users that are kept.

    Args:
        members: who is in which group, and did what.
        kept: (all users,) bool, by the numbers of ``members.users``.
        per_user: divide each user's row by its sum, so that each user counts the same.
        threads: default one per core.

    Raises:
        TypeError: ``kept`` is not bool, or the incidence not bytes.
        ValueError: a shape is not as said, or a user has no place in ``kept``.

    Example:
        >>> pair = Members(np.array([0, 2]), np.array([0, 1], np.int32), np.array([[1], [3]], np.uint8), 2)
        >>> subsample(pair, [False, True], per_user=True).total
        array([[0.5, 0.5]])
    """
    from habitus.kernels import members as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    given = _checked(members)
    chosen = np.ascontiguousarray(kept)
    if chosen.dtype != np.bool_:
        raise TypeError(f"kept: expected bool, got {chosen.dtype}")
    if chosen.ndim != 1:
        raise ValueError(f"kept: expected a 1-d array, got shape {chosen.shape}")
    low, high = given.users.min(initial=0), given.users.max(initial=-1)
    if low < 0 or high >= len(chosen):
        raise ValueError(f"kept: expected a place for every user, got {len(chosen)} for users {low} to {high}")
    tasks, K = len(given.start) - 1, given.candidates
    bits, as_bytes = given.incidence.reshape(-1), chosen.view(np.uint8)
    total, numbers, squares = np.empty((tasks, K)), np.zeros((tasks, 1, 3), np.int64), np.zeros((tasks, 1))

    def work(a: int, b: int) -> None:
        kernels.subsample(
            given.start[a : b + 1], given.users, bits, as_bytes, per_user, *_scratch(given, kernels.WORD, sides=1),
            total[a:b], numbers[a:b], squares[a:b],
        )  # fmt: skip

    over_chunks(work, tasks, share(tasks, _TASKS_PER_CHUNK, threads), threads)
    return _sums(total, numbers[:, 0], squares[:, 0])


def half_samples(users: int, resamples: int, *, seed: int) -> NDArray[np.bool_]:
    """Half of all users, drawn without replacement, again and again.

    The variance of a mean over such a half, about the mean over all, is that of the mean over all (half-samples are the
    delete-d jackknife with d = users / 2; Shao & Wu 1989, Annals of Statistics 17, 1176-1197).

    Args:
        users: how many, >= 0.
        resamples: how many, >= 0.
        seed: in [0, 2**64). Row r depends on it and on r alone.

    Returns:
        (resamples, users) bool, floor(users / 2) of them True in each row.

    Raises:
        ValueError: a number is not as said.

    Example:
        >>> half_samples(7, 3, seed=1).sum(axis=1)
        array([3, 3, 3])
    """
    from habitus.kernels import members as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    if users < 0 or resamples < 0:
        raise ValueError(f"expected users and resamples >= 0, got {users} and {resamples}")
    if not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"seed: expected an integer in [0, 2**64), got {seed}")
    out = np.empty((resamples, users), np.uint8)
    over_chunks(lambda a, b: kernels.half_samples(np.uint64(seed), a, out[a:b]), resamples, _RESAMPLES_PER_CHUNK, None)
    return out.view(np.bool_)


def effective_counts(sums: Sums, *, per_user: bool) -> NDArray[np.float64]:
    """Counts that say as much about a group's behaviour as its users do, for what expects counts of independent draws.

    A user's candidates are not independent draws. Of m draws from p the squared error of the mean is (1 - |p|**2) / m;
    that of the mean of n users' normalised rows x is sum |x - p|**2 / (n (n - 1)). Where they are equal,
    m = (1 - |p|**2) n (n - 1) / (sum |x|**2 - n |p|**2), no less than n and no more than the incidences.

    Args:
        sums: what the users did.
        per_user: as it was when they were summed. Otherwise the counts are ``sums.total`` as it is.

    Returns:
        (tasks, K) float64 >= 0, p * m in each row: 0 where no user is active, 1 in all where one is. NaN stays.

    Example:
        >>> pair = Members(np.array([0, 2]), np.array([0, 1], np.int32), np.array([[3], [6]], np.uint8), 3)
        >>> effective_counts(subsample(pair, [True, True], per_user=True), per_user=True).sum(axis=1)
        array([4.])
    """
    if not per_user:
        return sums.total.copy()
    users = sums.active.astype(np.float64)
    p = sums.total / np.maximum(users, 1)[:, None]
    concentrated = (p * p).sum(axis=1)
    spread = sums.squares - users * concentrated
    varied = spread > _SPREAD * sums.squares
    draws = (1 - concentrated) * users * (users - 1) / np.where(varied, spread, 1)
    draws = np.clip(np.where(varied, draws, np.inf), users, sums.incidences)
    return p * np.where(users > 1, draws, users)[:, None]


def _sums(total: NDArray[np.float64], numbers: NDArray[np.int64], squares: NDArray[np.float64]) -> Sums:
    users, active, incidences = np.ascontiguousarray(numbers.T)
    return Sums(np.ascontiguousarray(total), users, active, incidences, np.ascontiguousarray(squares))


def _checked(members: Members) -> Members:
    """The same as contiguous arrays."""
    start, users, incidence, candidates = (*map(np.asarray, members[:3]), members.candidates)
    if candidates < 1:
        raise ValueError(f"members: expected at least one candidate, got {candidates}")
    for name, array in (("start", start), ("users", users)):
        if array.size and not np.issubdtype(array.dtype, np.integer):
            raise TypeError(f"{name}: expected integers, got {array.dtype}")
    if incidence.dtype != np.uint8:
        raise TypeError(f"incidence: expected bytes (uint8), got {incidence.dtype}")
    expected = (len(users), -(-candidates // 8))
    if users.ndim != 1 or incidence.shape != expected:
        raise ValueError(
            f"incidence: expected shape {expected}, a row of {candidates} bits per user, got {incidence.shape}"
        )
    if start.ndim != 1 or not len(start) or start[0] < 0 or (np.diff(start) < 0).any() or start[-1] > len(users):
        raise ValueError(f"start: expected row numbers that rise from >= 0 to <= {len(users)}, one more than tasks")
    return Members(
        np.ascontiguousarray(start, dtype=np.int64),
        np.ascontiguousarray(users, dtype=np.int32),
        np.ascontiguousarray(incidence),
        candidates,
    )


def _seeds(seed: ArrayLike, tasks: int) -> NDArray[np.uint64]:
    array = np.asarray(seed)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"seed: expected integers, got {array.dtype}")
    if array.shape != (tasks,):
        raise ValueError(f"seed: expected shape ({tasks},), one per task, got {array.shape}")
    if array.size and array.min() < 0:
        raise ValueError(f"seed: expected integers >= 0, got {array.min()}")
    return np.ascontiguousarray(array, dtype=np.uint64)


def _scratch(
    members: Members, word: int, *, sides: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.float64]]:
    """A place for each user of the largest group; the words of a row; the sums of each side, in whole words."""
    words = -(-members.candidates // word)
    largest = np.diff(members.start).max(initial=0)
    return np.empty(largest, np.uint8), np.empty(words, np.uint64), np.empty((sides, words * word))
