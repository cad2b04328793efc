"""Skill against a property of the task, and the correlations a reader must know. Numbers only, in bits."""

import numpy as np
import polars as pl

from habitus.scoring import MIN_GAP
from habitus_runners.tables import BIT

_LEAST_GAP = MIN_GAP / BIT
MOST_BINS = 20
LEAST_TASKS = 20


def countable(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that skill counts: chance - best at least 0.02 bits, and a cross-entropy."""
    return frame.filter((pl.col("chance") - pl.col("best") >= _LEAST_GAP) & pl.col("cross_entropy").is_finite())


def too_flat(tasks: pl.DataFrame) -> int:
    """How many tasks leave a model nothing to gain: chance - best below 0.02 bits."""
    return tasks.filter(pl.col("chance") - pl.col("best") < _LEAST_GAP).height


def by_bins(scored: pl.DataFrame, column: str) -> pl.DataFrame:
    """Skill per model and equal-count bin of ``column``: 1 - sum(CE - best) / sum(chance - best), a ratio of sums.

    At most 20 bins of at least 20 tasks, the same for every model; equal values share a bin. Fewer than 20 tasks have
    no bin.

    Returns:
        Columns model, bin, x (mean of ``column`` over the bin), skill, tasks; by model and x.
    """
    rows = countable(scored)
    values = rows.unique("task_id")[column].to_numpy()
    bins = min(MOST_BINS, len(values) // LEAST_TASKS)
    if bins == 0:
        return pl.DataFrame(schema={"model": pl.String, "bin": pl.Int64, "x": pl.Float64, "skill": pl.Float64})
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    place = np.searchsorted(edges[1:-1], rows[column].to_numpy(), side="right")
    lost = (pl.col("cross_entropy") - pl.col("best")).sum()
    room = (pl.col("chance") - pl.col("best")).sum()
    binned = rows.with_columns(bin=pl.Series(place)).group_by("model", "bin")
    return binned.agg(x=pl.col(column).mean(), skill=1 - lost / room, tasks=pl.len()).sort("model", "x")


def spearman(tasks: pl.DataFrame, left: str, right: str) -> float | None:
    """Spearman's rank correlation over tasks; none for fewer than three or for a constant."""
    known = tasks.filter(pl.col(left).is_finite())
    if known.height < 3 or known[left].n_unique() == 1 or known[right].n_unique() == 1:  # noqa: PLR2004 - two points always correlate
        return None
    return float(known.select(pl.corr(left, right, method="spearman")).item())
