"""Compiled loops that fill the tables which kernels/lanes.py reads. Imports math, numpy and numba only.

See kernels/__init__.py. They depend on numbers of candidates and slots and on the pseudo-count alone, never on data.
"""

import math

from numba import njit, types


@njit(types.void(types.float64, types.float64, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def logarithms(added, base, out):
    """out[n] = log(n + added) - log(base)."""
    shift = math.log(base)
    for n in range(out.shape[0]):
        out[n] = math.log(n + added) - shift


@njit(types.int64(types.int64, types.int64[::1]), cache=True, nogil=True, error_model="numpy")
def network(size, pairs):
    """Comparators that sort `size` values: pairs[2 c] and pairs[2 c + 1] are places, the larger value to the first.

    Batcher's merge exchange (Knuth, TAOCP 3, 5.2.2, algorithm M). Returns how many there are, and writes those that
    have room.
    """
    top, comparators = 1, 0
    while 2 * top < size:
        top *= 2
    p = top if size > 1 else 0
    while p > 0:
        q, r, d = top, 0, p
        while d > 0:
            for i in range(size - d):
                if i & p == r:
                    if 2 * comparators + 1 < pairs.shape[0]:
                        pairs[2 * comparators], pairs[2 * comparators + 1] = i, i + d
                    comparators += 1
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return comparators


@njit(
    types.void(types.int64, types.int64, types.int64[::1], types.int64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def band_rows(K, N, start, slot):
    """Where the rows of `band` begin, and the first slot of each. start: (pairs + 1,); slot: (pairs,)."""
    start[0] = 0
    for j in range(slot.shape[0]):
        slot[j] = max(N, 2 * j)
        start[j + 1] = start[j] + max(0, min(N + 2 * j + 1, K - 1) + 1 - slot[j])


@njit(nogil=True, error_model="numpy")
def _ratio(x, population, drawn, marked):
    """Hyp(x) / Hyp(x - 1)."""
    return (drawn - x + 1) * (marked - x + 1) / (x * (population - drawn - marked + x))


@njit(
    types.void(types.int64, types.int64, types.int64[::1], types.int64[::1], types.float64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def band(K, N, start, slot, share):
    """Where a candidate that a random list of N does not hold ends up (method, section 4).

    The i-th in order, i = 0..K-1, takes slot N + i - x with probability (1 - N/K) Hyp(x; K-1, i, N), when x of the i
    before it are listed. Only slots max(N, i)..min(N + i, K - 1) can occur, so the probabilities are a band. Its rows
    are kept two by two: those of 2 j and 2 j + 1 alternate from slot ``slot[j]`` on, at ``share[2 * start[j]:]``, which
    comes in as zeros.

    Hyp is built from the ratios of neighbours outwards of the likeliest: products of ratios below 1 cannot overflow,
    and are exact to their roundings; they are divided by their sum.
    """
    for i in range(K):
        low, high = max(0, N + i - K + 1), min(i, N)
        if low > high:  # the list holds everything
            continue
        likeliest = low
        while likeliest < high and _ratio(likeliest + 1, K - 1, i, N) >= 1.0:
            likeliest += 1
        last = 2 * (start[i // 2] + N + i - slot[i // 2]) + i % 2  # the place of x = 0; that of x is 2 x before it
        chance = total = 1.0
        share[last - 2 * likeliest] = 1.0
        for x in range(likeliest, low, -1):
            chance /= _ratio(x, K - 1, i, N)
            share[last - 2 * (x - 1)] = chance
            total += chance
        chance = 1.0
        for x in range(likeliest + 1, high + 1):
            chance *= _ratio(x, K - 1, i, N)
            share[last - 2 * x] = chance
            total += chance
        scale = (1.0 - N / K) / total
        for x in range(low, high + 1):
            share[last - 2 * x] *= scale
