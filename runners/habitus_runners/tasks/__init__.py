"""From a data set to the tasks and members tables: Algorithm 1 of the paper, corrected (method, section 3)."""

from typing import Any, NamedTuple

import pyarrow as pa

from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.progress import Progress, silent
from habitus_runners.settings import Settings
from habitus_runners.tasks.arrow import members_table, tasks_table
from habitus_runners.tasks.material import cells, material
from habitus_runners.tasks.stratum import Stratum


class Tasks(NamedTuple):
    """The two tables, and per (level, value, history length) what became of its draws."""

    tasks: pa.Table
    members: pa.Table
    draws: list[dict[str, Any]]


def generate(dataset: Dataset, settings: Settings, *, threads: int | None = None, progress: Progress = silent) -> Tasks:
    """Draw every task of a study.

    Raises:
        HabitusError: no task could be drawn.
    """
    source = material(dataset, settings)
    tasks: list[pa.Table] = []
    members: list[pa.Table] = []
    draws: list[dict[str, Any]] = []
    strata = [(cells(dataset, level), length) for level in dataset.levels for length in settings.history.lengths]
    for done, (level_cells, length) in enumerate(strata, start=1):
        stratum = Stratum(settings, source, level_cells, length, threads)
        drawn, fates = stratum.drawn()
        draws += fates
        for setup, view in stratum.views(drawn):
            for order in range(settings.candidates.orders):
                batch = stratum.reordered(view, order) if order else view
                tasks.append(tasks_table(dataset, stratum, setup, batch, order))
                members.append(members_table(tasks[-1]["task_id"].combine_chunks(), batch))
        progress("tasks", done, len(strata))
    table = pa.concat_tables(tasks).unify_dictionaries()
    if not table.num_rows:
        raise HabitusError(
            f"{dataset.name}: expected tasks, got none: no group has {settings.group.min_users} users who know"
            f" {settings.history.match} of a history; lower group.min_users or history.match"
        )
    return Tasks(table, pa.concat_tables(members).unify_dictionaries(), draws)
