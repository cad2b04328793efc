"""From rankings to the scores table. The formulas are the engine's; here they meet names."""

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

import habitus
from habitus.scoring import Fill
from habitus_runners.columns import fixed
from habitus_runners.settings import Settings
from habitus_runners.tables import scores_schema

FILLS: tuple[Fill, ...] = ("chance", "optimistic", "worst")


def score(tasks: pa.Table, rankings: pa.Table, settings: Settings, *, threads: int | None = None) -> pa.Table:
    """The scores table: every ranking under every fill, and under the settings' own if it is another.

    Under `incidence` the target is the counts plus alpha. Other targets are distributions: they are taken as so many
    observations as the group has users before alpha is added, so that alpha means the same.
    """
    alpha = settings.target.alpha or 1 / tasks.schema.field("candidates").type.list_size
    row = pl.DataFrame({"task_id": tasks["task_id"]}).with_row_index("row")
    answered = pl.DataFrame({"task_id": rankings["task_id"]})
    task = answered.join(row, on="task_id", how="left", maintain_order="left")["row"]
    index, lists = task.cast(pl.Int64).to_numpy(), fixed(rankings["ranking"])
    parts = []
    for fill in dict.fromkeys((*FILLS, settings.fill)):
        if settings.target.kind == "incidence":
            scores = habitus.score(fixed(tasks["counts"]), lists, task=index, alpha=alpha, fill=fill, threads=threads)
        else:
            target = _smoothed(fixed(tasks["target"]), tasks["group_size"].to_numpy(), alpha)
            scores = habitus.score_values(target, target, lists, task=index, fill=fill, threads=threads)
        columns = {
            **{name: rankings[name] for name in ("answer_id", "task_id", "model")},
            "fill": pa.array([fill] * len(index)),
            "alpha": np.full(len(index), alpha),
            **{name: getattr(scores, name)[index] for name in ("entropy", "chance", "worst")},
            "cross_entropy": scores.cross_entropy,
            "valid": scores.valid,
        }
        parts.append(pa.table({name: columns[name] for name in scores_schema().names}).cast(scores_schema()))
    return pa.concat_tables(parts).unify_dictionaries()


def _smoothed(target: NDArray[np.float64], group_size: NDArray[np.int32], alpha: float) -> NDArray[np.float64]:
    weighted = target * group_size[:, None] + alpha
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))
