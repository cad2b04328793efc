"""The shares that the reproduction prints, counted on tasks small enough to follow by hand."""

import numpy as np
import pyarrow as pa

import habitus
from habitus_runners import reproduction
from habitus_runners.settings import settings
from habitus_runners.tables import rankings_schema, tasks_schema

BEST, WORST = [0, 1], [3, 2]  # of counts that fall: what is listed last has no count, and what has one comes too late


def _tables(sizes: list[int], lists: dict[str, list[list[int]]]) -> dict[str, pa.Table]:
    """Tasks with groups of these sizes and the counts 4 2 0 0, and each model's ranking of every task."""
    tasks = [
        {"task_id": f"task {row}", "counts": [4, 2, 0, 0], "candidates": [0, 1, 2, 3], "group_size": size}
        for row, size in enumerate(sizes)
    ]
    rankings = [
        {"answer_id": f"{model} {row}", "task_id": f"task {row}", "model": model, "ranking": ranking}
        for model, rows in lists.items()
        for row, ranking in enumerate(rows)
    ]
    return {
        "tasks": _table(tasks, tasks_schema(4, ())),
        "rankings": _table(rankings, rankings_schema(2)).take(np.random.default_rng(0).permutation(len(rankings))),
    }


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema)


def _found(tables: dict[str, pa.Table]) -> dict[str, str]:
    return {figure.name: figure.found for figure in reproduction._infinities(tables)}


def test_groups_of_five_are_small_and_groups_of_six_are_not():
    tables = _tables([5, 6, 3, 6, 5, 6, 7, 20], {"popularity": [WORST, WORST, BEST, BEST, BEST, WORST, WORST, WORST]})
    assert _found(tables) == {"infinite without smoothing, popularity": "62.50%; 33.3% at 3-5 users"}


def test_every_model_is_counted_on_its_own_rankings():
    tables = _tables([5, 6, 9, 9], {"random": [WORST, WORST, WORST, BEST], "popularity": [BEST, BEST, BEST, WORST]})
    assert _found(tables) == {
        "infinite without smoothing, random": "75.00%",
        "infinite without smoothing, popularity": "25.00%; 0.0% at 3-5 users",
    }


def test_a_model_that_was_not_run_has_no_figure():
    assert _found(_tables([5], {"perfect": [BEST]})) == {}


def test_the_range_of_the_curve_is_in_bits():
    counts = np.random.default_rng(0).poisson(3, (400, 12)).astype(np.int32)
    wanted = settings("paper", {"candidates.K": 12, "candidates.N": 5, "curve.window": 5})
    figures = {figure.name: figure.found for figure in reproduction._curves(counts, counts.sum(axis=1), wanted)}
    low, high = (float(end) for end in figures["range of the curve (bits)"].split("-"))
    entropy = habitus.entropy.plug_in(counts) / np.log(2)
    assert entropy.min() <= low < np.median(entropy) < high <= entropy.max()
