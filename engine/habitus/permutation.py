"""Could the difference between two models be chance? Paired sign-flip permutation of clusters (method, section 6).

If neither of two models is better, swapping their scores within a cluster is as likely as not: each cluster's summed
difference may as well have the other sign. The test asks how often random signs give a sum as far from zero as the one
observed (Fisher 1935, The Design of Experiments, section 21). It holds for any distribution of the differences.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.threads import over_chunks, share

Reals = NDArray[np.float64]

_LANES = 64
_BLOCKS = 16
_LARGEST_SEED = 2**64 - 1
# Sums of C numbers err by less than C eps times the sum of their sizes: 2e-11 for 100,000 clusters. A sum that ties but
# for rounding counts as a tie; of continuous sums fewer than one in a million lies so near.
_ROUNDING = 1e-10


class SignFlips(NamedTuple):
    """Differences between all pairs of models, and how often chance alone is as large.

    Attributes:
        difference: (models, models) float64, model a's total less model b's, in the unit of the totals.
        p_value: (models, models) float64 in (0, 1], two-sided, symmetric, 1 on the diagonal.
        flips: how many sign patterns were looked at.
        exact: whether these were all there are.
    """

    difference: Reals
    p_value: Reals
    flips: int
    exact: bool


def sign_flips(totals: ArrayLike, *, resamples: int = 99_999, seed: int, threads: int | None = None) -> SignFlips:
    """Paired sign-flip permutation test of every pair of models; all pairs share the flips.

    With D[c] = totals[a, c] - totals[b, c], S = sum_c D[c] and S* = sum_c s[c] D[c] for signs s of +1 or -1,

        p = (1 + #{|S*| >= |S|}) / (1 + R)    R random patterns (Phipson & Smyth 2010, doi 10.2202/1544-6115.1585),
        p = #{|S*| >= |S|} / 2^C              all patterns, where there are no more than ``resamples``.

    Args:
        totals: (models, clusters) finite: each model's scores summed over the tasks of a cluster, the same tasks for
            all models. What all models have in common, as the entropy, cancels.
        resamples: R, >= 1. By default p goes down to 1e-5, so that it can pass a correction for many pairs.
        seed: in [0, 2**64). A pattern depends on the seed and its own number alone.
        threads: default one per core; the result does not depend on it.

    Raises:
        TypeError: totals are not real numbers.
        ValueError: totals are not 2-d and finite (names model and cluster) with two models and a cluster, or a number
            is out of its range.

    Example:
        >>> found = sign_flips([[1.0, 2.0, 3.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0]], seed=0)
        >>> found.difference[0, 1], found.p_value[0, 1], found.exact
        (np.float64(9.0), np.float64(0.0625), True)
    """
    given = _checked(totals)
    if resamples < 1:
        raise ValueError(f"resamples: expected at least 1, got {resamples}")
    if not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"seed: expected an integer in [0, 2**64), got {seed}")
    clusters = given.shape[1]
    exact = clusters < resamples.bit_length()
    flips = 2**clusters if exact else resamples
    # Pairs do not see what models share, and sums of small numbers are rounded less.
    centred = given - given.mean(axis=0)
    sums, sizes = centred.sum(axis=1), np.abs(centred).sum(axis=1)
    difference = sums[:, None] - sums
    limits = np.abs(difference) - _ROUNDING * (sizes[:, None] + sizes)
    far = _far(np.ascontiguousarray(centred.T), limits, seed, flips, exact=exact, threads=threads)
    p_value = far / flips if exact else (1 + far) / (1 + flips)
    np.fill_diagonal(p_value, 1.0)
    return SignFlips(difference, p_value, flips, exact)


def _checked(totals: ArrayLike) -> Reals:
    given = np.asarray(arguments.real_matrix("totals", totals), np.float64)
    if len(given) < 2:  # noqa: PLR2004 - a pair
        raise ValueError(f"totals: expected at least two models, got {len(given)}")
    wrong = np.argwhere(~np.isfinite(given))
    if len(wrong):
        model, cluster = wrong[0]
        raise ValueError(
            f"totals: expected finite numbers, got {given[model, cluster]} for model {model}, cluster {cluster}"
        )
    return given


def _far(totals: Reals, limits: Reals, seed: int, flips: int, *, exact: bool, threads: int | None) -> NDArray[np.int64]:
    """(models, models) how many flips lie as far out as the limits."""
    from habitus.kernels import permutation as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    models = len(limits)
    blocks = -(-flips // _LANES)
    counts: list[NDArray[np.int64]] = []

    def work(first: int, last: int) -> None:
        signs, sums, out = np.empty(_LANES), np.empty((models, _LANES)), np.zeros((models, models), np.int64)
        ends = first * _LANES, min(last * _LANES, flips)
        kernels.exceedances(totals, limits, np.uint64(seed), exact, *ends, signs, sums, out)
        counts.append(out)

    over_chunks(work, blocks, share(blocks, _BLOCKS, threads), threads)
    far = np.sum(counts, axis=0)
    return np.asarray(far + far.T)
