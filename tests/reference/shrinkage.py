"""The Dirichlet-multinomial likelihood with SciPy's gamma functions, and where it is greatest."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

Reals = NDArray[np.float64]


def log_likelihood(counts: Reals, population: Reals, kappa: float) -> float:
    """Without the multinomial coefficient."""
    total, prior = counts.sum(axis=1), kappa * population
    of_cells = (gammaln(counts + prior) - gammaln(prior)).sum(axis=1)
    return float((gammaln(kappa) - gammaln(total + kappa) + of_cells).sum())


def slope(counts: Reals, population: Reals, kappa: float) -> float:
    total, prior = counts.sum(axis=1), kappa * population
    of_cells = (population * (digamma(counts + prior) - digamma(prior))).sum(axis=1)
    return float((digamma(kappa) - digamma(total + kappa) + of_cells).sum())


def concentration(counts: Reals, population: Reals, lowest: float, highest: float) -> float:
    """The best of a fine grid, and the root of the slope between its neighbours."""
    grid = np.geomspace(lowest, highest, 400)
    best = int(np.argmax([log_likelihood(counts, population, kappa) for kappa in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    if slope(counts, population, low) * slope(counts, population, high) > 0:
        return float(grid[best])
    at = brentq(lambda u: slope(counts, population, math.exp(u)), math.log(low), math.log(high), xtol=1e-14)
    return float(math.exp(at))
