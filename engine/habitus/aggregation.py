"""Means and variances of millions of values by group.

Sums are made in pieces that depend on the numbers of values and groups alone, and added in order, so that any number of
threads gives the same bits. Cutting the values into several calls may change the last digits, never the counts.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from habitus import arguments
from habitus.threads import over_chunks

Reals = NDArray[np.float64]

# Values per piece; and beyond so many groups neighbours are rarely of the same one, and rows cost more than they save.
_PIECE, _ROWS, _FEW = 1 << 17, 4, 4096


class GroupMeans(NamedTuple):
    """(groups,) mean, NaN where there is no value; (groups,) number of values that are not NaN."""

    mean: Reals
    count: NDArray[np.int64]  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


class GroupVariances(NamedTuple):
    """As ``GroupMeans``, and (groups,) variance, NaN where there are no more values than ``ddof``."""

    mean: Reals
    count: NDArray[np.int64]  # type: ignore[assignment]  # as in GroupMeans
    variance: Reals


def group_means(
    group: ArrayLike, values: ArrayLike, *, groups: int | None = None, threads: int | None = None
) -> GroupMeans:
    """Mean and number of the values of each group.

    Args:
        group: (values,) integers in [0, groups).
        values: (values,) numbers, NaN = missing: left out.
        groups: how many. Default: the largest in ``group``, and 1.
        threads: default one per core; the results do not depend on it.

    Raises:
        TypeError: group are not integers.
        ValueError: lengths differ, a group is not in [0, groups), or a value is infinite.

    Example:
        >>> group_means([0, 2, 0], [1.0, 5.0, 3.0]).mean
        array([ 2., nan,  5.])
    """
    from habitus.kernels import aggregation as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    codes, numbers, size = _grouped(group, values, groups)
    total, count = summed(
        lambda part, sums: kernels.group_sums(codes[part], numbers[part], sums), len(codes), size, threads
    ).T
    return GroupMeans(_quotient(total, count), count.astype(np.int64))


def group_variances(
    group: ArrayLike, values: ArrayLike, *, groups: int | None = None, ddof: int = 1, threads: int | None = None
) -> GroupVariances:
    """Mean, number and variance of the values of each group.

    variance = (sum d**2 - (sum d)**2 / n) / (n - ddof) with d = value - mean. The means come first and the differences
    from them second (Chan, Golub & LeVeque 1983, doi 10.1080/00031305.1983.10483115): a large mean takes no digits from
    the variance.

    Args:
        group: see ``group_means``.
        values: see ``group_means``.
        groups: see ``group_means``.
        ddof: 1 for the variance of a population from a sample of it, 0 for that of the values themselves.
        threads: see ``group_means``.

    Raises:
        TypeError: group are not integers.
        ValueError: as ``group_means``.

    Example:
        >>> group_variances([0, 1, 0], [1.0, 5.0, 3.0]).variance
        array([ 2., nan])
    """
    from habitus.kernels import aggregation as kernels  # noqa: PLC0415 - compiles on import: see kernels/__init__.py

    codes, numbers, size = _grouped(group, values, groups)
    mean, count = group_means(codes, numbers, groups=size, threads=threads)
    first, second = summed(
        lambda part, sums: kernels.group_squares(codes[part], numbers[part], mean, sums), len(codes), size, threads
    ).T
    squares = second - _quotient(first * first, count)
    return GroupVariances(mean, count, _quotient(np.maximum(squares, 0), count - ddof))


def summed(add: Callable[[slice, Reals], None], values: int, groups: int, threads: int | None) -> Reals:
    """(groups, 2) sums of what ``add(part, sums)`` adds to (rows, groups, 2) for every part of the values, in order."""
    rows = _ROWS if groups <= _FEW else 1
    piece = max(_PIECE, 16 * groups)
    sums = np.zeros((-(-values // piece), rows, groups, 2))
    over_chunks(lambda first, last: add(slice(first, last), sums[first // piece]), values, piece, threads)
    total: Reals = sums.sum(axis=(0, 1))
    return total


def _grouped(group: ArrayLike, values: ArrayLike, groups: int | None) -> tuple[NDArray[np.signedinteger], Reals, int]:
    codes, numbers = np.asarray(group), arguments.points("values", values)
    if codes.size and not np.issubdtype(codes.dtype, np.integer):
        raise TypeError(f"group: expected integers, got {codes.dtype}")
    if codes.shape != numbers.shape:
        raise ValueError(f"expected as many groups as values, got shapes {codes.shape} and {numbers.shape}")
    low, high = (int(codes.min()), int(codes.max())) if codes.size else (0, -1)
    size = high + 1 if groups is None else groups
    if low < 0 or high >= size:
        raise ValueError(f"group: expected integers in [0, {size}), got {low if low < 0 else high}")
    narrow = codes.dtype.itemsize < np.dtype(np.int64).itemsize and codes.dtype != np.uint32
    return np.ascontiguousarray(codes, dtype=np.int32 if narrow else np.int64), numbers, size


def _quotient(above: Reals, below: Reals | NDArray[np.int64]) -> Reals:
    """Element by element, NaN unless below is positive."""
    quotient: Reals = np.full(len(above), np.nan)
    return np.divide(above, below, out=quotient, where=np.greater(below, 0))
