"""Logs of three shapes, and who draws tasks from them: what the sampler's benchmarks share.

Every competitor finds the group of each history, draws half of the candidates from what the group never interacted with
and half from what it did, and counts them. Histories are drawn beforehand for all but the engine, which draws its own.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse
from numpy.typing import NDArray

from habitus import interactions, sampling

K = 50
LARGE = os.environ.get("HABITUS_BENCH_LARGE") == "1"
"""Whether 10^8 interactions are measured too: several minutes, and 12 GiB for the competitors."""

Run = Callable[[], NDArray[np.int64]]


class Shape(NamedTuple):
    """How large a log is, and how tasks are drawn: ``needed`` of ``length`` items of a history, in one of ``cells``."""

    users: int
    items: int
    pairs: int
    offset: int  # of the Zipf-Mandelbrot popularity 1 / (rank + offset)
    length: int = 5
    needed: int = 3
    cells: int = 1
    popular: bool = False  # histories by popularity: from 10^5 items drawn alike, nine groups in ten would be empty


SHAPES = {
    "movielens-1m": Shape(6_040, 3_900, 1_000_000, 30),
    "lastfm-1k": Shape(992, 100_000, 2_500_000, 300),
}
if LARGE:
    SHAPES["10^8"] = Shape(1_000_000, 100_000, 100_000_000, 30, cells=50, popular=True)


class Log(NamedTuple):
    """A shape, and the log indexed."""

    shape: Shape
    indexed: interactions.Interactions


def synthetic(shape: Shape) -> Log:
    """Zipf-Mandelbrot popularity, log-normal activity, distinct pairs: made for a block of users at a time."""
    rng = np.random.default_rng(0)
    chance = np.cumsum(1 / (rng.permutation(shape.items) + shape.offset))
    activity = rng.lognormal(0, 1, shape.users)
    wanted = np.minimum(activity / activity.mean() * shape.pairs / shape.users * 1.6, shape.items * 0.6).astype(int)
    block, pairs = max(1, 2_000_000 * shape.users // shape.pairs), []
    for first in range(0, shape.users, block):
        user = np.repeat(np.arange(first, min(first + block, shape.users)), wanted[first : first + block])
        item = np.searchsorted(chance, rng.random(len(user)) * chance[-1])
        pairs.append(np.stack(np.divmod(np.unique(user * shape.items + item), shape.items)).astype(np.int32))
    user, item = np.concatenate(pairs, axis=1)
    del pairs
    if len(user) > shape.pairs:
        kept = np.sort(rng.permutation(len(user))[: shape.pairs])
        user, item = user[kept], item[kept]
    return Log(shape, interactions.index(user, item, (shape.users, shape.items)))


def histories(log: Log, draws: int, threads: int = 1) -> NDArray[np.int32]:
    seeds, weights = sampling.seeds(0, np.arange(draws)), None
    if log.shape.popular:
        weights = np.maximum(log.indexed.popularity, 1)
    return sampling.histories(seeds, np.arange(log.shape.items), log.shape.length, weights=weights, threads=threads)


def proxies(log: Log, history: NDArray[np.int32]) -> sampling.Proxies:
    """Of draws that take the cells in turn."""
    cell_of_user, cells = np.arange(log.shape.users) % log.shape.cells, np.arange(len(history)) % log.shape.cells
    return sampling.Proxies(cell_of_user, cells, history, log.shape.needed)


def by_engine(log: Log, draws: int, *, threads: int = 1) -> Run:
    seeds, inventory = sampling.seeds(0, np.arange(draws)), np.arange(log.shape.items)

    def run() -> NDArray[np.int64]:
        history = histories(log, draws, threads)
        told = proxies(log, history)
        return sampling.tasks(log.indexed, told, seeds, inventory, length=K, threads=threads).size

    return run


def held_as(representation: interactions.Representation) -> Callable[[Log, int], Run]:
    return lambda log, draws: by_engine(log._replace(indexed=log.indexed.held_as(representation)), draws)


def by_scipy(log: Log, draws: int) -> Run:
    indexed, shape, drawn = log.indexed, (log.shape.users, log.shape.items), histories(log, draws)
    one = np.ones(len(indexed.user_items), np.int8)
    rows = scipy.sparse.csr_array((one, indexed.user_items, indexed.user_start), shape=shape)
    in_cell = [np.arange(shape[0]) % log.shape.cells == cell for cell in range(log.shape.cells)]
    columns = scipy.sparse.csc_array((one, indexed.item_users, indexed.item_start), shape=shape)

    def run() -> NDArray[np.int64]:
        sizes, rng = np.empty(draws, np.int64), np.random.default_rng(0)
        for draw, history in enumerate(drawn):
            group = np.flatnonzero((columns[:, history].sum(axis=1) >= log.shape.needed) & in_cell[draw % len(in_cell)])
            counts = np.bincount(rows[group].indices, minlength=log.shape.items)
            free = np.ones(log.shape.items, np.bool_)
            free[history] = False
            parts = [np.flatnonzero((counts > 0) & free), np.flatnonzero((counts == 0) & free)]
            items = np.concatenate([rng.choice(part, min(K // 2, len(part)), replace=False) for part in parts])
            rng.shuffle(items)
            counts = counts[items]
            sizes[draw] = len(group)
        return sizes

    return run


def by_pandas(log: Log, draws: int) -> Run:
    user = np.repeat(np.arange(log.shape.users), np.diff(log.indexed.user_start))
    frame, drawn = pd.DataFrame({"user": user, "item": log.indexed.user_items}), histories(log, draws)

    def run() -> NDArray[np.int64]:
        sizes, rng = np.empty(draws, np.int64), np.random.default_rng(0)
        for draw, history in enumerate(drawn):
            known = frame[frame["item"].isin(history)].groupby("user").size()
            group = known[known >= log.shape.needed].index
            group = group[group % log.shape.cells == draw % log.shape.cells]
            counts = frame[frame["user"].isin(group)].groupby("item").size().drop(history, errors="ignore")
            never = np.setdiff1d(np.arange(log.shape.items), np.concatenate([counts.index, history]))
            parts = [counts.index.to_numpy(), never]
            items = np.concatenate([rng.choice(part, min(K // 2, len(part)), replace=False) for part in parts])
            rng.shuffle(items)
            counts.reindex(items, fill_value=0)
            sizes[draw] = len(group)
        return sizes

    return run
