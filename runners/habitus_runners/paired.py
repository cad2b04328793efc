"""Scores of several models on the tasks that all of them answered, from one run's tables or several.

A model's score in a task is the mean over its answers, by the run's own fill.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from habitus_runners.errors import HabitusError
from habitus_runners.settings import Settings, validated
from habitus_runners.storage import RunFolder
from habitus_runners.tables import frame

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# All 2 ** 12 patterns of signs let p go down to 5 % of a hundred pairs.
FEW_VALUES = 12

_SAME = 1e-9  # nats: scores of one list against one target
_OF_TASKS = ("entropy", "best", "chance")


class Run(NamedTuple):
    """What is compared of a run, and what it is called where that matters."""

    name: str
    tasks: pa.Table
    scores: pa.Table
    settings: Settings


class Paired(NamedTuple):
    """Models on the same tasks, in nats.

    Attributes:
        labels: (models,) names; with the run's behind it where runs gave a model other scores.
        models: (models,) names as they were given to the runs.
        cross_entropy: (models, tasks) finite.
        best: (tasks,) the cross-entropy of the target's own order.
        chance: (tasks,) that of random lists.
        cluster: (tasks,) the number of the proxy that each task is about, from 0.
        lacking: labels of the models that did not answer each task that another did.
        left_out: how many tasks some model answered and another did not.
    """

    labels: tuple[str, ...]
    models: tuple[str, ...]
    cross_entropy: Floats
    best: Floats
    chance: Floats
    cluster: Integers
    lacking: tuple[str, ...]
    left_out: int


def read(folder: Path) -> Run:
    """What is compared of a run's folder.

    Raises:
        HabitusError: it holds no scores.
    """
    run = RunFolder(folder)
    scores, tasks = run.read("scores"), run.read("tasks")
    return Run(folder.resolve().name, tasks, scores, validated(run.manifest["settings"]))


def paired(runs: Sequence[Run], models: Sequence[str] = ()) -> Paired:
    """The scores of these models, by default of all, on the tasks that all of them answered.

    Raises:
        HabitusError: fewer than two models, an unknown one, no task that all answered, or targets that differ.
    """
    rows = _labelled(pl.concat([_scores(run) for run in _distinct(runs)]))
    _check_targets(rows)
    labels = _wanted(dict(rows.select("label", "model").unique(maintain_order=True).iter_rows()), models)
    answered = rows.filter(pl.col("label").is_in(list(labels)), pl.col("cross_entropy").is_finite())
    counts = dict(answered.group_by("label").len().iter_rows())
    answers = pl.len().over("task_id")
    shared = answered.filter(answers == len(labels)).sort("task_id", "label")
    if not shared.height:
        _check_tasks(runs)
        raise HabitusError(
            "expected tasks that all models answered, found none; answered: "
            + ", ".join(f"{label} {counts.get(label, 0):,}" for label in labels)
            + "; compare runs of the same tasks, or fewer models with --model"
        )
    names = sorted(labels)
    tasks = shared.filter(pl.col("label") == names[0])
    union = answered["task_id"].n_unique()
    return Paired(
        labels=tuple(names),
        models=tuple(labels[name] for name in names),
        cross_entropy=np.ascontiguousarray(shared["cross_entropy"].to_numpy().reshape(-1, len(names)).T),
        best=tasks["best"].to_numpy(),
        chance=tasks["chance"].to_numpy(),
        cluster=_clusters(runs, tasks["task_id"]),
        lacking=tuple(name for name in names if counts[name] < union),
        left_out=union - tasks.height,
    )


def _distinct(runs: Sequence[Run]) -> list[Run]:
    """The runs, those of one name numbered."""
    names = [run.name for run in runs]
    return [
        run._replace(name=f"{run.name} #{names[: place + 1].count(run.name)}") if names.count(run.name) > 1 else run
        for place, run in enumerate(runs)
    ]


def _scores(run: Run) -> pl.DataFrame:
    """One row per model and task that was scored."""
    rows = frame(run.scores).filter(pl.col("fill") == run.settings.fill)
    if not rows.height:
        raise HabitusError(f"{run.name}: expected scores with fill {run.settings.fill!r}, found none; score it anew")
    mean = pl.col("cross_entropy").filter(pl.col("cross_entropy").is_finite()).mean()
    grouped = rows.with_columns(run=pl.lit(run.name)).group_by("run", "model", "task_id", maintain_order=True)
    return grouped.agg(mean, *(pl.col(name).fill_nan(None).first() for name in _OF_TASKS))


def _labelled(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per label and task: a model is one, unless runs gave it other scores in a task that they share."""
    spread = pl.col("cross_entropy").max() - pl.col("cross_entropy").min()
    lost = pl.col("cross_entropy").is_null().n_unique() > 1
    differs = ((spread > _SAME).fill_null(value=False) | lost).over("model", "task_id").any().over("model")
    named = pl.when(differs).then(pl.format("{} ({})", "model", "run")).otherwise(pl.col("model"))
    return rows.with_columns(label=named).unique(["label", "task_id"], keep="first", maintain_order=True)


def _check_tasks(runs: Sequence[Run]) -> None:
    """Some task is in every run."""
    common = set.intersection(*({*run.tasks["task_id"].to_pylist()} for run in runs))
    if not common:
        raise HabitusError(
            f"expected runs of the same tasks, {' and '.join(run.name for run in runs)} share none; "
            "a task is the same where data, settings of sampling and seed are"
        )


def _check_targets(rows: pl.DataFrame) -> None:
    """The same task has the same target in every run: ids do not say who counts, nor how a target is made."""
    spread = [(pl.col(name).max() - pl.col(name).min()).alias(name) for name in _OF_TASKS]
    grouped = rows.group_by("task_id", maintain_order=True).agg(*spread, pl.col("run").unique(maintain_order=True))
    wrong = grouped.filter(pl.any_horizontal(pl.col(_OF_TASKS) > _SAME))
    if wrong.height:
        first = wrong.row(0, named=True)
        raise HabitusError(
            f"expected the same targets in every run, {' and '.join(first['run'])} differ in {wrong.height:,} tasks, "
            f"as in {first['task_id']}; score them with the same settings: `habitus score DIR --set target.alpha=...`"
        )


def _wanted(labels: Mapping[str, str], models: Sequence[str]) -> dict[str, str]:
    """Label -> model of those asked for, by either."""
    strange = [name for name in models if name not in {*labels, *labels.values()}]
    if strange:
        raise HabitusError(f"--model {strange[0]}: expected one of {', '.join(sorted(labels))}")
    wanted = {label: model for label, model in labels.items() if not models or {label, model} & {*models}}
    if len(wanted) < 2:  # noqa: PLR2004 - a pair
        raise HabitusError(f"expected at least two models to compare, got {', '.join(wanted) or 'none'}")
    return wanted


def _clusters(runs: Iterable[Run], task_ids: pl.Series) -> Integers:
    """(tasks,) the number of the proxy value that each task is about.

    The level without attributes has one value and is one cluster, however large: a model may be better for nobody in
    particular as it may be for women. Where models differ so by value, the test then rejects 4.8 % of null pairs in the
    synthetic world, and 7.3 % (of 600) if histories are clusters on that level; single tasks as clusters reject 63 %.
    It costs little: a difference found in 71 % of studies, at the level of Holm's first step, is found in 67 %.

    A study of few values, as one of histories alone, would have too few signs to flip. There the history is the proxy
    (method, section 1), and the cluster of what has no cell; where there is no history either, the candidates are.
    """
    proxies: dict[str, _Proxy] = {}
    for run in runs:
        columns = (run.tasks[name].to_pylist() for name in ("task_id", "level", "value", "history", "candidates"))
        for task, level, value, history, candidates in zip(*columns, strict=True):
            # Nested histories grow from one item, and so do their groups.
            shown = history[:1] if run.settings.history.nested else sorted(history)
            proxies[task] = _Proxy(level, value, shown, candidates)
    found = [proxies[task] for task in task_ids]
    labels = [proxy.by_value for proxy in found]
    if len({*labels}) < FEW_VALUES:
        labels = [proxy.by_history for proxy in found]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


class _Proxy(NamedTuple):
    """What a prompt tells about people, and of what it asks."""

    level: str
    value: Mapping[str, Any]
    history: Sequence[int]
    candidates: Sequence[int]

    @property
    def by_value(self) -> str:
        return json.dumps([self.level, self.value], sort_keys=True)

    @property
    def by_history(self) -> str:
        if any(attribute is not None for attribute in self.value.values()):
            return self.by_value
        return json.dumps(["history", self.history] if self.history else ["candidates", sorted(self.candidates)])
