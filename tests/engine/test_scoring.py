"""Scores against their twins, the golden vectors, and the laws that any score must keep (method, section 4)."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from tests import strategies
from tests.reference import pandas_scores
from tests.reference import scores as reference
from tests.strategies import Case

import habitus
from habitus.scoring import FILLS, Fill

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"
NUMBER_FILLS: tuple[Fill, ...] = ("chance", "optimistic", "worst")
close = {"rtol": 0, "atol": 1e-12}


def score(case: Case, **options: Any) -> habitus.Scores:
    return habitus.score(case.counts, case.rankings, **{"task": case.task, "alpha": case.alpha} | options)


def random_case(seed: int, tasks: int, candidates: int, length: int, *, empty: float = 0.2) -> Case:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.5, 6, (tasks, candidates))).astype(np.int32)
    counts[:, 0] += 1
    rankings = rng.permuted(np.tile(np.arange(candidates), (tasks, 1)), axis=1)[:, :length]
    rankings[rng.random(rankings.shape) < empty] = -1
    return Case(counts, rankings.astype(np.int16), np.arange(tasks), 1 / candidates)


@pytest.mark.parametrize(
    ("fill", "column"), [("optimistic", "optimistic"), ("chance", "cross_entropy"), ("worst", "filled_worst")]
)
def test_golden_vectors(fill: Fill, column: str) -> None:
    rows = pq.read_table(GOLDEN).to_pylist()
    assert len(rows) == 600
    for row in rows:
        scores = habitus.score([row["counts"]], [row["ranking"]], alpha=row["alpha"], fill=fill)
        found = [scores.entropy[0], scores.chance[0], scores.worst[0], scores.cross_entropy[0]]
        assert_allclose(found, [row["entropy"], row["chance"], row["worst"], row[column]], **close)


@given(strategies.cases(), st.sampled_from(NUMBER_FILLS))
def test_twin(case: Case, fill: Fill) -> None:
    scores = score(case, fill=fill)
    length = case.rankings.shape[1]
    targets = [reference.smoothed(row, case.alpha) for row in case.counts.tolist()]
    assert_allclose(scores.entropy, [reference.entropy(p, p) for p in targets], **close)
    assert_allclose(scores.chance, [reference.chance(p, p, length) for p in targets], **close)
    assert_allclose(scores.worst, [reference.worst(p, p, length) for p in targets], **close)
    rows = zip(case.task, case.rankings.tolist(), strict=True)
    expected = [reference.FILLS[fill](targets[task], targets[task], ranking) for task, ranking in rows]
    assert_allclose(scores.cross_entropy, expected, **close)
    assert_array_equal(scores.valid, (case.rankings >= 0).sum(axis=1))


@pytest.mark.parametrize(("candidates", "length"), [(16, 5), (17, 17), (50, 10), (64, 1), (200, 20), (1024, 30)])
def test_twin_at_larger_sizes(candidates: int, length: int) -> None:
    case = random_case(candidates, 4, candidates, length)
    for fill in NUMBER_FILLS:
        scores = score(case, fill=fill)
        for t, (counts, ranking) in enumerate(zip(case.counts.tolist(), case.rankings.tolist(), strict=True)):
            p = reference.smoothed(counts, case.alpha)
            assert_allclose(scores.cross_entropy[t], reference.FILLS[fill](p, p, ranking), **close)
            assert_allclose(scores.chance[t], reference.chance(p, p, length), **close)


def test_chance_of_long_lists() -> None:
    case = random_case(3, 1, 256, 128, empty=0.5)
    p = reference.smoothed(case.counts[0].tolist(), case.alpha)
    assert_allclose(score(case).chance, reference.chance(p, p, 128), **close)
    assert_allclose(score(case).cross_entropy, reference.filled_by_chance(p, p, case.rankings[0].tolist()), **close)


def test_pandas_twin() -> None:
    case = random_case(5, 300, 50, 10, empty=0.03)
    assert 0 < (case.rankings < 0).any(axis=1).sum() < 300
    scores, frame = score(case), pandas_scores.score(case.counts, case.rankings, case.alpha)
    assert_allclose(scores.entropy, frame["entropy"], **close)
    assert_allclose(scores.cross_entropy, frame["cross_entropy"], **close)


@given(strategies.cases(max_candidates=6))
def test_chance_is_the_mean_over_all_lists(case: Case) -> None:
    scores = score(case)
    targets = [reference.smoothed(row, case.alpha) for row in case.counts.tolist()]
    empty = [-1] * case.rankings.shape[1]
    assert_allclose(scores.chance, [reference.filled_by_enumeration(p, p, empty) for p in targets], **close)
    rows = zip(case.task, case.rankings.tolist(), strict=True)
    expected = [reference.filled_by_enumeration(targets[task], targets[task], ranking) for task, ranking in rows]
    assert_allclose(scores.cross_entropy, expected, **close)


@given(strategies.count_rows(5), st.integers(1, 5))
def test_worst_is_the_largest_of_all_lists(counts: list[int], length: int) -> None:
    lists = list(itertools.permutations(range(5), length))
    scores = habitus.score([counts], lists, task=[0] * len(lists))
    assert_allclose(scores.cross_entropy.max(), scores.worst[0], **close)
    assert_allclose(scores.cross_entropy.min(), scores.entropy[0], **close)


@given(strategies.cases(), st.sampled_from(NUMBER_FILLS))
def test_bounds(case: Case, fill: Fill) -> None:
    scores = score(case, fill=fill)
    entropy, worst = scores.entropy[case.task], scores.worst[case.task]
    assert (entropy <= scores.cross_entropy + 1e-12).all()
    assert (scores.cross_entropy <= worst + 1e-12).all()
    assert (scores.entropy <= scores.chance + 1e-12).all()
    assert (scores.chance <= scores.worst + 1e-12).all()
    assert (scores.entropy <= math.log(case.counts.shape[1]) + 1e-12).all()


@given(strategies.cases(), st.data())
def test_relabelling_candidates_changes_nothing(case: Case, data: st.DataObject) -> None:
    new = np.array(data.draw(st.permutations(range(case.counts.shape[1]))))
    counts = np.empty_like(case.counts)
    counts[:, new] = case.counts
    relabelled = case._replace(counts=counts, rankings=np.where(case.rankings < 0, -1, new[case.rankings]))
    for before, after in zip(score(case), score(relabelled), strict=True):
        assert_allclose(after, before, **close)


@given(strategies.cases(), st.data())
def test_swapping_equals_changes_nothing(case: Case, data: st.DataObject) -> None:
    a, b = data.draw(st.permutations(range(case.counts.shape[1])))[:2]
    counts = case.counts.copy()
    counts[:, [a, b]] = counts[:, [a, b]].max(axis=1, keepdims=True)
    swap = np.arange(counts.shape[1])
    swap[[a, b]] = b, a
    tied = case._replace(counts=counts)
    swapped = tied._replace(rankings=np.where(case.rankings < 0, -1, swap[case.rankings]))
    assert_allclose(score(swapped).cross_entropy, score(tied).cross_entropy, **close)


@given(strategies.cases(), st.integers(2, 1000))
def test_only_proportions_matter(case: Case, factor: int) -> None:
    scaled = score(case._replace(counts=case.counts.astype(np.int64) * factor, alpha=case.alpha * factor))
    for before, after in zip(score(case), scaled, strict=True):
        assert_allclose(after, before, **close)


@given(strategies.cases())
def test_perfect_and_reversed_lists(case: Case) -> None:
    order = np.argsort(-case.counts, axis=1, kind="stable")
    length = case.rankings.shape[1]
    perfect = habitus.score(case.counts, order[:, :length], alpha=case.alpha)
    assert_allclose(perfect.cross_entropy, perfect.entropy, **close)
    backwards = habitus.score(case.counts, order[:, ::-1], alpha=case.alpha)
    assert_allclose(backwards.cross_entropy, backwards.worst, **close)
    partly = habitus.score(case.counts, order[:, ::-1][:, :length], alpha=case.alpha)
    assert_allclose(partly.cross_entropy, partly.worst, **close)


@given(strategies.cases())
def test_an_empty_list(case: Case) -> None:
    empty = case._replace(rankings=np.full_like(case.rankings, -1))
    for fill, field in [("chance", "chance"), ("worst", "worst"), ("optimistic", "entropy")]:
        scores = score(empty, fill=fill)
        assert_allclose(scores.cross_entropy, getattr(scores, field)[case.task], **close)
    assert np.isnan(score(empty, fill="drop").cross_entropy).all()


@given(strategies.cases(empty_slots=False))
def test_fills_agree_on_full_lists(case: Case) -> None:
    expected = score(case).cross_entropy
    for fill in FILLS:
        assert_array_equal(score(case, fill=fill).cross_entropy, expected)


@given(strategies.cases())
def test_drop_keeps_full_lists_only(case: Case) -> None:
    scores = score(case, fill="drop")
    full = (case.rankings >= 0).all(axis=1)
    assert_array_equal(np.isnan(scores.cross_entropy), ~full)
    assert_array_equal(scores.cross_entropy[full], score(case).cross_entropy[full])


@given(strategies.cases())
def test_empty_slots_move_to_the_end(case: Case) -> None:
    rows = [sorted(row, key=lambda item: item < 0) for row in case.rankings.tolist()]
    assert_array_equal(score(case._replace(rankings=np.array(rows))).cross_entropy, score(case).cross_entropy)


@given(strategies.cases())
def test_grouped_rankings_score_as_alone(case: Case) -> None:
    together = score(case).cross_entropy
    alone = [
        habitus.score(case.counts[[task]], case.rankings[[s]], alpha=case.alpha).cross_entropy[0]
        for s, task in enumerate(case.task)
    ]
    assert_array_equal(together, alone)


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_threads_and_pieces_cannot_change_a_bit(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_case(7, 700, 30, 8)
    task = np.random.default_rng(1).integers(0, 700, 2000)
    case = case._replace(rankings=case.rankings[np.random.default_rng(2).integers(0, 700, 2000)], task=task)
    whole = score(case, threads=1)
    monkeypatch.setattr("habitus.scoring._TASK_CELLS", 30 * 7)
    monkeypatch.setattr("habitus.scoring._RANKING_CELLS", 30 * 5)
    for before, after in zip(whole, score(case, threads=threads), strict=True):
        assert_array_equal(after, before)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64])
def test_every_integer_type(kind: type[np.integer[Any]]) -> None:
    case = random_case(11, 20, 12, 5, empty=0)
    expected = score(case)
    same = habitus.score(case.counts.astype(kind), case.rankings.astype(kind), task=case.task.astype(kind))
    for before, after in zip(expected, same, strict=True):
        assert_array_equal(after, before)


def test_lists_views_and_read_only_arrays() -> None:
    case = random_case(13, 20, 12, 5)
    expected = score(case)
    counts, rankings = np.asfortranarray(case.counts), np.repeat(case.rankings, 2, axis=1)[:, ::2]
    frozen = case.counts.copy(), case.rankings.copy()
    for array in frozen:
        array.flags.writeable = False
    for given_arrays in [(counts, rankings), frozen, (case.counts.tolist(), case.rankings.tolist())]:
        for before, after in zip(expected, habitus.score(*given_arrays), strict=True):
            assert_array_equal(after, before)
    assert_array_equal(case.counts, frozen[0])


def test_counts_beyond_32_bits() -> None:
    counts = [[2**62, 2**61, 0, 5]]
    p = reference.smoothed(counts[0], 0.25)
    scores = habitus.score(counts, [[1, -1]])
    assert_allclose(scores.cross_entropy, reference.filled_by_chance(p, p, [1, -1]), **close)


def test_no_tasks_and_no_rankings() -> None:
    nothing = habitus.score(np.empty((0, 5), int), np.empty((0, 3), int))
    assert [len(field) for field in nothing] == [0] * 5
    tasks_only = habitus.score([[1, 2]], np.empty((0, 1), int), task=np.empty(0, int))
    assert_allclose(tasks_only.entropy, habitus.entropy.plug_in([[1, 2]]), **close)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([[1, 2, 3]], [[0, 0]]), {}, "row 0 lists 0 twice"),
        (([[1, 2, 3], [3, 2, 1]], [[0, 1], [0, 3]]), {}, r"\[0, 3\), row 1 holds 3"),
        (([[1, 2, 3]], [[0, 1], [-2, 1]]), {"task": [0, 0]}, "row 1 holds -2"),
        (([[1, 2], [2, 1]], [[0], [0], [9]]), {"task": [1, 0, 0]}, "row 2 holds 9"),
        (([[1, 2, 3]], np.array([[0, 2**64 - 1]], np.uint64)), {}, "row 0 holds 18446744073709551615"),
        (([[1, 2, 3]], [[0, 2**33]]), {}, "row 0 holds 8589934592"),
        (([[1, 2], [4, -5]], [[0], [0]]), {}, "got -5 for task 1, candidate 1"),
        (([[1, 2], [0, 0]], [[0], [0]]), {}, "task 1 has none"),
        (([[1, 2]], [[0]]), {"alpha": 0.0}, "alpha: expected .* > 0, got 0.0"),
        (([[1, 2]], [[0]]), {"alpha": math.nan}, "alpha: .* got nan"),
        (([[1, 2]], [[0]]), {"fill": "best"}, "fill: expected one of .*, got 'best'"),
        (([[1, 2]], [[0]]), {"threads": 0}, "threads: expected at least 1, got 0"),
        (([[1, 2]], [[0]]), {"task": [1]}, r"task: expected numbers in \[0, 1\), got 1 for ranking 0"),
        (([[1, 2]], [[0]]), {"task": [-1]}, "got -1 for ranking 0"),
        (([[1, 2]], [[0]]), {"task": [0, 0]}, r"task: expected shape \(1,\)"),
        (([[1, 2]], [[0], [1]]), {}, r"one ranking per task \(1\), got 2"),
        (([[1, 2]], [[0, 1, -1]]), {}, "at most 2 candidates, got 3"),
        (([[1, 2]], [0]), {}, r"rankings: expected a 2-d array .* got shape \(1,\)"),
        (([1, 2], [[0]]), {}, r"counts: expected a 2-d array .* got shape \(2,\)"),
        (([[1, 2]], np.empty((1, 0), int)), {}, "at least one column"),
    ],
)
def test_content_errors_say_where(arguments: tuple[Any, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        habitus.score(*arguments, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([[1.0, 2.0]], [[0]]), {}, "counts: expected integers, got float64"),
        (([[True, False]], [[0]]), {}, "counts: expected integers, got bool"),
        (([[1, 2]], [[0.0]]), {}, "rankings: expected integers, got float64"),
        (([[1, 2]], [[0]]), {"task": [0.0]}, "task: expected integers, got float64"),
        (([["1", "2"]], [[0]]), {}, "counts: expected integers"),
    ],
)
def test_kind_errors(arguments: tuple[Any, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        habitus.score(*arguments, **options)


def test_the_first_faulty_row_is_named_on_any_number_of_threads() -> None:
    case = random_case(17, 5000, 50, 10, empty=0)
    case.rankings[[700, 4000], 3] = 50
    for threads in (1, 2, 4):
        with pytest.raises(ValueError, match="row 700 holds 50"):
            score(case, threads=threads)
