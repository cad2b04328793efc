"""A log of who interacted with what, indexed both ways, as lists and as bitmaps. Numbers only; nothing here is drawn.

What is drawn from a log does not depend on how it is held, the time does: see ``Representation``.
"""

import threading
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Representation = Literal["bitmaps", "probes", "counters"]
"""How samplers ask a log who knows what.

``bitmaps``: 64 users, or items, to a word. ``probes``: an item's list of users, looked up in the group's bitmap.
``counters``: the lists of the group's users, counted.
"""

BITMAP_BUDGET = 1 << 29
"""Bytes that the two bitmaps of a log may take unless they are asked for: 512 MiB."""

# Measured on 20,000 users x 20,000 items: bitmaps and lists are level where one bit in 500 to 1,000 is set.
_BITS_PER_ENTRY = 512
# Measured on 10^8 pairs: within 10 % of the best from 1.5 to 3.
_ENTRY_COST = 1.5
_NEVER = 1e30
_WORDS_PER_LINE = 8
# A row of bits takes twice the memory of the list of an item that one user in 64 knows.
_USERS_PER_FAN = 64
_BUILDING = threading.Lock()


class Bitmaps(NamedTuple):
    """A log as bits: number n stands in bit n % 64 of word n // 64; the words of a row fill whole lines of the cache.

    ``of_user`` (users, words over items), ``of_item`` (items, words over users).
    """

    of_user: NDArray[np.uint64]
    of_item: NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Interactions:
    """Who interacted with what, by user and by item (CSR and CSC without values), each list ascending.

    ``representation`` is how it is sampled from; None: whichever is expected to be fastest.
    """

    user_start: NDArray[np.int64]
    user_items: NDArray[np.int32]
    item_start: NDArray[np.int64]
    item_users: NDArray[np.int32]
    representation: Representation | None = None
    _built: list[Bitmaps] = field(default_factory=list, repr=False)
    _popular: list[tuple[NDArray[np.uint64], NDArray[np.int32]]] = field(default_factory=list, repr=False)

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

    @property
    def bitmap_bytes(self) -> int:
        """What the two bitmaps take."""
        return 8 * (self.users * words(self.items) + self.items * words(self.users))

    @property
    def as_bitmaps(self) -> bool:
        """Whether samplers use the bitmaps: as asked, else where they fit the budget and are not too sparse."""
        if self.representation:
            return self.representation == "bitmaps"
        dense = len(self.user_items) * _BITS_PER_ENTRY >= self.users * self.items
        return dense and self.bitmap_bytes <= BITMAP_BUDGET

    @property
    def entry_cost(self) -> float:
        """What walking an entry of a user's list costs beside one of an item's, for samplers that choose by it."""
        return {"probes": _NEVER, "counters": 0.0}.get(str(self.representation), _ENTRY_COST)

    @property
    def bitmaps(self) -> Bitmaps:
        """The bitmaps, built when first asked for: once, whichever threads ask."""
        with _BUILDING:
            if not self._built:
                of_user = _bitmap(self.user_start, self.user_items, self.items)
                self._built.append(Bitmaps(of_user, _bitmap(self.item_start, self.item_users, self.users)))
        return self._built[0]

    @property
    def rows_of_items(self) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
        """Rows of bits over users, and (items,) which is an item's: all have one in bitmaps, else the popular ones."""
        if self.as_bitmaps:
            return self.bitmaps.of_item, np.arange(self.items, dtype=np.int32)
        with _BUILDING:
            if not self._popular:
                which = np.flatnonzero(self.popularity * _USERS_PER_FAN >= self.users)
                size = self.popularity[which]
                start = starts(size)
                places = np.arange(start[-1]) + np.repeat(self.item_start[which] - start[:-1], size)
                row_of_item = np.full(self.items, -1, np.int32)
                row_of_item[which] = np.arange(len(which))
                self._popular.append((_bitmap(start, self.item_users[places], self.users), row_of_item))
        return self._popular[0]

    def held_as(self, representation: Representation | None) -> "Interactions":
        """The same log, sampled from in this way; the arrays are shared.

        Raises:
            ValueError: an unknown representation.
        """
        known = get_args(Representation)
        if representation is not None and representation not in known:
            raise ValueError(f"representation: expected one of {', '.join(known)}, or None, got {representation!r}")
        return replace(self, representation=representation)


def index(
    users: ArrayLike, items: ArrayLike, shape: tuple[int, int], *, representation: Representation | None = None
) -> Interactions:
    """Index a log of distinct (user, item) pairs both ways.

    Beside its input, int32 without a copy, it takes 8 bytes per pair and 8 per user and item: 0.8 GB for 10^8 pairs.

    Args:
        users: (pairs,) integers in [0, shape[0]).
        items: (pairs,) integers in [0, shape[1]).
        shape: number of users, number of items; each below 2^31.
        representation: how to sample from it; default whichever is expected to be fastest.

    Raises:
        TypeError: users or items are not integers.
        ValueError: their lengths differ, a number is out of range, a pair occurs twice, or an unknown representation.

    Example:
        >>> index([0, 0, 1], [2, 0, 2], (2, 3)).popularity
        array([1, 0, 2])
    """
    from habitus.kernels import interactions as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    user, item = _numbers("users", users, shape[0]), _numbers("items", items, shape[1])
    if len(user) != len(item):
        raise ValueError(f"expected as many users as items, got {len(user)} and {len(item)}")
    user_start, item_start = (np.zeros(bound + 1, np.int64) for bound in shape)
    user_items, item_users = np.empty(len(user), np.int32), np.empty(len(user), np.int32)
    kernels.index(user, item, user_start, item_start, user_items, item_users)
    place = kernels.repeated(user_start, user_items)
    if place >= 0:
        who = np.searchsorted(user_start, place, side="right") - 1
        raise ValueError(f"expected distinct pairs, got user {who}, item {user_items[place]} twice")
    return Interactions(user_start, user_items, item_start, item_users).held_as(representation)


def starts(size: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n consecutive runs begins, and where the last ends."""
    start = np.zeros(len(size) + 1, np.int64)
    np.cumsum(size, out=start[1:])
    return start


def words(numbers: int) -> int:
    """How many 64-bit words hold a bit per number, in whole lines of the cache."""
    return -(-numbers // (64 * _WORDS_PER_LINE)) * _WORDS_PER_LINE


def _bitmap(start: NDArray[np.int64], numbers: NDArray[np.int32], bound: int) -> NDArray[np.uint64]:
    from habitus.kernels import interactions as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    bits = np.zeros((len(start) - 1, words(bound)), np.uint64)
    kernels.bitmap(start, numbers, bits)
    return bits


def _numbers(name: str, values: ArrayLike, bound: int) -> NDArray[np.int32]:
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer) and array.size:
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    bound = min(bound, np.iinfo(np.int32).max)
    if array.size and not 0 <= array.min() <= array.max() < bound:
        raise ValueError(f"{name}: expected numbers in [0, {bound}), got {array.min()} to {array.max()}")
    return np.ascontiguousarray(array, dtype=np.int32)
