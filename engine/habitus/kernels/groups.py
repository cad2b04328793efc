"""Compiled loops that find the users of a cell who know enough of a history. Imports numpy and numba only.

See kernels/__init__.py. Users are counted 64 at a time in planes of bits (bit u of plane p is bit p of the number of
items that user u knows), to which an item is added as a carry that ripples up: whole rows where the item has one, else
user by user. A history of items that few users know is counted user by user in bytes, so that no plane is touched.
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
_ZERO, _ALL = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)

_USERS_PER_ENTRY = 32  # go through the planes in the time of one entry of a list

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
def _count(rows, row_of_item, item_start, item_users, history, d, begin, width, planes, cursor):
    """Planes = how many items of history[d] each user of words [begin, begin + width) knows; the last is for carries.

    cursor[j] is how far the list of item j has been read.
    """
    last, levels = planes.shape[0] - 1, 0
    planes[:last] = _ZERO
    for j in range(history.shape[1]):
        item = history[d, j]
        row = row_of_item[item]
        levels += ((j + 1) >> levels) > 0
        if row < 0:
            while cursor[j] < item_start[item + 1] and item_users[cursor[j]] >> 6 < begin + width:
                user, p = item_users[cursor[j]], 0
                w, carry = (user >> 6) - begin, _ONE << np.uint64(user & 63)
                while carry:
                    both = planes[p, w] & carry
                    planes[p, w] ^= carry
                    carry = both
                    p += 1
                cursor[j] += 1
            continue
        bits = rows[row, begin : begin + width]  # indexed by begin + w, which might be negative, it would be gathered
        for w in range(width):
            planes[last, w] = bits[w]
        for p in range(levels):
            for w in range(width):
                both = planes[p, w] & planes[last, w]
                planes[p, w] ^= planes[last, w]
                planes[last, w] = both


@_piece
def _below(planes, needed):
    """The last plane = whose number is below `needed`: where subtracting it leaves a borrow."""
    last = planes.shape[0] - 1
    planes[last, :] = _ZERO
    for p in range(last):
        digit = _ALL if (needed >> p) & 1 else _ZERO
        for w in range(planes.shape[1]):
            planes[last, w] = (~planes[p, w] & (digit | planes[last, w])) | (digit & planes[last, w])


@_piece
def _from_planes(planes, begin, width, cell_of_user, cell, users, n):
    """Append who is in the cell and not below to users[:n]; returns the new n, above the room if that is short."""
    last = planes.shape[0] - 1
    for w in range(width):
        word = ~planes[last, w]
        while word:
            user = 64 * (begin + w) + _ones((word & (~word + _ONE)) - _ONE)
            word &= word - _ONE
            if cell_of_user[user] == cell:
                if n < users.shape[0]:
                    users[n] = user
                n += 1
    return n


@_piece
def _from_lists(item_start, item_users, history, d, needed, cell_of_user, cell, known, users, n):
    """The same from counts in bytes, in the order in which users reach `needed`; these go out as zeros."""
    for j in range(history.shape[1]):
        for q in range(item_start[history[d, j]], item_start[history[d, j] + 1]):
            user = item_users[q]
            known[user] += 1
            if known[user] == needed and cell_of_user[user] == cell:
                if n < users.shape[0]:
                    users[n] = user
                n += 1
    for j in range(history.shape[1]):
        for q in range(item_start[history[d, j]], item_start[history[d, j] + 1]):
            known[item_users[q]] = 0
    return n


@njit(
    types.int64(
        U64_2, I32, I64, I32, I32, I32, I32_2, types.int64, types.boolean,
        types.uint64[:, ::1], types.int64[::1], types.uint8[::1], types.int64[::1], types.int32[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def groups(
    rows, row_of_item, item_start, item_users, cell_of_user, cells, history, needed, always_planes,
    planes, cursor, known, start, users,
):  # fmt: skip
    """users[start[d]:start[d + 1]] = the users of cells[d] who know `needed` items of history[d].

    Item i has the row of bits rows[row_of_item[i]], unless that is -1. `planes` has a row per binary digit of the
    history's length and one more, of as many words as are counted at once; `cursor` has room for a history; `known`
    comes in and goes out as zeros. Fills `users` with as many groups as have room, and returns how many: the first has,
    if there is room for every user.
    """
    for d in range(cells.shape[0]):
        n = start[d]
        entries = 0
        for j in range(history.shape[1]):
            entries += item_start[history[d, j] + 1] - item_start[history[d, j]]
        if needed == 0:
            for user in range(cell_of_user.shape[0]):
                if cell_of_user[user] == cells[d]:
                    if n < users.shape[0]:
                        users[n] = user
                    n += 1
        elif always_planes or entries * _USERS_PER_ENTRY > cell_of_user.shape[0]:
            for j in range(history.shape[1]):
                cursor[j] = item_start[history[d, j]]
            for begin in range(0, rows.shape[1], planes.shape[1]):
                width = min(planes.shape[1], rows.shape[1] - begin)
                _count(rows, row_of_item, item_start, item_users, history, d, begin, width, planes, cursor)
                _below(planes, needed)
                n = _from_planes(planes, begin, width, cell_of_user, cells[d], users, n)
        else:
            n = _from_lists(item_start, item_users, history, d, needed, cell_of_user, cells[d], known, users, n)
        if n > users.shape[0]:
            return d
        start[d + 1] = n
    return cells.shape[0]
