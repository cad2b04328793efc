"""Draw tasks: histories, the groups that know them, candidates, and what each group did with them (method, section 3).

Users and items are row numbers. Nothing here knows their names, their attributes or where they came from: a proxy value
is a number per user (its cell). Each draw has a seed, so the result depends on neither their order nor the threads, nor
on how the log is held (``habitus.interactions.Representation``).

``tasks`` draws many at once and is what is fast; ``groups``, ``candidates`` and ``counts`` are its stages one by one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus.candidates import RULES, Drawer, Rule, candidates, shuffled
from habitus.groups import DRAWS_PER_CHUNK, Groups, Proxies, batches, checked, groups
from habitus.incidence import Counts, count, counts, targets
from habitus.interactions import Interactions
from habitus.threads import over_chunks

__all__ = [
    "RULES",
    "Counts",
    "Groups",
    "Proxies",
    "Rule",
    "Tasks",
    "candidates",
    "counts",
    "groups",
    "histories",
    "seeds",
    "shuffled",
    "targets",
    "tasks",
]


class Tasks(NamedTuple):
    """Drawn tasks: those whose ``candidates`` are not -1.

    ``size`` (draws,) users per group. ``candidates`` (draws, K) item numbers in their seeded order; -1 where the group
    is too small or too few items could be found. ``counts`` (draws, K) how many of the group interacted with each.
    """

    size: NDArray[np.int64]
    candidates: NDArray[np.int32]
    counts: NDArray[np.int32]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """(draws,) whether there is a task."""
        return np.asarray((self.candidates >= 0).all(axis=1))


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
    cumulative = np.empty(0, np.int64)
    if weights is not None:
        chances = np.asarray(weights, dtype=np.int64)
        if len(chances) != len(items) or (len(chances) and chances.min() < 1):
            least = chances.min(initial=0)
            raise ValueError(f"expected {len(items)} weights >= 1, got {len(chances)} with least {least}")
        cumulative = np.cumsum(chances)
    out = np.empty((len(seed), length), np.int32)

    def work(a: int, b: int) -> None:
        kernels.histories(seed[a:b], items, cumulative, np.empty(1, np.uint64), out[a:b])

    over_chunks(work, len(seed), DRAWS_PER_CHUNK, threads)
    return out


def tasks(
    log: Interactions,
    proxies: Proxies,
    seed: NDArray[np.uint64],
    inventory: ArrayLike,
    *,
    min_users: int = 1,
    length: int = 50,
    rule: Rule = "half",
    threads: int | None = None,
) -> Tasks:
    """Find each draw's group, draw its candidates and count them: ``groups``, ``candidates`` and ``counts`` in one.

    The groups themselves are not kept: ``groups`` finds those of the tasks that matter.

    Args:
        log: who interacted with what.
        proxies: what each draw tells about people.
        seed: (draws,) one per draw.
        inventory: (n,) distinct item numbers to draw from, in any order.
        min_users: no candidates are drawn for a smaller group.
        length: K, candidates per draw.
        rule: as for ``candidates``.
        threads: default one per core.

    Raises:
        ValueError: as ``groups`` and ``candidates``.

    Example:
        >>> from habitus import interactions
        >>> log = interactions.index([0, 0, 1, 2, 2], [0, 1, 1, 0, 2], (3, 5))
        >>> proxies = Proxies(np.zeros(3), np.zeros(1), np.array([[0]]), 1)
        >>> drawn = tasks(log, proxies, seeds(0, 0), range(5), length=4)
        >>> drawn.size, dict(zip(drawn.candidates[0].tolist(), drawn.counts[0].tolist())) == {1: 1, 2: 1, 3: 0, 4: 0}
        (array([2]), True)
    """
    known = checked(log, proxies)
    if len(seed) != len(known.cells):
        raise ValueError(f"expected as many seeds as cells and histories, got {len(seed)} and {len(known.cells)}")
    drawer = Drawer(log, inventory, length, rule)
    size = np.empty(len(seed), np.int64)
    items, counted = np.empty((2, len(seed), length), np.int32)

    def work(a: int, b: int) -> None:
        for first, last, group in batches(log, known, a, b):
            size[first:last] = group.size
            rows, counts_of = items[first:last], counted[first:last]
            drawer.draw(group, known.history[first:last], seed[first:last], rows, counts_of, least=min_users)
            count(log, group, rows, counts_of, np.empty((0, 0), np.uint8))

    over_chunks(work, len(seed), DRAWS_PER_CHUNK, threads)
    return Tasks(size, items, counted)
