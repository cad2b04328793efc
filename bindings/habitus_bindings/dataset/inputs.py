"""What is read: which files and columns, how the two tables are joined, and pieces of them ready to be scored."""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from habitus_bindings.dataset import arrays
from habitus_bindings.dataset.joining import Batch, Ids, Keys, Numbers
from habitus_bindings.dataset.sources import BLOCK, Columns, DatasetError, Paths, Piece, Source

_SCORES = ("entropy", "chance", "worst", "cross_entropy", "valid")
_NO_KEYS = Numbers(np.empty(0, np.int64), ordered=True)


class Size(NamedTuple):
    """Rows of all files; 0 tasks where rankings have counts of their own."""

    rankings: int
    tasks: int


class Lists(NamedTuple):
    """A chunk of rankings. ``keys`` say which tasks they are about, unless they have ``counts`` of their own."""

    piece: Piece
    lists: NDArray[np.integer]
    keys: Keys
    counts: NDArray[np.integer] | None


class Inputs:
    """Tasks and rankings, or a single table of both (``tasks`` is None then).

    Raises:
        DatasetError: files or columns are missing or of other types, or columns cannot be carried.
    """

    def __init__(
        self, tasks: Paths, rankings: Paths | None, columns: Columns, carry: Sequence[str] | None, *, joined: bool
    ) -> None:
        self._columns = columns
        self.tasks = None if rankings is None else Source("tasks", tasks)
        self.rankings = Source("rows", tasks) if rankings is None else Source("rankings", rankings)
        self.joined = joined or self.tasks is None
        self._key = self._joined_by()
        own = [columns.ranking] if self.tasks else [columns.counts, columns.ranking]
        self.carry = [name for name in self.rankings.schema.names if name not in own] if carry is None else list(carry)
        self._of_rankings = list(dict.fromkeys([*own, *([self._key] if self._key else []), *self.carry]))
        self._of_tasks = [columns.counts, *([columns.task_id] if self._by_id else [])]
        self.rankings.require(self._of_rankings)
        if self.tasks:
            self.tasks.require(self._of_tasks)
        self._check_types()
        self.candidates = (self.tasks or self.rankings).width(columns.counts)
        self.length = self.rankings.width(columns.ranking)
        if self.length > self.candidates:
            path = self.rankings.files[0].path
            raise DatasetError(f"{path}: expected lists of at most {self.candidates} candidates, got {self.length}")

    @property
    def size(self) -> Size:
        """Rows of all files."""
        return Size(self.rankings.rows, self.tasks.rows if self.tasks else 0)

    def described(self) -> dict[str, object]:
        """What results depend on but the files' content."""
        return {"columns": self._columns._asdict(), "carry": self.carry, "joined": self.joined, "joined_by": self._key}

    def fingerprints(self) -> dict[str, list[dict[str, str | int]]]:
        """Of all files, by table."""
        sources = {"tasks": self.tasks, "rankings": self.rankings}
        return {name: [file.fingerprint() for file in source.files] for name, source in sources.items() if source}

    def chunks(self, first: int, chunk: int, part: int) -> Iterator[Callable[[], list[Lists]]]:
        """Calls that read rankings from row ``first`` on, cut to ``chunk`` rows and at multiples of ``part``."""
        for read in self.rankings.pieces(self._of_rankings, first, chunk):
            yield functools.partial(self._lists, read, chunk, part)

    def batches(self, first: int, rows: int) -> Iterator[Callable[[], Batch]]:
        """Calls that read tasks from row ``first`` on, about ``rows`` at a time."""
        for read in self.tasks.pieces(self._of_tasks, first, rows) if self.tasks else ():
            yield functools.partial(self._batch, read)

    def carried(self, piece: Piece) -> pa.Table:
        """What stands beside the scores of rankings."""
        return piece.table.select(self.carry)

    def named(self, piece: Piece) -> pa.Table:
        """What stands beside the scores of tasks."""
        if self._by_id:
            return piece.table.select([self._columns.task_id])
        return pa.table({self._columns.task: np.arange(piece.start, piece.stop)})

    @property
    def _by_id(self) -> bool:
        return self._key == self._columns.task_id

    def _lists(self, read: Callable[[], Piece], chunk: int, part: int) -> list[Lists]:
        whole = read()
        tasks = self._row_numbers(whole)
        ordered = self.tasks is None or (tasks is not None and bool((tasks[1:] >= tasks[:-1]).all()))
        # In no order, what is joined at once takes a pass over the tasks: it is as large as may be.
        edges = _edges(whole, min(chunk, BLOCK) if ordered else chunk, part)
        lists = []
        for first, last in itertools.pairwise(edge - whole.start for edge in edges):
            keys = None if tasks is None else Numbers(tasks[first:last], ordered=ordered)
            lists.append(self._list(whole.part(first, last), keys))
        return lists

    def _row_numbers(self, piece: Piece) -> NDArray[np.int64] | None:
        if self.tasks is None or self._by_id:
            return None
        return arrays.row_numbers(piece, self._columns.task, self.tasks.rows)

    def _list(self, piece: Piece, keys: Keys | None) -> Lists:
        columns = self._columns
        lists = arrays.matrix(piece, columns.ranking, self.length, empty=-1)
        if self.tasks is None:
            return Lists(piece, lists, _NO_KEYS, arrays.matrix(piece, columns.counts, self.candidates))
        return Lists(piece, lists, keys or Ids(arrays.ids(piece, columns.task_id)), None)

    def _batch(self, read: Callable[[], Piece]) -> Batch:
        piece = read()
        counts = arrays.matrix(piece, self._columns.counts, self.candidates)
        return Batch(piece, counts, arrays.distinct_ids(piece, self._columns.task_id) if self._by_id else None)

    def _joined_by(self) -> str | None:
        """The column of the rankings that names their task."""
        if self.tasks is None:
            return None
        names, columns = self.rankings.schema.names, self._columns
        if columns.task_id in names and columns.task_id in self.tasks.schema.names:
            return columns.task_id
        if columns.task in names:
            return columns.task
        raise DatasetError(
            f"{self.rankings.files[0].path}: expected a column {columns.task!r}, the number of the task's row, or "
            f"{columns.task_id!r} in tasks and rankings, found {', '.join(names)}; rename one, or say which it is"
        )

    def _check_types(self) -> None:
        path = self.rankings.files[0].path
        taken = [name for name in self.carry if name in _SCORES]
        if taken:
            raise DatasetError(
                f"{path}: expected no column called {taken[0]}, which is a score's name;"
                " say what to carry, or rename it"
            )
        if self.tasks is None or self._key is None:
            return
        kind = self.rankings.schema.field(self._key).type
        if self._by_id:
            other = self.tasks.schema.field(self._key).type
            if arrays.plain(kind) != arrays.plain(other):
                raise DatasetError(f"{path}: expected {self._key} of {other}, as in the tasks, got {kind}; cast it")
        elif not pa.types.is_integer(kind):
            raise DatasetError(f"{path}: expected {self._key} to be integers, rows of the tasks, got {kind}; cast it")


def _edges(piece: Piece, chunk: int, part: int) -> list[int]:
    """Rows of all files where the piece is cut, its ends among them."""
    parts = range(-(-piece.start // part) * part, piece.stop, part)
    return sorted({*range(piece.start, piece.stop, chunk), *parts, piece.stop})
