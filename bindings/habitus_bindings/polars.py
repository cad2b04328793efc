"""The engine in Polars: expressions, for frames, lazy and streaming queries. Importing this registers the namespace.

    pl.col("counts").habitus.cross_entropy("ranking")        or        cross_entropy("counts", "ranking")

Both are the same; type checkers know the functions only. Columns are Array or List of integers. Everything is in nats;
divide by math.log(2) for bits. Each row stands for itself: its counts are of K candidates, its ranking of N slots. So
results do not depend, to the bit, on how a query is cut into batches, and the expressions are elementwise.

A null row is null in the result. A null in a ranking is an empty slot, as -1 is; in counts it is refused. Polars raises
our ValueError as it is, and adds the expression. Rows count within the batch that Polars was working on, so the message
shows what the row holds.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

import habitus
from habitus.scoring import MIN_GAP, Fill
from habitus_bindings import rows

try:
    import polars as pl
except ImportError:
    raise ImportError("habitus_bindings.polars: expected polars >= 2; pip install 'polars>=2'") from None

__all__ = ["Habitus", "bounded_skill", "chance", "cross_entropy", "entropy", "score", "skill", "worst"]

# An expression, or the name of a column.
Column = pl.Expr | str

# Rows of a batch of a streaming query, by default 100,000, and some.
_MORSEL = 1 << 17

# Rows of a chunk that is worth a call.
_CHUNK = 1 << 12

_Batch = Callable[[Sequence[pl.Series], int], pl.Series]
_Skill = Callable[..., habitus.Skill]

SCORES = pl.Struct(dict.fromkeys(rows.SCORES, pl.Float64()) | {"valid": pl.Int32()})
SKILL = pl.Struct({"value": pl.Float64(), "tasks": pl.Int64(), "excluded": pl.Int64()})


def entropy(counts: Column, *, estimator: str = "plug-in", alpha: float | None = None) -> pl.Expr:
    """Entropy of each row's counts, in nats: see habitus.entropy.

    Args:
        counts: Array or List of integers >= 0 (``dirichlet`` and ``nsb``: real numbers too), one at least positive.
        estimator: one of habitus.entropy.ESTIMATORS: ``plug-in``, ``miller-madow``, ``grassberger``, ``chao-shen``,
            ``james-stein``, ``dirichlet``, ``nsb``.
        alpha: pseudo-count of ``plug-in`` (default 1/K; 0: none) and ``dirichlet`` (default 1/2).

    Returns:
        Float64, null where counts are null.

    Raises:
        ValueError: an unknown estimator, alpha out of range; from the query, a row that the engine refuses.
        TypeError: from the query, a column of another type.

    Example:
        >>> frame = pl.DataFrame({"counts": [[1, 1], [3, 0], None]})
        >>> frame.select(entropy("counts", alpha=0)).to_series().round(4).to_list()
        [0.6931, 0.0, None]
    """
    return _values([counts], rows.entropy(estimator, alpha), 0)


def cross_entropy(
    counts: Column, ranking: Column, *, fill: Fill = "chance", alpha: float | None = None, length: int | None = None
) -> pl.Expr:
    """Cross-entropy of each row's ranking, in nats: see habitus.score.

    Args:
        counts: Array or List of integers >= 0, one at least positive.
        ranking: Array or List of candidates, best first; -1 or null = empty slot.
        fill: what empty slots are given: ``chance``, ``optimistic``, ``worst``, or ``drop``, which gives null.
        alpha: pseudo-count, > 0. Default 1/K.
        length: N, where rankings may be shorter: what is missing are empty slots. Default: each ranking's own length.

    Returns:
        Float64, null where counts or ranking are null.

    Raises:
        ValueError: an option out of range; from the query, a row that the engine refuses.
        TypeError: from the query, a column of another type.

    Example:
        >>> frame = pl.DataFrame({"counts": [[9, 1, 0, 0]], "ranking": [[1, 0]]})
        >>> frame.select(cross_entropy("counts", "ranking")).to_series().round(4).to_list()
        [2.0205]
    """
    return _values([counts, ranking], rows.score(alpha, fill, length), 3, drop=fill == "drop")


def chance(counts: Column, length: int, *, alpha: float | None = None) -> pl.Expr:
    """Expected cross-entropy of a random list of ``length`` candidates, in nats; the rest as `cross_entropy`.

    Example:
        >>> pl.select(chance(pl.lit(pl.Series([[9, 1, 0, 0]])), 2)).to_series().round(4).to_list()
        [2.4791]
    """
    return _values([counts], rows.of_lists(length, alpha), 1)


def worst(counts: Column, length: int, *, alpha: float | None = None) -> pl.Expr:
    """Largest cross-entropy that a list of ``length`` candidates can have, in nats; the rest as `cross_entropy`.

    Example:
        >>> pl.select(worst(pl.lit(pl.Series([[9, 1, 0, 0]])), 2)).to_series().round(4).to_list()
        [3.6655]
    """
    return _values([counts], rows.of_lists(length, alpha), 2)


def score(
    counts: Column, ranking: Column, *, fill: Fill = "chance", alpha: float | None = None, length: int | None = None
) -> pl.Expr:
    """All scores at once, for little more than one; arguments as `cross_entropy`.

    Returns:
        Struct of entropy, chance, worst, cross_entropy (Float64, nats) and valid (Int32, listed candidates).

    Example:
        >>> frame = pl.DataFrame({"counts": [[9, 1, 0, 0]], "ranking": [[1, None]]})
        >>> frame.select(score("counts", "ranking")).unnest("counts").select("chance", "valid").row(0)
        (2.47910067764868, 1)
    """
    computation = rows.score(alpha, fill, length)

    def of(batch: Sequence[pl.Series], threads: int) -> pl.Series:
        found = _found(batch, computation, threads)
        fields = [pl.Series(name, values) for name, values in zip(rows.SCORES, found.results, strict=True)]
        if fill == "drop":
            fields[3] = fields[3].fill_nan(None)
        return _with_nulls(pl.DataFrame(fields).to_struct(batch[0].name), found)

    return _elementwise([counts, ranking], of, SCORES, costly=computation.costly)


def skill(
    entropy: Column = "entropy",
    chance: Column = "chance",
    cross_entropy: Column = "cross_entropy",
    *,
    min_gap: float = MIN_GAP,
) -> pl.Expr:
    """How far from chance towards perfect, over all rows of a group: see habitus.skill. An aggregation.

    Args:
        entropy: nats, one row per ranking; so are the others.
        chance: nats.
        cross_entropy: nats; null = not counted.
        min_gap: nats; rows with chance - entropy below it are excluded.

    Returns:
        Struct of value (null where no row is left), tasks (rows it is from), excluded.

    Example:
        >>> frame = pl.DataFrame({"model": ["a", "a"], "entropy": 0.0, "chance": 1.0, "cross_entropy": [0.5, 0.25]})
        >>> frame.group_by("model").agg(skill()).unnest("entropy").row(0)
        ('a', 0.625, 2, 0)
    """
    return _skill(habitus.skill, [entropy, chance, chance, cross_entropy], min_gap)


def bounded_skill(
    entropy: Column = "entropy",
    chance: Column = "chance",
    worst: Column = "worst",
    cross_entropy: Column = "cross_entropy",
    *,
    min_gap: float = MIN_GAP,
) -> pl.Expr:
    """How far from worst towards perfect, over all rows of a group: see habitus.bounded_skill; else as `skill`."""
    return _skill(habitus.bounded_skill, [entropy, chance, worst, cross_entropy], min_gap)


@pl.api.register_expr_namespace("habitus")
class Habitus:
    """``pl.col("counts").habitus``: the functions of this module, of counts."""

    def __init__(self, counts: pl.Expr) -> None:
        self._counts = counts

    def entropy(self, *, estimator: str = "plug-in", alpha: float | None = None) -> pl.Expr:
        """See `entropy`."""
        return entropy(self._counts, estimator=estimator, alpha=alpha)

    def cross_entropy(
        self, ranking: Column, *, fill: Fill = "chance", alpha: float | None = None, length: int | None = None
    ) -> pl.Expr:
        """See `cross_entropy`."""
        return cross_entropy(self._counts, ranking, fill=fill, alpha=alpha, length=length)

    def chance(self, length: int, *, alpha: float | None = None) -> pl.Expr:
        """See `chance`."""
        return chance(self._counts, length, alpha=alpha)

    def worst(self, length: int, *, alpha: float | None = None) -> pl.Expr:
        """See `worst`."""
        return worst(self._counts, length, alpha=alpha)

    def score(
        self, ranking: Column, *, fill: Fill = "chance", alpha: float | None = None, length: int | None = None
    ) -> pl.Expr:
        """See `score`."""
        return score(self._counts, ranking, fill=fill, alpha=alpha, length=length)


def _values(inputs: Sequence[Column], computation: rows.Computation, which: int, *, drop: bool = False) -> pl.Expr:
    """One of the results."""

    def of(batch: Sequence[pl.Series], threads: int) -> pl.Series:
        found = _found(batch, computation, threads)
        values = pl.Series(batch[0].name, found.results[which])
        return _with_nulls(values.fill_nan(None) if drop else values, found)

    return _elementwise(inputs, of, pl.Float64(), costly=computation.costly)


def _elementwise(inputs: Sequence[Column], of: _Batch, kind: pl.DataType, *, costly: bool) -> pl.Expr:
    def whole(batch: Sequence[pl.Series]) -> pl.Series:
        rows = len(batch[0])
        # A streaming query works on several batches at once; a whole column comes alone.
        threads = pl.thread_pool_size() if rows > _MORSEL or costly else 1
        chunks = [series.chunk_lengths() for series in batch]
        if rows < _CHUNK * len(chunks[0]) or any(lengths != chunks[0] for lengths in chunks):
            return of(batch, threads)
        # Put together, chunks would be copied, which takes half as long as their scores.
        parts = zip(*(series.get_chunks() for series in batch), strict=True)
        return pl.concat([of(part, threads) for part in parts], rechunk=False)

    return pl.map_batches(inputs, whole, return_dtype=kind, is_elementwise=True)


def _found(batch: Sequence[pl.Series], computation: rows.Computation, threads: int) -> rows.Found:
    names = ("counts", "ranking")[: len(batch)]
    columns = [_lists(name, series) for name, series in zip(names, batch, strict=True)]
    return rows.by_row(computation, columns, threads=threads)


def _lists(name: str, series: pl.Series) -> rows.Lists:
    """The memory of a column, without a copy if it is of one chunk."""
    if not isinstance(series.dtype, pl.Array | pl.List):
        raise TypeError(f"{name}: expected lists of integers, got {series.dtype}")
    sizes = _sizes(series)
    if isinstance(series.dtype, pl.Array) and not series.null_count():
        # Takes a tenth of the 0.15 ms of explode, which counts in a chunk of few rows.
        held = series.reshape((-1,))
    else:
        held = series.explode(empty_as_null=False, keep_nulls=False)
    if held.dtype == pl.Null:
        held = held.cast(pl.Int8)
    if not held.dtype.is_numeric():
        raise TypeError(f"{name}: expected lists of integers, got {series.dtype}")
    if not held.null_count():
        return rows.Lists(name, held.to_numpy(), sizes)
    return rows.Lists(name, held.fill_null(0).to_numpy(), sizes, held.is_null().to_numpy())


def _sizes(series: pl.Series) -> NDArray[np.integer]:
    if isinstance(series.dtype, pl.Array):
        sizes: NDArray[np.integer] = np.broadcast_to(np.int64(series.dtype.size), len(series))
        return np.where(series.is_null().to_numpy(), -1, sizes) if series.null_count() else sizes
    lengths = series.list.len()
    # A cast of all costs 4 % of the scores.
    return (lengths.cast(pl.Int64).fill_null(-1) if lengths.null_count() else lengths).to_numpy()


def _with_nulls(values: pl.Series, found: rows.Found) -> pl.Series:
    if found.missing is None:
        return values
    present = pl.Series(~found.missing)
    return pl.select(pl.when(present).then(values).alias(values.name)).to_series()


def _skill(of: _Skill, inputs: Sequence[Column], min_gap: float) -> pl.Expr:
    def aggregate(batch: Sequence[pl.Series]) -> pl.Series:
        entropy, chance, worst, cross_entropy = (series.cast(pl.Float64).to_numpy() for series in batch)
        valid = np.zeros(len(entropy), np.int32)
        found = of(habitus.Scores(entropy, chance, worst, cross_entropy, valid), min_gap=min_gap)
        row = found._asdict() | {"value": found.value if found.tasks else None}
        return pl.Series(batch[0].name, [row], dtype=SKILL)

    return pl.map_batches(inputs, aggregate, return_dtype=SKILL, returns_scalar=True)
