"""How sure the figures of the results are: users and tasks resampled, rankings fixed (method, sections 5 and 6).

Three sets of replicates, the same for all models and slices:

- tasks: draws of the study with replacement, within each level and history length, since their numbers are by design;
  the views and orders of one draw come together.
- together: half of all users, the same ones in every task; the population that targets are shrunk to is theirs too.
- apart: as many of each group, but others in every task.

Half of the users would not have been asked about everything: draws whose group falls below ``group.min_users`` are left
out, and the others of their level and length weigh more instead. Otherwise replicates with fewer active users have
smaller groups, where another study would have drawn other histories: the gap of random lists under preset paper then
varied by 0.040 nats between replicates and by 0.019 between populations, and so by 0.022. Curves keep all draws, for
what is at an entropy does not depend on how many there are: without them the smooth's inversion had intervals of 0.21
bits rather than 0.15 and covered no more often.

What varies within a group varies between tasks already, so it must not count twice. The variance is

    V = V_tasks + max(0, V_together - V_apart),

the second part being what tasks share because they share users (two-way clustering: Cameron, Gelbach & Miller 2011,
doi 10.1198/jbes.2010.07136). The interval reaches sqrt(q^2 + 1.96^2 V_users) to either side of the estimate, V_users
being that second part and q the quantile of the tasks' replicates about their mean. How often it covers:
benchmarks/README.md.

Rankings are given. The intervals hold for a model that other users would not make answer otherwise, as those of a
simulated model that reads its skill off the sample (``breakpoint``) would be: its skill varies more.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

from habitus import members, resampling, uncertainty
from habitus.interactions import starts
from habitus.scoring import MIN_GAP, Fill
from habitus.threads import over_chunks
from habitus_runners import populations
from habitus_runners.columns import fixed
from habitus_runners.populations import Population
from habitus_runners.scores import rows_of
from habitus_runners.settings import Settings
from habitus_runners.tables import INTERVALS, POOLED
from habitus_runners.targets import Scorer

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kept = NDArray[np.bool_]

ENDS = (0.025, 0.975)
# Where more resamples than this do not turn, an end of the interval would be "no inversion", which is not a number.
LEAST_SHARE = 0.95

_SLICES = ("setup", "level", "history")
_CURVES = ("inversion", "lowess_inversion")
_GRID = 200
# Replicates of users average over so many halvings where scores do over more: the rest is noise of each task's own.
_SPLITS = 1
# For a variance half as many replicates do, and each of the users scores everything anew.
_PER_REPLICATE_OF_USERS = 2
# NSB is most of what a replicate costs. Grassberger's estimate is as good at every size (benchmarks/estimators.py).
_CHEAP = {"nsb": "grassberger"}


class Points(NamedTuple):
    """Of one or several replicates, in nats: (replicates, tasks), and ``cross_entropy`` (replicates, models, tasks).

    ``weights`` (replicates, tasks): how much each task counts.
    """

    entropy: Floats
    best: Floats
    chance: Floats
    cross_entropy: Floats
    weights: Floats

    def of(self, tasks: Integers) -> "Points":
        """Some of the tasks."""
        return Points(*(np.ascontiguousarray(column[..., tasks]) for column in self))

    @property
    def loss(self) -> Floats:
        """(replicates, models, tasks) CE - best."""
        return self.cross_entropy - self.best[:, None]

    @property
    def gap(self) -> Floats:
        """(replicates, 1, tasks) chance - best."""
        return (self.chance - self.best)[:, None]


class Replicates(NamedTuple):
    """``weights`` (resamples, tasks) resample ``full``, one replicate; the rest is None if who did what is unknown."""

    full: Points
    weights: Floats
    together: Points | None
    apart: Points | None


class Study:
    """The replicates of one study and fill, and the intervals that follow."""

    def __init__(
        self,
        tasks: pa.Table,
        everyone: pa.Table,
        rankings: pa.Table,
        settings: Settings,
        *,
        fill: Fill | None = None,
        threads: int | None = None,
    ) -> None:
        self.tasks, self.everyone, self.settings = tasks, everyone, settings
        self._fill: Fill = fill or settings.fill
        self._threads = threads
        self._lists, self._task = fixed(rankings["ranking"]), rows_of(rankings, tasks)
        names = pl.Series(rankings["model"].cast(pa.string()).to_pylist())
        self.models: list[str] = names.unique(maintain_order=True).to_list()
        self._model = names.replace_strict(self.models, range(len(self.models))).to_numpy()

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per model and slice, named as in the results table; None where there is no interval."""
        resamples = self.replicates
        for used in product((False, True), repeat=len(_SLICES)):
            keys = [name for name, use in zip(_SLICES, used, strict=True) if use]
            for values, rows in self._about.group_by(keys, maintain_order=True) if keys else [((), self._about)]:
                named = dict.fromkeys(_SLICES, POOLED) | dict(zip(keys, values, strict=True))
                part = of_tasks(resamples, rows["row"].to_numpy().astype(np.int64))
                found = intervals(part, self.settings, drawn=keys in ([], ["setup"]), threads=self._threads)
                for model, row in zip(self.models, found, strict=True):
                    yield {"model": model} | named | row

    @cached_property
    def replicates(self) -> Replicates:
        """Everything resampled ``settings.uncertainty.resamples`` times."""
        known = self._scorer.by_user and len(self._halves) > 0
        together, apart = (self._users(), self._users_apart()) if known else (None, None)
        return Replicates(self.full, self._weights(), together, apart)

    @cached_property
    def full(self) -> Points:
        """All users and tasks, as one replicate."""
        return _stacked([self._scored(self._scorer, None, None)])

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self.tasks, self.everyone, self.settings, threads=self._threads)

    def _users(self) -> Points:
        shrunk = self.settings.target.smoothing == "population"
        people = populations.halved(self.tasks, self.everyone, self._halves) if shrunk else None
        return self._resampled(self._scorer.group_members, self._halves.__getitem__, people)

    def _users_apart(self) -> Points:
        """Every group sees the same halves, but shifted by a number of its own."""
        group, twice = self._scorer.group_members, np.concatenate([self._halves, self._halves], axis=1)
        alone = group._replace(users=np.arange(len(group.users), dtype=np.int32))
        size, users = np.diff(group.start), self._halves.shape[1]

        def kept(replicate: int) -> Kept:
            rng = np.random.default_rng([self.settings.seed, 1, replicate])
            return np.asarray(twice[replicate, group.users + np.repeat(rng.integers(users, size=len(size)), size)])

        return self._resampled(alone, kept, None)

    def _resampled(self, group: members.Members, whose: Callable[[int], Kept], people: Population | None) -> Points:
        """Several replicates at a time: much of one is on one thread. How far targets are shrunk stays as it is.

        Estimated anew beside the population it changed nothing.
        """
        estimator = self.settings.target.estimator
        settings = self.settings.changed({"target.estimator": _CHEAP.get(estimator, estimator)})
        scorer = Scorer(self.tasks, self.everyone, settings, threads=1)
        scorer.group_members = group
        if settings.target.smoothing == "population":
            scorer.population, scorer.concentration = self._scorer.population, self._scorer.concentration
        parts: dict[int, Points] = {}

        def work(first: int, last: int) -> None:
            for replicate in range(first, last):
                own = copy(scorer)
                if people is not None:
                    own.population = people.of(replicate)
                kept = whose(replicate)
                before = starts(kept[group.users].astype(np.int64))
                weights = self._asked(np.diff(before[group.start]))
                parts[replicate] = self._scored(own, kept, _SPLITS)._replace(weights=weights)

        over_chunks(work, len(self._halves), 1, self._threads)
        return _stacked([parts[replicate] for replicate in range(len(self._halves))])

    def _asked(self, users: Integers) -> Floats:
        """(tasks,) weights, if groups had so many users: 0 where a view of the draw has too few, more for others."""
        fewest = np.full(self._draw.max(initial=-1) + 1, np.iinfo(np.int64).max)
        np.minimum.at(fewest, self._draw, users)
        asked = (fewest >= self.settings.group.min_users)[self._draw]
        share = np.bincount(self._stratum, asked) / np.bincount(self._stratum)
        return np.divide(asked, share[self._stratum], out=np.zeros(len(asked)), where=asked)

    @cached_property
    def _halves(self) -> Kept:
        users = int(self.everyone["user"].to_numpy().max()) + 1
        replicates = self.settings.uncertainty.resamples // _PER_REPLICATE_OF_USERS
        return members.half_samples(users, replicates, seed=self.settings.seed)

    def _scored(self, scorer: Scorer, kept: Kept | None, splits: int | None) -> Points:
        scored = scorer.score(self._lists, self._task, self._fill, kept=kept, splits=splits)
        cross_entropy = self._by_model(scored.cross_entropy)
        return Points(scored.entropy, scored.best, scored.chance, cross_entropy, np.ones(self.tasks.num_rows))

    def _by_model(self, cross_entropy: Floats) -> Floats:
        """(models, tasks) means over a task's answers; those that were dropped do not count, NaN where none is left."""
        shape = (len(self.models), self.tasks.num_rows)
        known = ~np.isnan(cross_entropy)
        cell = (self._model * shape[1] + self._task)[known]
        total = np.bincount(cell, cross_entropy[known], minlength=shape[0] * shape[1])
        count = np.bincount(cell, minlength=shape[0] * shape[1])
        mean = np.divide(total, count, out=np.full(len(count), math.nan), where=count > 0)
        return np.asarray(mean.reshape(shape))

    def _weights(self) -> Floats:
        """(resamples, tasks) how often each task comes: draws of one level and length take each other's place."""
        resamples = self.settings.uncertainty.resamples
        weights = np.empty((resamples, self.tasks.num_rows))
        for stratum in range(self._stratum.max(initial=-1) + 1):
            rows = np.flatnonzero(self._stratum == stratum)
            clusters = np.unique(self._draw[rows], return_inverse=True)[1].astype(np.int64)
            own = int(np.random.SeedSequence([self.settings.seed, stratum]).generate_state(1, np.uint64)[0])
            weights[:, rows] = resampling.multiplicities(resamples, len(rows), seed=own, clusters=clusters)
        return weights

    @cached_property
    def _stratum(self) -> Integers:
        """(tasks,) number of the level and history length that a task was drawn for."""
        return _numbered(self._about, "level", "drawn")

    @cached_property
    def _draw(self) -> Integers:
        """(tasks,) number of the draw that a task is a view of."""
        return _numbered(self._about, "level", "drawn", "seed")

    @cached_property
    def _about(self) -> pl.DataFrame:
        return (
            pl.DataFrame(
                {
                    **{name: self.tasks[name].cast(pa.string()) for name in ("setup", "level")},
                    "history": self.tasks["history"].combine_chunks().value_lengths().cast(pa.string()),
                    "seed": self.tasks["seed"],
                }
            )
            .with_columns(pl.col("history").cast(pl.Int64).max().over("seed").alias("drawn"))
            .with_row_index("row")
        )


def _numbered(rows: pl.DataFrame, *keys: str) -> Integers:
    """The same number for the same keys, counting from 0 as they come."""
    numbers = rows.select(keys).unique(maintain_order=True).with_row_index("number")
    return rows.join(numbers, on=keys, how="left", maintain_order="left")["number"].to_numpy().astype(np.int64)


def _stacked(parts: Sequence[Points]) -> Points:
    return Points(*(np.stack(column) for column in zip(*parts, strict=True)))


def of_tasks(replicates: Replicates, tasks: Integers) -> Replicates:
    """The same replicates of some of the tasks."""
    together, apart = (None if part is None else part.of(tasks) for part in replicates[2:])
    return Replicates(replicates.full.of(tasks), np.ascontiguousarray(replicates.weights[:, tasks]), together, apart)


def intervals(
    replicates: Replicates, settings: Settings, *, drawn: bool, threads: int | None = None
) -> list[dict[str, float | None]]:
    """One row of figures per model.

    Args:
        replicates: of the tasks that count.
        settings: of curves.
        drawn: also what needs curves: inversions.
        threads: default one per core; the results do not depend on it.

    Returns:
        ``NAME_low`` and ``NAME_high`` for every name of ``tables.INTERVALS``; ``user_sd`` and ``task_sd`` of skill;
        ``inversion_share`` and ``lowess_inversion_share``: how many of the tasks' replicates turn.
    """
    models = replicates.full.cross_entropy.shape[1]

    def figures(points: Points, weights: Floats, of_curves: Floats) -> dict[str, Floats]:
        return _means(points, weights) | (_curves(points, of_curves, settings, threads) if drawn else {})

    def of_users(points: Points | None) -> dict[str, Floats] | None:
        return None if points is None else figures(points, points.weights, np.ones_like(points.weights))

    full = figures(replicates.full, replicates.full.weights, replicates.full.weights)
    by_task = figures(replicates.full, replicates.weights, replicates.weights)
    by_user = [of_users(part) for part in (replicates.together, replicates.apart)]
    rows: list[dict[str, float | None]] = [{} for _ in range(models)]
    for name, model in product(full, range(models)):
        together, apart = (None if part is None else part[name][:, model] for part in by_user)
        rows[model] |= _row(name, float(full[name][0, model]), by_task[name][:, model], together, apart)
    nothing = dict.fromkeys([f"{name}_{end}" for name in INTERVALS for end in ("low", "high")])
    return [nothing | row for row in rows]


def _row(
    name: str, value: float, by_task: Floats, together: Floats | None, apart: Floats | None
) -> dict[str, float | None]:
    user_sd = shared(together, apart)
    low, high = interval(value, by_task, user_sd)
    row: dict[str, float | None] = {f"{name}_low": _known(low), f"{name}_high": _known(high)}
    if name == "skill":
        row |= {"task_sd": _known(spread(by_task)), "user_sd": _known(user_sd) if together is not None else None}
    if name in _CURVES:
        row[f"{name}_share"] = float(np.mean(~np.isnan(by_task))) if len(by_task) else None
    return row


def interval(value: float, by_task: Floats, user_sd: float) -> tuple[float, float]:
    """Ends of the interval around ``value``; NaN where fewer than 95 % of the replicates are known."""
    known = by_task[~np.isnan(by_task)]
    if math.isnan(value) or len(known) < max(2, LEAST_SHARE * len(by_task)) or math.isnan(user_sd):
        return math.nan, math.nan
    low, high = np.quantile(known - known.mean(), ENDS)
    users = float(ndtri(ENDS[1])) * user_sd
    return value - math.hypot(min(low, 0), users), value + math.hypot(max(high, 0), users)


def spread(replicates: Floats) -> float:
    """Standard deviation of the known ones."""
    known = replicates[~np.isnan(replicates)]
    return float(known.std(ddof=1)) if len(known) > 1 else math.nan


def shared(together: Floats | None, apart: Floats | None) -> float:
    """Standard deviation that tasks share because they share users; 0 where users cannot be resampled."""
    if together is None or apart is None:
        return 0.0
    return math.sqrt(max(0.0, spread(together) ** 2 - spread(apart) ** 2))


def _means(points: Points, weights: Floats) -> dict[str, Floats]:
    """(replicates, models) of skill and gap."""
    loss, gap = points.loss, points.gap
    counted = (gap >= MIN_GAP) & (gap > 0) & ~np.isnan(loss)
    attained, attainable = (_sums(np.where(counted, part, 0), weights) for part in (loss, gap))
    known = ~np.isnan(loss)
    total, number = _sums(np.where(known, loss, 0), weights), _sums(known.astype(np.float64), weights)
    return {"skill": 1 - _ratio(attained, attainable), "gap": _ratio(total, number)}


def _curves(points: Points, weights: Floats, settings: Settings, threads: int | None) -> dict[str, Floats]:
    x, y = points.entropy, points.cross_entropy
    models, known = y.shape[1], x[~np.isnan(x)]
    nowhere = np.full((len(weights), models), math.nan)
    if not len(known) or known.min() == known.max():
        return dict.fromkeys(_CURVES, nowhere)
    grid = np.linspace(known.min(), known.max(), _GRID)
    shape: dict[str, Any] = {**settings.curve.polynomial, "weights": weights, "threads": threads}
    fraction = settings.curve.fraction
    return {
        "inversion": uncertainty.bootstrap_curves(x, y, grid=grid, **shape).turning_point,
        "lowess_inversion": uncertainty.bootstrap_lowess(
            x, y, weights=weights, fraction=fraction, grid=grid, threads=threads
        ).turning_point,
    }


def _sums(values: Floats, weights: Floats) -> Floats:
    """(replicates, models) sums over tasks; values (1 or replicates, models, tasks)."""
    if len(values) == 1:
        return np.asarray(weights @ values[0].T)
    return np.asarray(np.einsum("rmt,rt->rm", values, weights))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, math.nan), where=whole != 0))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
