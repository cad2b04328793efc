"""Tasks of a small world, rankings of two models and their scores: for tests of what follows from rankings."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from habitus_runners import scores, tasks
from habitus_runners.datasets import world
from habitus_runners.settings import Settings, settings
from habitus_runners.tables import rankings_schema

K, N = 12, 4


class Ranked(NamedTuple):
    """A study up to its scores."""

    settings: Settings
    tasks: pa.Table
    members: pa.Table
    rankings: pa.Table
    scores: pa.Table

    @property
    def rows(self) -> dict[str, int]:
        """Task -> its row."""
        return {task: row for row, task in enumerate(self.tasks["task_id"].to_pylist())}

    def scored_with(self, **changes: object) -> "Ranked":
        """The same rankings, scored with other settings (``target__alpha=2.0``)."""
        wanted = self.settings.changed({key.replace("__", "."): value for key, value in changes.items()})
        return self._replace(settings=wanted, scores=scores.score(self.tasks, self.members, self.rankings, wanted))


@cache
def study(kind: str) -> Ranked:
    """Two models: `full` lists at random, `short` leaves half of its slots empty; their answers are mixed.

    Args:
        kind: of the target.
    """
    changes = {"history.lengths": [0, 2], "draws.cap": 40, "candidates.K": K, "candidates.N": N, "target.kind": kind}
    wanted = settings("paper", changes)
    table, members, _ = tasks.generate(world.load(users=300, items=80), wanted)
    rankings = _rankings(table)
    return Ranked(wanted, table, members, rankings, scores.score(table, members, rankings, wanted))


def _rankings(table: pa.Table) -> pa.Table:
    rng = np.random.default_rng(0)
    lists = np.argsort(rng.random((table.num_rows, K)), axis=1)[:, :N].astype(np.int16)
    short = lists.copy()
    short[:, N // 2 :] = -1
    order = rng.permutation(2 * table.num_rows)
    both = np.concatenate([lists, short])[order]
    names = np.repeat(["full", "short"], table.num_rows)[order].tolist()
    ids = np.array(table["task_id"].to_pylist() * 2)[order].tolist()
    columns = {
        "answer_id": [f"{name}-{task}" for name, task in zip(names, ids, strict=True)],
        "task_id": ids,
        "model": pa.array(names).dictionary_encode(),
        "parser": pa.array(["titles-1"] * len(ids)).dictionary_encode(),
        "ranking": pa.array(list(both), pa.list_(pa.int16(), N)),
        "verdict": pa.array(["ok"] * len(ids)).dictionary_encode(),
        "match_levels": pa.array(list((both >= 0).astype(np.int8)), pa.list_(pa.int8(), N)),
    }
    return pa.table(columns, schema=rankings_schema(N))
