"""Entropy estimators: how uncertain a group's behaviour is (method, sections 1 and 6).

What the group would do is known from a few draws, and the entropy of a few draws is too low. Every estimator takes
counts (tasks, K) and returns (tasks,) nats; K, the number of candidates, is known. Results do not depend on `threads`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.threads import over_chunks

Reals = NDArray[np.float64]
Numbers = Sequence[int] | NDArray[np.int64]

_CELLS_PER_CHUNK = 1 << 15
_CELLS_PER_COSTLY_CHUNK = 1 << 12  # nsb takes a thousand times as long


def plug_in(counts: ArrayLike, *, alpha: float | None = None, threads: int | None = None) -> Reals:
    """Entropy of each task's target, in nats.

    H[t] = -sum_i p[t, i] log p[t, i] with p = (n + alpha) / (sum n + alpha K); Saha & Choudhury (2025), eq. 1.

    Args:
        counts: (tasks, K) integers >= 0, at least one positive per row.
        alpha: pseudo-count, >= 0; 0 is maximum likelihood. Default 1/K: one interaction shared by all candidates, the
            least that keeps every cross-entropy finite.
        threads: default one per core.

    Returns:
        (tasks,) float64 in [0, log K], nats. Divide by log(2) for bits.

    Raises:
        TypeError: counts are not integers.
        ValueError: counts are not 2-d, a count is negative (names task and candidate), a row is all zero, alpha < 0.

    Example:
        >>> plug_in([[1, 1]])
        array([0.69314718])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.integer_matrix("counts", counts)
    added = 0.0 if alpha == 0 else arguments.pseudo_count(alpha, array.shape[1])
    return _each(lambda rows, out: kernels.plug_in(rows, added, out), array, arguments.counts, threads)


def miller_madow(counts: ArrayLike, *, threads: int | None = None) -> Reals:
    """Maximum likelihood plus the first term of its bias, in nats.

    H = -sum p log p + (m - 1) / (2 n) with p = n_i / n and m the candidates that were seen; Miller (1955), "Note on the
    bias of information estimates". It may exceed log K.

    Args, Raises: as for `plug_in`.

    Example:
        >>> miller_madow([[1, 1]])
        array([0.94314718])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.integer_matrix("counts", counts)
    return _each(kernels.miller_madow, array, arguments.counts, threads)


def grassberger(counts: ArrayLike, *, threads: int | None = None) -> Reals:
    """Grassberger's second estimator, in nats.

    H = log n - (1/n) sum_i n_i G(n_i) with G(n) = psi(n) + (-1)**n integral_0^1 x**(n - 1) / (x + 1) dx, which is
    log 2 + psi(floor(n / 2) + 1/2); Grassberger (2003), arXiv physics/0307138, eq. 35. K is not used: the estimate may
    exceed log K, and be negative where nearly all draws fell on one candidate.

    Args, Raises: as for `plug_in`.

    Example:
        >>> grassberger([[1, 1]])
        array([1.96351003])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.integer_matrix("counts", counts)
    return _each(kernels.grassberger, array, arguments.counts, threads)


def chao_shen(counts: ArrayLike, *, threads: int | None = None) -> Reals:
    """Horvitz-Thompson's sum with Good's coverage, in nats.

    H = -sum_i q_i log q_i / (1 - (1 - q_i)**n) with q = C n_i / n and C = 1 - f_1 / n, f_1 the candidates seen once;
    Chao & Shen (2003), doi 10.1023/A:1026096204727. Where every candidate was seen once at most, f_1 = n - 1 keeps C
    positive, as in R's `entropy`. K is not used: the estimate may exceed log K.

    Args, Raises: as for `plug_in`.

    Example:
        >>> chao_shen([[2, 1, 1]]).round(6)
        array([1.76324])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.integer_matrix("counts", counts)
    return _each(kernels.chao_shen, array, arguments.counts, threads)


def james_stein(counts: ArrayLike, *, target: ArrayLike | None = None, threads: int | None = None) -> Reals:
    """Entropy of the frequencies shrunk to a target, in nats.

    H = -sum q log q with q = s target + (1 - s) p, p = n_i / n, and the share that makes the expected squared error of
    q least, s = (1 - sum p**2) / ((n - 1) sum (target - p)**2) cut to [0, 1] (1 for n = 1); Hausser & Strimmer (2009),
    J. Mach. Learn. Res. 10, 1469.

    Args:
        counts: as for `plug_in`.
        target: (K,) or (tasks, K), >= 0, rows sum to 1: what is known beforehand, as the whole population's behaviour.
            Default 1/K each, as in the source.
        threads: default one per core.

    Returns:
        (tasks,) float64 in [0, log K], nats.

    Raises:
        TypeError, ValueError: as for `plug_in`; target is no distribution, or of another shape.

    Example:
        >>> james_stein([[4, 0]])
        array([0.])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.integer_matrix("counts", counts)
    towards = _target(target, array.shape)
    out = np.empty(len(array))

    def work(first: int, last: int) -> None:
        rows = arguments.counts(array[first:last], range(first, last))
        kernels.james_stein(rows, np.ascontiguousarray(towards[first:last]), out[first:last])

    over_chunks(work, len(array), max(1, _CELLS_PER_CHUNK // array.shape[1]), threads)
    return out


def dirichlet(counts: ArrayLike, *, alpha: float = 0.5, threads: int | None = None) -> Reals:
    """Posterior mean of the entropy under a Dirichlet prior, in nats.

    E[H | n] = psi(A + 1) - sum_i (a_i / A) psi(a_i + 1) with a_i = n_i + alpha, A = sum a; Wolpert & Wolf (1995),
    doi 10.1103/PhysRevE.52.6841. Not the entropy of the mean distribution, which is `plug_in(counts, alpha=alpha)`.

    Args:
        counts: (tasks, K) real numbers >= 0, at least one positive per row; effective counts need not be whole.
        alpha: pseudo-count, > 0. Default 1/2, Jeffreys' prior.
        threads: default one per core.

    Returns:
        (tasks,) float64 in [0, log K], nats.

    Raises:
        TypeError: counts are not real numbers.
        ValueError: counts are not 2-d, a count is negative or not finite (names task and candidate), a row is all zero,
            alpha <= 0.

    Example:
        >>> dirichlet([[1.5, 0.5]], alpha=1.0).round(6)
        array([0.552961])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.real_matrix("counts", counts)
    added = arguments.pseudo_count(alpha, array.shape[1])
    return _each(lambda rows, out: kernels.dirichlet(rows, added, out), array, _effective, threads)


def nsb(counts: ArrayLike, *, threads: int | None = None) -> Reals:
    """Posterior mean of the entropy under a prior that is nearly flat over entropies, in nats.

    A Dirichlet prior all but fixes the entropy before a count is seen. So its beta is unknown here, and the entropy
    that it expects, xi = psi(K beta + 1) - psi(beta + 1), is uniform on [0, log K]:

    H = integral E[H | n, beta] rho(n | beta) dxi / integral rho(n | beta) dxi,
    rho = Gamma(K beta) / Gamma(n + K beta) prod_i Gamma(n_i + beta) / Gamma(beta);

    Nemenman, Shafee & Bialek (2002), arXiv physics/0108025. Within 1e-9 of the exact integrals for n up
    to 1e6 and K up to 1024.

    Args:
        counts: as for `dirichlet`.
        threads: default one per core.

    Returns:
        (tasks,) float64 in [0, log K], nats.

    Raises:
        TypeError, ValueError: as for `dirichlet`.

    Example:
        >>> nsb([[3, 2, 0, 0]]).round(6)
        array([0.905063])
    """
    from habitus.kernels import entropy as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    array = arguments.real_matrix("counts", counts)
    K = array.shape[1]

    def kernel(rows: Reals, out: Reals) -> None:
        if K == 1:
            out[:] = 0.0
        else:
            kernels.nsb(np.sort(rows, axis=1), np.empty((2, K)), out)

    return _each(kernel, array, _effective, threads, _CELLS_PER_COSTLY_CHUNK)


class Estimator(Protocol):
    """Counts (tasks, K) to nats (tasks,)."""

    def __call__(self, counts: ArrayLike, *, threads: int | None = None) -> Reals:
        """Estimate each task's entropy."""


ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        "plug-in": plug_in,
        "miller-madow": miller_madow,
        "grassberger": grassberger,
        "chao-shen": chao_shen,
        "james-stein": james_stein,
        "dirichlet": dirichlet,
        "nsb": nsb,
    }
)


def _each(
    kernel: Callable[[Reals, Reals], None],
    array: NDArray[np.generic],
    checked: Callable[..., Reals],
    threads: int | None,
    cells: int = _CELLS_PER_CHUNK,
) -> Reals:
    """Run kernel(rows, out) over chunks of rows, checked and made float64."""
    out = np.empty(len(array))

    def work(first: int, last: int) -> None:
        kernel(checked(array[first:last], range(first, last)), out[first:last])

    over_chunks(work, len(array), max(1, cells // array.shape[1]), threads)
    return out


def _effective(rows: NDArray[np.floating], numbers: Numbers) -> Reals:
    """Rows of real-valued counts as float64, each checked. ``numbers`` are theirs in the caller's array."""
    wrong = np.argwhere(~((rows >= 0) & np.isfinite(rows)))
    if len(wrong):
        task, candidate = wrong[0]
        raise ValueError(
            f"counts: expected finite counts >= 0, got {rows[task, candidate]} "
            f"for task {numbers[task]}, candidate {candidate}"
        )
    empty = np.flatnonzero(~rows.any(axis=1))
    if len(empty):
        raise ValueError(
            f"counts: expected a positive count in every row, task {numbers[empty[0]]} has none; leave it out"
        )
    return np.ascontiguousarray(rows, dtype=np.float64)


def _target(target: ArrayLike | None, shape: tuple[int, ...]) -> Reals:
    if target is None:
        return np.broadcast_to(1 / shape[1], shape)
    given = np.atleast_2d(np.asarray(target))
    if given.shape not in {shape, (1, shape[1])}:
        raise ValueError(f"target: expected shape ({shape[1]},) or {shape}, got {np.shape(target)}")
    rows = arguments.distribution("target", arguments.real_matrix("target", given), range(len(given)), positive=False)
    return np.broadcast_to(rows, shape)
