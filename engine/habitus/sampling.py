"""Draw tasks: histories, the groups that know them, candidates, and what each group did with them (method, section 3).

Users and items are row numbers. Nothing here knows their names, their attributes or where they came from: a proxy value
is a number per user (its cell). Each draw has a seed, so the result depends on neither their order nor the threads.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus.interactions import Interactions, starts
from habitus.threads import over_chunks

Rule = Literal["half", "quintiles", "literal", "inventory"]
RULES: tuple[Rule, ...] = ("half", "quintiles", "literal", "inventory")

_DRAWS_PER_CHUNK = 1024
_LONGEST_HISTORY = np.iinfo(np.uint8).max  # the kernel counts known items in bytes


class Groups(NamedTuple):
    """Ragged: the users of group g are ``users[start[g]:start[g + 1]]``, ascending."""

    start: NDArray[np.int64]
    users: NDArray[np.int32]

    @property
    def size(self) -> NDArray[np.int64]:
        """(groups,) users per group."""
        return np.diff(self.start)

    def places(self, which: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in ``users`` the groups of these numbers stand, one group after the other."""
        size = self.size[which]
        start = starts(size)
        return np.arange(start[-1]) + np.repeat(self.start[which] - start[:-1], size)

    def take(self, which: NDArray[np.int64]) -> "Groups":
        """The groups of these numbers, in this order."""
        return Groups(starts(self.size[which]), self.users[self.places(which)])


class Counts(NamedTuple):
    """Who interacted with which candidate.

    ``counts`` (tasks, K): how many users of the group. ``incidence`` (members, ceil(K / 8)): a row of bits per user of
    every group, candidate i in bit i % 8 of byte i // 8.
    """

    counts: NDArray[np.int32]
    incidence: NDArray[np.uint8]


def seeds(base: ArrayLike, number: ArrayLike) -> NDArray[np.uint64]:
    """Number ``number`` of the splitmix64 sequence that starts at ``base``; both broadcast.

    Args:
        base: unsigned 64-bit integers.
        number: integers >= 0.

    Example:
        >>> len(set(seeds(7, [0, 1, 2]).tolist()) | set(seeds(8, [0, 1, 2]).tolist()))
        6
    """
    with np.errstate(over="ignore"):
        step = np.asarray(number, dtype=np.uint64) + np.uint64(1)
        z: NDArray[np.uint64] = np.atleast_1d(np.asarray(base, dtype=np.uint64) + step * np.uint64(0x9E3779B97F4A7C15))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def histories(
    seed: NDArray[np.uint64],
    inventory: ArrayLike,
    length: int,
    *,
    weights: ArrayLike | None = None,
    threads: int | None = None,
) -> NDArray[np.int32]:
    """Histories of distinct items; a shorter one with the same seed is a prefix of a longer one (nested).

    Args:
        seed: (draws,) one per draw.
        inventory: (n,) item numbers to draw from.
        length: items per history, at most n.
        weights: (n,) integers >= 1, chances of being drawn next; default all equal.
        threads: default one per core.

    Returns:
        (draws, length) item numbers, in the order drawn.

    Raises:
        ValueError: length exceeds the inventory, or a weight is below 1.
    """
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    items = np.ascontiguousarray(inventory, dtype=np.int32)
    if length > len(items):
        raise ValueError(f"expected a history of at most {len(items)} items (the inventory), got {length}")
    chances = np.ones(len(items), np.int64) if weights is None else np.asarray(weights, dtype=np.int64)
    if len(chances) != len(items) or (len(chances) and chances.min() < 1):
        raise ValueError(f"expected {len(items)} weights >= 1, got {len(chances)} with least {chances.min(initial=0)}")
    cumulative = np.cumsum(chances)
    out = np.empty((len(seed), length), np.int32)

    def work(a: int, b: int) -> None:
        kernels.histories(seed[a:b], items, cumulative, np.empty(1, np.uint64), out[a:b])

    over_chunks(work, len(seed), _DRAWS_PER_CHUNK, threads)
    return out


def groups(
    log: Interactions,
    cell_of_user: ArrayLike,
    cells: ArrayLike,
    history: NDArray[np.int32],
    needed: int,
    *,
    threads: int | None = None,
) -> Groups:
    """The users of a cell who know enough of a history.

    Args:
        log: who interacted with what.
        cell_of_user: (users,) the cell each user is in, -1 = none.
        cells: (draws,) the cell of each draw.
        history: (draws, h) item numbers; h may be 0.
        needed: how many of the h items a user must have interacted with; 0 takes the whole cell.
        threads: default one per core.

    Raises:
        ValueError: shapes do not fit, h exceeds 255, or ``needed`` is not in [1, h] (0 for h = 0).
    """
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    cell = np.ascontiguousarray(cell_of_user, dtype=np.int32)
    wanted = np.ascontiguousarray(cells, dtype=np.int32)
    known = np.ascontiguousarray(history, dtype=np.int32)
    if len(cell) != log.users or len(wanted) != len(known):
        raise ValueError(
            f"expected {log.users} users and as many cells as histories, got {len(cell)}, {len(wanted)}, {len(known)}"
        )
    if known.shape[1] > _LONGEST_HISTORY:
        raise ValueError(f"expected a history of at most {_LONGEST_HISTORY} items, got {known.shape[1]}")
    if not min(known.shape[1], 1) <= needed <= known.shape[1]:
        raise ValueError(f"expected 1 <= needed <= {known.shape[1]} items of the history, got {needed}")
    start = np.zeros(len(wanted) + 1, np.int64)
    size = np.zeros(len(wanted), np.int64)

    def pass_over(users: NDArray[np.int32]) -> Callable[[int, int], None]:
        def work(a: int, b: int) -> None:
            times = np.zeros(log.users, np.uint8)
            kernels.groups(
                log.item_start,
                log.item_users,
                cell,
                wanted[a:b],
                known[a:b],
                needed,
                start[a:b],
                times,
                size[a:b],
                users,
            )

        return work

    over_chunks(pass_over(np.empty(0, np.int32)), len(wanted), _DRAWS_PER_CHUNK, threads)
    start = starts(size)
    users = np.empty(start[-1], np.int32)
    if len(users):
        over_chunks(pass_over(users), len(wanted), _DRAWS_PER_CHUNK, threads)
    key = np.repeat(np.arange(len(wanted)), size) * log.users + users
    return Groups(start, (np.sort(key) % max(log.users, 1)).astype(np.int32))


def candidates(
    log: Interactions,
    group: Groups,
    history: NDArray[np.int32],
    seed: NDArray[np.uint64],
    inventory: ArrayLike,
    *,
    length: int = 50,
    rule: Rule = "half",
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Draw the items to be ranked, by one of the rules of method section 3, in a seeded random order.

    ``half``: half never interacted by the group, half interacted, both without the history. ``quintiles``: a fifth from
    each popularity fifth of the inventory without the history, whoever interacted. ``literal``: Algorithm 1 as printed.
    ``inventory``: half from all of the inventory, half interacted. A short part is filled from the others.

    Args:
        log: who interacted with what.
        group: the draws' groups.
        history: (draws, h) item numbers.
        seed: (draws,) one per draw.
        inventory: (n,) item numbers to draw from.
        length: K, candidates per draw.
        rule: see above.
        threads: default one per core.

    Returns:
        (draws, K) item numbers, and (draws,) whether K could be found; a row that could not is all -1.

    Raises:
        ValueError: an unknown rule, or shapes that do not fit.
    """
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    if rule not in RULES:
        raise ValueError(f"rule: expected one of {', '.join(RULES)}, got {rule!r}")
    if not len(group.size) == len(history) == len(seed):
        raise ValueError(
            f"expected as many groups as histories and seeds, got {len(group.size)}, {len(history)}, {len(seed)}"
        )
    items = np.asarray(inventory, dtype=np.int32)
    items = np.ascontiguousarray(items[np.argsort(log.popularity[items], kind="stable")])
    out = np.full((len(seed), length), -1, np.int32)
    filled = np.zeros(len(seed), np.int64)

    def work(a: int, b: int) -> None:
        state, mark, pool = np.empty(1, np.uint64), np.zeros(log.items, np.uint8), np.empty(len(items), np.int32)
        kernels.candidates(
            log.user_start, log.user_items, group.start[a : b + 1], group.users, history[a:b], seed[a:b], items,
            RULES.index(rule), state, mark, pool, out[a:b], filled[a:b],
        )  # fmt: skip

    over_chunks(work, len(seed), _DRAWS_PER_CHUNK, threads)
    complete = filled == length
    out[~complete] = -1
    return shuffled(out, seed), complete


def shuffled(rows: NDArray[np.int32], seed: NDArray[np.uint64], order: int = 0) -> NDArray[np.int32]:
    """Each row in the ``order``-th random order of its seed.

    Args:
        rows: (draws, K).
        seed: (draws,) one per draw.
        order: which of a seed's orders; 0, 1, 2, … are independent.

    Returns:
        (draws, K), a copy.
    """
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    out = np.array(rows, dtype=np.int32, order="C")
    kernels.shuffle(seeds(seed, order), np.empty(1, np.uint64), out)
    return out


def counts(log: Interactions, group: Groups, items: NDArray[np.int32], *, threads: int | None = None) -> Counts:
    """How many users of each group interacted with each candidate, and which.

    Args:
        log: who interacted with what.
        group: (tasks,) groups.
        items: (tasks, K) candidates, distinct in a row.
        threads: default one per core.

    Raises:
        ValueError: there are not as many groups as rows of candidates.
    """
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    _same_length(group, items)
    rows = np.ascontiguousarray(items, dtype=np.int32)
    out = np.zeros(rows.shape, np.int32)
    bits = np.zeros((len(group.users), -(-rows.shape[1] // 8)), np.uint8)

    def work(a: int, b: int) -> None:
        slot = np.full(log.items, -1, np.int16)
        start = group.start[a : b + 1]
        kernels.incidence(
            log.user_start, log.user_items, start, group.users, rows[a:b], slot, out[a:b], bits[start[0] : start[-1]]
        )

    over_chunks(work, len(rows), _DRAWS_PER_CHUNK, threads)
    return Counts(out, bits)


def targets(
    log: Interactions,
    group: Groups,
    items: NDArray[np.int32],
    *,
    values: ArrayLike | None = None,
    per_user: bool = False,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """The group's behaviour as a distribution over the candidates.

    Args:
        log: who interacted with what.
        group: (tasks,) groups.
        items: (tasks, K) candidates, distinct in a row.
        values: (pairs,) what each interaction counts, in the order of ``log.user_items``; default 1.
        per_user: normalise every user's row before averaging, so that each user counts the same.
        threads: default one per core.

    Returns:
        (tasks, K) float64, rows sum to 1; NaN where nobody interacted with any candidate.

    Raises:
        ValueError: there are not as many groups as rows of candidates, or as many values as pairs.
    """
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    _same_length(group, items)
    rows = np.ascontiguousarray(items, dtype=np.int32)
    pairs = len(log.user_items)
    worth = np.ones(pairs, np.float32) if values is None else np.ascontiguousarray(values, dtype=np.float32)
    if len(worth) != pairs:
        raise ValueError(f"expected {pairs} values, one per interaction, got {len(worth)}")
    out = np.zeros(rows.shape, np.float64)

    def work(a: int, b: int) -> None:
        slot, row = np.full(log.items, -1, np.int16), np.empty(rows.shape[1])
        start = group.start[a : b + 1]
        kernels.targets(
            log.user_start, log.user_items, worth, start, group.users, rows[a:b], per_user, slot, row, out[a:b]
        )

    over_chunks(work, len(rows), _DRAWS_PER_CHUNK, threads)
    return out


def _same_length(group: Groups, items: NDArray[np.int32]) -> None:
    if len(group.size) != len(items):
        raise ValueError(f"expected as many groups as rows of candidates, got {len(group.size)} and {len(items)}")
