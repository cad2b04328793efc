"""Entropy and cross-entropy of complete lists with arrays: NumPy in three ways, Numba as one writes it first, torch.

Each function prepares its input and returns the job that is timed; see competitors.py.
"""

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

Counts = NDArray[np.int32]
Rankings = NDArray[np.int16]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
Job = Callable[[], Pair]

# Rows of a block whose intermediate arrays stay in the second-level cache: 1024 to 4096 are within 4 %, 16384 is 20 %
# slower, everything at once 2.5 times.
_BLOCK = 2048
_LEAST = np.iinfo(np.int16).min


def per_ranking(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """NumPy, one ranking after the other."""
    candidates = counts.shape[1]

    def run() -> Pair:
        entropy, cross_entropy = np.empty(len(counts)), np.empty(len(counts))
        for row, (n, listed) in enumerate(zip(counts, rankings, strict=True)):
            p = (n + alpha) / (n.sum() + alpha * candidates)
            own = np.sort(p)[::-1]
            given = np.concatenate([p[listed], np.sort(np.delete(p, listed))[::-1]])
            surprisal = -np.log(own)
            entropy[row], cross_entropy[row] = own @ surprisal, given @ surprisal
        return entropy, cross_entropy

    return run


def two_argsorts(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """NumPy: sort the candidates by count, then by the slots they are given."""
    K, N = counts.shape[1], rankings.shape[1]
    listed = rankings.astype(np.int64)

    def run() -> Pair:
        p = (counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha * K)
        order = np.argsort(-counts, axis=1, kind="stable")
        own = np.take_along_axis(p, order, axis=1)
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(N, N + K)[None, :], axis=1)
        np.put_along_axis(place, listed, np.arange(N)[None, :], axis=1)
        given = np.take_along_axis(p, np.argsort(place, axis=1), axis=1)
        surprisal = -np.log(own)
        return (own * surprisal).sum(axis=1), (given * surprisal).sum(axis=1)

    return run


def value_sorts(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """NumPy, the honest baseline: sort int16 values, never indices, in blocks that stay in the cache.

    Rows are negated, as np.sort ascends. A listed count is replaced by a key below all counts, so that a second sort
    puts it in front.
    """
    rows, K = counts.shape
    N = rankings.shape[1]
    largest = int(counts.max(initial=0))
    if largest >= -_LEAST - N:
        raise ValueError(f"expected counts below {-_LEAST - N}, got {largest}")
    negated, listed = (-counts).astype(np.int16), rankings.astype(np.intp)
    keys, ones, first_cell = np.arange(_LEAST, _LEAST + N, dtype=np.int16), np.ones(K), np.arange(_BLOCK)[:, None] * K
    logs_of = np.log(np.arange(largest, -1, -1) + alpha)
    small, wide = np.empty((2, _BLOCK, K), np.int16), np.empty((2, _BLOCK, K))
    index, cells = np.empty((_BLOCK, K), np.intp), np.empty((_BLOCK, N), np.intp)

    def block(rows: slice, entropy: NDArray[np.float64], cross_entropy: NDArray[np.float64]) -> None:
        size = len(entropy)
        own, given, logs, real = small[0, :size], small[1, :size], wide[0, :size], wide[1, :size]
        own[:] = given[:] = negated[rows]
        own.sort(axis=1)
        where = np.add(listed[rows], first_cell[:size], out=cells[:size])
        chosen = given.reshape(-1).take(where)
        given.reshape(-1)[where] = keys
        given.sort(axis=1)
        given[:, :N] = chosen
        np.add(own, largest, out=index[:size])
        np.take(logs_of, index[:size], out=logs, mode="clip")
        real[:] = own
        total = alpha * K - real @ ones
        common = np.log(total) - alpha * (logs @ ones) / total
        entropy[:] = common + np.einsum("ij,ij->i", real, logs) / total
        real[:] = given
        cross_entropy[:] = common + np.einsum("ij,ij->i", real, logs) / total

    def run() -> Pair:
        entropy, cross_entropy = np.empty(rows), np.empty(rows)
        for first in range(0, rows, _BLOCK):
            part = slice(first, first + _BLOCK)
            block(part, entropy[part], cross_entropy[part])
        return entropy, cross_entropy

    return run


@njit(cache=True, nogil=True)
def _argsort_rows(
    counts: Counts, rankings: Rankings, alpha: float, entropy: NDArray[np.float64], cross_entropy: NDArray[np.float64]
) -> None:
    K, N = counts.shape[1], rankings.shape[1]
    for row in range(len(counts)):
        p = (counts[row] + alpha) / (counts[row].sum() + alpha * K)
        order = np.argsort(-p)
        listed = np.zeros(K, np.bool_)
        for slot in range(N):
            listed[rankings[row, slot]] = True
        slot = N
        h = ce = 0.0
        for i in order:
            h -= p[i] * np.log(p[i])
            if not listed[i]:
                ce -= p[i] * np.log(p[order[slot]])
                slot += 1
        for r in range(N):
            ce -= p[rankings[row, r]] * np.log(p[order[r]])
        entropy[row], cross_entropy[row] = h, ce


def numba_argsorts(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """Numba, the loop that one writes first: an argsort per row."""

    def run() -> Pair:
        entropy, cross_entropy = np.empty(len(counts)), np.empty(len(counts))
        _argsort_rows(counts, rankings, alpha, entropy, cross_entropy)
        return entropy, cross_entropy

    return run


def torch_sorts(counts: Counts, rankings: Rankings, alpha: float) -> Job:
    """Torch on the CPU, by values as ``value_sorts``."""
    import torch  # noqa: PLC0415 - no dependency

    K, N = counts.shape[1], rankings.shape[1]
    all_counts, all_listed = torch.from_numpy(counts.astype(np.int16)), torch.from_numpy(rankings.astype(np.int64))
    keys = torch.arange(2**15 - 1, 2**15 - 1 - N, -1, dtype=torch.int16)

    def run() -> Pair:
        entropy, cross_entropy = [], []
        for small, listed in zip(all_counts.split(_BLOCK), all_listed.split(_BLOCK), strict=True):
            own = small.sort(dim=1, descending=True).values.double()
            keyed = small.scatter(1, listed, keys.expand(len(small), N))
            given = keyed.sort(dim=1, descending=True).values.double()
            given[:, :N] = small.gather(1, listed)
            logs = (own + alpha).log()
            total = own.sum(dim=1) + alpha * K
            common = total.log() - alpha * logs.sum(dim=1) / total
            entropy.append(common - (own * logs).sum(dim=1) / total)
            cross_entropy.append(common - (given * logs).sum(dim=1) / total)
        return torch.cat(entropy).numpy(), torch.cat(cross_entropy).numpy()

    return run
