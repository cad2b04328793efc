"""Compiled loops over Dirichlet-multinomial likelihoods. Imports math and numba only (see kernels/__init__.py)."""

import math

from numba import njit, types

Matrix = types.Array(types.float64, 2, "C", readonly=True)

_STEPS = 8

# Called from kernels alone: without a wrapper for Python it compiles in half the time.
_piece = njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload]


@_piece
def _reciprocals(x):
    """1/x + 1/(x + 1) + ... over 8 steps, as the derivative of x (x + 1) ... divided by it: one division for eight."""
    product, slope = x, 1.0
    for j in range(1, _STEPS):
        slope = slope * (x + j) + product
        product *= x + j
    return slope / product


@_piece
def _tail(x):
    """Digamma(x) - log(x) for x >= 8 to 1e-12 (Abramowitz & Stegun 1964, 6.3.18)."""
    y = 1.0 / x
    z = y * y
    return -0.5 * y - z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))))


@_piece
def _digamma_step(a, n):
    """Digamma(a + n) - digamma(a); the logarithms are subtracted first, as a may be large beside n."""
    x, y = a + _STEPS, a + n + _STEPS
    return math.log1p(n / x) + _tail(y) - _tail(x) + _reciprocals(a) - _reciprocals(a + n)


@njit(types.void(Matrix, Matrix, types.float64, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def slopes(counts, population, kappa, out):
    """out[t] = derivative of task t's log likelihood by kappa; counts of 0 add nothing."""
    for t in range(counts.shape[0]):
        total = slope = 0.0
        for i in range(counts.shape[1]):
            n, p = counts[t, i], population[t, i]
            if n > 0.0:
                total += n
                slope += p * _digamma_step(kappa * p, n)
        out[t] = slope - _digamma_step(kappa, total)


@njit(types.void(Matrix, Matrix, types.float64, types.float64[::1]), cache=True, nogil=True, error_model="numpy")
def log_likelihoods(counts, population, kappa, out):
    """out[t] = log likelihood of task t, but for the multinomial coefficient, which kappa does not change."""
    for t in range(counts.shape[0]):
        total = value = 0.0
        for i in range(counts.shape[1]):
            n, a = counts[t, i], kappa * population[t, i]
            if n > 0.0:
                total += n
                value += math.lgamma(a + n) - math.lgamma(a)
        out[t] = value - (math.lgamma(kappa + total) - math.lgamma(kappa))
