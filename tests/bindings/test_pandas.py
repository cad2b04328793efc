"""The pandas accessor against the engine: golden vectors, ways to hold lists, indexes, missing rows, messages."""

import doctest
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests import strategies
from tests.strategies import Case

import habitus
from habitus.entropy import ESTIMATORS
from habitus.scoring import FILLS, Fill
from habitus_bindings import pandas as tongue

GOLDEN = Path(__file__).parents[1] / "golden" / "scores.parquet"

COUNTS, RANKINGS = [[3, 0, 1], [1, 1, 5], [2, 2, 2]], [[2, 0], [1, -1], [-1, -1]]


def assert_same(scores: Any, expected: habitus.Scores) -> None:
    assert list(scores.columns) == list(habitus.Scores._fields)
    assert [str(kind) for kind in scores.dtypes] == ["float64"] * 4 + ["Int32"]
    for name, values in expected._asdict().items():
        assert_array_equal(scores[name].to_numpy(np.float64), values, err_msg=name)


def arrow(lists: Any, kind: Any) -> Any:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(lists, kind)))


def test_docstrings():
    assert doctest.testmod(importlib.import_module("habitus_bindings.pandas")).failed == 0


@pytest.mark.parametrize("fill", FILLS)
def test_golden_vectors(fill: Fill) -> None:
    frame = pq.read_table(GOLDEN).to_pandas()
    for alpha, own in frame.groupby("alpha"):
        scores = own["counts"].habitus.score(own["ranking"], alpha=alpha, fill=fill)
        rows = zip(own["counts"], own["ranking"], strict=True)
        alone = [habitus.score([counts], [ranking], alpha=alpha, fill=fill) for counts, ranking in rows]
        assert_same(scores, habitus.Scores(*(np.concatenate(parts) for parts in zip(*alone, strict=True))))


@given(strategies.cases(), st.sampled_from(FILLS))
def test_engine(case: Case, fill: Fill) -> None:
    counts, task = pd.DataFrame(case.counts), case.task
    scores = counts.iloc[task].habitus.score(case.rankings, alpha=case.alpha, fill=fill)
    assert_same(scores, habitus.score(case.counts[task], case.rankings, alpha=case.alpha, fill=fill))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator(estimator: str) -> None:
    found = pd.Series(COUNTS).habitus.entropy(estimator=estimator)
    assert_array_equal(found.to_numpy(), ESTIMATORS[estimator](COUNTS))
    assert found.name == "entropy"


HELD = {
    "lists": pd.Series,
    "tuples": lambda lists: pd.Series([tuple(row) for row in lists]),
    "arrays": lambda lists: pd.Series([np.array(row, np.int16) for row in lists]),
    "columns": pd.DataFrame,
    "columns of several types": lambda lists: pd.DataFrame(lists).astype({0: "int8", 1: "Int64"}),
    "Arrow list": lambda lists: arrow(lists, pa.list_(pa.int32())),
    "Arrow large list": lambda lists: arrow(lists, pa.large_list(pa.int64())),
    "Arrow fixed-size list": lambda lists: arrow(lists, pa.list_(pa.int8(), len(lists[0]))),
}


@pytest.mark.parametrize("counts", HELD)
@pytest.mark.parametrize("rankings", HELD)
def test_every_way_to_hold_lists(counts: str, rankings: str) -> None:
    scores = HELD[counts](COUNTS).habitus.score(HELD[rankings](RANKINGS))
    assert_same(scores, habitus.score(COUNTS, RANKINGS))


@pytest.mark.parametrize(
    "rankings",
    [
        pd.Series([[2, 0], [1, None], [None, None]]),
        pd.Series([[2, 0], [1, np.nan], [pd.NA, -1]]),
        pd.Series([[2, 0], np.array([1, np.nan]), [np.nan, -1]]),
        pd.DataFrame([[2, 0], [1, np.nan], [np.nan, np.nan]]),
        pd.DataFrame([[2, 0], [1, None], [None, None]], dtype="Int16"),
        arrow([[2, 0], [1, None], [None, None]], pa.list_(pa.int16())),
        arrow([[2, 0], [1, None], [None, None]], pa.list_(pa.uint8(), 2)),
    ],
)
def test_missing_slots_are_empty(rankings: Any) -> None:
    assert_same(pd.Series(COUNTS).habitus.score(rankings), habitus.score(COUNTS, RANKINGS))


@pytest.mark.parametrize(
    "counts",
    [
        pd.Series([COUNTS[0], None, COUNTS[2]]),
        pd.Series([COUNTS[0], np.nan, COUNTS[2]], dtype=object),
        pd.DataFrame([COUNTS[0], [np.nan] * 3, COUNTS[2]]),
        pd.DataFrame([COUNTS[0], [None] * 3, COUNTS[2]], dtype="Int32"),
        arrow([COUNTS[0], None, COUNTS[2]], pa.list_(pa.int16())),
        arrow([COUNTS[0], None, COUNTS[2]], pa.list_(pa.int16(), 3)),
    ],
)
def test_missing_rows_are_missing(counts: Any) -> None:
    scores = counts.habitus.score(np.array(RANKINGS))
    assert scores.isna().all(axis=1).to_list() == [False, True, False]
    assert_same(scores.iloc[[0, 2]], habitus.score(COUNTS[::2], RANKINGS[::2]))
    assert counts.habitus.entropy().isna().to_list() == [False, True, False]
    assert counts.habitus.chance(2).isna().to_list() == [False, True, False]


@pytest.mark.parametrize(
    "rankings", [pd.Series(RANKINGS, index=list("cab")), pd.DataFrame(RANKINGS, index=list("cab"))]
)
def test_rankings_follow_the_index(rankings: Any) -> None:
    scores = pd.Series(COUNTS, index=list("abd")).habitus.score(rankings)
    assert list(scores.index) == list("abd")
    assert scores.isna().all(axis=1).to_list() == [False, False, True]
    assert_same(scores.iloc[:2], habitus.score(COUNTS[:2], [RANKINGS[1], RANKINGS[2]]))


def test_several_rankings_of_a_task() -> None:
    counts, index = pd.Series(COUNTS), [1, 0, 1]
    scores = counts.loc[index].habitus.score(pd.Series(RANKINGS, index=index))
    assert list(scores.index) == index
    assert_same(scores, habitus.score([COUNTS[row] for row in index], RANKINGS))


def test_an_index_without_an_order_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^rankings: expected the index of the counts, or one without duplicates"):
        pd.Series(COUNTS).habitus.score(pd.Series(RANKINGS, index=[0, 0, 1]))


def test_rows_of_different_sizes_and_length() -> None:
    counts, rankings = [[5, 1], [1, 2, 3]], [[1], [0, 2]]
    alone = [habitus.score([one], [ranking]) for one, ranking in zip(counts, rankings, strict=True)]
    expected = habitus.Scores(*(np.concatenate(parts) for parts in zip(*alone, strict=True)))
    assert_same(pd.Series(counts).habitus.score(pd.Series(rankings)), expected)
    filled = pd.Series(COUNTS).habitus.score(pd.Series([[], [1], [0, 2]]), length=2)
    assert_same(filled, habitus.score(COUNTS, [[-1, -1], [1, -1], [0, 2]]))


def test_chance_worst_and_cross_entropy_are_columns_of_score() -> None:
    counts = pd.DataFrame(COUNTS, index=list("xyz"))
    scores = counts.habitus.score(RANKINGS, alpha=0.5)
    for own in (
        counts.habitus.chance(2, alpha=0.5),
        counts.habitus.worst(2, alpha=0.5),
        counts.habitus.cross_entropy(RANKINGS, alpha=0.5),
    ):
        pd.testing.assert_series_equal(own, scores[own.name], check_exact=True)


def test_nothing_to_score() -> None:
    assert pd.Series([], dtype=object).habitus.score(np.empty((0, 3), int)).shape == (0, 5)
    assert pd.DataFrame(COUNTS).iloc[:0].habitus.entropy().shape == (0,)


def test_the_callers_data_stay_as_they_are() -> None:
    counts, rankings = pd.DataFrame(COUNTS), pd.DataFrame([[2, 0], [1, np.nan], [np.nan, np.nan]])
    kept = counts.copy(), rankings.copy()
    counts.habitus.score(rankings)
    pd.testing.assert_frame_equal(counts, kept[0])
    pd.testing.assert_frame_equal(rankings, kept[1])


def test_skill_of_each_model() -> None:
    case = habitus.score(COUNTS * 2, RANKINGS * 2)
    scores = pd.DataFrame(COUNTS * 2).habitus.score(RANKINGS * 2)
    assert tongue.skill(scores) == habitus.skill(case)
    models = pd.Series(list("aabbab"), name="model")
    found = scores.groupby(models).apply(lambda own: tongue.skill(own).value)
    for model, value in found.items():
        assert value == habitus.skill(habitus.Scores(*(values[models == model] for values in case))).value
    scores.loc[0] = pd.NA
    assert tongue.skill(scores).excluded == habitus.skill(case).excluded + 1


GOOD = pd.Series([[1, 2, 3], [4, 5, 6]], index=["a", "b"]), [[0, 1], [1, 2]]
BAD: list[tuple[Any, Any, type[Exception], str]] = [
    (
        pd.Series([[1, 2, 3], [4, -5, 6]]),
        GOOD[1],
        ValueError,
        "counts: expected counts >= 0, got -5 for row 1, candidate 1 (counts [4, -5, 6], ranking [1, 2])",
    ),
    (
        GOOD[0],
        [[0, 1], [2, 2]],
        ValueError,
        "rankings: expected each candidate once, row 'b' lists 2 twice (counts [4, 5, 6], ranking [2, 2])",
    ),
    (
        pd.Series([[1, 2], [0, 0]], index=pd.to_datetime(["2020-01-01", "2020-01-02"])),
        [[0], [1]],
        ValueError,
        (
            "counts: expected a positive count in every row, row Timestamp('2020-01-02 00:00:00') has none; "
            "leave it out (counts [0, 0], ranking [1])"
        ),
    ),
    (
        pd.DataFrame([[1, 2], [None, 2]], index=[7, 8]),
        [[0], [1]],
        ValueError,
        "counts: expected a number for every candidate, row 8 has none for candidate 0",
    ),
    (GOOD[0], [[0.5], [1]], TypeError, "rankings: expected integers, got float64"),
    (GOOD[0], pd.DataFrame([[0.5], [None]], index=["a", "b"]), TypeError, "rankings: expected integers, got float64"),
    (pd.Series([1, 2]), [[0], [1]], TypeError, "counts: expected lists of integers, got int64"),
    (
        pd.Series(["a", "b"], dtype=object),
        [[0], [1]],
        TypeError,
        "counts: expected lists of integers, got a cell of shape (): a",
    ),
    (pd.Series([["a"], ["b"]]), [[0], [0]], TypeError, "counts: expected integers, got <U1"),
    (
        GOOD[0].to_frame(),
        [[0], [1]],
        TypeError,
        "counts: expected numbers, got lists within; a column of lists is a Series: frame[name]",
    ),
    (GOOD[0], [0, 1], ValueError, "rankings: expected an array of rows and slots, got shape (2,)"),
    (GOOD[0], [[0], [1], [2]], ValueError, "ranking: expected 2 rows, or one for all, got 3"),
]


@pytest.mark.parametrize(("counts", "rankings", "kind", "line"), BAD)
def test_a_bad_row_is_one_clear_line(counts: Any, rankings: Any, kind: type[Exception], line: str) -> None:
    with pytest.raises(kind) as caught:
        counts.habitus.score(rankings)
    assert str(caught.value) == line


def test_without_pandas() -> None:
    program = "import sys; sys.modules['pandas'] = None; import habitus_bindings.pandas"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: habitus_bindings.pandas: expected pandas >= 2.2; pip install 'pandas>=2.2'"
    )
