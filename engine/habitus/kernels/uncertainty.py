"""Compiled loops that resample curves. Imports math, numpy and numba only (see kernels/__init__.py).

Places on the x axis are in bins: bin b reaches from b to b + 1.
"""

import math

import numpy as np
from numba import njit, types

Reals = types.Array(types.float64, 1, "C", readonly=True)
Reals2 = types.Array(types.float64, 2, "C", readonly=True)
Reals3 = types.Array(types.float64, 3, "C", readonly=True)
Rows = types.Array(types.int64, 1, "C", readonly=True)
Bytes2 = types.Array(types.uint8, 2, "C", readonly=True)
Bins2 = types.Array(types.int32, 2, "C", readonly=True)

LANES = 32
VALUE, NONE, CENSORED, UNDEFINED = 0, 1, 2, 3  # the order of habitus.curves.OUTCOMES

# As in habitus.curves: what is one root, and what is rounding, on the scaled interval [-1, 1].
SAME_ROOT, ROUNDING = 1e-6, 1e-12
MOST_STEPS, SHORTEST_STEP = 100, 1e-15


# Sums in any order, so that LLVM makes vectors of them; and unlike all of fastmath, that leaves NaN alone.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _add_slots(times, start, values, slots):
    """slots[32 g + lane] += sum of times * values over the cells start[g] + lane, + 32, ... below start[g + 1]."""
    for g in range(start.shape[0] - 1):
        slot = np.uint64(g * LANES)
        for cell in range(start[g], start[g + 1], LANES):
            at = np.uint64(cell)
            for lane in range(LANES):
                slots[slot + np.uint64(lane)] += times[at + np.uint64(lane)] * values[at + np.uint64(lane)]


@njit(nogil=True, error_model="numpy")
def _count_slots(times, start, known, slots):
    """The same of times alone where known is 255 and not 0: in 16 bits a third of the time of 32."""
    for g in range(start.shape[0] - 1):
        slot = np.uint64(g * LANES)
        for cell in range(start[g], start[g + 1], LANES):
            at = np.uint64(cell)
            for lane in range(LANES):
                slots[slot + np.uint64(lane)] += np.uint16(times[at + np.uint64(lane)] & known[at + np.uint64(lane)])


@njit(
    types.void(
        Bytes2, Rows, Rows, Bytes2, Reals2, types.uint16[::1], types.float64[::1],
        types.float64[:, :, ::1], types.float64[:, :, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def drawn_sums(times, start, bin_of_slot, known, values, counted, summed, count, total):
    """count[r, p], total[r, m]: per bin, how many tasks of resample r are known[p], and their sum of values[m].

    The tasks, below 65,536, are laid out so that 32 bins are summed side by side: times[r], known[p] and values[m] have
    a cell for each, cells that no task has hold 0, and the last cell is for tasks in no bin. counted and summed, with a
    place for each slot, are scratch.
    """
    for r in range(times.shape[0]):
        for p in range(known.shape[0]):
            counted[:] = 0
            _count_slots(times[r], start, known[p], counted)
            for slot in range(bin_of_slot.shape[0]):
                count[r, p, bin_of_slot[slot]] += counted[slot]
        for m in range(values.shape[0]):
            summed[:] = 0.0
            _add_slots(times[r], start, values[m], summed)
            for slot in range(bin_of_slot.shape[0]):
                total[r, m, bin_of_slot[slot]] += summed[slot]


@njit(
    types.void(Reals2, Bins2, Reals3, Rows, types.float64[:, :, ::1], types.float64[:, :, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def weighted_sums(weights, bin_of_task, values, pattern, count, total):
    """The same for given weights, with bins (-1 = none) and values (NaN = missing) of each resample, or one for all."""
    for r in range(weights.shape[0]):
        bins = bin_of_task[min(r, bin_of_task.shape[0] - 1)]
        for m in range(values.shape[1]):
            y = values[min(r, values.shape[0] - 1), m]
            counted = m == 0 or pattern[m] != pattern[m - 1]
            for j in range(y.shape[0]):
                if bins[j] >= 0 and weights[r, j] > 0.0 and y[j] == y[j]:
                    total[r, m, bins[j]] += weights[r, j] * y[j]
                    if counted:
                        count[r, pattern[m], bins[j]] += weights[r, j]


@njit(nogil=True, error_model="numpy")
def _places(count, window, filled, u):
    """Lists the filled bins, and in u their rolling mean places scaled to [-1, 1].

    Sums of whole numbers: exact. Returns how many means there are, the lowest and the highest.
    """
    n = 0
    for b in range(count.shape[0]):
        if count[b] > 0.0:
            filled[n] = b
            n += 1
    if n < window:
        return 0, math.nan, math.nan
    lowest = highest = 0
    for j in range(window):
        lowest += filled[j]
        highest += filled[n - window + j]
    place = lowest
    for i in range(n - window + 1):
        u[i] = (2 * place - lowest - highest) / max(highest - lowest, 1)
        if i < n - window:
            place += filled[i + window] - filled[i]
    return n - window + 1, lowest / window + 0.5, highest / window + 0.5


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _polynomials(u, basis, norm, powers):
    """basis[k] = polynomials orthogonal on the points u, powers[k] their coefficients, norm[k] = sum of squares.

    By the recurrence P[k + 1] = (u - a[k]) P[k] - b[k] P[k - 1] (Forsythe 1957, doi 10.1137/0105007): there is no
    system of equations to be ill-conditioned, however unevenly the points lie.
    """
    points = u.shape[0]
    powers[:] = 0.0
    powers[0, 0] = 1.0
    shift = shrink = 0.0
    for k in range(basis.shape[0]):
        row, last, before = basis[k, :points], basis[max(k - 1, 0), :points], basis[max(k - 2, 0), :points]
        squares = moment = 0.0
        for i in range(points):
            p = 1.0 if k == 0 else (u[i] - shift) * last[i] - shrink * before[i]
            row[i] = p
            squares += p * p
            moment += u[i] * p * p
        for j in range(k):
            powers[k, j] -= shift * powers[k - 1, j]
            powers[k, j + 1] += powers[k - 1, j]
            if k > 1:
                powers[k, j] -= shrink * powers[k - 2, j]
        norm[k] = squares
        shift = moment / squares
        shrink = squares / norm[k - 1] if k > 0 else 0.0


@njit(nogil=True, error_model="numpy")
def _rolling_sums(values, window, out):
    """out[i] = sum of values[i : i + window], from sums of 1, 2, 4, 8 … of them, which values holds in turn.

    In vectors this is faster than a running sum, whose additions wait for each other, and nothing is subtracted.
    """
    out[:] = 0.0
    held, done = 1, 0
    while held <= window:
        if window & held:
            part = values[done : done + out.shape[0]]
            for i in range(out.shape[0]):
                out[i] += part[i]
            done += held
        ahead = values[held:]
        for i in range(ahead.shape[0]):
            values[i] += ahead[i]
        held *= 2


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _fit(total, count, window, filled, basis, norm, powers, mean, y, coefficients):
    """Coefficients in powers of u of the least-squares fit to the rolling means; len(filled) bins, len(y) points."""
    for i in range(filled.shape[0]):
        mean[i] = total[filled[i]] / count[filled[i]]
    _rolling_sums(mean[: filled.shape[0]], window, y)
    coefficients[:] = 0.0
    for k in range(basis.shape[0]):
        row, product = basis[k, : y.shape[0]], 0.0
        for i in range(y.shape[0]):
            product += row[i] * y[i]
        product /= norm[k]
        for i in range(y.shape[0]):
            y[i] -= product * row[i]
        for j in range(k + 1):
            coefficients[j] += product / window * powers[k, j]


@njit(nogil=True, error_model="numpy")
def _value(coefficients, u):
    """sum_j coefficients[j] u**j."""
    value = 0.0
    for j in range(coefficients.shape[0] - 1, -1, -1):
        value = value * u + coefficients[j]
    return value


@njit(nogil=True, error_model="numpy")
def _root(function, slope, low, high):
    """Where the polynomial changes sign in [low, high]: Newton's steps, halving when they leave it."""
    rising = _value(function, high) > 0.0
    u = (low + high) / 2
    for _ in range(MOST_STEPS):
        value = _value(function, u)
        if (value > 0.0) == rising:
            high = u
        else:
            low = u
        following = u - value / _value(slope, u)
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - u) <= SHORTEST_STEP:
            return following
        u = following
    return u


@njit(nogil=True, error_model="numpy")
def _critical(derivatives, top, roots):
    """Lists in roots where the first derivative, of degree top, changes sign in (-1, 1); returns how many.

    Between two such places of its derivative a polynomial is monotone: from the straight line upwards, each derivative
    is searched between those of the next.
    """
    found = 0
    for order in range(top, 0, -1):
        function, slope = derivatives[order, : top + 2 - order], derivatives[order + 1, : top + 1 - order]
        low, kept = -1.0, 0
        below = _value(function, low) > 0.0
        for i in range(found + 1):
            high = roots[i] if i < found else 1.0
            above = _value(function, high) > 0.0
            if above != below:
                roots[kept] = _root(function, slope, low, high)
                kept += 1
            low, below = high, above
        found = kept
    return found


@njit(nogil=True, error_model="numpy")
def _turn(derivatives, roots):
    """The last local minimum in (-1, 1), and the outcome; step by step as habitus.curves.turning_point.

    The rows are the fit's coefficients and room for those of its derivatives.
    """
    size = derivatives.shape[1]
    largest, steepest = abs(derivatives[0, 0]), 0.0
    for j in range(size):
        if not math.isfinite(size * derivatives[0, j]):  # it overflows: no degree would be small enough below
            return math.nan, UNDEFINED
        largest = max(largest, abs(derivatives[0, j]))
        steepest = max(steepest, abs(j * derivatives[0, j]))
    if steepest <= ROUNDING * largest:
        return math.nan, NONE
    top = size - 2
    while abs((top + 1) * derivatives[0, top + 1]) <= ROUNDING * steepest:
        top -= 1
    for order in range(1, top + 2):
        for j in range(top + 2 - order):
            derivatives[order, j] = (j + 1) * derivatives[order - 1, j + 1]
    kept, last = 0, -2.0
    for i in range(_critical(derivatives, top, roots)):
        root = roots[i]
        if abs(root) < 1 - SAME_ROOT:
            if root - last > SAME_ROOT:
                roots[kept] = root
                kept += 1
            last = root
    slope = derivatives[1, : top + 1]
    low, falling, turn = -1.0, False, math.nan
    for i in range(kept + 1):
        high = roots[i] if i < kept else 1.0
        rising = _value(slope, (low + high) / 2) > 0.0
        if rising and falling:
            turn = low
        low, falling = high, not rising
    if not math.isnan(turn):
        return turn, VALUE
    return turn, CENSORED if falling else NONE


@njit(
    types.void(
        Reals3, Reals3, Rows, types.int64, Reals,
        types.Tuple([types.int64[::1], *[types.float64[::1]] * 5, *[types.float64[:, ::1]] * 3]),
        types.float64[:, ::1], types.uint8[:, ::1], types.float64[:, :, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def turns(count, total, pattern, window, grid, scratch, turning_point, outcome, fitted):
    """Curve of every resample r and model m from its bins: count[r, pattern[m]], total[r, m]; pattern ascends."""
    filled, u, mean, y, norm, roots, basis, powers, derivatives = scratch
    points, low, high = 0, math.nan, math.nan
    for r in range(total.shape[0]):
        for m in range(total.shape[1]):
            counted = count[r, pattern[m]]
            if m == 0 or pattern[m] != pattern[m - 1]:
                points, low, high = _places(counted, window, filled, u)
                if points >= basis.shape[0]:
                    _polynomials(u[:points], basis, norm, powers)
            if points < basis.shape[0]:
                turning_point[r, m], outcome[r, m] = math.nan, UNDEFINED
                fitted[r, m] = math.nan
                continue
            bins, coefficients = filled[: points + window - 1], derivatives[0]
            _fit(total[r, m], counted, window, bins, basis, norm, powers, mean, y[:points], coefficients)
            turn, outcome[r, m] = _turn(derivatives, roots)
            turning_point[r, m] = low + (turn + 1) / 2 * (high - low)
            for g in range(grid.shape[0]):
                inside = low <= grid[g] <= high
                at = (2 * grid[g] - low - high) / max(high - low, 1.0 / window)
                fitted[r, m, g] = _value(coefficients, at) if inside else math.nan
