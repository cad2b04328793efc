"""From scores to the results table: what each model reached, over all tasks and over every slice of them."""

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import polars as pl
import pyarrow as pa

import habitus
from habitus import curves
from habitus_runners.settings import Settings
from habitus_runners.tables import POOLED, frame, results_schema

Range = tuple[float, float]

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
    scored = frame(scores).join(about, on="task_id", how="left", maintain_order="left")
    ranges = {setup: _range(scored.filter(pl.col("setup") == setup)) for setup in scored["setup"].unique()}
    ranges[POOLED] = _range(scored)
    parts = scored.group_by("model", "fill", "alpha", maintain_order=True)
    rows = [
        {"model": model, "fill": fill, "alpha": alpha} | row
        for (model, fill, alpha), part in parts
        for row in _slices(part, settings, ranges)
    ]
    return pa.Table.from_pylist([_nulls(row) for row in rows], schema=results_schema())


def _range(rows: pl.DataFrame) -> Range:
    entropy = rows["entropy"].to_numpy()
    return float(entropy.min()), float(entropy.max())


def _slices(part: pl.DataFrame, settings: Settings, ranges: Mapping[str, Range]) -> Iterator[dict[str, Any]]:
    """One model's rows: pooled, and for each combination of setup, level and length that has tasks."""
    for used in product((False, True), repeat=len(_SLICES)):
        keys = [name for name, use in zip(_SLICES, used, strict=True) if use]
        for values, rows in part.group_by(keys, maintain_order=True) if keys else [((), part)]:
            named = dict.fromkeys(_SLICES, POOLED) | dict(zip(keys, values, strict=True))
            drawn = _curve(rows, settings, ranges[named["setup"]]) if keys in ([], ["setup"]) else {}
            yield named | _figures(rows, settings.candidates.N) | drawn


def _figures(rows: pl.DataFrame, length: int) -> dict[str, Any]:
    """Means, skills and counts of one slice; rankings that were dropped count in ``dropped`` alone."""
    kept = rows.filter(pl.col("cross_entropy").is_not_nan())
    scores = habitus.Scores(**{name: kept[name].to_numpy() for name in habitus.Scores._fields})
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


def _curve(rows: pl.DataFrame, settings: Settings, support: Range) -> dict[str, Any]:
    """Inversion and area of one model; ``support`` is the range of all models, so that they share their bins."""
    model, chance = (
        curves.curve(rows["entropy"], rows[name], support=support, **settings.curve.model_dump())
        for name in ("cross_entropy", "chance")
    )
    return {"inversion": model.inversion, "outcome": model.outcome, "area": curves.area(model, chance)}


def _nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
