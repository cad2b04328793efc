"""Groups: the users of a cell who know enough of a history (method, section 3)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus.interactions import Interactions, starts, words
from habitus.threads import over_chunks

DRAWS_PER_CHUNK = 1024
_LONGEST_HISTORY = np.iinfo(np.uint8).max  # the lists' kernel counts known items in bytes
_LEAST_ROOM = 1 << 16
_WORDS_AT_ONCE = 512  # of each plane: 4 KiB, so that all of them stay in the first-level cache

# (first, last, start, users) -> how many groups had room.
Find = Callable[[int, int, NDArray[np.int64], NDArray[np.int32]], int]


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


class Proxies(NamedTuple):
    """What prompts tell about people: users of a cell who know at least ``needed`` items of a history.

    ``cell_of_user`` (users,) the cell each user is in, -1 = none; ``cells`` (draws,) the cell of each draw; ``history``
    (draws, h) item numbers, h may be 0; ``needed`` in [1, h], or 0 to take the whole cell.
    """

    cell_of_user: ArrayLike
    cells: ArrayLike
    history: NDArray[np.int32]
    needed: int


class Checked(NamedTuple):
    """Proxies that fit a log, as the kernels want them."""

    cell_of_user: NDArray[np.int32]
    cells: NDArray[np.int32]
    history: NDArray[np.int32]
    needed: int


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
        history: (draws, h) item numbers, distinct in a row; h may be 0.
        needed: how many of the h items a user must have interacted with; 0 takes the whole cell.
        threads: default one per core.

    Raises:
        ValueError: shapes do not fit, an item is not in the log, h exceeds 255, or ``needed`` is not in [1, h].

    Example:
        >>> from habitus import interactions
        >>> log = interactions.index([0, 0, 1, 2, 2], [0, 1, 1, 0, 2], (3, 3))
        >>> groups(log, [0, 0, 0], [0], np.array([[0, 2]]), 1).users
        array([0, 2], dtype=int32)
    """
    proxies = checked(log, Proxies(cell_of_user, cells, history, needed))
    parts: dict[int, list[Groups]] = {}

    def work(a: int, b: int) -> None:
        parts[a] = [Groups(group.start, group.users.copy()) for _, _, group in batches(log, proxies, a, b)]

    over_chunks(work, len(proxies.cells), DRAWS_PER_CHUNK, threads)
    every = [group for a in sorted(parts) for group in parts[a]]
    start = starts(np.concatenate([np.empty(0, np.int64), *(group.size for group in every)]))
    users = np.concatenate([np.empty(0, np.int32), *(group.users for group in every)])
    return Groups(start, users if log.as_bitmaps or not proxies.needed else _ascending(start, users, log.users))


def checked(log: Interactions, proxies: Proxies) -> Checked:
    """The proxies as the kernels want them.

    Raises:
        ValueError: as ``groups``.
    """
    cell = np.ascontiguousarray(proxies.cell_of_user, dtype=np.int32)
    wanted = np.ascontiguousarray(proxies.cells, dtype=np.int32)
    history = np.ascontiguousarray(proxies.history, dtype=np.int32)
    if len(cell) != log.users or len(wanted) != len(history):
        raise ValueError(
            f"expected {log.users} users and as many cells as histories, got {len(cell)}, {len(wanted)}, {len(history)}"
        )
    length, needed = history.shape[1], proxies.needed
    if length > _LONGEST_HISTORY:
        raise ValueError(f"expected a history of at most {_LONGEST_HISTORY} items, got {length}")
    if not min(length, 1) <= needed <= length:
        raise ValueError(f"expected 1 <= needed <= {length} items of the history, got {needed}")
    items_exist("history", history, log)
    return Checked(cell, wanted, history, needed)


def items_exist(name: str, items: NDArray[np.int32], log: Interactions) -> None:
    """Raises ValueError unless every number is an item of the log."""
    if items.size and not 0 <= items.min() <= items.max() < log.items:
        raise ValueError(f"{name}: expected items in [0, {log.items}), got {items.min()} to {items.max()}")


def batches(log: Interactions, proxies: Checked, first: int, last: int) -> Iterator[tuple[int, int, Groups]]:
    """The groups of draws [first, last), as many at once as there is room for: (from, to, groups).

    A batch is overwritten by the next. From lists, the users of a group come in no order.
    """
    users = np.empty(max(log.users, _LEAST_ROOM), np.int32)
    find = _finder(log, proxies)
    while first < last:
        start = np.zeros(last - first + 1, np.int64)
        found = find(first, last, start, users)
        yield first, first + found, Groups(start[: found + 1], users[: start[found]])
        first += found


def _finder(log: Interactions, proxies: Checked) -> Find:
    from habitus.kernels import groups as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    rows, row_of_item = log.rows_of_items
    length = proxies.history.shape[1]
    planes = np.empty((length.bit_length() + 1, max(1, min(words(log.users), _WORDS_AT_ONCE))), np.uint64)
    cursor = np.empty(length, np.int64)
    known = np.zeros(log.users, np.uint8)

    def find(a: int, b: int, start: NDArray[np.int64], users: NDArray[np.int32]) -> int:
        found = kernels.groups(
            rows, row_of_item, log.item_start, log.item_users, proxies.cell_of_user, proxies.cells[a:b],
            proxies.history[a:b], proxies.needed, log.as_bitmaps, planes, cursor, known, start, users,
        )  # fmt: skip
        return int(found)

    return find


def _ascending(start: NDArray[np.int64], users: NDArray[np.int32], bound: int) -> NDArray[np.int32]:
    key = np.repeat(np.arange(len(start) - 1), np.diff(start)) * bound + users
    return (np.sort(key) % max(bound, 1)).astype(np.int32)
