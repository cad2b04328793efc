"""Compiled loops that permute users, and sum up the groups that come of it. Imports math, numpy and numba only.

See kernels/__init__.py. Permutation r draws from splitmix64 numbers (Steele, Lea & Flood 2014, doi
10.1145/2660193.2660195) counted from a base that depends on (seed, r) alone.
"""

import math

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
I32_2 = types.Array(types.int32, 2, "C", readonly=True)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO, _FOUR, _TOP_BYTE = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_PAIRS, _QUADS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_NIBBLES, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_ZERO = np.uint64(0)

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(
    types.void(types.uint64, types.int64, I32, I64, types.int32[::1], types.int32[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def permutations(seed, first, users, start, shuffled, out):
    """out[r, u] = the user who takes u's place in permutation first + r: one of u's stratum, all orders alike likely.

    Stratum s holds users[start[s]:start[s + 1]]. `shuffled` is scratch (Fisher-Yates; the bias is below users / 2**53).
    """
    for r in range(out.shape[0]):
        state = _mixed(seed + np.uint64(first + r) * _GOLDEN)
        shuffled[:] = users
        for s in range(start.shape[0] - 1):
            for i in range(start[s + 1] - 1, start[s], -1):
                state += _GOLDEN
                share = np.float64(_mixed(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
                j = start[s] + np.int64(share * (i + 1 - start[s]))
                shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
        for i in range(users.shape[0]):
            out[r, users[i]] = shuffled[i]


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


@_piece
def _columns(item_start, item_users, items, per_user, place, people, columns, weight):
    """Give everyone who knows a candidate a bit; columns[i] = who knows candidate i, bits of word w count weight[w].

    User u has bit -place[u]: 0, in a word that no column has, if u knows none. per_user: those who know as many
    candidates share words, which then weigh one over that many. Returns the number of words.
    """
    people[:] = 0
    for i in range(items.shape[0]):
        for q in range(item_start[items[i]], item_start[items[i] + 1]):
            place[item_users[q]] += 1
    for i in range(items.shape[0]):
        for q in range(item_start[items[i]], item_start[items[i] + 1]):
            people[place[item_users[q]]] += 1
    for known in range(1, people.shape[0]):  # so far everyone who knows n was counted n times
        people[known] //= known
        if not per_user:
            people[0] += people[known]
    words = 1
    weight[0] = 0.0
    for known in range(people.shape[0]):
        first = words
        if per_user == (known > 0):
            words += (people[known] + 63) >> 6
        weight[first:words] = 1.0 / known if known > 0 else 1.0
        people[known] = first << 6
    columns[:, :words] = _ZERO
    for i in range(items.shape[0]):
        for q in range(item_start[items[i]], item_start[items[i] + 1]):
            user = item_users[q]
            if place[user] > 0:
                known = place[user] if per_user else 0
                place[user] = -people[known]
                people[known] += 1
            columns[i, -place[user] >> 6] |= _bit(-place[user])
    return words


@_piece
def _clear(item_start, item_users, items, place):
    for i in range(items.shape[0]):
        for q in range(item_start[items[i]], item_start[items[i] + 1]):
            place[item_users[q]] = 0


# Sums in any order, so that LLVM makes vectors of them. Still the same people give the same bits: who took whose place
# does not show.
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _weighed(image, column, weight):
    total = 0.0
    for w in range(image.shape[0]):
        total += weight[w] * _ones(image[w] & column[w])
    return total


@_piece
def _entropy(sums, size, alpha):
    """In nats, of sums + alpha; size > 0: of sums scaled to that total first. NaN if they are all 0."""
    total = 0.0
    for i in range(sums.shape[0]):
        total += sums[i]
    if total == 0.0:
        return math.nan
    scale = size / total if size > 0 else 1.0
    surprise, nobody = 0.0, alpha * math.log(alpha)
    for i in range(sums.shape[0]):
        amount = scale * sums[i] + alpha
        surprise += amount * math.log(amount) if sums[i] > 0.0 else nobody
    whole = scale * total + alpha * sums.shape[0]
    return max(0.0, math.log(whole) - surprise / whole)


@_piece
def _by_activity(item_start, item_users, history, pool_start, pool_users, activity, known, cursor, order):
    """To order: the users, pool by pool, each by the number of items that they know outside the history. Counting sort.

    `known` comes in and goes out as zeros; `cursor` has room for the highest activity, and two more.
    """
    for h in range(history.shape[0]):
        if history[h] >= 0:
            for q in range(item_start[history[h]], item_start[history[h] + 1]):
                known[item_users[q]] += 1
    for pool in range(pool_start.shape[0] - 1):
        cursor[:] = 0
        for i in range(pool_start[pool], pool_start[pool + 1]):
            cursor[activity[pool_users[i]] - known[pool_users[i]] + 1] += 1
        cursor[0] = pool_start[pool]
        for n in range(1, cursor.shape[0]):
            cursor[n] += cursor[n - 1]
        for i in range(pool_start[pool], pool_start[pool + 1]):
            others = activity[pool_users[i]] - known[pool_users[i]]
            order[cursor[others]] = pool_users[i]
            cursor[others] += 1
    for h in range(history.shape[0]):
        if history[h] >= 0:
            for q in range(item_start[history[h]], item_start[history[h] + 1]):
                known[item_users[q]] = 0


@njit(
    types.void(
        I64, I32, I64, I32, I32_2, I32_2, I32_2, I64, I32, I32, types.boolean, types.float64,
        types.int32[:, ::1], types.int64[::1], types.int32[::1], types.uint64[::1], types.uint64[:, ::1],
        types.float64[::1], types.float64[::1], types.float64[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def entropies(
    item_start, item_users, start, users, candidates, permutations, history, pool_start, pool_users, activity,
    per_user, alpha, of_user, cursor, people, image, columns, weight, sums, out,
):  # fmt: skip
    """out[t, r] = entropy of what the image of group t under permutation r did with the candidates, in nats.

    Permutations are of places in `order`, the third row of `of_user`; it stays as it comes where there are no pools.
    `of_user` else comes in as zeros; `people` has room for 0 to K candidates; `image`, `weight` and a column have a
    word for 64 users, one for each of those K + 1, and one more.
    """
    place, known, order = of_user[0], of_user[1], of_user[2]
    rank, bits, ranks = of_user[3], of_user[4], of_user[5]
    for t in range(candidates.shape[0]):
        words = _columns(item_start, item_users, candidates[t], per_user, place, people, columns, weight)
        _by_activity(item_start, item_users, history[t], pool_start, pool_users, activity, known, cursor, order)
        for i in range(order.shape[0]):
            rank[order[i]] = i
            bits[i] = -place[order[i]]
        size = start[t + 1] - start[t]
        for a in range(size):
            ranks[a] = rank[users[start[t] + a]]
        for r in range(permutations.shape[0]):
            image[:words] = _ZERO
            for a in range(size):
                bit = bits[permutations[r, ranks[a]]]
                image[bit >> 6] |= _bit(bit)
            for i in range(sums.shape[0]):
                sums[i] = _weighed(image[:words], columns[i, :words], weight[:words])
            out[t, r] = _entropy(sums, size if per_user else 0, alpha)
        _clear(item_start, item_users, candidates[t], place)
