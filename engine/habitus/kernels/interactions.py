"""Compiled loops that index a log. Imports numpy and numba only (see kernels/__init__.py)."""

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _starts(numbers, start):
    """start[n + 1] = how many of the numbers are below n."""
    start[:] = 0
    for q in range(numbers.shape[0]):
        if numbers[q] + 2 < start.shape[0]:
            start[numbers[q] + 2] += 1
    for n in range(2, start.shape[0]):
        start[n] += start[n - 1]


@_piece
def _invert(start, numbers, into_start, into):
    """The runs of `numbers`, walked from the first to the last, as runs by number: each comes out ascending."""
    first = 0
    for run in range(start.shape[0] - 1):
        for q in range(first, start[run + 1]):
            number = numbers[q]
            place = into_start[number + 1]
            into[place] = run
            into_start[number + 1] = place + 1
        first = start[run + 1]


@njit(
    types.void(I32, I32, types.int64[::1], types.int64[::1], types.int32[::1], types.int32[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def index(users, items, user_start, item_start, user_items, item_users):
    """Both directions of the pairs, each ascending, by three counting sorts; the starts come in as zeros.

    The lists of items come first, in any order; walked from the first item to the last they fill the users' lists in
    order, and these walked from the first user to the last fill the items' lists anew. A start serves as the place
    where its run's next entry goes, one place ahead of its own: so it ends as what it should be.
    """
    _starts(items, item_start)
    for q in range(items.shape[0]):
        place = item_start[items[q] + 1]
        item_users[place] = users[q]
        item_start[items[q] + 1] = place + 1
    _starts(users, user_start)
    _invert(item_start, item_users, user_start, user_items)
    _starts(items, item_start)
    _invert(user_start, user_items, item_start, item_users)


@njit(types.int64(I64, I32), cache=True, nogil=True, error_model="numpy")
def repeated(start, numbers):
    """The place of the first number that equals the one before it in its run, -1 if none does."""
    for run in range(start.shape[0] - 1):
        for q in range(start[run] + 1, start[run + 1]):
            if numbers[q] == numbers[q - 1]:
                return q
    return -1


@njit(types.void(I64, I32, types.uint64[:, ::1]), cache=True, nogil=True, error_model="numpy")
def bitmap(start, numbers, bits):
    """Set bit n % 64 of word n // 64 of row r for every number n of run r; `bits` comes in as zeros."""
    for run in range(start.shape[0] - 1):
        for q in range(start[run], start[run + 1]):
            bits[run, numbers[q] >> 6] |= np.uint64(1) << np.uint64(numbers[q] & 63)
