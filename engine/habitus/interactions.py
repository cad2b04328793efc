"""A log of who interacted with what, indexed both ways. Numbers only; nothing here is drawn."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Interactions(NamedTuple):
    """Who interacted with what, by user and by item (CSR and CSC without values)."""

    user_start: NDArray[np.int64]
    user_items: NDArray[np.int32]
    item_start: NDArray[np.int64]
    item_users: NDArray[np.int32]

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.user_start) - 1

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.item_start) - 1

    @property
    def popularity(self) -> NDArray[np.int64]:
        """(items,) users per item."""
        return np.diff(self.item_start)


def index(users: ArrayLike, items: ArrayLike, shape: tuple[int, int]) -> Interactions:
    """Index a log of distinct (user, item) pairs both ways.

    Args:
        users: (pairs,) integers in [0, shape[0]).
        items: (pairs,) integers in [0, shape[1]).
        shape: number of users, number of items.

    Raises:
        TypeError: users or items are not integers.
        ValueError: their lengths differ, a number is out of range, or a pair occurs twice.

    Example:
        >>> index([0, 0, 1], [2, 0, 2], (2, 3)).popularity
        array([1, 0, 2])
    """
    user, item = _numbers("users", users, shape[0]), _numbers("items", items, shape[1])
    if len(user) != len(item):
        raise ValueError(f"expected as many users as items, got {len(user)} and {len(item)}")
    pairs = np.sort(user * shape[1] + item)
    if (pairs[1:] == pairs[:-1]).any():
        repeated = int(pairs[1:][pairs[1:] == pairs[:-1]][0])
        raise ValueError(f"expected distinct pairs, got user {repeated // shape[1]}, item {repeated % shape[1]} twice")
    user, item = np.divmod(pairs, shape[1])
    by_item = np.argsort(item, kind="stable")
    return Interactions(
        starts(np.bincount(user, minlength=shape[0])),
        item.astype(np.int32),
        starts(np.bincount(item, minlength=shape[1])),
        user[by_item].astype(np.int32),
    )


def starts(size: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n consecutive runs begins, and where the last ends."""
    start = np.zeros(len(size) + 1, np.int64)
    np.cumsum(size, out=start[1:])
    return start


def _numbers(name: str, values: ArrayLike, bound: int) -> NDArray[np.int64]:
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer) and array.size:
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    if array.size and not 0 <= array.min() <= array.max() < bound:
        raise ValueError(f"{name}: expected numbers in [0, {bound}), got {array.min()} to {array.max()}")
    return array.astype(np.int64)
