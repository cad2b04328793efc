"""From rankings to the scores table. The formulas are the engine's; here they meet names."""

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from habitus.scoring import Fill
from habitus_runners.ceiling import lost_to_noise
from habitus_runners.columns import fixed
from habitus_runners.settings import Settings
from habitus_runners.tables import scores_schema
from habitus_runners.targets import Scorer

FILLS: tuple[Fill, ...] = ("chance", "optimistic", "worst")


def score(
    tasks: pa.Table, members: pa.Table, rankings: pa.Table, settings: Settings, *, threads: int | None = None
) -> pa.Table:
    """The scores table: every ranking under every fill, and under the settings' own if it is another."""
    scorer = Scorer(tasks, members, settings, threads=threads)
    task, lists = rows_of(rankings, tasks), fixed(rankings["ranking"])
    whole = scorer.score(lists, task)
    ceiling = whole.best + lost_to_noise(tasks, scorer) * (whole.chance - whole.best)
    parts = []
    for fill in dict.fromkeys((*FILLS, settings.fill)):
        columns = {
            **{name: rankings[name] for name in ("answer_id", "task_id", "model")},
            "fill": pa.array([fill] * len(task)),
            "alpha": np.full(len(task), scorer.alpha),
            **{name: getattr(whole, name)[task] for name in ("entropy", "best", "chance", "worst")},
            "ceiling": ceiling[task],
            "cross_entropy": scorer.refilled(whole, lists, task, fill),
            "valid": whole.valid,
        }
        parts.append(pa.table({name: columns[name] for name in scores_schema().names}).cast(scores_schema()))
    return pa.concat_tables(parts).unify_dictionaries()


def rows_of(rankings: pa.Table, tasks: pa.Table) -> NDArray[np.int64]:
    """(rankings,) the row of each one's task."""
    row = pl.DataFrame({"task_id": tasks["task_id"]}).with_row_index("row")
    answered = pl.DataFrame({"task_id": rankings["task_id"]})
    found = answered.join(row, on="task_id", how="left", maintain_order="left")["row"]
    return np.asarray(found.cast(pl.Int64).to_numpy())
