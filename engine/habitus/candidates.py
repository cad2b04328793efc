"""Candidates: the items of a task that are to be ranked (method, section 3)."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus.groups import DRAWS_PER_CHUNK, Groups, items_exist
from habitus.interactions import Interactions, words
from habitus.threads import over_chunks

Rule = Literal["half", "quintiles", "literal", "inventory"]
RULES: tuple[Rule, ...] = ("half", "quintiles", "literal", "inventory")

# Tries in a row that find nothing, before what is short is listed: few, so that a rare part costs little, but so many
# that a common one is never listed. Listing costs by the inventory, so a larger one is worth more of them.
_LEAST_PATIENCE = 32
_ITEMS_PER_TRY = 128


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
        inventory: (n,) distinct item numbers to draw from, in any order.
        length: K, candidates per draw.
        rule: see above.
        threads: default one per core.

    Returns:
        (draws, K) item numbers, and (draws,) whether K could be found; a row that could not is all -1.

    Raises:
        ValueError: an unknown rule, shapes that do not fit, an item that is not in the log, or one offered twice.
    """
    if not len(group.size) == len(history) == len(seed):
        raise ValueError(
            f"expected as many groups as histories and seeds, got {len(group.size)}, {len(history)}, {len(seed)}"
        )
    known = np.ascontiguousarray(history, dtype=np.int32)
    items_exist("history", known, log)
    drawer = Drawer(log, inventory, length, rule)
    out, someone = np.empty((2, len(seed), length), np.int32)

    def work(a: int, b: int) -> None:
        drawer.draw(Groups(group.start[a : b + 1], group.users), known[a:b], seed[a:b], out[a:b], someone[a:b])

    over_chunks(work, len(seed), DRAWS_PER_CHUNK, threads)
    return out, np.asarray((out >= 0).all(axis=1))


def shuffled(rows: NDArray[np.int32], seed: NDArray[np.uint64], order: int = 0) -> NDArray[np.int32]:
    """Each row in the ``order``-th random order of its seed.

    Args:
        rows: (draws, K).
        seed: (draws,) one per draw.
        order: which of a seed's orders; 0, 1, 2, … are independent.

    Returns:
        (draws, K), a copy.
    """
    out = np.array(rows, dtype=np.int32, order="C")
    _shuffle(out, out.copy(), seed, order)
    return out


class Drawer:
    """Draws candidates from one inventory by one rule; any number of threads may use it at once."""

    def __init__(self, log: Interactions, inventory: ArrayLike, length: int, rule: Rule) -> None:
        if rule not in RULES:
            raise ValueError(f"rule: expected one of {', '.join(RULES)}, got {rule!r}")
        items = np.sort(np.asarray(inventory, dtype=np.int32))
        items_exist("inventory", items, log)
        if (items[1:] == items[:-1]).any():
            raise ValueError(f"inventory: expected distinct items, got {items[1:][items[1:] == items[:-1]][0]} twice")
        self.log, self.rule, self.items, self.length = log, RULES.index(rule), items, length
        self.rank = np.full(log.items, -1, np.int32)
        if rule == "quintiles":
            self.rank[items[np.argsort(log.popularity[items], kind="stable")]] = np.arange(len(items))
        offered = np.zeros(64 * words(log.items), np.uint8)
        offered[items] = 1
        self.offered = np.packbits(offered, bitorder="little").view(np.uint64)
        self.patience = _LEAST_PATIENCE + len(items) // _ITEMS_PER_TRY if len(items) else 0
        # A try asks for one item, and about half of the tries are passed over. Entries far fewer than the inventory are
        # walked in any case: what the group interacted with is rare, and would be listed in the end.
        asked = 2.0 * length * len(log.item_users) / max(log.items, 1)
        self.probe_cost = max(asked, len(items) / 2)

    def draw(
        self,
        group: Groups,
        history: NDArray[np.int32],
        seed: NDArray[np.uint64],
        out: NDArray[np.int32],
        known: NDArray[np.int32],
        *,
        least: int = 0,
    ) -> None:
        """Candidates of each draw to ``out`` (draws, K); -1 for too few, or a group of fewer than ``least`` users.

        ``known`` (draws, K) is 1 where anyone of the group interacted with the candidate, else 0.
        """
        from habitus.kernels import candidates as kernels  # noqa: PLC0415 - compiles on import

        log, width = self.log, words(self.log.items)
        of_user = log.bitmaps.of_user if log.as_bitmaps else np.empty((0, 0), np.uint64)
        filled = np.empty(len(out), np.int64)
        kernels.candidates(
            of_user, log.user_start, log.user_items, log.item_start, log.item_users, group.start, group.users, history,
            seed, self.items, self.rank, self.offered, self.rule, least, self.patience, log.entry_cost, self.probe_cost,
            np.empty(6, np.int64), np.empty(6, np.int64), np.zeros(words(log.users), np.uint64),
            np.empty(width, np.uint64), np.zeros(width, np.uint64), np.zeros(width, np.uint64),
            np.empty(len(self.items), np.int32), out, known, filled,
        )  # fmt: skip
        out[filled < self.length] = -1
        known[filled < self.length] = 0
        _shuffle(out, known, seed, 0)


def _shuffle(rows: NDArray[np.int32], along: NDArray[np.int32], seed: NDArray[np.uint64], order: int) -> None:
    from habitus.kernels import sampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    kernels.shuffle(np.ascontiguousarray(seed, np.uint64), order, np.empty(1, np.uint64), rows, along)
