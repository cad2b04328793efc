"""Compiled loops that turn what a group did into distributions. Imports numba only (see kernels/__init__.py)."""

from numba import njit, types

I32 = types.Array(types.int32, 1, "C", readonly=True)
I64 = types.Array(types.int64, 1, "C", readonly=True)
F32 = types.Array(types.float32, 1, "C", readonly=True)
I32_2 = types.Array(types.int32, 2, "C", readonly=True)


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
