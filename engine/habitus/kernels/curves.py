"""Compiled loops for curves. Imports math, numpy and numba only (see kernels/__init__.py)."""

import numpy as np
from numba import njit, types

Vector = types.Array(types.float64, 1, "C", readonly=True)


@njit(nogil=True, error_model="numpy")
def _bins(x, y, low, high, bins, at):
    """The bin of each point, -1 for those left out; apart from the loop that uses it, so that LLVM makes vectors."""
    scale = high - low if high > low else 1.0
    for n in range(x.shape[0]):
        inside = (low <= x[n]) & (x[n] <= high) & (y[n] == y[n])
        place = (x[n] - low) / scale * bins if inside else -1.0
        at[n] = np.int32(min(place, bins - 1.0))


@njit(
    types.void(Vector, Vector, types.float64, types.float64, types.int32[::1], types.float64[:, :, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def bin_sums(x, y, low, high, at, sums):
    """Add the y and number of points to sums[:, bin of x]: equal widths over [low, high], right end included.

    Points outside and points with a NaN are left out. sums: (rows, bins, 2), a power of two of rows, zeroed by the
    caller. Neighbours go to different rows: of sorted x they have the same bin, and additions to one number wait for
    each other. `at` is scratch.
    """
    rows, bins, _ = sums.shape
    kept = 0
    for start in range(0, x.shape[0], at.shape[0]):
        across, up = x[start : start + at.shape[0]], y[start : start + at.shape[0]]
        _bins(across, up, low, high, bins, at)
        for n in range(up.shape[0]):
            if at[n] >= 0:
                row, bin_of_point = np.uint64(kept & (rows - 1)), np.uint64(at[n])
                sums[row, bin_of_point, 0] += up[n]
                sums[row, bin_of_point, 1] += 1.0
                kept += 1


@njit(types.void(Vector, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def rolling_mean(values, out):
    """out[n] = mean of values[n : n + window], window = len(values) - len(out) + 1.

    The values are cut into blocks of a window. A window is the end of one block and the beginning of the next, and both
    are running sums: three additions for any window, none of which takes away what another put in, so that no error
    accumulates and a NaN stays in its own windows.
    """
    window = values.shape[0] - out.shape[0] + 1
    for start in range(0, out.shape[0], window):
        total = 0.0
        for n in range(start + window - 1, start - 1, -1):
            total += values[n]
            if n < out.shape[0]:
                out[n] = total
        total = 0.0
        for n in range(start, min(start + window, out.shape[0])):
            out[n] = (out[n] + total) / window
            if n + window < values.shape[0]:
                total += values[n + window]
