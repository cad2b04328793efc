"""The engine in pandas. Importing this registers the accessor ``habitus`` of counts, in a Series or a DataFrame.

    series.habitus.entropy()                  a list of counts per row: objects (lists, arrays) or an Arrow list type
    frame[columns].habitus.score(rankings)    a column of counts per candidate

Everything is in nats; divide by math.log(2) for bits. Results have the index of the counts. Rankings are a Series of
lists or a DataFrame with a column per slot, which are put in the order of the counts by index, or an array, row by row.
Each row stands for itself: its counts are of K candidates, its ranking of N slots.

A row of counts that is missing, or has no ranking, is NaN in the result. A missing value in a ranking is an empty slot,
as -1 is; in counts it is refused, unless all of the row is missing. Whole numbers of which pandas made floats, because
some are missing, are integers again. Messages name rows by their labels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import habitus
from habitus.scoring import MIN_GAP, Fill
from habitus_bindings import rows

try:
    import pandas as pd  # type: ignore[import-untyped]
except ImportError:
    raise ImportError("habitus_bindings.pandas: expected pandas >= 2.2; pip install 'pandas>=2.2'") from None

__all__ = ["Habitus", "skill"]

# Floats of integers are exact below.
_WHOLE = 2**53

Table = Any  # a pandas Series or DataFrame: pandas has no types of its own


@pd.api.extensions.register_dataframe_accessor("habitus")
@pd.api.extensions.register_series_accessor("habitus")
class Habitus:
    """``counts.habitus``: scores of a Series of lists, or of a DataFrame with a column per candidate.

    Arguments of all methods:
        alpha: pseudo-count, > 0. Default 1/K (``dirichlet``: 1/2); in `entropy`, ``plug-in`` takes 0 as well.
        threads: default one per core. The result is the same to the bit.

    Raises:
        TypeError: a column holds anything but lists of integers.
        ValueError: an option out of range, or a row that the engine refuses: the message names it and shows it.
    """

    def __init__(self, counts: Table) -> None:
        self._counts = counts

    def entropy(self, *, estimator: str = "plug-in", alpha: float | None = None, threads: int | None = None) -> Table:
        """Entropy of each row's counts, a Series in nats: see habitus.entropy.

        Args:
            estimator: one of habitus.entropy.ESTIMATORS: ``plug-in``, ``miller-madow``, ``grassberger``, ``chao-shen``,
                ``james-stein``, ``dirichlet``, ``nsb``.
            alpha: see `Habitus`.
            threads: see `Habitus`.

        Example:
            >>> pd.Series([[1, 1], None], index=["a", "b"]).habitus.entropy(alpha=0).round(4).to_dict()
            {'a': 0.6931, 'b': nan}
        """
        found = rows.by_row(rows.entropy(estimator, alpha), [self._lists()], threads=threads, place=self._place)
        return self._series("entropy", found.results[0], found.missing)

    def chance(self, length: int, *, alpha: float | None = None, threads: int | None = None) -> Table:
        """Expected cross-entropy of a random list of ``length`` candidates, a Series in nats.

        Example:
            >>> pd.DataFrame([[9, 1, 0, 0]]).habitus.chance(2).round(4).to_list()
            [2.4791]
        """
        return self._of_lists("chance", 1, rows.of_lists(length, alpha), threads)

    def worst(self, length: int, *, alpha: float | None = None, threads: int | None = None) -> Table:
        """Largest cross-entropy that a list of ``length`` candidates can have, a Series in nats.

        Example:
            >>> pd.DataFrame([[9, 1, 0, 0]]).habitus.worst(2).round(4).to_list()
            [3.6655]
        """
        return self._of_lists("worst", 2, rows.of_lists(length, alpha), threads)

    def cross_entropy(
        self,
        rankings: Table | ArrayLike,
        *,
        fill: Fill = "chance",
        alpha: float | None = None,
        length: int | None = None,
        threads: int | None = None,
    ) -> Table:
        """Cross-entropy of each row's ranking, a Series in nats: a column of `score`."""
        return self.score(rankings, fill=fill, alpha=alpha, length=length, threads=threads)["cross_entropy"]

    def score(
        self,
        rankings: Table | ArrayLike,
        *,
        fill: Fill = "chance",
        alpha: float | None = None,
        length: int | None = None,
        threads: int | None = None,
    ) -> Table:
        """All scores of each row, in nats: see habitus.score.

        Args:
            rankings: candidates, best first; -1 or missing = empty slot. An array of one row is every row's.
            fill: what empty slots are given: ``chance``, ``optimistic``, ``worst``, or ``drop``, which gives NaN.
            alpha: see `Habitus`.
            length: N, where lists may be shorter: what is missing are empty slots. Default: each list's own length.
            threads: see `Habitus`.

        Returns:
            DataFrame of entropy, chance, worst, cross_entropy (float64) and valid (Int32, listed candidates).

        Example:
            >>> counts = pd.DataFrame([[9, 1, 0, 0]], index=["task"])
            >>> counts.habitus.score(pd.Series({"task": [1, 0]})).round(4).loc["task"].to_list()
            [0.5648, 2.4791, 3.6655, 2.0205, 2.0]
        """
        columns = [self._lists(), self._ranking(rankings)]
        found = rows.by_row(rows.score(alpha, fill, length), columns, threads=threads, place=self._place)
        named = zip(rows.SCORES, found.results, strict=True)
        scores = {name: _column(values, found.missing) for name, values in named}
        return pd.DataFrame(scores, index=self._counts.index, copy=False)

    def _of_lists(self, name: str, which: int, computation: rows.Computation, threads: int | None) -> Table:
        found = rows.by_row(computation, [self._lists()], threads=threads, place=self._place)
        return self._series(name, found.results[which], found.missing)

    def _lists(self) -> rows.Lists:
        return _lists("counts", self._counts)

    def _ranking(self, rankings: Table | ArrayLike) -> rows.Lists:
        """Of each row of the counts."""
        if not isinstance(rankings, pd.Series | pd.DataFrame):
            given = np.asarray(rankings)
            if given.ndim != 2:  # noqa: PLR2004 - rows and slots
                raise ValueError(f"rankings: expected an array of rows and slots, got shape {given.shape}")
            return rows.matrix_rows("ranking", given)
        if rankings.index.equals(self._counts.index):
            return _lists("ranking", rankings)
        if not rankings.index.is_unique:
            raise ValueError("rankings: expected the index of the counts, or one without duplicates to be aligned by")
        position = rankings.index.get_indexer(self._counts.index)
        held = _lists("ranking", rankings.iloc[position[position >= 0]])
        sizes = np.full(len(position), -1)
        sizes[position >= 0] = held.sizes
        return held._replace(sizes=sizes)

    def _place(self, row: int) -> str:
        label = self._counts.index[row]
        return f"row {label.item() if isinstance(label, np.generic) else label!r}"

    def _series(self, name: str, values: rows.Array, missing: NDArray[np.bool_] | None) -> Table:
        return pd.Series(_column(values, missing), index=self._counts.index, name=name, copy=False)


def skill(scores: Table, *, min_gap: float = MIN_GAP) -> habitus.Skill:
    """How far from chance towards perfect: habitus.skill over all rows of a frame that `Habitus.score` made.

    Rows without scores count as excluded. Of each model: ``scores.groupby(model).apply(lambda own: skill(own).value)``.

    Example:
        >>> skill(pd.DataFrame([[9, 1, 0, 0]]).habitus.score([[0, 1]])).value
        1.0
    """
    entropy, chance, worst, cross_entropy = (scores[name].to_numpy(np.float64) for name in rows.SCORES[:4])
    valid = scores["valid"].to_numpy(np.int32, na_value=0)
    return habitus.skill(habitus.Scores(entropy, chance, worst, cross_entropy, valid), min_gap=min_gap)


def _column(values: rows.Array, missing: NDArray[np.bool_] | None) -> Table:
    """As pandas holds numbers of which some are missing; not copied."""
    if np.issubdtype(values.dtype, np.integer):
        return pd.arrays.IntegerArray(values, np.zeros(len(values), bool) if missing is None else missing)
    if missing is not None:
        values[missing] = np.nan
    return values


def _lists(name: str, table: Table) -> rows.Lists:
    if isinstance(table, pd.DataFrame):
        return _of_frame(name, table)
    if isinstance(table.dtype, pd.ArrowDtype):
        from habitus_bindings import pyarrow_rows  # noqa: PLC0415 - other columns need no pyarrow

        return pyarrow_rows.lists(name, table.array.__arrow_array__())
    if table.dtype != object:
        raise TypeError(f"{name}: expected lists of integers, got {table.dtype}")
    missing = table.isna().to_numpy()
    cells = [np.asarray(cell) for cell in table.to_numpy()[~missing]]
    sizes = np.full(len(table), -1)
    sizes[~missing] = [_length(name, cell) for cell in cells]
    # An empty list is of floats to NumPy, and would make floats of all.
    return _with_holes(rows.Lists(name, _joined([cell for cell in cells if len(cell)]), sizes))


def _of_frame(name: str, frame: Table) -> rows.Lists:
    """A row per list. Counts that are all missing are a missing row; slots that are all empty are an empty list."""
    matrix = rows.matrix_rows(name, frame.to_numpy())
    lists = _with_holes(matrix)
    if lists.holes is None or name == "ranking":
        return lists
    absent = lists.holes.reshape(frame.shape).all(axis=1)
    kept = np.repeat(~absent, frame.shape[1])
    return rows.Lists(name, lists.numbers[kept], np.where(absent, -1, lists.sizes), lists.holes[kept])


def _length(name: str, cell: rows.Array) -> int:
    if cell.ndim != 1:
        raise TypeError(f"{name}: expected lists of integers, got a cell of shape {cell.shape}: {cell}")
    return len(cell)


def _joined(cells: Sequence[rows.Array]) -> rows.Array:
    return np.concatenate(cells) if cells else np.empty(0, np.int16)


def _with_holes(lists: rows.Lists) -> rows.Lists:
    """Missing values found, and whole numbers among them integers again."""
    kind, numbers = lists.numbers.dtype.kind, lists.numbers.reshape(-1)
    if kind not in "fO":
        return lists
    if kind == "O" and any(np.ndim(cell) for cell in numbers):
        raise TypeError(f"{lists.name}: expected numbers, got lists within; a column of lists is a Series: frame[name]")
    holes = pd.isna(numbers)
    known = np.where(holes, 0, numbers)
    if kind == "O":
        known = np.array(known.tolist())
    if not holes.any():
        return lists._replace(numbers=known)
    whole = known.dtype.kind == "f" and ((known == np.trunc(known)) & (np.abs(known) < _WHOLE)).all()
    return rows.Lists(lists.name, known.astype(np.int64) if whole else known, lists.sizes, holes)
