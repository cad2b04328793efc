"""Compiled loops over groups of values. Imports math, numpy and numba only (see kernels/__init__.py).

Neighbours are added to different rows of ``sums``, a power of two of them: they often have the same group, and
additions to one number wait for each other.
"""

import numpy as np
from numba import njit, types

Values = types.Array(types.float64, 1, "C", readonly=True)
Codes32, Codes64 = (types.Array(kind, 1, "C", readonly=True) for kind in (types.int32, types.int64))
Sums = types.float64[:, :, ::1]


@njit(
    [types.void(codes, Values, Sums) for codes in (Codes32, Codes64)],
    cache=True,
    nogil=True,
    error_model="numpy",
)
def group_sums(group, values, sums):
    """Add the values and their number to sums[:, group]; NaN is left out. sums: (rows, groups, 2)."""
    last, kept = sums.shape[0] - 1, 0
    for n in range(values.shape[0]):
        if values[n] == values[n]:
            row, at = np.uint64(kept & last), np.uint64(group[n])
            sums[row, at, 0] += values[n]
            sums[row, at, 1] += 1.0
            kept += 1


@njit(
    [types.void(codes, Values, Values, Sums) for codes in (Codes32, Codes64)],
    cache=True,
    nogil=True,
    error_model="numpy",
)
def group_squares(group, values, mean, sums):
    """Add d = value - mean[group] and d**2 to sums[:, group]; NaN is left out."""
    last, kept = sums.shape[0] - 1, 0
    for n in range(values.shape[0]):
        if values[n] == values[n]:
            row, at = np.uint64(kept & last), np.uint64(group[n])
            difference = values[n] - mean[at]
            sums[row, at, 0] += difference
            sums[row, at, 1] += difference * difference
            kept += 1
