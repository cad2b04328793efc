"""What groups did with their candidates: counts, who interacted with which, and distributions (method, section 3)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus.groups import DRAWS_PER_CHUNK, Groups, items_exist
from habitus.interactions import Interactions, words
from habitus.threads import over_chunks


class Counts(NamedTuple):
    """Who interacted with which candidate.

    ``counts`` (tasks, K): how many users of the group. ``incidence`` (members, ceil(K / 8)): a row of bits per user of
    every group, candidate i in bit i % 8 of byte i // 8.
    """

    counts: NDArray[np.int32]
    incidence: NDArray[np.uint8]


def counts(log: Interactions, group: Groups, items: NDArray[np.int32], *, threads: int | None = None) -> Counts:
    """How many users of each group interacted with each candidate, and which.

    Args:
        log: who interacted with what.
        group: (tasks,) groups.
        items: (tasks, K) candidates, distinct in a row; a row of -1 counts nothing.
        threads: default one per core.

    Raises:
        ValueError: there are not as many groups as rows of candidates, or an item is not in the log.
    """
    rows = _rows(log, group, items)
    out = (rows >= 0).astype(np.int32)
    bits = np.zeros((len(group.users), -(-rows.shape[1] // 8)), np.uint8)

    def work(a: int, b: int) -> None:
        part = Groups(group.start[a : b + 1], group.users)
        count(log, part, rows[a:b], out[a:b], bits[part.start[0] : part.start[-1]])

    over_chunks(work, len(rows), DRAWS_PER_CHUNK, threads)
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
    from habitus.kernels import targets as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    rows = _rows(log, group, items)
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

    over_chunks(work, len(rows), DRAWS_PER_CHUNK, threads)
    return out


def count(
    log: Interactions,
    group: Groups,
    rows: NDArray[np.int32],
    out: NDArray[np.int32],
    bits: NDArray[np.uint8],
) -> None:
    """To ``out`` (tasks, K) how many of each group know each candidate, and to ``bits`` who, unless it has no row.

    ``out`` comes in as 0 for candidates that nobody can know, and such as are -1; else as 1.
    """
    members = np.zeros(words(log.users), np.uint64)
    if log.as_bitmaps:
        from habitus.kernels import bitmaps  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

        asked = np.empty(rows.shape[1], np.int32)
        bitmaps.incidence(*log.bitmaps, group.start, group.users, rows, asked, members, out, bits)
        return
    from habitus.kernels import lists  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    lists.incidence(
        log.user_start, log.user_items, log.item_start, log.item_users, log.entry_cost, group.start, group.users, rows,
        np.full(log.items, -1, np.int16), members, out, bits,
    )  # fmt: skip


def _rows(log: Interactions, group: Groups, items: NDArray[np.int32]) -> NDArray[np.int32]:
    if len(group.size) != len(items):
        raise ValueError(f"expected as many groups as rows of candidates, got {len(group.size)} and {len(items)}")
    rows = np.ascontiguousarray(items, dtype=np.int32)
    items_exist("items", rows[rows >= 0], log)
    return rows
