"""Columns of lists, scored row by row: lists of any length and missing rows, which the engine's matrices cannot hold.

Every row stands for itself: the length of its own counts is K, that of its own ranking is N. So no result depends on
which rows come together in one call, and a table may be cut anywhere. Nothing is computed here: rows of one size are
handed to the engine together.
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import habitus
from habitus import arguments
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS, Fill

Array = NDArray[np.generic]
Results = tuple[Array, ...]
_Compute = Callable[..., Results]

# Says where a row is.
Place = Callable[[int], str]

SCORES = habitus.Scores._fields
REAL, SCORE_KINDS = (np.float64,), (np.float64,) * 4 + (np.int32,)

# Estimators that have a pseudo-count; the others would ignore it.
_SMOOTHED = ("plug-in", "dirichlet")


class Lists(NamedTuple):
    """A column called ``name``: row i holds the next ``sizes[i]`` of ``numbers``; -1 = the row is missing.

    ``numbers``: 1-d, or the rows of a matrix, in any order of memory. ``holes``, 1-d: which of them are missing, if one
    is; in ``ranking`` these are empty slots, in others refused.
    """

    name: str
    numbers: Array
    sizes: NDArray[np.integer]
    holes: NDArray[np.bool_] | None = None

    def matrix(self, which: NDArray[np.int64] | None = None) -> Array:
        """Rows of one size, all by default: then a view."""
        if which is None:
            # A matrix as it is: put into another order as a whole, it would cost twice as much as its scores.
            return self.numbers if self.numbers.ndim > 1 else self.numbers.reshape(len(self.sizes), int(self.sizes[0]))
        held = np.maximum(self.sizes, 0, dtype=np.int64)
        starts = np.cumsum(held) - held
        gathered: Array = self.numbers.reshape(-1)[starts[which][:, None] + np.arange(self.sizes[which[0]])]
        return gathered


class Found(NamedTuple):
    """Results, each (rows,); where ``missing``, they mean nothing. None: nothing is missing."""

    results: Results
    missing: NDArray[np.bool_] | None


class Computation(NamedTuple):
    """``of(*matrices, threads=)``, one matrix per column, gives one array per kind. ``costly``: 1,000 times as much."""

    of: Callable[..., Results]
    kinds: Sequence[type[np.generic]]
    costly: bool = False


def matrix_rows(name: str, matrix: Array) -> Lists:
    """The rows of a matrix."""
    return Lists(name, matrix, np.broadcast_to(np.int64(matrix.shape[1]), len(matrix)))


def in_batch(row: int) -> str:
    """Where a row is when only a batch of the table is seen."""
    return f"row {row} of its batch"


def entropy(estimator: str = "plug-in", alpha: float | None = None) -> Computation:
    """Entropy of counts by one of habitus.entropy.ESTIMATORS."""
    one_of("estimator", estimator, tuple(ESTIMATORS))
    options = {} if alpha is None else {"alpha": alpha}
    if alpha is not None and estimator not in _SMOOTHED:
        raise ValueError(f"alpha: expected none for {estimator}; only {' and '.join(_SMOOTHED)} have a pseudo-count")
    if alpha != 0 or estimator == "dirichlet":
        arguments.pseudo_count(alpha, 1)

    def of(counts: Array, *, threads: int | None) -> Results:
        return (ESTIMATORS[estimator](counts, threads=threads, **options),)

    return Computation(of, REAL, costly=estimator == "nsb")


def of_lists(length: int, alpha: float | None = None) -> Computation:
    """Entropy, chance and worst of counts, for lists of ``length``."""
    positive_length(length)
    arguments.pseudo_count(alpha, 1)

    def of(counts: Array, *, threads: int | None) -> Results:
        none = np.empty((0, length), np.int16)
        return habitus.score(counts, none, task=np.empty(0, np.int64), alpha=alpha, threads=threads)[:3]

    return Computation(of, REAL * 3)


def score(alpha: float | None = None, fill: Fill = "chance", length: int | None = None) -> Computation:
    """All of habitus.Scores, of counts and rankings; shorter rankings are filled with empty slots up to ``length``."""
    one_of("fill", fill, FILLS)
    arguments.pseudo_count(alpha, 1)
    if length is not None:
        positive_length(length)

    def of(counts: Array, rankings: Array, *, threads: int | None) -> Results:
        return habitus.score(counts, _of_length(rankings, length), alpha=alpha, fill=fill, threads=threads)

    return Computation(of, SCORE_KINDS)


def one_of(option: str, value: str, known: Sequence[str]) -> None:
    """Check an option that names something."""
    if value not in known:
        raise ValueError(f"{option}: expected one of {', '.join(known)}, got {value!r}")


def positive_length(length: int) -> None:
    """Check the length of lists."""
    if not isinstance(length, int | np.integer) or isinstance(length, bool) or length < 1:
        raise ValueError(f"length: expected a whole number of slots >= 1, got {length!r}")


def by_row(
    computation: Computation, columns: Sequence[Lists], *, threads: int | None, place: Place = in_batch
) -> Found:
    """Every row's results; a column of one row goes with all rows of the others.

    Raises:
        TypeError: a column is not of numbers of the kind expected.
        ValueError: the engine refused a row; the message says which, by ``place``, and what it holds.
    """
    rows = max((len(column.sizes) for column in columns), key=lambda size: size != 1)
    columns = [_repeated(_without_holes(column, place), rows) for column in columns]
    of = functools.partial(computation.of, threads=threads)
    sizes = [column.sizes for column in columns]
    # Before anything is copied: most columns are regular, and two passes over sizes cost a hundredth of the scores.
    if rows and all(_regular(size) for size in sizes):
        matrices = [column.matrix() for column in columns]
        return Found(_results(of, columns, matrices, place), None)
    missing = np.logical_or.reduce([size < 0 for size in sizes])
    results = tuple(np.zeros(rows, kind) for kind in computation.kinds)
    for which in _groups(sizes, np.flatnonzero(~missing)):
        matrices = [column.matrix(which) for column in columns]
        placed = functools.partial(_place_of, place, which)
        for whole, part in zip(results, _results(of, columns, matrices, placed), strict=True):
            whole[which] = part
    return Found(results, missing if missing.any() else None)


def _regular(sizes: NDArray[np.integer]) -> bool:
    ends = sizes[:1] if sizes.strides == (0,) else sizes
    return bool(ends.min() == ends.max() >= 0)


def _without_holes(column: Lists, place: Place) -> Lists:
    if column.holes is None or not column.holes.any():
        return column
    if column.name != "ranking":
        first, ends = int(column.holes.argmax()), np.cumsum(np.maximum(column.sizes, 0))
        row = int(np.searchsorted(ends, first, side="right"))
        within = first - int(ends[row]) + int(column.sizes[row])
        raise ValueError(
            f"{column.name}: expected a number for every candidate, {place(row)} has none for candidate {within}"
        )
    values = _signed(column.numbers.reshape(-1))
    return Lists(column.name, np.where(column.holes, values.dtype.type(-1), values), column.sizes)


def _place_of(place: Place, which: NDArray[np.int64], row: int) -> str:
    return place(int(which[row]))


def _repeated(column: Lists, rows: int) -> Lists:
    if len(column.sizes) == rows:
        return column
    if len(column.sizes) != 1:
        raise ValueError(f"{column.name}: expected {rows} rows, or one for all, got {len(column.sizes)}")
    return Lists(column.name, np.tile(column.numbers.reshape(-1), rows), np.broadcast_to(column.sizes[0], rows))


def _groups(sizes: Sequence[NDArray[np.integer]], rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows whose lists are of the same sizes."""
    if not len(rows):
        return []
    key = np.zeros(len(rows), np.int64)
    for size in sizes:
        key = key * (int(size.max()) + 1) + size[rows]
    order = np.argsort(key, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(key[order])) + 1)


def _results(of: _Compute, columns: Sequence[Lists], matrices: Sequence[Array], place: Place) -> Results:
    try:
        return of(*matrices)
    except ValueError as error:
        row, reason = _first_refused(of, matrices, error)
    where = place(row)
    # The engine was given this row alone, and calls it 0.
    text, named = re.subn(r"\b(?:task|row) 0\b", lambda _: where, reason)
    held = ", ".join(f"{column.name} {matrix[row].tolist()}" for column, matrix in zip(columns, matrices, strict=True))
    raise ValueError(f"{text if named else f'{text}, in {where}'} ({held})")


def _first_refused(of: _Compute, matrices: Sequence[Array], error: ValueError) -> tuple[int, str]:
    """The first row that the engine refuses, by halving, and why."""
    first, last, reason = 0, len(matrices[0]), str(error)
    while last - first > 1:
        middle = (first + last) // 2
        refused = _refused(of, [matrix[first:middle] for matrix in matrices])
        first, last = (first, middle) if refused else (middle, last)
    return first, _refused(of, [matrix[first:last] for matrix in matrices]) or reason


def _refused(of: _Compute, matrices: Sequence[Array]) -> str:
    try:
        of(*matrices)
    except ValueError as error:
        return str(error)
    return ""


def _of_length(rankings: Array, length: int | None) -> Array:
    rows, slots = rankings.shape
    if length is None or slots == length:
        if slots == 0:
            raise ValueError("rankings: expected at least one slot, got none")
        return rankings
    if slots > length:
        raise ValueError(f"rankings: expected at most {length} slots, got {slots}")
    rankings = _signed(rankings)
    padded = np.full((rows, length), -1, rankings.dtype if slots else np.int16)
    padded[:, :slots] = rankings
    return padded


def _signed(numbers: Array) -> Array:
    if not np.issubdtype(numbers.dtype, np.unsignedinteger):
        return numbers
    # The largest uint64 would become -1, an empty slot.
    return np.minimum(numbers, np.uint64(np.iinfo(np.int64).max)).astype(np.int64)
