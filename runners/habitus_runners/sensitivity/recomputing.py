"""Scoring again: what alternatives share is computed once, what one does not touch not at all."""

from typing import Any

import numpy as np
import pyarrow as pa

from habitus_runners.columns import fixed
from habitus_runners.scores import rows_of
from habitus_runners.sensitivity.alternatives import Alternative
from habitus_runners.sensitivity.reading import Orders, Reading, Scored, read
from habitus_runners.settings import Settings
from habitus_runners.targets import Floats, Scorer, TaskScores

_OTHER_HALVES = 0x9E3779B97F4A7C15  # odd, so that seeds stay different from one another

_Key = tuple[Any, ...]


class Recomputation:
    """The rankings of a study, read under one alternative after the other."""

    def __init__(
        self, tables: dict[str, pa.Table], settings: Settings, rivals: tuple[str, ...], *, threads: int | None = None
    ) -> None:
        self._settings, self._rivals, self._threads = settings, rivals, threads
        self._tasks, self._members = tables["tasks"], tables["members"]
        rankings = tables["rankings"]
        names = rankings["model"].cast(pa.string())
        self._names = tuple(dict.fromkeys(names.to_pylist()))
        self._model = np.asarray([self._names.index(name) for name in names.to_pylist()], np.int64)
        self._lists, self._task = fixed(rankings["ranking"]), rows_of(rankings, self._tasks)
        self._scores: dict[_Key, TaskScores] = {}
        self._axes: dict[_Key, Floats] = {}
        self._orders: dict[_Key, Orders] = {}

    @property
    def faulty(self) -> bool:
        """Whether any list has an empty slot."""
        return bool((self._lists < 0).any())

    def reading(self, alternative: Alternative | None = None) -> Reading:
        """Of the run itself, or under an alternative."""
        chosen = alternative or Alternative("", "")
        settings = chosen.of(self._settings)
        scored = Scored(self._tasks, self._names, self._model, self._task, self._scored(settings, chosen.halves))
        if chosen.tasks is not None:
            return read(scored, settings, self._rivals, chosen.tasks)
        key = (_key(settings, chosen.halves), settings.fill)
        found = read(scored, settings, self._rivals, orders=self._orders.get(key))
        self._orders[key] = found.orders
        return found

    def _scored(self, settings: Settings, halves: int) -> TaskScores:
        """Of two ways that differ in the estimator alone, the second is given an axis, and not scored."""
        key = _key(settings, halves)
        scorer = Scorer(self._with_halves(halves), self._members, settings, threads=self._threads)
        if (key, "chance") not in self._scores:
            whole = scorer.score(self._lists, self._task)
            self._scores[key, "chance"] = whole
            self._axes[key, settings.target.estimator] = whole.entropy
        if (key, settings.fill) not in self._scores:
            whole = self._scores[key, "chance"]
            filled = scorer.refilled(whole, self._lists, self._task, settings.fill)
            self._scores[key, settings.fill] = whole._replace(cross_entropy=filled)
        if (key, settings.target.estimator) not in self._axes:
            axes = [part.entropy for part in scorer.targets()]
            self._axes[key, settings.target.estimator] = np.mean(axes, axis=0)
        return self._scores[key, settings.fill]._replace(entropy=self._axes[key, settings.target.estimator])

    def _with_halves(self, halves: int) -> pa.Table:
        if not halves:
            return self._tasks
        seeds = self._tasks["seed"].to_numpy() + np.uint64(_OTHER_HALVES * halves % 2**64)
        return self._tasks.set_column(self._tasks.schema.get_field_index("seed"), "seed", pa.array(seeds, pa.uint64()))


def _key(settings: Settings, halves: int) -> _Key:
    """What cross-entropies depend on, but for the filling of empty slots."""
    return *settings.target.model_dump(exclude={"estimator"}).values(), settings.users.split, halves
