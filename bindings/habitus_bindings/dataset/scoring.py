"""Calls of the engine for a chunk of rankings, or a batch of tasks; what it refuses is named by file and row."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus.scoring import Fill
from habitus_bindings.dataset.joining import Batch, Part
from habitus_bindings.dataset.sources import DatasetError, Piece

OF_TASKS = ("entropy", "chance", "worst")


class Settings(NamedTuple):
    """How lists of ``length`` are scored; see ``habitus.score``."""

    candidates: int
    length: int
    alpha: float | None
    fill: Fill


class Chunk(NamedTuple):
    """Rankings, and the tasks they are about. ``joined``: whether their tasks' scores are wanted beside theirs."""

    piece: Piece
    lists: NDArray[np.integer]
    parts: list[Part]
    joined: bool


def rankings(chunk: Chunk, settings: Settings) -> dict[str, NDArray[np.generic]]:
    """Columns of scores, (rankings,) each.

    Raises:
        DatasetError: the engine refused a row.
    """
    rows = len(chunk.lists)
    names = (*OF_TASKS, "cross_entropy") if chunk.joined else ("cross_entropy",)
    columns: dict[str, NDArray[np.generic]] = {name: np.empty(rows) for name in names}
    columns["valid"] = np.empty(rows, np.int32)
    for part in chunk.parts:
        lists = chunk.lists[part.rows]
        try:
            scores = habitus.score(
                part.counts, lists, task=part.task, alpha=settings.alpha, fill=settings.fill, threads=1
            )
        except ValueError as error:
            raise (_faulty_tasks(part) or _faulty_rankings(chunk, part) or error) from None
        for name, values in columns.items():
            found = getattr(scores, name)
            values[part.rows] = found[part.task] if name in OF_TASKS else found
    return columns


def tasks(batch: Batch, settings: Settings) -> dict[str, NDArray[np.generic]]:
    """Columns of scores, (tasks,) each.

    Raises:
        DatasetError: the engine refused a row.
    """
    no_lists, of_none = np.empty((0, settings.length), np.int16), np.empty(0, np.int64)
    try:
        scores = habitus.score(batch.counts, no_lists, task=of_none, alpha=settings.alpha, threads=1)
    except ValueError as error:
        whole = slice(0, len(batch.counts))
        raise (_faulty_tasks(Part(batch.piece.place, batch.counts, whole, whole, of_none)) or error) from None
    return {name: getattr(scores, name) for name in OF_TASKS}


def table(columns: dict[str, NDArray[np.generic]], carried: pa.Table) -> pa.Table:
    """Carried columns, and scores after them."""
    for name, values in columns.items():
        unit = {} if name == "valid" else {"unit": "nats"}
        field = pa.field(name, pa.from_numpy_dtype(values.dtype), nullable=False, metadata=unit)
        carried = carried.append_column(field, pa.array(values))
    return carried


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


def _faulty_rankings(chunk: Chunk, part: Part) -> DatasetError | None:
    candidates = part.counts.shape[1]
    for row in np.arange(len(chunk.lists))[part.rows]:
        listed = chunk.lists[row]
        outside = listed[(listed < -1) | (listed >= candidates)]
        if len(outside):
            return chunk.piece.fault(
                row, f"expected -1 or candidates in [0, {candidates}), got {outside[0]} in {listed.tolist()}"
            )
        found, times = np.unique(listed[listed >= 0], return_counts=True)
        if (times > 1).any():
            return chunk.piece.fault(
                row, f"expected each candidate once, got {found[times > 1][0]} twice in {listed.tolist()}"
            )
    return None
