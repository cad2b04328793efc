"""Compiled loops that count who knows which candidate, from a log held as bitmaps. Imports numpy and numba only.

See kernels/__init__.py. kernels/lists.py counts the same from lists. `bits` gets a row per user of every group, least
bit first; with no rows they only count.
"""

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
I32_2 = types.Array(types.int32, 2, "C", readonly=True)
U64_2 = types.Array(types.uint64, 2, "C", readonly=True)

_ONE, _TWO, _FOUR, _TOP_BYTE = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_PAIRS, _QUADS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_NIBBLES, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_ZERO = np.uint64(0)

_USERS_PER_LINE = 8  # measured: ANDing a line of two rows of bits costs as much as asking a user's row 1/8 of its bits

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _ones(word):
    """Bits set in a word: sums over 2, 4 and 8 bits, the bytes by a product. LLVM makes one instruction of it."""
    word = word - ((word >> _ONE) & _PAIRS)
    word = (word & _QUADS) + ((word >> _TWO) & _QUADS)
    word = (word + (word >> _FOUR)) & _NIBBLES
    return np.int64((word * _BYTES) >> _TOP_BYTE)


@_piece
def _bit(number):
    return _ONE << np.uint64(number & 63)


@njit(
    types.void(
        U64_2,
        U64_2,
        I64,
        I32,
        I32_2,
        types.int32[::1],
        types.uint64[::1],
        types.int32[:, ::1],
        types.uint8[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def incidence(of_user, of_item, start, users, candidates, asked, group, counts, bits):
    """counts[d, i] = users of group d who interacted with candidate i, unless it comes in as 0: then nobody did.

    A small group's rows are asked for each candidate; of a large one, the rows of the candidates are ANDed with it.
    `asked` has room for a row of candidates, `group` comes in and goes out as zeros.
    """
    for d in range(candidates.shape[0]):
        questions = 0
        for i in range(candidates.shape[1]):
            if counts[d, i] > 0:
                counts[d, i] = 0
                asked[questions] = i
                questions += 1
        first, last = start[d], start[d + 1]
        if bits.shape[0] > 0 or _USERS_PER_LINE * (last - first) <= group.shape[0]:
            for a in range(first, last):
                user = users[a]
                for question in range(questions):
                    i = asked[question]
                    item = candidates[d, i]
                    known = (of_user[user, item >> 6] >> np.uint64(item & 63)) & _ONE
                    counts[d, i] += np.int32(known)
                    if bits.shape[0] > 0:
                        bits[a - start[0], i >> 3] |= np.uint8(known << np.uint64(i & 7))
        else:
            for a in range(first, last):
                group[users[a] >> 6] |= _bit(users[a])
            for question in range(questions):
                i = asked[question]
                item = candidates[d, i]
                n = 0
                for w in range(group.shape[0]):
                    n += _ones(of_item[item, w] & group[w])
                counts[d, i] = n
            for a in range(first, last):
                group[users[a] >> 6] = _ZERO
