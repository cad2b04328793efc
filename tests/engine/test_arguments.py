"""What callers pass in, kind by kind: what is accepted comes back as it should be, the rest is named."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from habitus import arguments

NUMBERS = np.array([40, 41, 42])


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64])
def test_an_integer_matrix_is_not_copied(kind: Any) -> None:
    array = np.ones((2, 3), kind)
    assert arguments.integer_matrix("counts", array) is array


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.5]], TypeError, "counts: expected integers, got float64"),
        ([["a"]], TypeError, "counts: expected integers, got <U1"),
        ([1, 2], ValueError, r"counts: expected a 2-d array with at least one column, got shape \(2,\)"),
        (np.empty((3, 0), np.int64), ValueError, r"got shape \(3, 0\)"),
    ],
)
def test_what_is_no_integer_matrix(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        arguments.integer_matrix("counts", values)


def test_a_real_matrix() -> None:
    assert arguments.real_matrix("values", [[1, 2]]).tolist() == [[1, 2]]
    with pytest.raises(TypeError, match="values: expected real numbers, got complex128"):
        arguments.real_matrix("values", [[1j]])


def test_a_pseudo_count() -> None:
    assert arguments.pseudo_count(None, 50) == 1 / 50
    assert arguments.pseudo_count(3, 50) == 3.0
    for wrong in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"alpha: expected a finite pseudo-count > 0, got {wrong}"):
            arguments.pseudo_count(wrong, 50)


def test_counts_are_named_by_the_callers_numbers() -> None:
    rows = np.array([[1, 2], [0, 3], [4, 0]])
    assert arguments.counts(rows, NUMBERS).dtype == np.float64
    with pytest.raises(ValueError, match="got -7 for task 41, candidate 1"):
        arguments.counts(np.array([[1, 2], [0, -7], [4, 0]]), NUMBERS)
    with pytest.raises(ValueError, match="task 42 has none; leave it out"):
        arguments.counts(np.array([[1, 2], [0, 7], [0, 0]]), NUMBERS)


def test_distributions_are_named_by_the_callers_numbers() -> None:
    rows = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
    assert_array_equal(arguments.distribution("weights", rows, NUMBERS, positive=False), rows)
    with pytest.raises(ValueError, match=r"values: expected finite numbers > 0, got 0\.0 for task 41, candidate 1"):
        arguments.distribution("values", rows, NUMBERS, positive=True)
    with pytest.raises(ValueError, match="weights: expected finite numbers >= 0, got nan for task 42, candidate 0"):
        arguments.distribution("weights", np.array([*rows[:2], [math.nan, 1]]), NUMBERS, positive=False)
    with pytest.raises(ValueError, match=r"task 40 sums to 0\.9; divide by it"):
        arguments.distribution("weights", np.array([[0.4, 0.5], *rows[1:]]), NUMBERS, positive=False)


def test_the_task_of_each_ranking() -> None:
    assert arguments.task_of_rows(None, 3, 3).tolist() == [0, 1, 2]
    assert arguments.task_of_rows([2, 0], 2, 3).dtype == np.int64
    with pytest.raises(ValueError, match=r"expected one ranking per task \(3\), got 2; say which is whose with task="):
        arguments.task_of_rows(None, 2, 3)
    with pytest.raises(TypeError, match="task: expected integers, got float64"):
        arguments.task_of_rows([0.5], 1, 3)
    with pytest.raises(ValueError, match=r"task: expected shape \(2,\), one task per ranking, got \(1,\)"):
        arguments.task_of_rows([0], 2, 3)
    with pytest.raises(ValueError, match=r"task: expected numbers in \[0, 3\), got 3 for ranking 1"):
        arguments.task_of_rows([0, 3], 2, 3)


def test_points_may_be_missing_but_not_infinite() -> None:
    assert_array_equal(arguments.points("x", [1, math.nan]), [1, math.nan])
    with pytest.raises(ValueError, match="x: expected finite numbers, got inf at 1"):
        arguments.points("x", [1, math.inf])
    with pytest.raises(ValueError, match=r"x: expected a 1-d array, got shape \(1, 1\)"):
        arguments.points("x", [[1]])
