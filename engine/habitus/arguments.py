"""Checks of what callers pass in, shared by the public functions: TypeError for the kind, ValueError for the content.

Nothing here computes a score. A message says what was expected and what came.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

AnyArray = NDArray[np.generic]

# Rows of probabilities sum to 1 within this.
_ROUNDING = 1e-9


def integer_matrix(name: str, values: ArrayLike) -> NDArray[np.integer]:
    """A 2-d array of integers, unchanged where it is one already."""
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    _matrix(name, array)
    return array


def real_matrix(name: str, values: ArrayLike) -> NDArray[np.floating]:
    """A 2-d array of real numbers."""
    array = np.asarray(values)
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise TypeError(f"{name}: expected real numbers, got {array.dtype}")
    _matrix(name, array)
    return array


def pseudo_count(alpha: float | None, candidates: int) -> float:
    """``alpha``, or its default: one interaction shared by all candidates."""
    if alpha is None:
        return 1 / candidates
    if not (alpha > 0 and math.isfinite(alpha * candidates)):
        raise ValueError(f"alpha: expected a finite pseudo-count > 0, got {alpha}")
    return float(alpha)


def counts(rows: NDArray[np.integer], numbers: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows of counts as float64, each checked. ``numbers`` are theirs in the caller's array."""
    negative = np.argwhere(rows < 0)
    if len(negative):
        task, candidate = negative[0]
        raise ValueError(
            f"counts: expected counts >= 0, got {rows[task, candidate]} for task {numbers[task]}, candidate {candidate}"
        )
    empty = np.flatnonzero(~rows.any(axis=1))
    if len(empty):
        raise ValueError(
            f"counts: expected a positive count in every row, task {numbers[empty[0]]} has none; leave it out"
        )
    return np.ascontiguousarray(rows, dtype=np.float64)


def distribution(
    name: str, rows: NDArray[np.floating], numbers: Sequence[int] | NDArray[np.int64], *, positive: bool
) -> NDArray[np.float64]:
    """Rows of probabilities as float64, each checked: finite, >= 0 (or > 0), sum 1 within 1e-9."""
    array = np.ascontiguousarray(rows, dtype=np.float64)
    allowed = array > 0 if positive else array >= 0
    wrong = np.argwhere(~(allowed & np.isfinite(array)))
    if len(wrong):
        task, candidate = wrong[0]
        raise ValueError(
            f"{name}: expected finite numbers {'>' if positive else '>='} 0, "
            f"got {array[task, candidate]} for task {numbers[task]}, candidate {candidate}"
        )
    total = array.sum(axis=1)
    unnormalised = np.flatnonzero(np.abs(total - 1) > _ROUNDING)
    if len(unnormalised):
        task = unnormalised[0]
        raise ValueError(
            f"{name}: expected rows that sum to 1, task {numbers[task]} sums to {total[task]}; divide by it"
        )
    return array


def task_of_rows(task: ArrayLike | None, rows: int, tasks: int) -> NDArray[np.int64]:
    """The task of each ranking; by default ranking s is about task s."""
    if task is None:
        if rows != tasks:
            raise ValueError(f"expected one ranking per task ({tasks}), got {rows}; say which is whose with task=")
        return np.arange(tasks)
    array = np.asarray(task)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"task: expected integers, got {array.dtype}")
    if array.shape != (rows,):
        raise ValueError(f"task: expected shape ({rows},), one task per ranking, got {array.shape}")
    outside = np.flatnonzero((array < 0) | (array >= tasks))
    if len(outside):
        row = outside[0]
        raise ValueError(f"task: expected numbers in [0, {tasks}), got {array[row]} for ranking {row}")
    return np.ascontiguousarray(array, dtype=np.int64)


def points(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """A 1-d float64 array, NaN allowed (missing), infinity not."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected a 1-d array, got shape {array.shape}")
    if np.isinf(array).any():
        raise ValueError(
            f"{name}: expected finite numbers, got {array[np.isinf(array)][0]} at {np.isinf(array).argmax()}"
        )
    return array


def _matrix(name: str, array: AnyArray) -> None:
    if array.ndim != 2 or array.shape[1] == 0:  # noqa: PLR2004 - a matrix has two dimensions
        raise ValueError(f"{name}: expected a 2-d array with at least one column, got shape {array.shape}")
