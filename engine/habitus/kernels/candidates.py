"""Compiled loops that draw candidates. Imports numpy and numba only (see kernels/__init__.py).

Random items of the inventory are tried; each goes to the first part of the rule that is still open and wants it, and is
passed over where there is none. Where `patience` tries in a row find no taker, what is still short is rare: what is
left of it is listed and drawn from. Both treat the items of a part alike, so every set of them is equally likely.

The stream of random numbers is consumed by the algorithm alone: one number per try and per listed draw. How the log is
held only changes how a question is answered: has anyone of the group interacted with this item?

Loops index whole arrays and pass on numbers: a view of a row, or an array given to a function, is reference-counted by
atomic operations, which made a task eight times as slow.
"""

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
U64 = types.Array(types.uint64, 1, "C", readonly=True)
I32_2 = types.Array(types.int32, 2, "C", readonly=True)
U64_2 = types.Array(types.uint64, 2, "C", readonly=True)

HALF, QUINTILES, LITERAL, INVENTORY = 0, 1, 2, 3

_ONE, _TWO, _FOUR, _TOP_BYTE = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
_PAIRS, _QUADS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_NIBBLES, _BYTES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_HALF_WORD, _LOW_HALF, _RANGE = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(1 << 32)
_ZERO, _ALL = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)

_ENTRIES_PER_ITEM = 100  # walked in the time in which a large group's answer for one more item comes from memory

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


@_piece
def _below(state, n):
    """The state, and a uniform integer in [0, n), unsigned: 32 random bits times n, without those that favour some.

    Steele, Lea & Flood 2014 (doi 10.1145/2660193.2660195) and Lemire 2019 (doi 10.1145/3230636).
    """
    bound = np.uint64(n)
    while True:
        state += np.uint64(0x9E3779B97F4A7C15)
        z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        product = (z >> _HALF_WORD) * bound
        low = product & _LOW_HALF
        if low >= bound or low >= _RANGE % bound:
            return state, product >> _HALF_WORD


@_piece
def _unite(of_user, user_start, user_items, users, first, last, interacted):
    """The items that users[first:last] know, to `interacted`: from their rows of bits, or their lists without any."""
    interacted[:] = _ZERO
    for a in range(first, last):
        user = users[a]
        if of_user.shape[0] > 0:
            for w in range(interacted.shape[0]):
                interacted[w] |= of_user[user, w]
        else:
            for q in range(user_start[user], user_start[user + 1]):
                interacted[user_items[q] >> 6] |= _bit(user_items[q])


@_piece
def _anyone(item, item_start, item_users, group):
    """A bit of the group, itself given as bits, that is set for a user of the item; 0 if there is none."""
    found, q = _ZERO, item_start[item]
    while found == _ZERO and q < item_start[item + 1]:
        found = group[item_users[q] >> 6] & _bit(item_users[q])
        q += 1
    return found


@_piece
def _fifths(history, d, rank, unseen, fifth):
    """fifth[s] = the rank at which the s-th fifth of the `unseen` items without the history begins.

    The n-th of them has rank n + p, where p is how many items of the history have a lower one.
    """
    for j in range(history.shape[1]):
        unseen -= rank[history[d, j]] >= 0
    for part in range(6):
        before = (part * unseen + 4) // 5
        passed, place = -1, before
        while place != before + passed:
            place = before + max(passed, 0)
            passed = 0
            for j in range(history.shape[1]):
                passed += 0 <= rank[history[d, j]] <= place
        fifth[part] = place


@_piece
def _try(
    state, patience, item_start, item_users, inventory, rank, rule,
    fifth, quota, seen, taken, listed, interacted, group, out, known, d,
):  # fmt: skip
    """Candidates from random items of the inventory to out[d]; returns the state, and how many."""
    n, missed = 0, 0
    while missed < patience and n < out.shape[1]:
        missed += 1
        state, place = _below(state, inventory.shape[0])
        item = inventory[place]
        word, bit = np.uint64(item >> 6), _bit(item)
        if taken[word] & bit:
            continue
        answer = interacted[word] & bit if listed else _anyone(item, item_start, item_users, group)
        interested = answer != _ZERO
        part = 1 if interested else 0
        if rule == QUINTILES:
            part = 0
            for later in range(1, 5):
                part += rank[item] >= fifth[later]
        elif rule != HALF:
            part = 0 if quota[0] > 0 else 1
            if not interested and (rule == LITERAL or part == 1):
                continue
            if rule == LITERAL and part == 1 and seen[word] & bit:
                continue
        if quota[part] > 0:
            quota[part] -= 1
            taken[word] |= bit
            out[d, n] = item
            known[d, n] = interested
            n += 1
            missed = 0
    return state, n


@_piece
def _list(state, offered, rank, rule, fifth, quota, parts, seen, taken, interacted, pool, out, known, d, n):
    """Draw what the parts are short of to out[d, n:], from lists of what is left for them; returns how many there are.

    The step after the last part fills up from all that is left.
    """
    for step in range(parts + 1):
        left = 0
        if n < out.shape[1] and quota[step] > 0:
            for w in range(offered.shape[0]):
                remaining = offered[w] & ~taken[w]
                if rule == LITERAL and step == 1:
                    remaining &= ~seen[w]
                if rule == LITERAL or (rule != QUINTILES and step == 1):
                    remaining &= interacted[w]
                elif rule == HALF and step == 0:
                    remaining &= ~interacted[w]
                while remaining:
                    item = 64 * w + _ones((remaining & (~remaining + _ONE)) - _ONE)
                    remaining &= remaining - _ONE
                    if rule != QUINTILES or step == parts or fifth[step] <= rank[item] < fifth[step + 1]:
                        pool[left] = item
                        left += 1
        for drawn in range(min(quota[step], left, out.shape[1] - n)):
            state, j = _below(state, left - drawn)
            j += np.uint64(drawn)
            item = pool[j]
            pool[j] = pool[drawn]
            taken[item >> 6] |= _bit(item)
            out[d, n] = item
            known[d, n] = interacted[item >> 6] & _bit(item) != _ZERO
            n += 1
    return n


@njit(
    types.void(
        U64_2, I64, I32, I64, I32, I64, I32, I32_2, U64,
        I32, I32, U64, types.int64, types.int64, types.int64, types.float64, types.float64,
        types.int64[::1], types.int64[::1],
        types.uint64[::1], types.uint64[::1], types.uint64[::1], types.uint64[::1], types.int32[::1],
        types.int32[:, ::1], types.int32[:, ::1], types.int64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def candidates(
    of_user, user_start, user_items, item_start, item_users, start, users, history, seeds,
    inventory, rank, offered, rule, least, patience, entry_cost, probe_cost,
    fifth, quota, group, interacted, seen, taken, pool, out, known, filled,
):  # fmt: skip
    """out[d, :filled[d]] = the candidates of draw d by `rule`, not shuffled yet; none for a group below `least` users.

    The log is held by `of_user`; if that is empty by the lists of users or of items, whichever is cheaper: walking an
    entry of a user's list costs `entry_cost`, asking the items' lists `probe_cost` in all. `inventory` is ascending,
    `offered` the same as bits, `rank` the place of every item in it by popularity. known[d] says of each whether anyone
    of the group interacted with it. `group`, `seen` and `taken` come in and go out as zeros.
    """
    parts = 5 if rule == QUINTILES else 2
    length = out.shape[1]
    for d in range(out.shape[0]):
        filled[d] = 0
        first, last = start[d], start[d + 1]
        if last - first < least:
            continue
        for part in range(parts):
            quota[part] = length * (part + 1) // parts - length * part // parts
        quota[parts] = length
        listed, entries = of_user.shape[0] > 0, 0
        if not listed:
            for a in range(first, last):
                entries += user_start[users[a] + 1] - user_start[users[a]]
            listed = entry_cost * entries <= probe_cost
        if listed:
            _unite(of_user, user_start, user_items, users, first, last, interacted)
        else:
            for a in range(first, last):
                group[users[a] >> 6] |= _bit(users[a])
        if rule == QUINTILES:
            _fifths(history, d, rank, inventory.shape[0], fifth)
        for j in range(history.shape[1]):
            seen[history[d, j] >> 6] |= _bit(history[d, j])
            if rule != LITERAL:
                taken[history[d, j] >> 6] |= _bit(history[d, j])
        state, n = _try(
            seeds[d], patience, item_start, item_users, inventory, rank, rule,
            fifth, quota, seen, taken, listed, interacted, group, out, known, d,
        )  # fmt: skip
        if n < length:
            if not listed and entry_cost * entries <= _ENTRIES_PER_ITEM * inventory.shape[0]:
                _unite(of_user, user_start, user_items, users, first, last, interacted)
            elif not listed:
                interacted[:] = _ZERO
                for place in range(inventory.shape[0]):
                    if _anyone(inventory[place], item_start, item_users, group):
                        interacted[inventory[place] >> 6] |= _bit(inventory[place])
            n = _list(state, offered, rank, rule, fifth, quota, parts, seen, taken, interacted, pool, out, known, d, n)
        filled[d] = n
        for j in range(history.shape[1]):
            seen[history[d, j] >> 6] = _ZERO
            taken[history[d, j] >> 6] = _ZERO
        for j in range(n):
            taken[out[d, j] >> 6] = _ZERO
        for a in range(first, last):
            group[users[a] >> 6] = _ZERO
