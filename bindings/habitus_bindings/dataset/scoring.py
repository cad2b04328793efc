"""Calls of the engine for a chunk of rankings, or a batch of tasks; what it refuses is named by file and row."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus.scoring import Fill
from habitus_bindings.dataset.joining import Part
from habitus_bindings.dataset.sources import DatasetError, Piece

Columns = dict[str, NDArray[np.generic]]
OF_TASKS = ("entropy", "chance", "worst")


class Settings(NamedTuple):
    """How lists of ``length`` are scored; see ``habitus.score``."""

    candidates: int
    length: int
    alpha: float | None
    fill: Fill


class Chunk(NamedTuple):
    """Rankings, and the tasks they are about. ``joined``: whether their tasks' scores are wanted beside theirs.

    ``piece``: None where there are no rankings, but tasks that nobody needs.
    """

    piece: Piece | None
    lists: NDArray[np.integer]
    parts: list[Part]
    joined: bool


class Scores(NamedTuple):
    """Columns of scores of a chunk's rankings, and of the tasks that are fresh."""

    rankings: Columns
    tasks: list[tuple[Piece, Columns]]


def score(chunk: Chunk, settings: Settings) -> Scores:
    """Score rankings, and the tasks among theirs that have no scores yet.

    Raises:
        DatasetError: the engine refused a row.
    """
    rows = len(chunk.lists)
    names = (*OF_TASKS, "cross_entropy") if chunk.joined else ("cross_entropy",)
    scored = Scores({name: np.empty(rows) for name in names}, [])
    scored.rankings["valid"] = np.empty(rows, np.int32)
    for part in chunk.parts:
        lists, task = chunk.lists[part.rows], part.task - part.first
        try:
            found = habitus.score(part.counts, lists, task=task, alpha=settings.alpha, fill=settings.fill, threads=1)
        except ValueError as error:
            raise _fault(chunk, part) or error from None
        for name, values in scored.rankings.items():
            column = getattr(found, name)
            values[part.rows] = column[task] if name in OF_TASKS else column
        if part.fresh:
            first, last = part.fresh.start - part.first, part.fresh.stop - part.first
            scored.tasks.append((part.fresh, {name: getattr(found, name)[first:last] for name in OF_TASKS}))
    return scored


def table(columns: Columns, carried: pa.Table) -> pa.Table:
    """Carried columns, and scores after them."""
    for name, values in columns.items():
        unit = {} if name == "valid" else {"unit": "nats"}
        field = pa.field(name, pa.from_numpy_dtype(values.dtype), nullable=False, metadata=unit)
        carried = carried.append_column(field, pa.array(values))
    return carried


def _fault(chunk: Chunk, part: Part) -> DatasetError | None:
    return _faulty_tasks(part) or (_faulty_rankings(chunk.piece, chunk.lists, part) if chunk.piece else None)


def _faulty_tasks(part: Part) -> DatasetError | None:
    negative = np.argwhere(part.counts < 0)
    if len(negative):
        task, candidate = negative[0]
        count = part.counts[task, candidate]
        return part.origin.fault(part.place(task), f"expected counts >= 0, got {count} for candidate {candidate}")
    empty = np.flatnonzero(~part.counts.any(axis=1))
    if len(empty):
        zeros = f"expected a positive count, got {part.counts.shape[1]} zeros; leave the task out"
        return part.origin.fault(part.place(int(empty[0])), zeros)
    return None


def _faulty_rankings(piece: Piece, lists: NDArray[np.integer], part: Part) -> DatasetError | None:
    candidates = part.counts.shape[1]
    for row in np.arange(len(lists))[part.rows]:
        listed = lists[row]
        outside = listed[(listed < -1) | (listed >= candidates)]
        if len(outside):
            return piece.fault(
                row, f"expected -1 or candidates in [0, {candidates}), got {outside[0]} in {listed.tolist()}"
            )
        found, times = np.unique(listed[listed >= 0], return_counts=True)
        if (times > 1).any():
            return piece.fault(
                row, f"expected each candidate once, got {found[times > 1][0]} twice in {listed.tolist()}"
            )
    return None
