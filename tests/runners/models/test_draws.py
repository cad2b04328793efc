"""Draws are uniform, belong to the task and differ by model, seed and purpose."""

import numpy as np
import pytest
from scipy import stats

from habitus_runners.models.draws import Draws

TASKS = [f"task {number}" for number in range(2000)]


def test_draws_are_uniform_and_independent():
    table = Draws(TASKS, "model", 0).uniform("order", 50)
    assert table.shape == (2000, 50)
    assert table.min() > 0
    assert table.max() < 1
    assert stats.kstest(table.ravel(), "uniform").pvalue > 0.001
    assert np.abs(np.corrcoef(table.T) - np.eye(50)).max() < 0.12
    assert np.abs(np.corrcoef(table[:100]) - np.eye(100)).max() < 0.75
    assert len(np.unique(table)) == table.size


def test_a_tasks_draws_do_not_depend_on_its_place():
    table = Draws(TASKS, "model", 0).uniform("order", 50)
    assert np.array_equal(Draws(TASKS[::-1], "model", 0).uniform("order", 50), table[::-1])
    assert np.array_equal(Draws(TASKS[5:6], "model", 0).uniform("order", 7), table[5:6, :7])


@pytest.mark.parametrize(
    "other", [Draws(TASKS, "model", 1), Draws(TASKS, "other", 0)], ids=["another seed", "another model"]
)
def test_models_and_seeds_draw_apart(other):
    table = Draws(TASKS, "model", 0).uniform("order", 50)
    assert abs(np.corrcoef(table.ravel(), other.uniform("order", 50).ravel())[0, 1]) < 0.015


def test_purposes_draw_apart():
    draws = Draws(TASKS, "model", 0)
    assert abs(np.corrcoef(draws.uniform("ties", 50).ravel(), draws.uniform("order", 50).ravel())[0, 1]) < 0.015


def test_pairs_draw_by_number_not_by_place():
    draws = Draws(TASKS, "model", 0)
    rows, number = np.repeat(np.arange(2000), 10), np.tile(np.arange(10) * 37, 2000)
    drawn = draws.uniform_for("half", rows, number)
    assert stats.kstest(drawn, "uniform").pvalue > 0.001
    order = np.random.default_rng(0).permutation(len(rows))
    assert np.array_equal(draws.uniform_for("half", rows[order], number[order]), drawn[order])
