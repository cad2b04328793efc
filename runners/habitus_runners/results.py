"""From scores to the results table: what each model reached, over all tasks and over every slice of them."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus import curves, inversion
from habitus.scoring import MIN_GAP
from habitus_runners.settings import Settings
from habitus_runners.tables import POOLED, frame, results_schema

Floats = NDArray[np.float64]
Range = tuple[float, float]

GRID = 200  # places of a smooth
LEAST_TASKS = 20  # that resamples can be made of

_SLICES = ("setup", "level", "history")
_ENDS = ("low", "high")
_NATS = ("entropy", "cross_entropy", "best", "chance", "worst")


class Smooth(NamedTuple):
    """Locally weighted lines: whether and where they turn, their heights on a grid, and the test of it."""

    outcome: curves.Outcome
    x: float
    heights: Floats
    lines: inversion.TwoLines


class _Study(NamedTuple):
    """What slices are cut from. ``ranges``: of the entropies of all models in each setup, so that they share bins."""

    settings: Settings
    ranges: Mapping[str, Range]


def summarise(
    tasks: pa.Table, scores: pa.Table, settings: Settings, intervals: Iterable[Mapping[str, Any]] = ()
) -> pa.Table:
    """The results table: one row per model, fill, alpha and slice. A figure that is undefined is null, never a number.

    Curves, and so area and inversion, are drawn for all tasks and for each setup.

    Args:
        tasks: the tasks table.
        scores: the scores table.
        settings: of the study.
        intervals: rows of ``intervals.Study``, for the settings' own fill.
    """
    key = ("model", *_SLICES)
    sure = {tuple(row[name] for name in key): row for row in intervals}
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
    study = _Study(settings, ranges | {POOLED: _range(scored)})
    parts = scored.group_by("model", "fill", "alpha", maintain_order=True)
    rows = []
    for (model, fill, alpha), part in parts:
        for row in _slices(part, study):
            known = sure.get((model, *(row[name] for name in _SLICES)), {}) if fill == settings.fill else {}
            rows.append({"model": model, "fill": fill, "alpha": alpha} | row | _of_values(row, known))
    return pa.Table.from_pylist([_nulls(row) for row in rows], schema=results_schema())


def _of_values(row: Mapping[str, Any], intervals: Mapping[str, Any]) -> dict[str, Any]:
    """The intervals that there are: a curve that does not turn has no place, few tasks have no distribution."""
    if row["tasks"] < LEAST_TASKS:
        return {}
    kinds = {"inversion": "outcome", "lowess_inversion": "lowess_outcome"}
    absent = {f"{name}_{end}" for name, outcome in kinds.items() if row.get(outcome) != "value" for end in _ENDS}
    return {name: None if name in absent else value for name, value in intervals.items()}


def _range(rows: pl.DataFrame) -> Range:
    entropy = rows["entropy"].to_numpy()
    known = entropy[~np.isnan(entropy)]
    return (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)


def _slices(part: pl.DataFrame, study: _Study) -> Iterator[dict[str, Any]]:
    """One model's rows: pooled, and for each combination of setup, level and length that has tasks."""
    for used in product((False, True), repeat=len(_SLICES)):
        keys = [name for name, use in zip(_SLICES, used, strict=True) if use]
        for values, rows in part.group_by(keys, maintain_order=True) if keys else [((), part)]:
            named = dict.fromkeys(_SLICES, POOLED) | dict(zip(keys, values, strict=True))
            drawn = _curves(rows, study.settings, study.ranges[named["setup"]]) if keys in ([], ["setup"]) else {}
            yield named | _figures(rows, study) | drawn


def _figures(rows: pl.DataFrame, study: _Study) -> dict[str, Any]:
    """Means, skills and counts of one slice; rankings that were dropped count in ``dropped`` alone."""
    kept = rows.filter(pl.col("cross_entropy").is_not_nan())
    columns = {name: kept[name].to_numpy() for name in ("chance", "worst", "cross_entropy", "valid")}
    scores = habitus.Scores(entropy=kept["best"].to_numpy(), **columns)
    skill, bounded = habitus.skill(scores), habitus.bounded_skill(scores)
    ceiling = habitus.skill(scores._replace(cross_entropy=kept["ceiling"].to_numpy()))
    means = {name: kept[name].mean() for name in _NATS}
    return means | {
        "tasks": rows["task_id"].n_unique(),
        "excluded": skill.excluded,
        "dropped": rows.height - kept.height,
        "gap": (kept["cross_entropy"] - kept["best"]).mean(),
        "skill": skill.value,
        "bounded_skill": bounded.value,
        "ceiling": ceiling.value,
        "validity": (rows["valid"] / study.settings.candidates.N).mean(),
    }


def _curves(rows: pl.DataFrame, settings: Settings, support: Range) -> dict[str, Any]:
    """Inversion and area of one model; ``support`` is the range of all models, so that they share their bins."""
    known = rows.filter(pl.col("cross_entropy").is_not_nan())
    x, y, best, chance = (known[name].to_numpy() for name in ("entropy", "cross_entropy", "best", "chance"))
    if not len(x):
        return {"outcome": "undefined", "lowess_outcome": "undefined"}
    shape = settings.curve.polynomial
    drawn = curves.curve(x, y, support=support, **shape)
    # Area is measured from the curve of the best list, which is the diagonal unless users are split.
    above = [curves.curve(x, x + column - best, support=support, **shape) for column in (y, chance)]
    smooth, trend = smoothed(x, y, support, settings.curve.fraction), skill_trend(x, y, best, chance)
    return {
        "inversion": drawn.inversion,
        "outcome": drawn.outcome,
        "area": curves.area(*above),
        "lowess_inversion": smooth.x,
        "lowess_outcome": smooth.outcome,
        "two_lines": smooth.lines.p,
        "trend": trend.slope,
        "trend_p": trend.p,
    }


def smoothed(x: Floats, y: Floats, support: Range, fraction: float) -> Smooth:
    """The smooth of raw tasks over ``support``; it turns only where two lines say so too."""
    grid = np.linspace(*support, GRID) if support[0] < support[1] else np.asarray(support[:1])
    heights = curves.lowess(x, y, grid, fraction=fraction)
    turn, lines = curves.turning_points(grid, heights), inversion.two_lines(x, y, fraction=fraction)
    outcome = curves.OUTCOMES[int(turn.outcome)]
    if outcome == "value" and not lines.exists:
        return Smooth("none", math.nan, heights, lines)
    return Smooth(outcome, float(turn.x), heights, lines)


def skill_trend(entropy: Floats, cross_entropy: Floats, best: Floats, chance: Floats) -> inversion.Trend:
    """How skill changes with the entropy, on the tasks that skill counts."""
    room = chance - best
    return inversion.trend(np.where(room >= MIN_GAP, room, 0), cross_entropy - best, entropy)


def _nulls(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
