"""The general form of the scores, and skill (method, section 4)."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests import strategies
from tests.reference import scores as reference
from tests.strategies import Case

import habitus
from habitus.scoring import Fill

close = {"rtol": 0, "atol": 1e-12}
fills = st.sampled_from(["chance", "optimistic", "worst"])


@given(strategies.distributions(6), strategies.distributions(6, least=1e-3), strategies.ranking(6, 4), fills)
def test_twin(t: np.ndarray, v: np.ndarray, ranking: list[int], fill: Fill) -> None:
    scores = habitus.score_values([t], [v], [ranking], fill=fill)
    t, v = t.tolist(), v.tolist()
    assert_allclose(scores.entropy[0], reference.entropy(t, v), **close)
    assert_allclose(scores.chance[0], reference.filled_by_enumeration(t, v, [-1] * 4), **close)
    assert_allclose(scores.worst[0], reference.worst(t, v, 4), **close)
    assert_allclose(scores.cross_entropy[0], reference.FILLS[fill](t, v, ranking), **close)
    assert_array_equal(habitus.cross_entropy([t], [v], [ranking], fill=fill), scores.cross_entropy)


@given(strategies.cases(), fills)
def test_counts_are_a_case_of_it(case: Case, fill: Fill) -> None:
    p = np.array([reference.smoothed(row, case.alpha) for row in case.counts.tolist()])
    general = habitus.score_values(p, p, case.rankings, task=case.task, fill=fill)
    special = habitus.score(case.counts, case.rankings, task=case.task, alpha=case.alpha, fill=fill)
    for one, other in zip(general, special, strict=True):
        assert_allclose(one, other, **close)


@given(strategies.distributions(7), strategies.distributions(7, least=1e-3), strategies.ranking(7, 5))
def test_weights_are_averaged_linearly(t: np.ndarray, v: np.ndarray, ranking: list[int]) -> None:
    uniform = np.full(7, 1 / 7)
    parts = habitus.cross_entropy([t, uniform], [v, v], [ranking, ranking])
    assert_allclose(habitus.cross_entropy([(t + uniform) / 2], [v], [ranking])[0], parts.mean(), **close)


@pytest.mark.parametrize("candidates", [5, 40, 100])
def test_ties_are_broken_by_position(candidates: int) -> None:
    rng = np.random.default_rng(candidates)
    t, v = rng.dirichlet(np.ones(candidates)).tolist(), rng.integers(1, 3, candidates)
    v = (v / v.sum()).tolist()
    scores = habitus.score_values([t], [v], [[0, -1]], fill="worst")
    assert_allclose(scores.worst[0], reference.worst(t, v, 2), **close)
    assert_allclose(scores.cross_entropy[0], reference.filled_worst(t, v, [0, -1]), **close)


def test_held_out_weights_decide_the_expectation() -> None:
    L = -np.log([0.75, 0.25])
    found = habitus.cross_entropy([[0.4, 0.6], [0.4, 0.6]], [[0.25, 0.75]] * 2, [[1], [0]])
    assert_allclose(found, [0.6 * L[0] + 0.4 * L[1], 0.4 * L[0] + 0.6 * L[1]], **close)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["chance", "optimistic", "worst"]))
def test_the_order_of_candidates_of_equal_value_means_nothing(seed: int, fill: Fill) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 4, 9).astype(float)
    weights = rng.random(9)
    listed = np.where(rng.random(4) < 0.3, -1, rng.permutation(9)[:4])
    order = rng.permutation(9)
    shuffled = np.where(listed < 0, -1, np.argsort(order)[listed])
    parts = weights[None] / weights.sum(), values[None] / values.sum()
    found = habitus.score_values(*parts, listed[None], fill=fill)
    again = habitus.score_values(*(part[:, order] for part in parts), shuffled[None], fill=fill)
    for name in ("entropy", "chance", "worst", "cross_entropy"):
        assert_allclose(getattr(again, name), getattr(found, name), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "values", "kind", "message"),
    [
        (
            [[0.5, 0.5]],
            [[1.0, 0.0]],
            ValueError,
            "values: expected finite numbers > 0, got 0.0 for task 0, candidate 1",
        ),
        ([[1.5, -0.5]], [[0.5, 0.5]], ValueError, "weights: expected finite numbers >= 0, got -0.5"),
        ([[0.5, math.nan]], [[0.5, 0.5]], ValueError, "weights: .* got nan for task 0, candidate 1"),
        ([[0.5, 0.5]], [[0.5, math.inf]], ValueError, "values: .* got inf"),
        ([[0.5, 0.5], [0.5, 0.6]], [[0.5, 0.5]] * 2, ValueError, "weights: .* task 1 sums to 1.1"),
        ([[0.5, 0.5]], [[0.5, 0.5 + 1e-8]], ValueError, "values: expected rows that sum to 1"),
        ([[0.5, 0.5]], [[0.2, 0.3, 0.5]], ValueError, r"one shape, got \(1, 2\) and \(1, 3\)"),
        ([[0.5, 0.5j]], [[0.5, 0.5]], TypeError, "weights: expected real numbers, got complex128"),
    ],
)
def test_errors_say_where(weights: Any, values: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        habitus.score_values(weights, values, [[0]] * len(weights))


def test_skill_of_known_lists() -> None:
    counts = [[9, 4, 1, 0], [0, 2, 5, 11]]
    perfect = habitus.score(counts, [[0, 1], [3, 2]])
    assert habitus.skill(perfect) == (pytest.approx(1, abs=1e-12), 2, 0)
    assert habitus.bounded_skill(perfect).value == pytest.approx(1, abs=1e-12)
    empty = habitus.score(counts, [[-1, -1]] * 2)
    assert habitus.skill(empty).value == pytest.approx(0, abs=1e-12)
    last = habitus.score(counts, [[3, 2], [0, 1]])
    assert habitus.bounded_skill(last).value == pytest.approx(0, abs=1e-12)
    assert habitus.skill(last).value < 0


def test_skill_is_a_ratio_of_sums() -> None:
    scores = habitus.Scores(
        entropy=np.array([1.0, 2.0]), chance=np.array([2.0, 5.0]), worst=np.array([3.0, 8.0]),
        cross_entropy=np.array([2.0, 2.0, 3.5]), valid=np.array([1, 1, 1], np.int32),
    )  # fmt: skip
    assert habitus.skill(scores, task=[0, 1, 1]) == (pytest.approx(1 - 2.5 / 7), 3, 0)
    assert habitus.bounded_skill(scores, task=[0, 1, 1]) == (pytest.approx(1 - 2.5 / 14), 3, 0)
    assert habitus.skill(scores, task=[0, 1, 1], min_gap=2.0) == (pytest.approx(1 - 1.5 / 6), 2, 1)


def test_skill_leaves_out_and_counts() -> None:
    flat, steep = [3, 3, 3, 3], [9, 1, 0, 0]
    scores = habitus.score([flat, steep, steep], [[0, 1], [0, 1], [0, -1]], fill="drop")
    assert habitus.skill(scores) == (pytest.approx(1, abs=1e-12), 1, 2)
    nothing = habitus.skill(habitus.score([flat], [[0, 1]], fill="drop"), min_gap=0.0)
    assert math.isnan(nothing.value)
    assert (nothing.tasks, nothing.excluded) == (0, 1)
    no_gap = habitus.Scores(np.ones(1), np.ones(1), np.ones(1), np.ones(1), np.ones(1, np.int32))
    assert habitus.skill(no_gap, min_gap=0.0)[1:] == (0, 1)


def test_skill_checks_the_task() -> None:
    scores = habitus.score([[9, 1]], [[0], [1]], task=[0, 0])
    with pytest.raises(ValueError, match=r"one ranking per task \(1\), got 2"):
        habitus.skill(scores)
    with pytest.raises(ValueError, match="got 3 for ranking 1"):
        habitus.skill(scores, task=[0, 3])
