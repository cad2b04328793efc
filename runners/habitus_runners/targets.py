"""What rankings are scored against: a group's behaviour, from the tasks and members tables (method, sections 4 and 6).

Without a split the same users say what is likely and judge; with it one half of them does each, so that no score is
better for the noise that it shares with its target. A target that nobody is left to define is NaN, never a number.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

import habitus
from habitus import entropy, members, shrinkage
from habitus.interactions import starts
from habitus.scoring import Fill
from habitus_runners import columns
from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kept = NDArray[np.bool_]

_OF_REAL_COUNTS = frozenset({"dirichlet", "nsb"})


class TaskScores(NamedTuple):
    """In nats: (tasks,) ``entropy`` (of the axis), ``best``, ``chance``, ``worst``; (rankings,) the rest.

    ``best`` is the cross-entropy of the target's own order. NaN where a task has no target.
    """

    entropy: Floats
    best: Floats
    chance: Floats
    worst: Floats
    cross_entropy: Floats
    valid: NDArray[np.int32]


class Target(NamedTuple):
    """One way to score each task: order and slots from ``values``, the expectation under ``weights``, both (tasks, K).

    ``entropy`` (tasks,) nats, NaN where there is no target at all.
    """

    weights: Floats
    values: Floats
    entropy: Floats


class Scorer:
    """Scores rankings of a study's tasks, by all users or by some."""

    def __init__(self, tasks: pa.Table, everyone: pa.Table, settings: Settings, *, threads: int | None = None) -> None:
        self.settings, self._threads = settings, threads
        self._tasks, self._everyone = tasks, everyone
        self._per_user = settings.target.kind == "user_mean"

    @property
    def alpha(self) -> float:
        """The pseudo-count; 0 where targets are shrunk to the population instead."""
        candidates = self._tasks.schema.field("candidates").type.list_size
        return (self.settings.target.alpha or 1 / candidates) if self.settings.target.smoothing == "alpha" else 0.0

    @property
    def by_user(self) -> bool:
        """Whether targets of some of the users can be known: members say who interacted, not how often."""
        return self.settings.target.kind != "events"

    @cached_property
    def group_members(self) -> members.Members:
        """Who did what, task by task."""
        start, order = columns.by_owner(self._everyone["task_id"], self._tasks["task_id"])
        candidates = self._tasks.schema.field("candidates").type.list_size
        users = self._everyone["user"].to_numpy()[order]
        bits = columns.packed(self._everyone["incidence"])[order]
        return members.Members(start, users, bits, candidates)

    def score(
        self,
        lists: ArrayLike,
        task: ArrayLike,
        fill: Fill = "chance",
        *,
        kept: Kept | None = None,
        splits: int | None = None,
    ) -> TaskScores:
        """Score lists of candidates.

        Args:
            lists: (rankings, N) candidate positions, -1 = empty slot.
            task: (rankings,) row of each one's task.
            fill: what empty slots are given.
            kept: (users,) by number, who counts; default everybody.
            splits: how many halvings, where scores are averaged over some. Default: the settings'.

        Returns:
            Means over the splits.
        """
        rows = np.asarray(task, np.int64)
        if self._counted:
            return self._of_counts(self._counts(kept), lists, rows, fill)
        scored = [self._of_target(target, lists, rows, fill) for target in self.targets(kept, splits)]
        means = {
            name: np.mean([getattr(part, name) for part in scored], axis=0)
            for name in TaskScores._fields
            if name != "valid"
        }
        return TaskScores(**means, valid=scored[0].valid)

    def refilled(self, scored: TaskScores, lists: NDArray[np.integer], task: Integers, fill: Fill) -> Floats:
        """(rankings,) cross-entropies by another fill; only lists with an empty slot are scored again.

        Args:
            scored: of the same lists and tasks, by the fill ``chance``.
            lists: see ``score``.
            task: see ``score``.
            fill: the other one.
        """
        found = scored.cross_entropy.copy()
        short = np.flatnonzero((lists < 0).any(axis=1))
        if fill != "chance" and len(short):
            found[short] = self.score(lists[short], task[short], fill).cross_entropy
        return found

    def targets(self, kept: Kept | None = None, splits: int | None = None) -> Iterator[Target]:
        """What tasks are scored against: one target, or one per split."""
        wanted = self.settings.users.split if splits is None else min(splits, self.settings.users.split)
        if kept is not None and not self.by_user:
            raise HabitusError("target.kind events: expected all users, got some; what each of them did is not kept")
        group = self.group_members if kept is None else _only(self.group_members, kept)
        if not wanted:
            sums = members.subsample(group, self._everybody, per_user=self._per_user, threads=self._threads)
            yield self._whole(sums)
        seed = self._tasks["seed"].to_numpy()
        for split in range(wanted):
            parts = members.halves(group, seed, split, per_user=self._per_user, threads=self._threads)
            yield self._halved(parts)

    def smoothed(self, counts: Floats) -> Floats:
        """(tasks, K) probabilities from counts, by the settings' rule; rows of NaN stay so."""
        if self.settings.target.smoothing == "population":
            return shrinkage.shrink(counts, self.population, self.concentration)
        return _shares(counts + self.alpha)

    @cached_property
    def population(self) -> Floats:
        """(tasks, K) how likely each candidate is for anybody outside the group, > 0.

        With the group in it, those who judge would have a say in what they judge by: cross-fitted cross-entropies came
        out 0.002 bits too low.
        """
        others = columns.fixed(self._tasks["population"]) - columns.fixed(self._tasks["counts"])
        return _shares(others + 1 / self.group_members.candidates)

    @cached_property
    def concentration(self) -> Floats:
        """(tasks,) kappa of the empirical Bayes prior, one for all tasks of a setup, level and history length."""
        counts, out = self.counts, np.empty(self._tasks.num_rows)
        for rows in self.strata:
            out[rows] = shrinkage.concentration(counts[rows], self.population[rows])
        return out

    @cached_property
    def counts(self) -> Floats:
        """(tasks, K) of everybody: the counts, or under other targets as many as they are worth."""
        if self.settings.target.kind == "incidence":
            return columns.fixed(self._tasks["counts"]).astype(np.float64)
        if self._per_user:
            sums = members.subsample(self.group_members, self._everybody, per_user=True, threads=self._threads)
            return members.effective_counts(sums, per_user=True)
        return np.asarray(columns.fixed(self._tasks["target"]) * self._tasks["group_size"].to_numpy()[:, None])

    def entropies(self) -> dict[str, Floats]:
        """(tasks,) nats by each estimator, of whole groups and without the smoothing of targets."""
        sums = members.subsample(self.group_members, self._everybody, per_user=self._per_user, threads=self._threads)
        return {name: _estimated(name, sums) for name in entropy.ESTIMATORS}

    @cached_property
    def strata(self) -> list[Integers]:
        """The rows of each setup, level and history length."""
        about = pl.DataFrame(
            {
                **{name: self._tasks[name].cast(pa.string()) for name in ("setup", "level")},
                "history": self._tasks["history"].combine_chunks().value_lengths(),
            }
        ).with_row_index("row")
        parts = about.group_by("setup", "level", "history", maintain_order=True)
        return [part["row"].to_numpy().astype(np.int64) for _, part in parts]

    @cached_property
    def _everybody(self) -> Kept:
        return np.ones(int(self.group_members.users.max(initial=-1)) + 1, np.bool_)

    @property
    def _counted(self) -> bool:
        """Whether targets are integer counts plus alpha: the fast case."""
        target = self.settings.target
        plain = (target.kind, target.smoothing, target.estimator) == ("incidence", "alpha", "plug-in")
        return plain and not self.settings.users.split

    def _counts(self, kept: Kept | None) -> NDArray[np.int32]:
        if kept is None:
            return columns.fixed(self._tasks["counts"])
        return members.subsample(self.group_members, kept, threads=self._threads).total.astype(np.int32)

    def _whole(self, sums: members.Sums) -> Target:
        """Those who say what is likely are those who judge."""
        values, axis = self._values(sums)
        return Target(values, values, axis)

    def _halved(self, parts: members.Halves) -> Target:
        return Target(_shares(parts.second.total), *self._values(parts.first))

    def _values(self, sums: members.Sums) -> tuple[Floats, Floats]:
        """What is likely, and the estimate of its entropy; NaN where nobody did anything."""
        known = sums.total.sum(axis=1) > 0
        values = self.smoothed(np.where(known[:, None], self._observations(sums), 1.0))
        if self.settings.target.estimator != "plug-in":
            return values, _estimated(self.settings.target.estimator, sums)
        return values, np.where(known, -(values * np.log(values)).sum(axis=1), np.nan)

    def _observations(self, sums: members.Sums) -> Floats:
        """What smoothing adds to. Before alpha is added, a mean over users counts as many as there are users."""
        if self.settings.target.kind == "events":
            return self.counts
        if self._per_user and self.settings.target.smoothing == "alpha":
            return _shares(sums.total) * sums.users[:, None]
        return members.effective_counts(sums, per_user=self._per_user)

    def _of_counts(self, counts: NDArray[np.int32], lists: ArrayLike, task: Integers, fill: Fill) -> TaskScores:
        known = np.asarray(counts.any(axis=1), np.bool_)
        filled = np.where(known[:, None], counts, 1) if not known.all() else counts
        scores = habitus.score(filled, lists, task=task, alpha=self.alpha, fill=fill, threads=self._threads)
        return _masked(scores, scores.entropy, known, task)

    def _of_target(self, target: Target, lists: ArrayLike, task: Integers, fill: Fill) -> TaskScores:
        unknown = np.asarray(np.isnan(target.weights).any(axis=1), np.bool_)
        weights, values = (np.where(unknown[:, None], 1 / part.shape[1], part) for part in target[:2])
        scores = habitus.score_values(weights, values, lists, task=task, fill=fill, threads=self._threads)
        return _masked(scores, target.entropy, ~unknown, task)


def _estimated(name: str, sums: members.Sums) -> Floats:
    """(tasks,) nats, NaN where nobody did anything."""
    known = sums.total.sum(axis=1) > 0
    # Not the effective counts, which fit the noise of common candidates: an entropy's bias is that of the rare ones,
    # and NSB came out 0.25 bits too high at 10 users (benchmarks/estimators.py).
    counts = _shares(sums.total[known]) * sums.incidences[known, None]
    found = np.full(len(known), np.nan)
    found[known] = entropy.ESTIMATORS[name](counts if name in _OF_REAL_COUNTS else np.rint(counts).astype(np.int64))
    return found


def _masked(scores: habitus.Scores, axis: Floats, known: NDArray[np.bool_], task: Integers) -> TaskScores:
    found = TaskScores(axis, scores.entropy, scores.chance, scores.worst, scores.cross_entropy, scores.valid)
    if known.all():
        return found
    masked = {name: np.where(known, getattr(found, name), np.nan) for name in ("entropy", "best", "chance", "worst")}
    return found._replace(**masked, cross_entropy=np.where(known[task], found.cross_entropy, np.nan))


def _shares(rows: Floats) -> Floats:
    """Rows divided by their sums, NaN where a row is all zero."""
    total = rows.sum(axis=1, keepdims=True)
    shares = np.full(rows.shape, np.nan)
    np.divide(rows, total, out=shares, where=total > 0)
    return shares


def _only(group: members.Members, kept: Kept) -> members.Members:
    """The same groups without the users who are not kept."""
    mine = kept[group.users]
    before = starts(mine.astype(np.int64))
    return members.Members(before[group.start], group.users[mine], group.incidence[mine], group.candidates)
