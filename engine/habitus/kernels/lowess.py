"""Compiled loops of locally weighted lines. Imports math, numpy and numba only (see kernels/__init__.py)."""

import math

from numba import njit, types

Reals = types.Array(types.float64, 1, "C", readonly=True)
Reals2 = types.Array(types.float64, 2, "C", readonly=True)
Rows = types.Array(types.int64, 1, "C", readonly=True)

# A point with less than this share of the full weight is no point to draw a line through.
LEAST = 1e-12


@njit(nogil=True, error_model="numpy")
def _compact(x, y, order, weights, across, up, weight, below):
    """Moves the points of positive weight to the front; below[i] = weight of the points before. Returns how many."""
    n = 0
    below[0] = 0.0
    for i in range(x.shape[0]):  # without a branch, which would be mispredicted for a third of the points
        held = weights[order[i]]
        across[n] = x[i]
        weight[n] = held
        below[n + 1] = below[n] + held
        for m in range(y.shape[0]):
            up[m, n] = y[m, i]
        n += held > 0.0
    return n


@njit(nogil=True, error_model="numpy")
def _window(across, below, enough, at, first, last):
    """The narrowest window around `at` that holds enough weight, [first, last), going right from an earlier one."""
    n = across.shape[0]
    while True:
        end = last
        while end < n and below[end] - below[first + 1] < enough:
            end += 1
        reach = max(at - across[first], across[last - 1] - at)
        if below[end] - below[first + 1] < enough or max(at - across[first + 1], across[end - 1] - at) > reach:
            return first, last
        first, last = first + 1, end


# Sums in any order, so that LLVM makes vectors of them; and unlike all of fastmath, that leaves NaN alone.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _tricube(across, weight, at, scale, distance, share):
    """Fills distance, and share = weight (1 - |distance * scale|**3)**3; returns the sums of it and by distance."""
    total = moment = 0.0
    for i in range(across.shape[0]):
        d = across[i] - at
        u = abs(d) * scale
        t = 1.0 - u * u * u
        s = weight[i] * (t * t * t)
        distance[i], share[i] = d, s
        total += s
        moment += s * d
    return total, moment


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _slope_shares(distance, share, center):
    """Makes of each distance share * (distance - center); returns their sum, 0 but for rounding, and the squares'."""
    drift = squares = 0.0
    for i in range(distance.shape[0]):
        d = distance[i] - center
        s = share[i] * d
        drift += s
        squares += s * d
        distance[i] = s
    return drift, squares


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _two_sums(up, share, slope_share):
    level = slope = 0.0
    for i in range(up.shape[0]):
        level += share[i] * up[i]
        slope += slope_share[i] * up[i]
    return level, slope


@njit(nogil=True, error_model="numpy")
def _two_places(across, weight, share):
    """Whether the points that weigh anything stand at two places at least."""
    first, last = 0, across.shape[0] - 1
    while first < last and share[first] <= LEAST * weight[first]:
        first += 1
    while first < last and share[last] <= LEAST * weight[last]:
        last -= 1
    return across[first] < across[last]


@njit(
    types.void(
        Reals, Reals2, Rows, Reals2, Reals, types.float64, types.boolean,
        types.Tuple([*[types.float64[::1]] * 5, types.float64[:, ::1]]), types.float64[:, :, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def smooths(x, y, order, weights, grid, fraction, whole, scratch, out):
    """out[r, m, g] = local line through y[m] against x, both sorted by x, at grid[g], ascending.

    weights[r, order[i]] belongs to point i. `whole`: they are whole numbers, so that the weight of a window is one too.
    """
    across, weight, below, distance, share, up = scratch
    for r in range(weights.shape[0]):
        n = _compact(x, y, order, weights[r], across, up, weight, below)
        enough = fraction * below[n]
        if whole:
            enough = min(max(math.floor(enough + 1e-10), 2.0), below[n])
        first, last = 0, 0
        while last < n and below[last] < enough * (1 - 1e-12):
            last += 1
        for g in range(grid.shape[0]):
            at = grid[g]
            out[r, :, g] = math.nan
            if n == 0 or at < across[0] or at > across[n - 1]:
                continue
            first, last = _window(across[:n], below, enough * (1 - 1e-12), at, first, last)
            radius = max(at - across[first], across[last - 1] - at)
            if not radius > 0.0:
                continue
            # Beside a heavy point at one end, the last of a window, points at the other may be nearer and not needed.
            low, high = first, last
            while low > 0 and at - across[low - 1] < radius:
                low -= 1
            while high < n and across[high] - at < radius:
                high += 1
            place, held, d, s = across[low:high], weight[low:high], distance[: high - low], share[: high - low]
            total, moment = _tricube(place, held, at, 1.0 / radius, d, s)
            if not _two_places(place, held, s):
                continue
            center = moment / total
            drift, squares = _slope_shares(d, s, center)
            for m in range(y.shape[0]):
                level, slope = _two_sums(up[m, low:high], s, d)
                level /= total
                out[r, m, g] = level - center * (slope - level * drift) / squares
