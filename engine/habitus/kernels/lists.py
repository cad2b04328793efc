"""Compiled loops that count who knows which candidate, from a log held as lists. Imports numpy and numba only.

See kernels/__init__.py. kernels/bitmaps.py says what is counted, and counts the same from bitmaps.
"""

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
I32_2 = types.Array(types.int32, 2, "C", readonly=True)

_ONE, _ZERO = np.uint64(1), np.uint64(0)

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _bit(number):
    return _ONE << np.uint64(number & 63)


@njit(
    types.void(
        I64, I32, I64, I32, types.float64, I64, I32, I32_2,
        types.int16[::1], types.uint64[::1], types.int32[:, ::1], types.uint8[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def incidence(
    user_start, user_items, item_start, item_users, entry_cost, start, users, candidates, slot, group, counts, bits
):
    """The same from the users' lists, or if only counted from the candidates', whichever are shorter.

    An entry of a user's list costs `entry_cost` of a candidate's. `slot` comes in and goes out filled with -1, `group`
    with zeros.
    """
    for d in range(candidates.shape[0]):
        probes = 0
        for i in range(candidates.shape[1]):
            if counts[d, i] > 0:
                probes += item_start[candidates[d, i] + 1] - item_start[candidates[d, i]]
        if probes == 0:
            counts[d, :] = 0
            continue
        first, last = start[d], start[d + 1]
        entries = 0
        for a in range(first, last):
            entries += user_start[users[a] + 1] - user_start[users[a]]
        if bits.shape[0] == 0 and entry_cost * entries > probes:
            for a in range(first, last):
                group[users[a] >> 6] |= _bit(users[a])
            for i in range(candidates.shape[1]):
                if counts[d, i] == 0:
                    continue
                n = _ZERO
                for q in range(item_start[candidates[d, i]], item_start[candidates[d, i] + 1]):
                    user = item_users[q]
                    n += (group[user >> 6] >> np.uint64(user & 63)) & _ONE
                counts[d, i] = n
            for a in range(first, last):
                group[users[a] >> 6] = _ZERO
            continue
        for i in range(candidates.shape[1]):
            if counts[d, i] > 0:
                counts[d, i] = 0
                slot[candidates[d, i]] = i
        for a in range(first, last):
            for q in range(user_start[users[a]], user_start[users[a] + 1]):
                i = slot[user_items[q]]
                if i >= 0:
                    counts[d, i] += 1
                    if bits.shape[0] > 0:
                        bits[a - start[0], i >> 3] |= np.uint8(1 << (i & 7))
        for i in range(candidates.shape[1]):
            if candidates[d, i] >= 0:
                slot[candidates[d, i]] = -1
