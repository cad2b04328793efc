"""Shrink what a few users did towards the population: a Dirichlet prior whose weight all tasks tell together.

Empirical Bayes (method, section 2, `smoothing`): counts n of a task are Dirichlet-multinomial with the population's
shares as mean, and one concentration kappa for all tasks.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.threads import over_chunks

Reals = NDArray[np.float64]

LOWEST, HIGHEST = 1e-3, 1e9
_CELLS_PER_CHUNK = 1 << 15
# One per decade. The likelihood of one task has one maximum (Levin & Reeds 1977, doi 10.1214/aos/1176343741); that of
# small groups and a large one may have two, decades apart: 60 of 4,000 random tables did.
_POINTS = 13
_PRECISION = 1e-9
_MOST_STEPS = 60


def concentration(counts: ArrayLike, population: ArrayLike, *, threads: int | None = None) -> float:
    """How many users' worth of counts the population is to weigh: kappa of the greatest marginal likelihood.

    kappa maximises sum_t [log G(k) - log G(N_t + k) + sum_i log G(n_ti + k p_ti) - log G(k p_ti)], G the gamma function
    and N_t = sum_i n_ti: counts drawn from shares that vary between groups as a Dirichlet distribution with mean p and
    concentration k. Small: groups differ; large: they are the population but for chance. Minka (2000), "Estimating a
    Dirichlet distribution", eq. 53 onwards.

    Args:
        counts: (tasks, K) real numbers >= 0, whole or effective. A row of NaN, a task without counts, is left out.
        population: (tasks, K) float64 > 0, rows sum to 1: the shares in the whole data set.
        threads: default one per core. The result is the same for any number.

    Returns:
        kappa in [1e-3, 1e9]; the end of it that is more likely where there is no maximum inside, and 1e9 where no task
        has a total above 1, which says nothing about kappa.

    Raises:
        TypeError: not real numbers.
        ValueError: shapes differ, a count is negative or infinite, a share is not > 0, a row of them does not sum to 1.

    Example:
        >>> round(concentration([[9, 1], [1, 9]], [[0.5, 0.5], [0.5, 0.5]]), 3)
        1.341
    """
    from habitus.kernels import shrinkage as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    n, p = _pair(counts, population)
    informative = n.sum(axis=1) > 1  # of a row of NaN too this is False
    n, p = n[informative], p[informative]
    if not len(n):
        return HIGHEST

    def summed(kernel: Callable[..., None], kappa: float) -> float:
        out, chunk = np.empty(len(n)), max(1, _CELLS_PER_CHUNK // n.shape[1])
        over_chunks(lambda a, b: kernel(n[a:b], p[a:b], kappa, out[a:b]), len(n), chunk, threads)
        return float(out.sum())

    def slope(kappa: float) -> float:
        return kappa * summed(kernels.slopes, kappa)

    points = [(kappa, slope(kappa)) for kappa in np.geomspace(LOWEST, HIGHEST, _POINTS).tolist()]
    maxima = [_root(slope, low, high) for low, high in pairwise(points) if low[1] > 0 >= high[1]]
    maxima += [LOWEST] * (points[0][1] <= 0) + [HIGHEST] * (points[-1][1] > 0)
    return maxima[0] if len(maxima) == 1 else max(maxima, key=partial(summed, kernels.log_likelihoods))


def shrink(counts: ArrayLike, population: ArrayLike, kappa: ArrayLike) -> Reals:
    """Each group's shares, drawn towards the population's: (n + kappa p) / (sum n + kappa), the posterior mean.

    Args:
        counts: (tasks, K) real numbers >= 0, whole or effective.
        population: (tasks, K) float64 > 0, rows sum to 1.
        kappa: > 0, one for all tasks or (tasks,).

    Returns:
        (tasks, K) float64 > 0, rows sum to 1: the population where a group has no counts, NaN where counts are.

    Raises:
        TypeError: not real numbers.
        ValueError: as for ``concentration``, or kappa is not finite and > 0 or has another shape.

    Example:
        >>> shrink([[3, 1]], [[0.5, 0.5]], 4).tolist()
        [[0.625, 0.375]]
    """
    n, p = _pair(counts, population)
    weight = np.asarray(kappa, dtype=np.float64)
    if weight.ndim and weight.shape != (len(n),):
        raise ValueError(f"kappa: expected one number or shape ({len(n)},), got {weight.shape}")
    wrong = weight[~((weight > 0) & np.isfinite(weight))]
    if wrong.size:
        raise ValueError(f"kappa: expected finite numbers > 0, got {wrong[0]}")
    weight = weight.reshape(-1, 1)
    mixed: Reals = n + weight * p
    mixed /= mixed.sum(axis=1, keepdims=True)
    return mixed


def _root(slope: Callable[[float], float], low: tuple[float, float], high: tuple[float, float]) -> float:
    """Where the slope by log kappa, > 0 at low and <= 0 at high (kappa, slope), crosses 0.

    Ridders (1979), doi 10.1109/TCS.1979.1084580, on log kappa.
    """
    last = math.inf
    for _ in range(_MOST_STEPS):
        middle = math.sqrt(low[0] * high[0])
        at_middle = slope(middle)
        bend = math.sqrt(at_middle * at_middle - low[1] * high[1])
        if bend == 0:
            return middle
        kappa = middle * math.pow(middle / low[0], at_middle / bend)
        value = slope(kappa)
        if value == 0 or abs(kappa / last - 1) < _PRECISION:
            return kappa
        last = kappa
        points = sorted([low, (middle, at_middle), (kappa, value), high])
        low, high = next(pair for pair in pairwise(points) if pair[0][1] > 0 >= pair[1][1])
    return last


def _pair(counts: ArrayLike, population: ArrayLike) -> tuple[Reals, Reals]:
    n = np.ascontiguousarray(arguments.real_matrix("counts", counts), dtype=np.float64)
    p = arguments.real_matrix("population", population)
    if n.shape != p.shape:
        raise ValueError(f"expected counts and population of one shape, got {n.shape} and {p.shape}")
    wrong = np.argwhere((n < 0) | np.isinf(n))
    if len(wrong):
        task, candidate = wrong[0]
        raise ValueError(
            f"counts: expected finite numbers >= 0, got {n[task, candidate]} for task {task}, candidate {candidate}"
        )
    missing = np.isnan(n)
    partly = np.flatnonzero(missing.any(axis=1) & ~missing.all(axis=1))
    if len(partly):
        raise ValueError(
            f"counts: expected no NaN, or a row of it where a task has no counts; task {partly[0]} has some"
        )
    return n, arguments.distribution("population", p, range(len(p)), positive=True)
