"""The population that targets are shrunk to, counted anew of half of the users.

A replicate of users that left it as it is would take for certain what the same people make up: the gap of random lists
then varied by 0.012 nats between replicates and by 0.020 between populations of a synthetic world; counted anew it
varies by 0.020 between replicates too.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus_runners import columns

Floats = NDArray[np.float64]
Kept = NDArray[np.bool_]

_USERS_AT_ONCE = 256


class Population(NamedTuple):
    """Counts of each replicate's users (replicates, items), and which items each task asks about (tasks, K)."""

    counts: NDArray[np.float32]
    items: NDArray[np.int64]

    def of(self, replicate: int) -> Floats:
        """(tasks, K) how likely each candidate is for anybody, > 0; as ``Scorer.population``."""
        people = self.counts[replicate].astype(np.float64)[self.items] + 1 / self.items.shape[1]
        return np.asarray(people / people.sum(axis=1, keepdims=True))


def halved(tasks: pa.Table, everyone: pa.Table, kept: Kept) -> Population:
    """Count who interacted with each candidate among those who are kept.

    The members table knows it of every user whose group was asked about the item; of the others who interacted with it
    half are taken to be kept.

    Args:
        tasks: the tasks table.
        everyone: the members table.
        kept: (replicates, users) by number, half of them in each row.
    """
    candidates = columns.fixed(tasks["candidates"])
    items, first, place = np.unique(candidates, return_index=True, return_inverse=True)
    place = place.reshape(candidates.shape)
    known, found = np.zeros(len(items), np.float32), np.zeros((len(kept), len(items)), np.float32)
    for users, did in _did(tasks, everyone, place, len(items)):
        known += did.sum(axis=0)
        found += kept[:, users].astype(np.float32) @ did
    unknown = columns.fixed(tasks["population"]).astype(np.float32).reshape(-1)[first] - known
    return Population((found + unknown / 2).astype(np.float32), place)


def _did(
    tasks: pa.Table, everyone: pa.Table, place: NDArray[np.int64], items: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Users, some at a time, and whether any task knows that they interacted with each item (users, items)."""
    user: NDArray[np.int32] = everyone["user"].to_numpy()
    task = columns.places(everyone["task_id"], tasks["task_id"])
    bits, users = columns.packed(everyone["incidence"]), int(user.max(initial=-1)) + 1
    order = np.argsort(user, kind="stable")
    first = range(0, users, _USERS_AT_ONCE)
    for lower, rows in zip(first, np.split(order, np.searchsorted(user[order], first[1:])), strict=True):
        upper = min(lower + _USERS_AT_ONCE, users)
        did = np.zeros((upper - lower, items), np.float32)
        row, candidate = np.nonzero(np.unpackbits(bits[rows], axis=1, count=place.shape[1], bitorder="little"))
        did[user[rows][row] - lower, place[task[rows][row], candidate]] = 1
        yield slice(lower, upper), did
