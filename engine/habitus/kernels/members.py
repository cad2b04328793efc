"""Compiled loops over the members of groups. Imports math, numpy and numba only (see kernels/__init__.py).

Random words are splitmix64 (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195), counted from a base that depends on
a task's own seed, or a resample's own number. `bits` are the members' rows one after another, `K` bits in whole bytes.
"""

import math

import numpy as np
from numba import njit, types

Bytes = types.Array(types.uint8, 1, "C", readonly=True)
I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
U64 = types.Array(types.uint64, 1, "C", readonly=True)

WORD = 64
ATTEMPTS = 100
USERS, ACTIVE, INCIDENCES = 0, 1, 2  # the columns of `numbers`

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ZERO, _ONE, _TWO, _FOUR, _HALF, _TOP_BYTE = (np.uint64(n) for n in (0, 1, 2, 4, 32, 56))
_PAIRS, _QUADS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_NIBBLES, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@_piece
def _choose(base, wanted, chosen):
    """Sets `wanted` units to 1 and the others to 0; every subset is equally likely, but for a bias of units / 2**32.

    Selection sampling: Knuth, The Art of Computer Programming 2, section 3.4.2, algorithm S.
    """
    left = chosen.shape[0]
    for unit in range(chosen.shape[0]):
        z = _mixed(base + np.uint64(1 + unit) * _GOLDEN)
        chosen[unit] = (((z >> _HALF) * np.uint64(left)) >> _HALF) < np.uint64(wanted)
        wanted -= chosen[unit]
        left -= 1


@_piece
def _ones(word):
    """Bits set in a word: sums over 2, 4 and 8 bits, the bytes by a product. LLVM makes one instruction of it."""
    word = word - ((word >> _ONE) & _PAIRS)
    word = (word & _QUADS) + ((word >> _TWO) & _QUADS)
    word = (word + (word >> _FOUR)) & _NIBBLES
    return np.int64((word * _BYTES) >> _TOP_BYTE)


@_piece
def _add_rows(bits, first, side, K, per_user, words, rows, numbers, squares):
    """Add row first + a to rows[side[a]], divided by its sum if per_user; a side that is not there takes none.

    One loop for all rows: with pieces that were handed arrays for every row it took 41 ns a row instead of 9, as Numba
    counts references. Of a word every bit is added, 0 or not: without a branch per bit LLVM makes vectors of it.
    """
    width = (K + 7) // 8
    for a in range(side.shape[0]):
        s = np.uint64(side[a])
        if s >= np.uint64(rows.shape[0]):
            continue
        at = (first + a) * width
        n = 0
        for w in range(words.shape[0]):
            word = _ZERO
            if at + 8 <= bits.shape[0]:  # beyond the row's end if need be: LLVM makes one load of eight bytes
                for b in range(8):
                    word |= np.uint64(bits[np.uint64(at) + np.uint64(b)]) << np.uint64(8 * b)
            else:
                for b in range(bits.shape[0] - at):
                    word |= np.uint64(bits[at + b]) << np.uint64(8 * b)
            if K - w * WORD < WORD:
                word &= (_ONE << np.uint64(K - w * WORD)) - _ONE
            words[w] = word
            n += _ones(word)
            at += 8
        numbers[s, USERS] += 1
        numbers[s, INCIDENCES] += n
        if n > 0:
            numbers[s, ACTIVE] += 1
            squares[s] += 1.0 / n  # n times (1 / n)**2
            weight = 1.0 / n if per_user else 1.0
            for w in range(words.shape[0]):
                word = words[w]
                if word != _ZERO:
                    for i in range(WORD):
                        place = np.uint64(WORD * w) + np.uint64(i)
                        rows[s, place] += weight if (word >> np.uint64(i)) & _ONE else 0.0


@njit(
    types.void(
        I64, I32, Bytes, Bytes, types.boolean,
        types.uint8[::1], types.uint64[::1], types.float64[:, ::1],
        types.float64[:, ::1], types.int64[:, :, ::1], types.float64[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def subsample(start, users, bits, kept, per_user, side, words, rows, total, numbers, squares):
    """Sums over the users that are kept.

    `side` (the largest group), `words` and `rows` (1, K rounded up to whole words) are scratch.
    """
    tasks, K = total.shape
    for t in range(tasks):
        first, size = start[t], start[t + 1] - start[t]
        for a in range(size):
            side[a] = 1 - kept[users[first + a]]
        rows[:] = 0.0
        _add_rows(bits, first, side[:size], K, per_user, words, rows, numbers[t], squares[t])
        total[t] = rows[0, :K]


@njit(
    types.void(
        I64, Bytes, U64, types.uint64, types.boolean,
        types.uint8[::1], types.uint64[::1], types.float64[:, ::1],
        types.float64[:, :, ::1], types.int64[:, :, ::1], types.float64[:, ::1], types.int32[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def halves(start, bits, seed, split, per_user, side, words, rows, total, numbers, squares, redrawn):
    """Sums over both halves of each task's members; redrawn[t] = -1 and NaN where no halves have something each.

    `side` (the largest group), `words` and `rows` (2, K rounded up to whole words) are scratch.
    """
    tasks, K = total.shape[0], total.shape[2]
    for t in range(tasks):
        part = side[: start[t + 1] - start[t]]
        base = _mixed(_mixed(seed[t]) + split * _GOLDEN)
        redrawn[t] = -1
        for attempt in range(ATTEMPTS):
            drawn = _mixed(base + np.uint64(attempt) * _GOLDEN)
            coin = np.int64(drawn >> np.uint64(63))
            _choose(drawn, (part.shape[0] + coin) // 2, part)
            rows[:] = 0.0
            numbers[t] = 0
            squares[t] = 0.0
            _add_rows(bits, start[t], part, K, per_user, words, rows, numbers[t], squares[t])
            if min(numbers[t, 0, ACTIVE], numbers[t, 1, ACTIVE]) > 0:
                redrawn[t] = attempt
            if redrawn[t] >= 0 or numbers[t, 0, ACTIVE] + numbers[t, 1, ACTIVE] < 2:  # noqa: PLR2004 - one for each side
                break
        if redrawn[t] >= 0:
            total[t] = rows[:, :K]
        else:
            total[t] = math.nan
            numbers[t] = 0
            squares[t] = math.nan


@njit(types.void(types.uint64, types.int64, types.uint8[:, ::1]), cache=True, nogil=True, error_model="numpy")
def half_samples(seed, first, out):
    """out[r] has floor(users / 2) ones, where resample first + r takes a user."""
    for r in range(out.shape[0]):
        _choose(_mixed(_mixed(seed) + np.uint64(first + r) * _GOLDEN), out.shape[1] // 2, out[r])
