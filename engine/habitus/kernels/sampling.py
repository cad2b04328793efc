"""Compiled loops that draw tasks. Imports math, numpy and numba only (see kernels/__init__.py).

Randomness is a splitmix64 stream per draw (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195): a draw depends on
its own seed alone, so neither the order of the draws nor the number of threads can change it.
"""

import numpy as np
from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
U64 = types.Array(types.uint64, 1, "C", readonly=True)
F32 = types.Array(types.float32, 1, "C", readonly=True)
I32_2 = types.Array(types.int32, 2, "C", readonly=True)

HALF, QUINTILES, LITERAL, INVENTORY = 0, 1, 2, 3
INTERACTED, HISTORY, TAKEN = np.uint8(1), np.uint8(2), np.uint8(4)


@njit(nogil=True, error_model="numpy")
def _below(state, n):
    """Uniform integer in [0, n): 53 random bits times n, so the bias is below n / 2**53."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64(np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0) * n)


@njit(types.void(U64, I32, I64, types.uint64[::1], types.int32[:, ::1]), cache=True, nogil=True, error_model="numpy")
def histories(seeds, inventory, cumulative, state, out):
    """out[d] = distinct items drawn one after the other, each with probability proportional to its weight.

    cumulative[i] = weight of inventory[0..i]. A repeated item is drawn again: a shorter history begins a longer one.
    """
    for d in range(out.shape[0]):
        state[0] = seeds[d]
        drawn = 0
        while drawn < out.shape[1]:
            weight = _below(state, cumulative[-1])
            item = inventory[np.searchsorted(cumulative, weight, side="right")]
            repeated = False
            for j in range(drawn):
                repeated |= out[d, j] == item
            if not repeated:
                out[d, drawn] = item
                drawn += 1


@njit(
    types.void(I64, I32, I32, I32, I32_2, types.int64, I64, types.uint8[::1], types.int64[::1], types.int32[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def groups(item_start, item_users, cell_of_user, cells, history, needed, start, known, size, users):
    """Users of cells[d] who know `needed` items of history[d], at users[start[d]:]; an empty `users` only counts."""
    fill = users.shape[0] > 0
    for d in range(cells.shape[0]):
        n = 0
        if needed == 0:
            for u in range(cell_of_user.shape[0]):
                if cell_of_user[u] == cells[d]:
                    if fill:
                        users[start[d] + n] = u
                    n += 1
        for j in range(history.shape[1]):
            for q in range(item_start[history[d, j]], item_start[history[d, j] + 1]):
                u = item_users[q]
                known[u] += 1
                if known[u] == needed and cell_of_user[u] == cells[d]:
                    if fill:
                        users[start[d] + n] = u
                    n += 1
        for j in range(history.shape[1]):
            for q in range(item_start[history[d, j]], item_start[history[d, j] + 1]):
                known[item_users[q]] = 0
        size[d] = n


@njit(nogil=True, error_model="numpy")
def _pool(rule, step, inventory, mark, unseen, pool):
    """List the items of the inventory that a step of `rule` draws from; step -1: those that fill a short part."""
    n = 0
    rank = 0
    for i in range(inventory.shape[0]):
        item = inventory[i]
        interacted = mark[item] & INTERACTED != 0
        in_history = mark[item] & HISTORY != 0
        if rule == HALF:
            eligible = not in_history and (step < 0 or interacted == (step == 1))
        elif rule == QUINTILES:
            eligible = not in_history and (step < 0 or rank * 5 // unseen == step)
            rank += not in_history
        elif rule == LITERAL:
            eligible = interacted and (step != 1 or not in_history)
        else:
            eligible = not in_history and (step <= 0 or interacted)
        if eligible and mark[item] & TAKEN == 0:
            pool[n] = item
            n += 1
    return n


@njit(nogil=True, error_model="numpy")
def _take(state, pool, n, quota, mark, out, filled):
    """Move min(quota, n) items of pool[:n], drawn uniformly without replacement, to out[filled:]."""
    for taken in range(min(quota, n)):
        j = taken + _below(state, n - taken)
        pool[taken], pool[j] = pool[j], pool[taken]
        out[filled] = pool[taken]
        mark[pool[taken]] |= TAKEN
        filled += 1
    return filled


@njit(
    types.void(
        I64, I32, I64, I32, I32_2, U64, I32, types.int64,
        types.uint64[::1], types.uint8[::1], types.int32[::1], types.int32[:, ::1], types.int64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def candidates(user_start, user_items, start, users, history, seeds, inventory, rule, state, mark, pool, out, filled):
    """out[d, :filled[d]] = the candidates of draw d by `rule`, part after part, not shuffled yet.

    The inventory stands in ascending order of popularity; the fifths of QUINTILES are fifths of it without the history.
    """
    steps = 5 if rule == QUINTILES else 2
    length = out.shape[1]
    for d in range(out.shape[0]):
        state[0] = seeds[d]
        for a in range(start[d], start[d + 1]):
            for q in range(user_start[users[a]], user_start[users[a] + 1]):
                mark[user_items[q]] |= INTERACTED
        for j in range(history.shape[1]):
            mark[history[d, j]] |= HISTORY
        unseen = 0
        for i in range(inventory.shape[0]):
            unseen += mark[inventory[i]] & HISTORY == 0
        n = 0
        for step in range(steps):
            quota = length * (step + 1) // steps - length * step // steps
            n = _take(state, pool, _pool(rule, step, inventory, mark, unseen, pool), quota, mark, out[d], n)
        if n < length:
            n = _take(state, pool, _pool(rule, -1, inventory, mark, unseen, pool), length - n, mark, out[d], n)
        filled[d] = n
        mark[:] = 0


@njit(types.void(U64, types.uint64[::1], types.int32[:, ::1]), cache=True, nogil=True, error_model="numpy")
def shuffle(seeds, state, rows):
    """Shuffle each row in place with its own seed (Fisher-Yates)."""
    for d in range(rows.shape[0]):
        state[0] = seeds[d]
        for i in range(rows.shape[1] - 1, 0, -1):
            j = _below(state, i + 1)
            rows[d, i], rows[d, j] = rows[d, j], rows[d, i]


@njit(
    types.void(I64, I32, I64, I32, I32_2, types.int16[::1], types.int32[:, ::1], types.uint8[:, ::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def incidence(user_start, user_items, start, users, candidates, slot, counts, bits):
    """counts[d, i] = users of group d who interacted with candidate i; bits[a] = that user's row, least bit first.

    `slot` comes in and goes out filled with -1.
    """
    first = start[0]
    for d in range(candidates.shape[0]):
        for i in range(candidates.shape[1]):
            slot[candidates[d, i]] = i
        for a in range(start[d], start[d + 1]):
            for q in range(user_start[users[a]], user_start[users[a] + 1]):
                i = slot[user_items[q]]
                if i >= 0:
                    counts[d, i] += 1
                    bits[a - first, i >> 3] |= np.uint8(1 << (i & 7))
        for i in range(candidates.shape[1]):
            slot[candidates[d, i]] = -1


@njit(
    types.void(
        I64, I32, F32, I64, I32, I32_2, types.boolean,
        types.int16[::1], types.float64[::1], types.float64[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)  # fmt: skip
def targets(user_start, user_items, values, start, users, candidates, per_user, slot, row, out):
    """out[d] = the group's summed values over the candidates, divided by their sum; per_user: each user's row first.

    A user without any of the candidates has no row to normalise and is left out. `slot` is filled with -1, in and out.
    """
    for d in range(candidates.shape[0]):
        for i in range(candidates.shape[1]):
            slot[candidates[d, i]] = i
        for a in range(start[d], start[d + 1]):
            total = 0.0
            row[:] = 0.0
            for q in range(user_start[users[a]], user_start[users[a] + 1]):
                i = slot[user_items[q]]
                if i >= 0:
                    row[i] = values[q]
                    total += values[q]
            if total > 0.0:
                for i in range(candidates.shape[1]):
                    out[d, i] += row[i] / total if per_user else row[i]
        total = 0.0
        for i in range(candidates.shape[1]):
            slot[candidates[d, i]] = -1
            total += out[d, i]
        for i in range(candidates.shape[1]):
            out[d, i] /= total
