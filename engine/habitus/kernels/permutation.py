"""Compiled loops for sign flips. Imports math, numpy and numba only (see kernels/__init__.py).

64 flips stand side by side: one word of random bits gives a cluster its sign in all of them. Word c of block b is a
splitmix64 number (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195) counted from a base that depends on (seed, b)
alone, so neither the order of the blocks nor the number of threads can change a flip.
"""

import numpy as np
from numba import njit, types

Totals = types.Array(types.float64, 2, "C", readonly=True)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_LANES = 64
_WITHIN = 6  # clusters whose signs run through all their patterns within a block: 2**6 = 64


@njit(nogil=True, error_model="numpy")
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, error_model="numpy")
def _enumerated(block, cluster):
    """Bit j: whether cluster c is flipped in pattern 64 b + j, of which it is bit c."""
    if cluster >= _WITHIN:
        return np.uint64(0) - ((np.uint64(block) >> np.uint64(cluster - _WITHIN)) & _ONE)
    word = np.uint64(0)
    for j in range(_LANES):
        word |= ((np.uint64(j) >> np.uint64(cluster)) & _ONE) << np.uint64(j)
    return word


@njit(nogil=True, error_model="numpy")
def _spread(word, signs):
    """signs[j] = -1.0 where bit j of the word is set, else 1.0."""
    for j in range(_LANES):
        signs[j] = 1.0 - 2.0 * np.float64((word >> np.uint64(j)) & _ONE)


@njit(nogil=True, error_model="numpy")
def _flipped(totals, seed, block, enumerated, signs, sums):
    """sums[m, j] = sum_c signs[c, j] totals[c, m]."""
    clusters, models = totals.shape
    base = _mixed(seed + np.uint64(block) * _GOLDEN)
    sums[:] = 0.0
    for c in range(clusters):
        word = _enumerated(block, c) if enumerated else _mixed(base + np.uint64(c) * _GOLDEN)
        _spread(word, signs)
        for m in range(models):
            total, row = totals[c, m], sums[m]
            for j in range(_LANES):
                row[j] += signs[j] * total


@njit(nogil=True, error_model="numpy")
def _as_far(first, second, lanes, limit):
    far = 0
    for j in range(lanes):
        far += abs(first[j] - second[j]) >= limit
    return far


@njit(
    types.void(
        *(Totals, Totals, types.uint64, types.boolean, types.int64, types.int64),
        *(types.float64[::1], types.float64[:, ::1], types.int64[:, ::1]),
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def exceedances(totals, limits, seed, enumerated, first, last, signs, sums, out):
    """out[a, b] += flips in [first, last) with |S*_a - S*_b| >= limits[a, b], for a < b; first is a multiple of 64.

    signs (64,) and sums (models, 64) are scratch.
    """
    models = totals.shape[1]
    for start in range(first, last, _LANES):
        _flipped(totals, seed, start // _LANES, enumerated, signs, sums)
        lanes = min(_LANES, last - start)
        for a in range(models):
            for b in range(a + 1, models):
                out[a, b] += _as_far(sums[a], sums[b], lanes, limits[a, b])
