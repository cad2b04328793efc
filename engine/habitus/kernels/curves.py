"""Compiled loops for curves. Imports math, numpy and numba only (see kernels/__init__.py)."""

from numba import njit, types

Vector = types.Array(types.float64, 1, "C", readonly=True)


@njit(
    types.void(Vector, Vector, types.float64, types.float64, types.float64[::1], types.int64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def bin_sums(x, y, low, high, total, count):
    """Add every y to the bin of its x: equal widths over [low, high], right end included.

    Points outside and points with a NaN are left out. total, count: (bins,), zeroed by the caller.
    """
    bins = total.shape[0]
    for n in range(x.shape[0]):
        if low <= x[n] <= high and y[n] == y[n]:
            at = 0
            if high > low:
                at = min(int((x[n] - low) / (high - low) * bins), bins - 1)
            total[at] += y[n]
            count[at] += 1


@njit(types.void(Vector, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def rolling_mean(values, out):
    """out[n] = mean of values[n : n + window], window = len(values) - len(out) + 1.

    Summed anew each time, so that no error accumulates.
    """
    window = values.shape[0] - out.shape[0] + 1
    for n in range(out.shape[0]):
        total = 0.0
        for j in range(n, n + window):
            total += values[j]
        out[n] = total / window
