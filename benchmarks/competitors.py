"""Ways to compute entropy and cross-entropy of complete lists: one table for the tests (they agree) and the benchmarks.

A competitor takes counts (tasks, K), rankings (tasks, N) without empty slots, and alpha; it returns both, in nats.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from benchmarks import c_limit
from numpy.typing import NDArray
from tests.reference import pandas_scores

import habitus

Counts = NDArray[np.int32]
Rankings = NDArray[np.int16]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


class Competitor(NamedTuple):
    """``rankings``: how many are timed, so that none takes much longer than a second; time per ranking is compared."""

    score: Callable[[Counts, Rankings, float], Pair]
    rankings: int


def synthetic(tasks: int, K: int = 50, N: int = 10, seed: int = 0) -> tuple[Counts, Rankings]:
    """Counts as groups give them (about 45 % zeros), and random lists."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.3, 8, (tasks, K)).astype(np.float32)).astype(np.int32)
    counts[:, 0] += 1
    rankings = np.empty((tasks, N), np.int16)
    for start in range(0, tasks, 1 << 14):
        part = rankings[start : start + (1 << 14)]
        part[:] = np.argpartition(rng.random((len(part), K), np.float32), N, axis=1)[:, :N]
    return counts, rankings


def engine(counts: Counts, rankings: Rankings, alpha: float) -> Pair:
    """Habitus on one thread; it computes chance, worst and validity as well."""
    scores = habitus.score(counts, rankings, alpha=alpha, threads=1)
    return scores.entropy, scores.cross_entropy


def pandas(counts: Counts, rankings: Rankings, alpha: float) -> Pair:
    """The way a researcher writes it."""
    frame = pandas_scores.score(counts, rankings, alpha)
    return frame["entropy"].to_numpy(), frame["cross_entropy"].to_numpy()


def two_argsorts(counts: Counts, rankings: Rankings, alpha: float) -> Pair:
    """NumPy: sort the candidates by count, then by the slots they are given."""
    K, N = counts.shape[1], rankings.shape[1]
    p = (counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha * K)
    order = np.argsort(-counts, axis=1, kind="stable")
    own = np.take_along_axis(p, order, axis=1)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(N, N + K)[None, :], axis=1)
    np.put_along_axis(place, rankings.astype(np.int64), np.arange(N)[None, :], axis=1)
    given = np.take_along_axis(p, np.argsort(place, axis=1), axis=1)
    surprisal = -np.log(own)
    return (own * surprisal).sum(axis=1), (given * surprisal).sum(axis=1)


def value_sorts(counts: Counts, rankings: Rankings, alpha: float) -> Pair:
    """NumPy, the honest baseline: sort int16 values, never indices, and look logarithms up."""
    K, N = counts.shape[1], rankings.shape[1]
    small = -counts.astype(np.int16)
    listed = rankings.astype(np.int64)
    own = -np.sort(small, axis=1)
    chosen = -np.take_along_axis(small, listed, axis=1)
    np.put_along_axis(small, listed, np.arange(-32768, -32768 + N, dtype=np.int16)[None, :], axis=1)
    given = -np.sort(small, axis=1)
    given[:, :N] = chosen
    logs = np.log(np.arange(own.max() + 1) + alpha)[own]
    total = counts.sum(axis=1) + alpha * K
    common = np.log(total) - alpha * logs.sum(axis=1) / total
    return common - (own * logs).sum(axis=1) / total, common - (given * logs).sum(axis=1) / total


COMPETITORS: Mapping[str, Competitor] = {
    "habitus": Competitor(engine, 1_000_000),
    "numpy, value sorts": Competitor(value_sorts, 200_000),
    "numpy, two argsorts": Competitor(two_argsorts, 100_000),
    "pandas": Competitor(pandas, 20_000),
    **({"C limit": Competitor(c_limit.score, 1_000_000)} if c_limit.available() else {}),
}
