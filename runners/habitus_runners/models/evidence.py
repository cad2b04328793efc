"""What simulated models may look at, as arrays: the tasks, their groups, everybody's behaviour. No draws, no models.

A task shows its cell in setups A and C and its history in A and B; a view of setup B or C still carries the rest of its
origin, which counts as not shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from habitus.interactions import starts
from habitus_runners import columns
from habitus_runners.columns import Ragged
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MEMBERS_AT_ONCE = 2**16
_UNFIXED, _NOBODY, _UNKNOWN = -1, -2, -3


@dataclass(frozen=True)
class Evidence:
    """One study's tasks and members beside the data set they were drawn from.

    Args:
        dataset: whose row numbers the tasks use.
        tasks: the tasks table, T rows.
        members: the members table.
        settings: those that the tasks were drawn with.
    """

    dataset: Dataset
    tasks: pa.Table
    members: pa.Table
    settings: Settings

    @cached_property
    def task_ids(self) -> list[str]:
        """(T,) the tasks' content hashes."""
        ids: list[str] = self.tasks["task_id"].to_pylist()
        return ids

    @cached_property
    def candidates(self) -> Integers:
        """(T, K) item numbers."""
        return columns.fixed(self.tasks["candidates"]).astype(np.int64)

    @cached_property
    def counts(self) -> Integers:
        """(T, K) the group's counts, as scored."""
        return columns.fixed(self.tasks["counts"]).astype(np.int64)

    @cached_property
    def weights(self) -> Floats:
        """(T, K) what is scored, in units of users: the counts, or the target times the size of the group."""
        target = self.tasks["target"]
        if target.null_count == self.tasks.num_rows:
            return self.counts.astype(np.float64)
        if target.null_count:
            raise HabitusError(
                f"tasks: expected a target in every row or in none, got {target.null_count} rows without"
            )
        return np.asarray(columns.fixed(target).astype(np.float64) * self.groups.size[:, None])

    @cached_property
    def probabilities(self) -> Floats:
        """(T, K) p = (n + 1/K) / (sum n + 1) with the weights as n; not the scoring's alpha, which may change later."""
        smoothed = self.weights + 1 / self.candidates.shape[1]
        return np.asarray(smoothed / smoothed.sum(axis=1, keepdims=True))

    @cached_property
    def entropies(self) -> Floats:
        """(T,) H of the smoothed target, in bits."""
        return np.asarray(-(self.probabilities * np.log2(self.probabilities)).sum(axis=1))

    @cached_property
    def histories(self) -> Ragged:
        """The items each prompt shows: none in setups C and N."""
        carried = columns.ragged(self.tasks["history"])
        shown = np.isin(self._setups, ("A", "B"))
        return Ragged(starts(np.where(shown, carried.size, 0)), carried.values[np.repeat(shown, carried.size)])

    @cached_property
    def groups(self) -> Ragged:
        """The users of each task's group.

        Raises:
            HabitusError: members and tasks are not of the same study.
        """
        size = self._members_of.size
        claimed = self.tasks["group_size"].to_numpy()
        wrong = np.flatnonzero(size != claimed)
        if len(wrong):
            task = self.task_ids[wrong[0]]
            raise HabitusError(f"task {task}: expected {claimed[wrong[0]]} rows of members, got {size[wrong[0]]}")
        users = self.members["user"].to_numpy().astype(np.int64)
        return Ragged(self._members_of.start, users[self._members_of.values])

    @cached_property
    def incidence(self) -> csr_array:
        """(users, items) 1 where an interaction counts: its value is at least ``min_rating``."""
        counted = self.dataset.interactions.filter(pl.col("value") >= self.settings.min_rating)
        pair = (counted["user"].to_numpy(), counted["item"].to_numpy())
        shape = (self.dataset.users.height, self.dataset.items.height)
        return csr_array((np.ones(counted.height, np.int32), pair), shape=shape)

    @cached_property
    def popularity(self) -> Integers:
        """(items,) users per item."""
        return np.asarray(self.incidence.sum(axis=0)).astype(np.int64)

    @cached_property
    def cells(self) -> NDArray[np.bool_]:
        """(cells, users) who is in each cell that a prompt shows; everybody is one of them where none is shown."""
        fixed = self._shown_cells[0]
        inside = np.ones((len(fixed), self.dataset.users.height), np.bool_)
        for column, attribute in enumerate(self.dataset.attributes):
            asked = fixed[:, column, None]
            inside &= (asked == _UNFIXED) | (asked == self._codes[attribute].of_user)
        return inside

    @property
    def cell(self) -> Integers:
        """(T,) the row of ``cells`` that the prompt shows."""
        return self._shown_cells[1]

    def group_counts(self, weights: Floats | None = None) -> Floats:
        """(T, K) how many users of the group interacted with each candidate, from the bits of members.

        Args:
            weights: (members,) how much each row of ``groups`` counts; all 1 unless given.
        """
        out = np.zeros(self.candidates.shape)
        weights = np.ones(len(self.groups.values)) if weights is None else weights
        for tasks, rows in self._batches():
            start = self.groups.start[tasks.start : tasks.stop + 1] - rows.start
            within = csr_array((weights[rows], np.arange(start[-1]), start), shape=(len(start) - 1, start[-1]))
            out[tasks] = within @ self._bits(rows)
        return out

    def rows_per_member(self) -> Integers:
        """(members,) how many candidates each row of ``groups`` interacted with."""
        sums = [self._bits(rows).sum(axis=1, dtype=np.int64) for _, rows in self._batches()]
        return np.concatenate(sums) if sums else np.zeros(0, np.int64)

    def _batches(self) -> Iterator[tuple[slice, slice]]:
        start = self.groups.start
        piece = start[:-1] // _MEMBERS_AT_ONCE
        edges = [0, *(np.flatnonzero(np.diff(piece)) + 1).tolist(), len(start) - 1]
        for lower, upper in pairwise(edges):
            yield slice(lower, upper), slice(int(start[lower]), int(start[upper]))

    def _bits(self, rows: slice) -> NDArray[np.uint8]:
        packed = self._packed[self._members_of.values[rows]]
        return np.unpackbits(packed, axis=1, count=self.candidates.shape[1], bitorder="little")

    @cached_property
    def _packed(self) -> NDArray[np.uint8]:
        return columns.packed(self.members["incidence"])

    @cached_property
    def _members_of(self) -> Ragged:
        """The rows of members of each task."""
        return columns.by_owner(self.members["task_id"], self.tasks["task_id"])

    @cached_property
    def _setups(self) -> NDArray[np.str_]:
        return np.array(self.tasks["setup"].to_pylist(), dtype=np.str_)

    @cached_property
    def _codes(self) -> dict[str, "_Codes"]:
        return {name: _Codes.of(self.dataset.users[name]) for name in self.dataset.attributes}

    @cached_property
    def _shown_cells(self) -> tuple[Integers, Integers]:
        """The distinct cells as a value's code per attribute, and the cell of each task."""
        shown = np.isin(self._setups, ("A", "C"))
        asked = np.full((self.tasks.num_rows, len(self.dataset.attributes)), _UNFIXED, np.int64)
        for column, name in enumerate(self.dataset.attributes):
            values = pc.struct_field(self.tasks["value"], name).to_pylist()
            numbers = [_UNFIXED if value is None else self._codes[name].number.get(value, _NOBODY) for value in values]
            asked[:, column] = np.where(shown, numbers, _UNFIXED)
        if not asked.shape[1]:
            return asked[:1], np.zeros(len(asked), np.int64)
        fixed, cell = np.unique(asked, axis=0, return_inverse=True)
        return fixed, cell.reshape(-1)


class _Codes(NamedTuple):
    """An attribute's values as numbers: of each value, and of each user (_UNKNOWN where it is null)."""

    number: dict[str, int]
    of_user: Integers

    @classmethod
    def of(cls, values: pl.Series) -> "_Codes":
        number = {value: code for code, value in enumerate(values.drop_nulls().unique().sort().to_list())}
        return cls(number, np.array([number.get(value, _UNKNOWN) for value in values.to_list()], np.int64))
