"""The engine inside DuckDB's SQL: `register(connection)` makes these functions, which are rows in, numbers out.

    habitus_entropy(counts [, estimator] [, alpha])           DOUBLE
    habitus_chance(counts, length [, alpha])                  DOUBLE
    habitus_worst(counts, length [, alpha])                   DOUBLE
    habitus_cross_entropy(counts, ranking [, fill] [, alpha]) DOUBLE
    habitus_score(counts, ranking [, fill] [, alpha])
        STRUCT(entropy DOUBLE, chance DOUBLE, worst DOUBLE, cross_entropy DOUBLE, valid INTEGER)
    habitus_skill(entropy, chance, cross_entropy)             DOUBLE, an aggregate
    habitus_bounded_skill(entropy, chance, worst, cross_entropy)

Nats; divide by ln(2) for bits. Counts and rankings are lists (INTEGER[]) or arrays (INTEGER[50]) of integers of any
width: nothing is cast. Text is told from numbers, so fill (or estimator) and alpha may come in any order or not at all;
NULL is the default, and each may be a column. Each row stands for itself: its counts are of K candidates, its ranking
of N slots; where rankings are stored shorter than they were asked for, `list_resize(ranking, N)` says so. A NULL row
gives NULL. A NULL in a ranking is an empty slot, as -1 is; in counts it is refused. Fill 'drop' gives NULL where a slot
is empty. An error is a duckdb.InvalidInputException that ends with our line; rows count within the batch of up to 2,048
that DuckDB was working on, so it shows what the row holds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from habitus.scoring import MIN_GAP
from habitus_bindings import rows

try:
    import duckdb
    import pyarrow as pa
    from duckdb import func

    from habitus_bindings import pyarrow_rows
except ImportError as error:
    raise ImportError(
        f"habitus_bindings.duckdb: expected duckdb >= 1.4 and pyarrow ({error}); pip install 'duckdb>=1.4' pyarrow"
    ) from None

__all__ = ["register"]

_SCORES = f"STRUCT({', '.join(f'{name} DOUBLE' for name in rows.SCORES[:4])}, valid INTEGER)"

# The same rows as in habitus.skill: a gap above 0, whatever the least one is.
_SKILL = """
    create or replace temp macro habitus_{name}(entropy, chance, {more}cross_entropy) as
    1 - sum(cross_entropy - entropy) filter (isfinite(cross_entropy) and chance > entropy and chance - entropy >= {gap})
    / sum({reference} - entropy) filter (isfinite(cross_entropy) and chance > entropy and chance - entropy >= {gap})
"""

_KNOWN = "select distinct function_name from duckdb_functions() where starts_with(function_name, 'habitus_')"

_Options = dict[str, Any]


class _Function(NamedTuple):
    """``usage`` begins with the name. ``word``: the option that is text. ``result``: the one wanted; None: a struct."""

    usage: str
    columns: tuple[str, ...]
    word: str
    computation: Callable[..., rows.Computation]
    result: int | None

    @property
    def name(self) -> str:
        """As SQL knows it."""
        return self.usage.split("(", maxsplit=1)[0]

    @property
    def kind(self) -> str:
        """The SQL type of what comes out."""
        return _SCORES if self.result is None else "DOUBLE"

    def batch(self, *given: pa.ChunkedArray) -> pa.Array:
        """The results of some rows."""
        named = self._named(given)
        lists = {name: named.pop(name) for name in self.columns if name != "length"}
        groups = _by_options(named, len(given[0]))
        if len(groups) == 1:
            return self._part(lists, groups[0][0], np.arange(len(given[0])))
        parts = []
        for options, which in groups:
            taken = {name: column.take(pa.array(which)) for name, column in lists.items()}
            parts.append(self._part(taken, options, which))
        order = np.argsort(np.concatenate([which for _, which in groups]))
        return pa.concat_arrays(parts).take(pa.array(order))

    def _named(self, given: Sequence[pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
        """Arguments; options are told by their types, whatever their order."""
        if len(given) < len(self.columns):
            raise TypeError(f"expected {self.usage}, got {len(given)} of these")
        named = dict(zip(self.columns, given, strict=False))
        for column in given[len(self.columns) :]:
            if pa.types.is_null(column.type):
                continue
            name = self.word if pa.types.is_string(column.type) else "alpha"
            if not name or name in named or not (name == self.word or _is_number(column.type)):
                raise TypeError(f"expected {self.usage}, got a further argument of {column.type}")
            named[name] = column
        return named

    def _part(self, lists: Mapping[str, pa.ChunkedArray], options: _Options, which: NDArray[np.int64]) -> pa.Array:
        """Rows that share their options; ``which`` they are in the batch."""
        if "length" in self.columns and "length" not in options:
            return pa.nulls(len(which), pa.float64())
        columns = [pyarrow_rows.lists(name, column) for name, column in lists.items()]
        found = rows.by_row(
            self.computation(**options), columns, threads=1, place=lambda row: rows.in_batch(int(which[row]))
        )
        if self.result is not None:
            return _nullable(found.results[self.result], found.missing)
        fields = [_nullable(values, found.missing) for values in found.results]
        mask = None if found.missing is None else pa.array(found.missing)
        return pa.StructArray.from_arrays(fields, rows.SCORES, mask=mask)


_FUNCTIONS = (
    _Function("habitus_entropy(counts [, estimator] [, alpha])", ("counts",), "estimator", rows.entropy, 0),
    _Function("habitus_chance(counts, length [, alpha])", ("counts", "length"), "", rows.of_lists, 1),
    _Function("habitus_worst(counts, length [, alpha])", ("counts", "length"), "", rows.of_lists, 2),
    _Function(
        "habitus_cross_entropy(counts, ranking [, fill] [, alpha])", ("counts", "ranking"), "fill", rows.score, 3
    ),
    _Function("habitus_score(counts, ranking [, fill] [, alpha])", ("counts", "ranking"), "fill", rows.score, None),
)


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions above in a connection; again is no error.

    Example:
        >>> connection = duckdb.connect()
        >>> register(connection)
        >>> connection.sql("select round(habitus_entropy([1, 1], 0), 4)").fetchall()
        [(0.6931,)]
    """
    known = connection.execute(_KNOWN).fetchall()
    for function in _FUNCTIONS:
        if (function.name,) not in known:
            connection.create_function(
                function.name,
                function.batch,
                None,  # any number of arguments, of any type
                function.kind,
                type=func.PythonUDFType.ARROW,
                null_handling=func.FunctionNullHandling.SPECIAL,
            )
    connection.execute(_SKILL.format(name="skill", more="", reference="chance", gap=MIN_GAP))
    connection.execute(_SKILL.format(name="bounded_skill", more="worst, ", reference="worst", gap=MIN_GAP))


def _by_options(columns: Mapping[str, pa.ChunkedArray], size: int) -> list[tuple[_Options, NDArray[np.int64]]]:
    """Rows that have the same options, mostly all of them; NULL is the default."""
    distinct = [column.unique() for column in columns.values()]
    if all(len(values) == 1 for values in distinct):
        return [(_given(columns, [values[0].as_py() for values in distinct]), np.arange(size))]
    which: dict[tuple[Any, ...], list[int]] = {}
    for row, values in enumerate(zip(*(column.to_pylist() for column in columns.values()), strict=True)):
        which.setdefault(values, []).append(row)
    return [(_given(columns, values), np.array(numbers)) for values, numbers in which.items()]


def _given(names: Iterable[str], values: Iterable[Any]) -> _Options:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _is_number(kind: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
    return any(test(kind) for test in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _nullable(values: rows.Array, missing: NDArray[np.bool_] | None) -> pa.Array:
    """NaN is what a cross-entropy that was dropped is in the engine; SQL's averages pass over NULL."""
    dropped = np.isnan(values)
    absent = dropped if missing is None else dropped | missing
    return pa.array(values, mask=absent) if absent.any() else pa.array(values)
