"""Compiled loops for entropies. Imports math, numpy and numba only (see kernels/__init__.py)."""

import math

from numba import njit, types

Matrix = types.Array(types.float64, 2, "C", readonly=True)


@njit(types.void(Matrix, types.float64, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def plug_in(counts, alpha, out):
    """out[t] = -sum_i p[t, i] log p[t, i], p[t, i] = (counts[t, i] + alpha) / (sum_i counts[t, i] + alpha K), nats."""
    tasks, K = counts.shape
    for t in range(tasks):
        total = alpha * K
        for i in range(K):
            total += counts[t, i]
        entropy = 0.0
        for i in range(K):
            p = (counts[t, i] + alpha) / total
            entropy -= p * math.log(p)
        out[t] = entropy
