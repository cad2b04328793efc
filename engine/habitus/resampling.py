"""Resamples of tasks: drawn with a seed, or as the caller weighs them. What the functions of uncertainty.py share.

A resample depends on the seed and its own number alone.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]
_Rows = Callable[[int, int], Reals]

_RESAMPLES = 1000
_CHUNK = 64
# Random words drawn at a time; their buffer stays in the fastest cache.
_WORDS = 1024
_LARGEST_SEED = 2**64 - 1


def multiplicities(resamples: int, tasks: int, *, seed: int, clusters: ArrayLike | None = None) -> NDArray[np.int32]:
    """How often each task comes in each resample: as many draws with replacement as there are tasks, or clusters.

    Args:
        resamples: how many, >= 0.
        tasks: how many.
        seed: in [0, 2**64).
        clusters: (tasks,) integers. Clusters are drawn in place of tasks, and a cluster's tasks come together.

    Returns:
        (resamples, tasks) int32. What ``bootstrap_curves`` and ``bootstrap_lowess`` draw with the same seed.

    Raises:
        TypeError: clusters are not integers.
        ValueError: a number or a shape is not as said.

    Example:
        >>> multiplicities(3, 1000, seed=1).sum(axis=1)
        array([1000, 1000, 1000])
    """
    if resamples < 0 or tasks < 0:
        raise ValueError(f"expected resamples and tasks >= 0, got {resamples} and {tasks}")
    rows = _drawn(tasks, seed, clusters)
    out = np.empty((resamples, tasks), np.int32)
    for first in range(0, resamples, _CHUNK):
        out[first : first + _CHUNK] = rows(first, min(first + _CHUNK, resamples))
    return out


class Points(NamedTuple):
    """x (1 or resamples, tasks) and y (1 or resamples, models, tasks), NaN where either is missing."""

    x: Reals
    y: Reals


class Sample(NamedTuple):
    """``rows(first, last)`` are the weights of some resamples; ``simple``: tasks drawn, not clusters; points that stay.

    ``whole``: all weights are whole numbers.
    """

    resamples: int
    rows: Callable[[int, int], Reals]
    whole: bool
    simple: bool
    seed: int


def points(entropy: ArrayLike, cross_entropies: ArrayLike) -> Points:
    """What callers pass as entropy and cross_entropies, checked."""
    x, y = (np.asarray(values, dtype=np.float64) for values in (entropy, cross_entropies))
    if x.ndim not in {1, 2} or y.ndim not in {2, 3} or x.shape[-1] != y.shape[-1] or not y.shape[-2]:
        raise ValueError(
            "expected entropy (tasks,) or (resamples, tasks) and cross_entropies (models, tasks) or "
            f"(resamples, models, tasks), got shapes {x.shape} and {y.shape}"
        )
    for name, values in (("entropy", x), ("cross_entropies", y)):
        if np.isinf(values).any():
            raise ValueError(f"{name}: expected finite numbers or NaN, got an infinite one")
    x, y = np.array(x, ndmin=2, copy=None), np.array(y, ndmin=3, copy=None)
    if np.isnan(x).any():
        y = np.where(np.isnan(x)[:, None], math.nan, y)
    return Points(np.ascontiguousarray(x), np.ascontiguousarray(y))


def sample(
    moving: Points, resamples: int | None, seed: int | None, weights: ArrayLike | None, clusters: ArrayLike | None
) -> Sample:
    """What callers say about resamples, checked: either seed or weights."""
    tasks, sizes = moving.x.shape[1], {len(part) for part in moving if len(part) != 1}
    if (seed is None) == (weights is None):
        raise ValueError("expected either seed= (tasks are drawn) or weights= (resamples, tasks)")
    if weights is None:
        rows, whole = _drawn(tasks, int(seed or 0), clusters), True
    else:
        if clusters is not None:
            raise ValueError("clusters: expected with seed= only; weights= say already how often each task counts")
        given = _weights(weights, tasks)
        sizes.add(len(given))
        whole = not (given % 1).any()

        def rows(first: int, last: int) -> Reals:
            return np.ascontiguousarray(given[first:last], dtype=np.float64)

    if resamples is not None:
        sizes.add(resamples)
    if len(sizes) > 1 or min(sizes, default=0) < 0:
        raise ValueError(f"expected one number of resamples, got {sorted(sizes)}")
    simple = weights is None and clusters is None and len(moving.x) == len(moving.y) == 1
    return Sample(min(sizes, default=_RESAMPLES), rows, whole, simple, int(seed or 0))


def patterns(missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(models,) the number of each model's set of missing points; missing: (models, ...). Rows are few and long."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in missing], np.int64)


def drawn(seed: int, first: int, last: int, place: NDArray[np.uint32], cells: int) -> NDArray[np.uint8]:
    """(last - first, cells): how often unit j comes in each of the resamples, at place[j]."""
    from habitus.kernels import resampling as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    times = np.empty((last - first, cells), np.uint8)
    kernels.multiplicities(np.uint64(seed), first, place, np.empty(_WORDS, np.uint64), times)
    return times


def _weights(values: ArrayLike, tasks: int) -> NDArray[np.generic]:
    given = np.asarray(values)
    if not (np.issubdtype(given.dtype, np.floating) or np.issubdtype(given.dtype, np.integer)):
        raise TypeError(f"weights: expected real numbers, got {given.dtype}")
    if given.ndim != 2 or given.shape[1] != tasks:  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"weights: expected shape (resamples, {tasks}), got {given.shape}")
    wrong = np.argwhere(~((given >= 0) & (given < math.inf)))
    if len(wrong):
        raise ValueError(f"weights: expected finite numbers >= 0, got {given[tuple(wrong[0])]} at {tuple(wrong[0])}")
    return given


def _drawn(tasks: int, seed: int, clusters: ArrayLike | None) -> _Rows:
    """Rows of multiplicities of the tasks."""
    if not 0 <= seed <= _LARGEST_SEED:
        raise ValueError(f"seed: expected an integer in [0, 2**64), got {seed}")
    member, units = _members(clusters, tasks)
    place = np.arange(units, dtype=np.uint32)

    def rows(first: int, last: int) -> Reals:
        times = drawn(seed, first, last, place, units)
        return (times if member is None else times[:, member]).astype(np.float64, order="C")

    return rows


def _members(clusters: ArrayLike | None, tasks: int) -> tuple[NDArray[np.int64] | None, int]:
    """The number of each task's cluster, and how many units are drawn."""
    if clusters is None:
        return None, tasks
    codes = np.asarray(clusters)
    if codes.size and not np.issubdtype(codes.dtype, np.integer):
        raise TypeError(f"clusters: expected integers, got {codes.dtype}")
    if codes.shape != (tasks,):
        raise ValueError(f"clusters: expected shape ({tasks},), got {codes.shape}")
    distinct, member = np.unique(codes, return_inverse=True)
    return member, len(distinct)
