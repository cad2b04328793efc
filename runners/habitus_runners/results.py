"""From scores to the results table: what each model reached, over all tasks and over every slice of them."""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import polars as pl
import pyarrow as pa

import habitus
from habitus import curves
from habitus_runners.settings import Settings
from habitus_runners.tables import results_schema

POOLED = "all"

_SLICES = ("setup", "level", "history")
_NATS = ("entropy", "cross_entropy", "chance", "worst")


def summarise(tasks: pa.Table, scores: pa.Table, settings: Settings) -> pa.Table:
    """The results table: one row per model, fill, alpha and slice. A figure that is undefined is null, never a number.

    Curves, and so area and inversion, are drawn for all tasks and for each setup; ``ceiling`` is not estimated yet.
    """
    about = pl.DataFrame(
        {
            "task_id": tasks["task_id"],
            "setup": tasks["setup"].cast(pa.string()),
            "level": tasks["level"].cast(pa.string()),
            "history": tasks["history"].combine_chunks().value_lengths().cast(pa.string()),
        }
    )
    categories = {name: scores[name].cast(pa.string()) for name in ("model", "fill")}
    frame = pl.DataFrame({name: categories.get(name, scores[name]) for name in scores.column_names})
    frame = frame.join(about, on="task_id", how="left", maintain_order="left")
    parts = frame.group_by("model", "fill", "alpha", maintain_order=True)
    rows = [
        {"model": model, "fill": fill, "alpha": alpha} | row
        for (model, fill, alpha), part in parts
        for row in _slices(part, settings)
    ]
    return pa.Table.from_pylist([_nulls(row) for row in rows], schema=results_schema())


def _slices(part: pl.DataFrame, settings: Settings) -> Iterator[dict[str, Any]]:
    """One model's rows: pooled, and for each combination of setup, level and length that has tasks."""
    for used in product((False, True), repeat=len(_SLICES)):
        keys = [name for name, use in zip(_SLICES, used, strict=True) if use]
        for values, rows in part.group_by(keys, maintain_order=True) if keys else [((), part)]:
            named = dict.fromkeys(_SLICES, POOLED) | dict(zip(keys, values, strict=True))
            drawn = _curve(rows, settings) if keys in ([], ["setup"]) else {}
            yield named | _figures(rows, settings.candidates.N) | drawn


def _figures(rows: pl.DataFrame, length: int) -> dict[str, Any]:
    """Means, skills and counts of one slice; rankings that were dropped count in ``dropped`` alone."""
    kept = rows.filter(pl.col("cross_entropy").is_not_nan())
    scores = habitus.Scores(*(kept[name].to_numpy() for name in (*_scores_order(), "valid")))
    skill, bounded = habitus.skill(scores), habitus.bounded_skill(scores)
    means = {name: kept[name].mean() for name in _NATS}
    return means | {
        "tasks": rows["task_id"].n_unique(),
        "excluded": skill.excluded,
        "dropped": rows.height - kept.height,
        "gap": (kept["cross_entropy"] - kept["entropy"]).mean(),
        "skill": skill.value,
        "bounded_skill": bounded.value,
        "validity": (rows["valid"] / length).mean(),
    }


def _scores_order() -> tuple[str, ...]:
    return tuple(name for name in habitus.Scores._fields if name != "valid")


def _curve(rows: pl.DataFrame, settings: Settings) -> dict[str, Any]:
    entropy = rows["entropy"].to_numpy()
    wanted = settings.curve

    def draw(name: str) -> curves.Curve:
        return curves.curve(
            entropy, rows[name].to_numpy(), bins=wanted.bins, window=wanted.window, degree=wanted.degree,
            support=(float(entropy.min()), float(entropy.max())),
        )  # fmt: skip

    model = draw("cross_entropy")
    return {"inversion": model.inversion, "outcome": model.outcome, "area": curves.area(model, draw("chance"))}


def _nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
