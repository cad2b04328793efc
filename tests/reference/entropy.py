"""Entropy estimators one row at a time, from their definitions: exact fractions, and integrals by QUADPACK."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import betaln, digamma, polygamma

EULER = 0.57721566490153286


def _entropy(shares: Sequence[Fraction | float]) -> float:
    return -math.fsum(p * math.log(p) for p in map(float, shares) if p > 0)


def maximum_likelihood(row: Sequence[int]) -> float:
    return _entropy([Fraction(count, sum(row)) for count in row])


def miller_madow(row: Sequence[int]) -> float:
    return maximum_likelihood(row) + (sum(count > 0 for count in row) - 1) / (2 * sum(row))


def grassberger(row: Sequence[int]) -> float:
    """Harmonic numbers and the integral, as the source defines its G."""

    def g(n: int) -> float:
        harmonic = float(sum((Fraction(1, k) for k in range(1, n)), Fraction(0)))
        integral, _ = quad(lambda x: x ** (n - 1) / (x + 1), 0, 1, epsabs=1e-13, epsrel=1e-13)
        return harmonic - EULER + (-1) ** n * integral

    return math.log(sum(row)) - math.fsum(count * g(count) for count in row if count) / sum(row)


def chao_shen(row: Sequence[int]) -> float:
    n = sum(row)
    singletons = min(row.count(1), n - 1)
    shares = [(1 - Fraction(singletons, n)) * Fraction(count, n) for count in row if count]
    return math.fsum(-float(q) * math.log(q) / float(1 - (1 - q) ** n) for q in shares)


def james_stein(row: Sequence[int], target: Sequence[Fraction]) -> float:
    """The shrinkage that Hausser and Strimmer estimate: variances over squared distances."""
    n = sum(row)
    shares = [Fraction(count, n) for count in row]
    distance = sum((t - p) ** 2 for t, p in zip(target, shares, strict=True))
    if n == 1 or distance == 0:
        share = Fraction(1)
    else:
        share = min(Fraction(1), sum(p * (1 - p) / (n - 1) for p in shares) / distance)
    return _entropy([share * t + (1 - share) * p for t, p in zip(target, shares, strict=True)])


def dirichlet(row: Sequence[float], alpha: float) -> float:
    """Sum of E[-p log p], where each p is Beta(a, A - a)."""
    parameters = [count + alpha for count in row]
    total = sum(parameters)

    def expected(a: float) -> float:
        b = total - a

        def density(p: float) -> float:
            return -p * math.log(p) * math.exp((a - 1) * math.log(p) + (b - 1) * math.log1p(-p) - betaln(a, b))

        return _between(density, [0.0, a / total / 2, a / total, (1 + a / total) / 2, 1.0])

    return math.fsum(expected(a) for a in parameters) if len(row) > 1 else 0.0


def nsb(row: Sequence[int]) -> float:
    """The ratio of the two integrals over u = log beta, each by adaptive quadrature.

    Gamma(n + beta) / Gamma(beta) is the product of beta + j for j < n, here divided by beta**n.
    """
    n, K, kinds = sum(row), len(row), Counter(row)

    def log_weight(u: float) -> float:
        beta = math.exp(u)
        rises = math.fsum(times * np.log1p(np.arange(count) / beta).sum() for count, times in kinds.items())
        slope = K * polygamma(1, K * beta + 1) - polygamma(1, beta + 1) if beta < 1e6 else (1 - 1 / K) / 2 / beta**2
        return float(rises - np.log1p(np.arange(n) / (K * beta)).sum() + u + math.log(slope))

    def expected(u: float) -> float:
        a = np.array(row) + math.exp(u)
        return float(digamma(a.sum() + 1) - (a * digamma(a + 1)).sum() / a.sum())

    low, high = -math.log(K) - 30, math.log(n + 1) + 30
    top = minimize_scalar(lambda u: -log_weight(u), bounds=(low, high), method="bounded")
    places = sorted({low, *(top.x + step for step in (-8, -2, -0.5, 0, 0.5, 2, 8) if low < top.x + step < high), high})
    weight = _between(lambda u: math.exp(log_weight(u) + top.fun), places)
    return _between(lambda u: math.exp(log_weight(u) + top.fun) * expected(u), places) / weight


def _between(function: Callable[[float], float], places: Sequence[float]) -> float:
    return math.fsum(quad(function, *ends, epsabs=1e-13, epsrel=1e-12, limit=500)[0] for ends in pairwise(places))
