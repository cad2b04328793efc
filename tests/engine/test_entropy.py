"""Entropy estimators against a twin, their bounds and their symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests import strategies
from tests.reference import scores as reference

import habitus
from habitus.entropy import plug_in


@given(st.lists(strategies.count_rows(7), min_size=1, max_size=5), st.floats(1e-6, 10))
def test_twin_and_bounds(counts: list[list[int]], alpha: float) -> None:
    found = plug_in(counts, alpha=alpha)
    targets = [reference.smoothed(row, alpha) for row in counts]
    assert_allclose(found, [reference.entropy(p, p) for p in targets], rtol=0, atol=1e-12)
    assert ((found >= 0) & (found <= math.log(7) + 1e-12)).all()
    assert_allclose(plug_in([row[::-1] for row in counts], alpha=alpha), found, rtol=0, atol=1e-12)


def test_default_alpha_is_one_over_k() -> None:
    assert_array_equal(plug_in([[3, 0, 1, 0]]), plug_in([[3, 0, 1, 0]], alpha=0.25))


def test_equal_counts_reach_the_maximum() -> None:
    assert_allclose(plug_in([[5] * 50]), math.log(50), rtol=1e-14)


def test_agrees_with_score() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (3000, 50))
    assert_allclose(plug_in(counts), habitus.score(counts, np.zeros((3000, 1), int)).entropy, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("counts", "alpha", "kind", "message"),
    [
        ([[1, 2], [3, -1]], None, ValueError, "got -1 for task 1, candidate 1"),
        ([[1, 2], [0, 0]], None, ValueError, "task 1 has none"),
        ([1, 2], None, ValueError, "2-d"),
        ([[1, 2]], -1.0, ValueError, "alpha: .* got -1.0"),
        ([[0.5, 0.5]], None, TypeError, "counts: expected integers, got float64"),
    ],
)
def test_errors(counts: list[list[int]], alpha: float | None, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        plug_in(counts, alpha=alpha)


def test_the_row_is_named_in_any_chunk() -> None:
    counts = np.ones((5000, 50), int)
    counts[4321] = 0
    with pytest.raises(ValueError, match="task 4321 has none"):
        plug_in(counts)
