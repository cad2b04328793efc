"""Compiled loops that draw histories and orders. Imports numpy and numba only (see kernels/__init__.py).

Randomness is a splitmix64 stream per draw (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195): a draw depends on
its own seed alone, so neither the order of the draws nor the number of threads can change it.
"""

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
U64 = types.Array(types.uint64, 1, "C", readonly=True)


_STEP = np.uint64(0x9E3779B97F4A7C15)

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@_piece
def _below(state, n):
    """Uniform integer in [0, n): 53 random bits times n, so the bias is below n / 2**53."""
    state[0] += _STEP
    return np.int64(np.float64(_mixed(state[0]) >> np.uint64(11)) * (1.0 / 9007199254740992.0) * n)


@_piece
def _first_above(cumulative, weight):
    """The first place whose cumulative weight exceeds `weight`."""
    first, last = 0, cumulative.shape[0]
    while first < last:
        middle = (first + last) >> 1
        if cumulative[middle] <= weight:
            first = middle + 1
        else:
            last = middle
    return first


@njit(types.void(U64, I32, I64, types.uint64[::1], types.int32[:, ::1]), cache=True, nogil=True, error_model="numpy")
def histories(seeds, inventory, cumulative, state, out):
    """out[d] = distinct items drawn one after the other, each with probability proportional to its weight.

    cumulative[i] = weight of inventory[0..i]; empty: all weigh 1. A repeated item is drawn again: a shorter history
    begins a longer one.
    """
    weighted = cumulative.shape[0] > 0
    total = cumulative[-1] if weighted else inventory.shape[0]
    for d in range(out.shape[0]):
        state[0] = seeds[d]
        drawn = 0
        while drawn < out.shape[1]:
            weight = _below(state, total)
            item = inventory[_first_above(cumulative, weight) if weighted else weight]
            repeated = False
            for j in range(drawn):
                repeated |= out[d, j] == item
            if not repeated:
                out[d, drawn] = item
                drawn += 1


@njit(
    types.void(U64, types.uint64, types.uint64[::1], types.int32[:, ::1], types.int32[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def shuffle(seeds, order, state, rows, along):
    """Shuffle each row, and `along` alike (Fisher-Yates), with number `order` of its seed's sequence for a seed."""
    for d in range(rows.shape[0]):
        state[0] = _mixed(seeds[d] + (order + np.uint64(1)) * _STEP)
        for i in range(rows.shape[1] - 1, 0, -1):
            j = _below(state, i + 1)
            rows[d, i], rows[d, j] = rows[d, j], rows[d, i]
            along[d, i], along[d, j] = along[d, j], along[d, i]
