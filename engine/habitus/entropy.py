"""Entropy estimators: how uncertain a group's behaviour is (method, sections 1 and 6)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.threads import over_chunks

_CELLS_PER_CHUNK = 1 << 15


def plug_in(counts: ArrayLike, *, alpha: float | None = None) -> NDArray[np.float64]:
    """Entropy of each task's target, in nats.

    H[t] = -sum_i p[t, i] log p[t, i] with p = (n + alpha) / (sum n + alpha K); Saha & Choudhury (2025), eq. 1.

    Args:
        counts: (tasks, K) integers >= 0, at least one positive per row.
        alpha: pseudo-count, > 0. Default 1/K: one interaction shared by all candidates, the least that keeps every
            cross-entropy finite.

    Returns:
        (tasks,) float64 in [0, log K], nats. Divide by log(2) for bits.

    Raises:
        TypeError: counts are not integers.
        ValueError: counts are not 2-d, a count is negative (names task and candidate), a row is all zero, alpha <= 0.

    Example:
        >>> plug_in([[1, 1]])
        array([0.69314718])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.integer_matrix("counts", counts)
    added = arguments.pseudo_count(alpha, array.shape[1])
    out = np.empty(len(array))

    def work(first: int, last: int) -> None:
        kernels.plug_in(arguments.counts(array[first:last], range(first, last)), added, out[first:last])

    over_chunks(work, len(array), max(1, _CELLS_PER_CHUNK // array.shape[1]))
    return out
