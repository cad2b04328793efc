"""Every public function of the engine on Arrow columns: what has ``__arrow_c_array__`` goes in, and comes out.

pyarrow, Polars, pandas 3, DuckDB, nanoarrow, arro3: whatever exports Arrow is a column, and NumPy arrays still do. What
comes out is NumPy's memory, without a copy. Nothing is computed here.

    from habitus_bindings import arrow
    scores = arrow.score(table["counts"], table["ranking"])
    pyarrow.table(scores.table())
"""

import contextlib
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

import habitus
from habitus import Skill
from habitus.scoring import MIN_GAP, Fill
from habitus_bindings import columns
from habitus_bindings.columns import Column, Table
from habitus_bindings.layouts import AnyArray

__all__ = [
    "Scores",
    "Skill",
    "aggregation",
    "bounded_skill",
    "cross_entropy",
    "curves",
    "entropy",
    "interactions",
    "inversion",
    "members",
    "permutation",
    "proxies",
    "resampling",
    "sampling",
    "score",
    "score_values",
    "shrinkage",
    "skill",
    "table",
    "uncertainty",
]

# Rankings have empty slots; among real numbers NaN is missing; nothing else may be null.
_EMPTY = {"rankings": -1}
# Candidates of a chunk that is worth a call of its own: 100 chunks of 10^4 rankings of 50 cost 1.2 times as much as one
# array; to join them first, 1.6 times.
_CELLS = 1 << 18


class ExportsArray(Protocol):
    """A column of one chunk."""

    def __arrow_c_array__(self, requested_schema: Any = ...) -> tuple[object, object]:  # noqa: ANN401 - a capsule
        """The capsules of its type and its memory."""


class ExportsStream(Protocol):
    """A column of chunks."""

    def __arrow_c_stream__(self, requested_schema: Any = ...) -> object:  # noqa: ANN401 - a capsule
        """The capsule of a stream."""


Values = ExportsArray | ExportsStream | ArrayLike


class _Scores(NamedTuple):
    entropy: Column
    chance: Column
    worst: Column
    cross_entropy: Column
    valid: Column


class Scores(_Scores):
    """``habitus.Scores`` as columns, in nats; it exports itself as the table that ``table`` makes."""

    _task: AnyArray | None = None

    def table(self) -> Table:
        """One row per ranking: entropy, chance and worst of its task, cross_entropy, valid."""
        of_tasks = {name: getattr(self, name) for name in ("entropy", "chance", "worst")}
        if self._task is not None:
            of_tasks = {name: column[self._task] for name, column in of_tasks.items()}
        return Table(of_tasks | {"cross_entropy": self.cross_entropy, "valid": self.valid})

    def __arrow_c_schema__(self) -> object:
        return self.table().__arrow_c_schema__()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """``table`` as a record batch."""
        return self.table().__arrow_c_array__(requested_schema)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """``table`` as a stream of one record batch."""
        return self.table().__arrow_c_stream__(requested_schema)


def score(
    counts: Values,
    rankings: Values,
    *,
    task: Values | None = None,
    alpha: float | None = None,
    fill: Fill = "chance",
    threads: int | None = None,
) -> Scores:
    """``habitus.score`` of columns, in nats.

    Args:
        counts: a column of lists of K integers, one row per task; no nulls.
        rankings: a column of lists of N candidate positions; a null inside a list, or -1, is an empty slot.
        task: a column of integers, the task of each ranking. Default: one ranking per task, in order.
        alpha: see ``habitus.score``.
        fill: see ``habitus.score``.
        threads: see ``habitus.score``.

    Raises:
        TypeError: a column is of another type than lists of numbers (task: numbers); otherwise as ``habitus.score``.
        ValueError: a null elsewhere (names column, row, place); lists of unequal length; a table of several columns;
            otherwise as ``habitus.score``.

    Example:
        >>> import pyarrow
        >>> scores = score(pyarrow.array([[3, 0, 1]]), pyarrow.array([[0, None]]))
        >>> pyarrow.table(scores.table())["valid"].to_pylist()
        [1]
    """
    of = None if task is None else columns.vector("task", task)
    given = [
        columns.matrices("counts", counts),
        columns.matrices("rankings", rankings, empty=_EMPTY["rankings"]),
    ]
    score_chunk = functools.partial(habitus.score, task=of, alpha=alpha, fill=fill, threads=threads)
    return _scored(score_chunk, given, of)


def score_values(
    weights: Values,
    values: Values,
    rankings: Values,
    *,
    task: Values | None = None,
    fill: Fill = "chance",
    threads: int | None = None,
) -> Scores:
    """``habitus.score_values`` of columns, in nats.

    Args:
        weights: a column of lists of K numbers, one row per task; no nulls.
        values: the same.
        rankings: see ``score``.
        task: see ``score``.
        fill: see ``habitus.score``.
        threads: see ``habitus.score``.

    Raises:
        TypeError: as ``score``, or as ``habitus.score_values``.
        ValueError: as ``score``, or as ``habitus.score_values``.

    Example:
        >>> import pyarrow
        >>> half = pyarrow.array([[0.5, 0.5]])
        >>> score_values(half, half, pyarrow.array([[0]])).entropy
        Column(array([0.69314718]))
    """
    of = None if task is None else columns.vector("task", task)
    given = [
        columns.matrices("weights", weights),
        columns.matrices("values", values),
        columns.matrices("rankings", rankings, empty=_EMPTY["rankings"]),
    ]
    return _scored(functools.partial(habitus.score_values, task=of, fill=fill, threads=threads), given, of)


def cross_entropy(
    weights: Values,
    values: Values,
    rankings: Values,
    *,
    task: Values | None = None,
    fill: Fill = "chance",
    threads: int | None = None,
) -> Column:
    """(rankings,) the cross-entropy of ``score_values``, in nats."""
    return score_values(weights, values, rankings, task=task, fill=fill, threads=threads).cross_entropy


def skill(scores: Scores | habitus.Scores, *, task: Values | None = None, min_gap: float = MIN_GAP) -> Skill:
    """``habitus.skill`` of what ``score`` returned.

    Args:
        scores: one model's.
        task: a column of integers, the task of each ranking, as in ``score``.
        min_gap: nats, see ``habitus.skill``.

    Raises:
        TypeError: task is not of integers.
        ValueError: task holds a null or does not fit the scores.

    Example:
        >>> import pyarrow
        >>> skill(score(pyarrow.array([[9, 1, 0, 0]]), pyarrow.array([[0, 1]]))).value
        1.0
    """
    of = None if task is None else columns.vector("task", task)
    return habitus.skill(_lowered("scores", scores), task=of, min_gap=min_gap)


def bounded_skill(scores: Scores | habitus.Scores, *, task: Values | None = None, min_gap: float = MIN_GAP) -> Skill:
    """``habitus.bounded_skill`` of what ``score`` returned; arguments as in ``skill``."""
    of = None if task is None else columns.vector("task", task)
    return habitus.bounded_skill(_lowered("scores", scores), task=of, min_gap=min_gap)


def table(result: Any) -> Table:  # noqa: ANN401 - any of the engine's named results
    """A named result as an Arrow table, a column per field.

    Args:
        result: Scores; or another result whose fields are columns of one length, such as ``curves.Bins``.

    Raises:
        TypeError: the result has other fields than columns.
        ValueError: the columns are not of one length.

    Example:
        >>> bins = curves.bin_means([0.0, 1.0, 2.0], [5.0, 6.0, 7.0], bins=2)
        >>> list(table(bins))
        ['center', 'mean', 'count']
    """
    if isinstance(result, Scores):
        return result.table()
    fields: dict[str, object] = result._asdict() if hasattr(result, "_asdict") else {"result": result}
    other = {name: type(values).__name__ for name, values in fields.items() if not isinstance(values, Column)}
    if other:
        raise TypeError(f"expected a result of columns alone, got {other}")
    return Table({name: values for name, values in fields.items() if isinstance(values, Column)})


def _scored(score: Callable[..., habitus.Scores], given: Sequence[Sequence[AnyArray]], task: AnyArray | None) -> Scores:
    """Chunk by chunk where that costs less than to join them, half as much as the scores."""
    found = None
    if task is None and _cut_alike(given):
        # A refusal names a row of its chunk: the whole is asked then, for the row of the column.
        with contextlib.suppress(TypeError, ValueError):
            found = _chunk_by_chunk(score, given)
    if found is None:
        found = score(*map(columns.joined, given))
    scores = Scores(*(Column(values) for values in found))
    scores._task = task  # noqa: SLF001 - its own
    return scores


def _chunk_by_chunk(score: Callable[..., habitus.Scores], given: Sequence[Sequence[AnyArray]]) -> habitus.Scores:
    rows, first = sum(map(len, given[0])), 0
    entropy, chance, worst, crossed = np.empty((4, rows))
    found = habitus.Scores(entropy, chance, worst, crossed, np.empty(rows, np.int32))
    for chunk in zip(*given, strict=True):
        here = slice(first, first + len(chunk[0]))
        arrays: tuple[AnyArray, ...] = found
        for whole, part in zip(arrays, score(*chunk), strict=True):
            whole[here] = part
        first = here.stop
    return found


def _cut_alike(given: Sequence[Sequence[AnyArray]]) -> bool:
    """Whether all columns are of the same chunks, several and large enough."""
    if min(map(len, given)) == 1:
        return False
    cuts = {tuple(map(len, column)) for column in given}
    return len(cuts) == 1 and sum(chunk.size for chunk in given[0]) >= _CELLS * len(given[0])


def _lowered(name: str, value: Any) -> Any:  # noqa: ANN401 - an argument of any function
    """An argument as the engine takes it: columns become arrays, alone or in named tuples."""
    if isinstance(value, Scores):
        return habitus.Scores(*(column.to_numpy() for column in value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = zip(value._fields, value, strict=True)
        return type(value)(*(_lowered(f"{name}.{field}", one) for field, one in named))
    if isinstance(value, Column):
        return value.to_numpy()
    if columns.has_arrow(value):
        return columns.array(name, value, empty=_EMPTY.get(name, math.nan))
    return value


def _raised(result: Any) -> Any:  # noqa: ANN401 - a result of any function
    """A result with columns in place of arrays, alone or in tuples."""
    if isinstance(result, np.ndarray) and result.ndim:
        return Column(result)
    if isinstance(result, tuple):
        raised = [_raised(one) for one in result]
        return type(result)(*raised) if hasattr(result, "_fields") else tuple(raised)
    return result


def _lift(function: Callable[..., Any]) -> Callable[..., Any]:
    names = tuple(inspect.signature(function).parameters)

    @functools.wraps(function)
    def lifted(*positional: object, **named: object) -> object:
        # Too many arguments are the engine's to refuse.
        lowered = [_lowered(name, value) for name, value in zip(names, positional, strict=False)]
        rest = positional[len(lowered) :]
        return _raised(function(*lowered, *rest, **{name: _lowered(name, value) for name, value in named.items()}))

    return lifted


def _lift_module(module: ModuleType) -> ModuleType:
    """A module of the same names: its functions and tables of functions lifted, its types and constants as they are."""
    lifted = ModuleType(f"{__name__}.{module.__name__.rpartition('.')[2]}", module.__doc__)
    for name, value in vars(module).items():
        if name not in _public(module):
            continue
        if inspect.isfunction(value):
            setattr(lifted, name, _lift(value))
        elif isinstance(value, Mapping) and all(map(callable, value.values())):
            setattr(lifted, name, MappingProxyType({key: _lift(one) for key, one in value.items()}))
        else:
            setattr(lifted, name, value)
    return lifted


def _public(module: ModuleType) -> set[str]:
    """What it declares, or else what it defines."""
    declared = getattr(module, "__all__", None)
    if declared is not None:
        return set(declared)
    return {
        name
        for name, value in vars(module).items()
        if not (name.startswith("_") or inspect.ismodule(value))
        and getattr(value, "__module__", module.__name__) == module.__name__
    }


aggregation = _lift_module(habitus.aggregation)
curves = _lift_module(habitus.curves)
entropy = _lift_module(habitus.entropy)
interactions = _lift_module(habitus.interactions)
inversion = _lift_module(habitus.inversion)
members = _lift_module(habitus.members)
permutation = _lift_module(habitus.permutation)
proxies = _lift_module(habitus.proxies)
resampling = _lift_module(habitus.resampling)
sampling = _lift_module(habitus.sampling)
shrinkage = _lift_module(habitus.shrinkage)
uncertainty = _lift_module(habitus.uncertainty)
