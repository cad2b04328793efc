"""Compiled loops that score ranked lists. Imports math, numpy and numba only (see kernels/__init__.py).

A task's target is kept in sorted form: ``rank[t, i]`` is candidate i's place by value, ``weight[t, r]`` what the r-th
place weighs in the expectation, ``surprisal[t, r]`` = -log of the r-th value. A score is a sum of weight * surprisal.
Candidates of equal value that are not listed share what they weigh: their order means nothing (where weights are the
values it changes nothing).
"""

import math

from numba import njit, types

Matrix = types.Array(types.float64, 2, "C", readonly=True)
Vector = types.Array(types.float64, 1, "C", readonly=True)
Places = types.Array(types.int32, 2, "C", readonly=True)
Lists = types.Array(types.int64, 2, "C", readonly=True)
Numbers = types.Array(types.int64, 1, "C", readonly=True)

CHANCE, OPTIMISTIC, WORST, DROP = range(4)
RUN = 16


@njit(nogil=True, error_model="numpy")
def _argsort_descending(values, spare, order):
    """Stable: equal values keep their positions. Insertion sort of short runs, then merges."""
    K = values.shape[0]
    for start in range(0, K, RUN):
        for i in range(start, min(start + RUN, K)):
            j = i
            while j > start and values[order[j - 1]] < values[i]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = i
    width = RUN
    while width < K:
        for start in range(0, K, 2 * width):
            middle, end = min(start + width, K), min(start + 2 * width, K)
            left, right = start, middle
            for place in range(start, end):
                if left < middle and (right >= end or values[order[left]] >= values[order[right]]):
                    spare[place] = order[left]
                    left += 1
                else:
                    spare[place] = order[right]
                    right += 1
        for place in range(K):
            order[place] = spare[place]
        width *= 2


@njit(nogil=True, error_model="numpy")
def _expected_surprisal(surprisal, listed, length, out):
    """out[i] = expected surprisal of the i-th of the remaining items when slots listed..length-1 are filled at random.

    With m items left, the next slot takes item i itself (1 in m), one of the i before it or one of the m-1-i after it:
    E_m[i] = (L_slot + i E_{m-1}[i-1] + (m-1-i) E_{m-1}[i]) / m. Unrolled, that is the hypergeometric sum of the method,
    section 4, without its table; all terms are >= 0, so nothing cancels.
    """
    K = surprisal.shape[0]
    for i in range(K - length):
        out[i] = surprisal[length + i]
    for m in range(K - length + 1, K - listed + 1):
        slot = surprisal[K - m]
        share = 1.0 / m
        out[m - 1] = 0.0
        for i in range(m - 1, 0, -1):
            out[i] = share * (slot + i * out[i - 1] + (m - 1 - i) * out[i])
        out[0] = share * (slot + (m - 1) * out[0])


@njit(types.void(Matrix, types.float64, types.float64[:, ::1]), cache=True, nogil=True, error_model="numpy")
def smooth(counts, alpha, out):
    """out[t, i] = (n[t, i] + alpha) / (sum_i n[t, i] + alpha K)."""
    tasks, K = counts.shape
    for t in range(tasks):
        total = alpha * K
        for i in range(K):
            total += counts[t, i]
        for i in range(K):
            out[t, i] = (counts[t, i] + alpha) / total


@njit(
    types.void(Matrix, Matrix, types.int32[:, ::1], types.int32[:, ::1], types.float64[:, ::1], types.float64[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def targets(weights, values, scratch, rank, weight, surprisal):
    """Bring every task's target into sorted form. scratch: (2, K)."""
    order, spare = scratch[0], scratch[1]
    for t in range(values.shape[0]):
        _argsort_descending(values[t], spare, order)
        previous, log = -1.0, 0.0
        for r in range(values.shape[1]):
            i = order[r]
            if values[t, i] != previous:  # ties are the rule: one logarithm for all of them
                previous = values[t, i]
                log = math.log(previous)
            rank[t, i] = r
            weight[t, r] = weights[t, i]
            surprisal[t, r] = -log


@njit(
    types.void(Matrix, Matrix, types.int64, types.float64[::1], *[types.float64[::1]] * 3),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def task_scores(weight, surprisal, length, expected, entropy, chance, worst):
    """What depends on the task and the list's length alone. expected: (K,) scratch."""
    tasks, K = weight.shape
    for t in range(tasks):
        _expected_surprisal(surprisal[t], 0, length, expected)
        best, mean, least = 0.0, 0.0, 0.0
        first = 0
        while first < K:
            end, weights = first, 0.0
            while end < K and surprisal[t, end] == surprisal[t, first]:
                weights += weight[t, end]
                end += 1
            tied = weights / (end - first)
            for r in range(first, end):
                best += tied * surprisal[t, r]
                mean += tied * expected[r]
                least += tied * surprisal[t, K - 1 - r if r >= K - length else length + r]
            first = end
        entropy[t], chance[t], worst[t] = best, mean, least


@njit(
    types.void(Lists, types.int64[::1], types.int64[::1], types.int32[::1]), cache=True, nogil=True, error_model="numpy"
)
def inspect(rankings, mark, fault, valid):
    """valid[s] = listed candidates; fault = first (row, column) that repeats one or holds none, else untouched.

    mark: (K,) scratch.
    """
    K = mark.shape[0]
    for i in range(K):
        mark[i] = -1
    for s in range(rankings.shape[0]):
        listed = 0
        for column in range(rankings.shape[1]):
            item = rankings[s, column]
            if item == -1:
                continue
            if item < 0 or item >= K or mark[item] == s:
                fault[0], fault[1] = s, column
                return
            mark[item] = s
            listed += 1
        valid[s] = listed


@njit(
    types.void(
        Places, Matrix, Matrix, Lists, Numbers, types.int64, types.int64[::1], types.float64[::1], types.float64[::1]
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def ranking_scores(rank, weight, surprisal, rankings, task, fill, mark, expected, cross_entropy):
    """Listed candidates take the first slots, empty slots are filled, the rest follow in order.

    mark, expected: (K,) scratch.
    """
    K, length = rank.shape[1], rankings.shape[1]
    for i in range(K):
        mark[i] = -1
    for s in range(rankings.shape[0]):
        t = task[s]
        total, slot = 0.0, 0
        for column in range(length):
            if rankings[s, column] >= 0:
                place = rank[t, rankings[s, column]]
                mark[place] = s
                total += weight[t, place] * surprisal[t, slot]
                slot += 1
        empty = length - slot if fill in (CHANCE, WORST) else 0
        if fill == CHANCE and empty > 0:
            _expected_surprisal(surprisal[t], slot, length, expected)
        remaining, tied, weights, places, value = 0, 0, 0.0, 0.0, 0.0
        for r in range(K):
            if mark[r] == s:
                continue
            if tied > 0 and surprisal[t, r] != value:
                total += weights * places / tied
                tied, weights, places = 0, 0.0, 0.0
            value = surprisal[t, r]
            weights += weight[t, r]
            tied += 1
            if fill == CHANCE and empty > 0:
                places += expected[remaining]
            elif remaining >= K - slot - empty:
                places += surprisal[t, K - 1 - remaining]
            else:
                places += surprisal[t, slot + empty + remaining]
            remaining += 1
        if tied > 0:
            total += weights * places / tied
        cross_entropy[s] = total


@njit(
    types.int64(*[Vector] * 4, Numbers, types.float64, types.float64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def skill_sums(entropy, chance, reference, cross_entropy, task, min_gap, sums):
    """Writes the sums of CE - H and of reference - H over rankings that can tell; returns how many these are.

    Not `gap >= min_gap` alone: a gap of exactly 0 cannot be divided by, whatever min_gap is.
    """
    sums[0] = sums[1] = 0.0
    kept = 0
    for s in range(task.shape[0]):
        t = task[s]
        gap = chance[t] - entropy[t]
        if gap >= min_gap and gap > 0.0 and math.isfinite(cross_entropy[s]):
            sums[0] += cross_entropy[s] - entropy[t]
            sums[1] += reference[t] - entropy[t]
            kept += 1
    return kept
