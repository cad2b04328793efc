"""Does a proxy lower the entropy of behaviour? Groups against random groups of the same size (method, section 6).

A proxy is meaningful if conditioning on it lowers the entropy of behaviour (Saha & Choudhury 2025, section 3.2). One
random permutation of all users turns every group into a random one and keeps all sizes and overlaps. So one set of
permutations tests any number of groups together, though they share users: exactly, where what makes a group says
nothing about what its users do. Nothing here computes a p value.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.groups import Groups, items_exist
from habitus.interactions import Interactions, starts
from habitus.threads import over_chunks

_PERMUTATIONS_PER_CHUNK = 16
# Groups of a level come one after the other and are alike in size: small chunks keep the threads level.
_TASKS_PER_CHUNK = 16
_LARGEST_SEED = 2**64 - 1


class ByActivity(NamedTuple):
    """Users in an order of each task's own: pool by pool, each by the number of items known outside its history.

    Of two users who know as many items, one who knows the history knows fewer others: so those alone are counted.

    ``pool`` (users,) integers; ``history`` (tasks, h) item numbers, -1 = none.
    """

    pool: ArrayLike
    history: NDArray[np.int32]


def permutations(strata: ArrayLike, *, resamples: int, seed: int, threads: int | None = None) -> NDArray[np.int32]:
    """Random permutations of the users, uniform among those that leave every stratum as it is.

    Args:
        strata: (users,) integers: only users with the same number change places. All 0: everybody may.
        resamples: how many, >= 0.
        seed: in [0, 2**64).
        threads: default one per core.

    Returns:
        (resamples, users) int32: who takes the place of each user. Row r depends on (seed, r) and the strata alone.

    Raises:
        TypeError: strata are not integers.
        ValueError: strata are not 1-d, or a number is not as said.

    Example:
        >>> permutations([0, 1, 0, 1], resamples=2, seed=3) % 2
        array([[0, 1, 0, 1],
               [0, 1, 0, 1]], dtype=int32)
    """
    from habitus.kernels import proxies as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    users, start = _runs("strata", strata)
    if resamples < 0:
        raise ValueError(f"resamples: expected at least 0, got {resamples}")
    if not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"seed: expected an integer in [0, 2**64), got {seed}")
    out = np.empty((resamples, len(users)), np.int32)

    def work(a: int, b: int) -> None:
        kernels.permutations(np.uint64(seed), a, users, start, np.empty_like(users), out[a:b])

    over_chunks(work, resamples, _PERMUTATIONS_PER_CHUNK, threads)
    return out


def permuted_entropies(
    log: Interactions,
    group: Groups,
    candidates: NDArray[np.int32],
    permutations: NDArray[np.int32],
    *,
    order: ByActivity | None = None,
    per_user: bool = False,
    alpha: float | None = None,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """Entropy of what every group would have done, had its members been those whom a permutation puts in their places.

    H = -sum_i p_i log p_i, p_i proportional to n_i + alpha, n_i how many of the image know candidate i; ``per_user``: n
    is the distribution of ``habitus.sampling.targets`` times the size of the group.

    Args:
        log: who interacted with what.
        group: (tasks,) groups; any size up to all users.
        candidates: (tasks, K) item numbers, distinct in a row.
        permutations: (R, users) who takes the place of each user; the identity gives the groups' own entropy.
        order: permutations are then of the places in this order, and so is what they keep together.
        per_user: normalise every user's row before averaging, so that each user counts the same.
        alpha: pseudo-count, > 0; default 1/K.
        threads: default one per core.

    Returns:
        (tasks, R) float64 in [0, log K], nats; NaN where nobody of the image knows any candidate.

    Raises:
        TypeError: permutations or candidates are not integers.
        ValueError: shapes do not fit, an item or a user is not in the log, or alpha <= 0.

    Example:
        >>> from habitus import interactions
        >>> log = interactions.index([0, 0, 1, 2, 2], [0, 1, 1, 0, 2], (3, 3))
        >>> two = Groups(np.array([0, 2]), np.array([0, 1]))
        >>> permuted_entropies(log, two, np.array([[0, 1]]), np.array([[0, 1, 2], [2, 1, 0]])).round(3)
        array([[0.662, 0.693]])
    """
    from habitus.kernels import proxies as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    rows, images = _candidates(log, group, candidates), _images(log, permutations)
    added = arguments.pseudo_count(alpha, rows.shape[1])
    K, start = rows.shape[1], np.ascontiguousarray(group.start, np.int64)
    users, words = np.ascontiguousarray(group.users, np.int32), log.users // 64 + K + 2
    history, pool_start, pool_users = _order(log, order, len(rows))
    activity = np.diff(log.user_start).astype(np.int32)
    most = int(activity.max(initial=0))
    out = np.empty((len(rows), len(images)))

    def work(a: int, b: int) -> None:
        of_user = np.zeros((6, log.users), np.int32)
        of_user[2] = np.arange(log.users)
        kernels.entropies(
            log.item_start, log.item_users, start[a : b + 1], users, rows[a:b], images, history[a:b], pool_start,
            pool_users, activity, per_user, added, of_user, np.empty(most + 2, np.int64), np.empty(K + 1, np.int32),
            np.empty(words, np.uint64), np.empty((K, words), np.uint64), np.empty(words), np.empty(K), out[a:b],
        )  # fmt: skip

    over_chunks(work, len(rows), _TASKS_PER_CHUNK, threads)
    return out


def _candidates(log: Interactions, group: Groups, candidates: NDArray[np.int32]) -> NDArray[np.int32]:
    rows = arguments.integer_matrix("candidates", candidates)
    if len(group.size) != len(rows):
        raise ValueError(f"expected as many groups as rows of candidates, got {len(group.size)} and {len(rows)}")
    _users_exist("group", group.users, log)
    checked = np.ascontiguousarray(rows, np.int32)
    items_exist("candidates", checked, log)
    return checked


def _order(
    log: Interactions, order: ByActivity | None, tasks: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """(tasks, h) histories, where each pool starts, and its users: no pools, if users stand in their own order."""
    if order is None:
        return np.empty((tasks, 0), np.int32), np.zeros(1, np.int64), np.empty(0, np.int32)
    history = np.asarray(order.history)
    if history.ndim != 2 or len(history) != tasks:  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"order: expected histories (tasks, h) of {tasks} tasks, got shape {history.shape}")
    items_exist("order", history[history >= 0], log)
    users, start = _runs("order", order.pool)
    if len(users) != log.users:
        raise ValueError(f"order: expected the pool of {log.users} users, got {len(users)}")
    return np.ascontiguousarray(history, np.int32), start, users


def _runs(name: str, numbers: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The users of each number one after the other, and where each run starts."""
    given = np.asarray(numbers)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise TypeError(f"{name}: expected integers, got {given.dtype}")
    if given.ndim != 1:
        raise ValueError(f"{name}: expected one number per user, got shape {given.shape}")
    size = np.unique(given, return_counts=True)[1]
    return np.argsort(given, kind="stable").astype(np.int32), starts(size)


def _images(log: Interactions, permutations: NDArray[np.int32]) -> NDArray[np.int32]:
    images = np.asarray(permutations)
    if not np.issubdtype(images.dtype, np.integer):
        raise TypeError(f"permutations: expected integers, got {images.dtype}")
    if images.ndim != 2 or images.shape[1] != log.users:  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"permutations: expected shape (R, {log.users}), got {images.shape}")
    _users_exist("permutations", images, log)
    return np.ascontiguousarray(images, np.int32)


def _users_exist(name: str, users: NDArray[np.int32], log: Interactions) -> None:
    if users.size and not 0 <= users.min() <= users.max() < log.users:
        raise ValueError(f"{name}: expected users in [0, {log.users}), got {users.min()} to {users.max()}")
