"""Compiled loops that draw resamples. Imports math, numpy and numba only (see kernels/__init__.py).

Resample r draws from splitmix64 numbers (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195) counted from a base
that depends on (seed, r) alone, so neither the order of the resamples nor the number of threads can change it.
"""

import numpy as np
from numba import njit, types

Cells = types.Array(types.uint32, 1, "C", readonly=True)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOW = np.uint64(0xFFFFFFFF)


@njit(nogil=True, error_model="numpy")
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, error_model="numpy")
def _numbers(base, first, units, drawn):
    """Drawn = uniform integers in [0, units), two to a random word; the bias is below units / 2**32.

    Apart from the loop that uses them, so that LLVM makes vectors of it: 0.6 us for 5,000, a fifth of a resample.
    """
    half = drawn.shape[0] // 2
    low, high = drawn[:half], drawn[half : 2 * half]
    for i in range(half):
        z = _mixed(base + np.uint64(first + i) * _GOLDEN)
        low[i] = ((z & _LOW) * units) >> np.uint64(32)
        high[i] = ((z >> np.uint64(32)) * units) >> np.uint64(32)


@njit(nogil=True, error_model="numpy")
def _draw(seed, resample, place, drawn, times):
    """times[place[j]] = how often unit j came in as many draws as there are units."""
    units = place.shape[0]
    base = _mixed(seed + np.uint64(resample) * _GOLDEN)
    times[:] = 0
    for first in range(0, units, drawn.shape[0]):
        now = min(drawn.shape[0], units - first)
        _numbers(base, first // 2, np.uint64(units), drawn[: now + now % 2])
        for i in range(now):
            times[np.uint64(place[drawn[i]])] += 1


@njit(
    types.void(types.uint64, types.int64, Cells, types.uint64[::1], types.uint8[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def multiplicities(seed, first, place, drawn, out):
    """out[r, place[j]] = how often unit j comes in resample first + r, 0 elsewhere. `drawn` is scratch of even length.

    A byte holds it: of at most 255 draws none is more, and from 256 on the chance is below 1/255!.
    """
    for r in range(out.shape[0]):
        _draw(seed, first + r, place, drawn, out[r])
