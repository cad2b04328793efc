"""Binned skill against a plain loop, the rank correlation against SciPy's."""

from math import log

import numpy as np
import polars as pl
import pytest
from scipy import stats
from tests.runners.report.simulation import simulate

from habitus_runners.report import scored, skill
from habitus_runners.report.scored import Study


@pytest.fixture(scope="module")
def study() -> Study:
    run = simulate({"random": 9.0, "good": 0.5}, per_cell=20)
    return scored.study(run.tables, run.manifest["settings"])


@pytest.mark.parametrize("column", ["entropy", "group_size"])
def test_bins_are_ratios_of_sums(study: Study, column: str) -> None:
    rows = [row for row in study.scored.to_dicts() if row["model"] == "good" and row["chance"] - row["entropy"] >= 0.02]
    values = np.array([row[column] for row in rows])
    bins = min(20, len(values) // 20)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    found = skill.by_bins(study.scored, column).filter(pl.col("model") == "good").to_dicts()
    assert len(found) == len(edges) - 1
    for index, bin_ in enumerate(found):
        last = index == len(found) - 1
        inside = [r for r in rows if edges[index] <= r[column] and (last or r[column] < edges[index + 1])]
        lost = sum(r["cross_entropy"] - r["entropy"] for r in inside)
        room = sum(r["chance"] - r["entropy"] for r in inside)
        assert bin_["skill"] == pytest.approx(1 - lost / room)
        assert bin_["x"] == pytest.approx(np.mean([r[column] for r in inside]))
        assert bin_["tasks"] == len(inside)


def test_units_are_bits(study: Study) -> None:
    run = simulate({"random": 9.0, "good": 0.5}, per_cell=20)
    nats = run.tables["scores"]["cross_entropy"].to_numpy().mean()
    assert study.scored["cross_entropy"].mean() == pytest.approx(nats / log(2))


def test_flat_tasks_are_counted_and_left_out() -> None:
    rows = {"task_id": [f"t{i}" for i in range(40)], "model": ["m"] * 40, "best": [4.0] * 40}
    chance = [4.019] * 15 + [4.5] * 25
    frame = pl.DataFrame(rows | {"chance": chance, "cross_entropy": [4.1] * 40, "size": list(range(40))})
    assert skill.too_flat(frame) == 15
    assert skill.by_bins(frame, "size").to_dicts() == [
        {"model": "m", "bin": 0, "x": 27.0, "skill": pytest.approx(1 - 0.1 / 0.5), "tasks": 25}
    ]
    assert skill.by_bins(frame.head(30), "size").is_empty()


def test_rank_correlation_with_ties_is_scipys(study: Study) -> None:
    tasks = study.tasks.with_columns(pl.col("entropy").round(1))
    expected = stats.spearmanr(tasks["entropy"].to_numpy(), tasks["group_size"].to_numpy()).statistic
    assert skill.spearman(tasks, "entropy", "group_size") == pytest.approx(expected)
    assert skill.spearman(tasks.with_columns(group_size=pl.lit(3)), "entropy", "group_size") is None
    assert skill.spearman(tasks.head(2), "entropy", "group_size") is None
