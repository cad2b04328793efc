"""The tables as the report reads them: one row per model and task, in bits. Joins and unit changes only."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from habitus_runners.errors import HabitusError
from habitus_runners.tables import BIT, INTERVALS, POOLED, frame

NATS = ("entropy", "cross_entropy", "best", "chance", "worst")
BAND = ("optimistic", "worst")  # policies between which a faulty answer may be scored
REFERENCES = ("best", "ceiling", "chance", "worst")


class Study(NamedTuple):
    """What every part of the report is made of.

    ``tasks`` has a row per task, ``scored`` a row per model and task, ``results`` a row per model and slice, all of one
    ``fill`` and ``alpha`` and in bits; ``policies`` keeps the pooled results of every fill and alpha. ``faulty`` has,
    of models with empty slots, a row per task and other fill: what the cross-entropy would be by that policy.
    """

    fill: str
    alpha: float
    tasks: pl.DataFrame
    scored: pl.DataFrame
    faulty: pl.DataFrame
    results: pl.DataFrame
    policies: pl.DataFrame
    verdicts: pl.DataFrame


def study(tables: Mapping[str, pa.Table], settings: Mapping[str, Any]) -> Study:
    """The tables of a run, reduced to the fill and alpha that its settings ask for.

    Raises:
        HabitusError: the scores hold no row with the settings' fill.
    """
    scores, results = frame(tables["scores"]), _in_bits(frame(tables["results"]))
    fill, alpha = _policy(scores, settings)
    chosen = (pl.col("fill") == fill) & (pl.col("alpha") == alpha)
    tasks = _tasks(tables["tasks"])
    joined = scores.with_columns(pl.col(*NATS, "ceiling") / BIT).join(tasks, on="task_id", maintain_order="left")
    scored = joined.filter(chosen)
    short = scored.filter(pl.col("valid") < settings["candidates"]["N"])["model"].unique()
    return Study(
        fill=fill,
        alpha=alpha,
        tasks=_with_targets(tasks, scored),
        scored=scored,
        faulty=joined.filter(pl.col("model").is_in(short.to_list()) & pl.col("fill").is_in(BAND)),
        results=results.filter(chosen),
        policies=results.filter(pooled(POOLED)).sort("model", "fill", "alpha"),
        verdicts=_verdicts(frame(tables["rankings"].select(["task_id", "model", "verdict"])), tasks),
    )


def pooled(setup: str) -> pl.Expr:
    """The rows of ``results`` for a whole setup, or for all of them."""
    return (pl.col("setup") == setup) & (pl.col("level") == POOLED) & (pl.col("history") == POOLED)


def in_setup(setup: str) -> pl.Expr:
    """The tasks of a setup, or all."""
    return pl.lit(setup == POOLED) | (pl.col("setup") == setup)


def _policy(scores: pl.DataFrame, settings: Mapping[str, Any]) -> tuple[str, float]:
    """The settings' fill, and of its alphas the one nearest to the settings' (1/K unless set)."""
    fill = str(settings["fill"])
    alphas = scores.filter(pl.col("fill") == fill)["alpha"].unique().sort().to_list()
    if not alphas:
        found = ", ".join(sorted(scores["fill"].unique())) or "no scores at all"
        raise HabitusError(f"report: expected scores with fill {fill!r}, found {found}; run `habitus score` first")
    wanted = settings["target"]["alpha"] or 1 / settings["candidates"]["K"]
    wanted = wanted if settings["target"]["smoothing"] == "alpha" else 0
    return fill, min(alphas, key=lambda alpha: abs(alpha - wanted))


def _tasks(table: pa.Table) -> pl.DataFrame:
    tasks = frame(table.select(["task_id", "setup", "level", "history", "group_size", "seed", "order"]))
    return tasks.with_columns(pl.col("history").list.len().cast(pl.Int64))


def _with_targets(tasks: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """Entropy, best, chance and worst belong to a task, not to a model: every model's rows repeat them."""
    return tasks.join(scored.select("task_id", "entropy", *REFERENCES).unique("task_id"), on="task_id", how="left")


def _in_bits(results: pl.DataFrame) -> pl.DataFrame:
    figures = (*NATS, "gap", "inversion", "lowess_inversion")
    ends = [f"{name}_{end}" for name in INTERVALS if name in figures for end in ("low", "high")]
    return results.with_columns(pl.col(*figures, *ends) / BIT, trend=pl.col("trend") * BIT)


def _verdicts(rankings: pl.DataFrame, tasks: pl.DataFrame) -> pl.DataFrame:
    """Answers per model, setup and verdict, most frequent first."""
    counted = rankings.join(tasks.select("task_id", "setup"), on="task_id").group_by("model", "setup", "verdict").len()
    return counted.sort("len", "verdict", descending=[True, False])
